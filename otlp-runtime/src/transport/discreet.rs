//! What a receiver or a proxy repeats of the program's secrets gets into no message.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Accepted, Attempt, Options, Payload, SendFuture, Transport, TransportError};

/// Shorter values are no secrets, and would blot out half of every text.
const SHORTEST: usize = 5;

/// A transport that hides the values of headers, and what a proxy is told, in what it says.
pub(super) struct Discreet {
    transport: Arc<dyn Transport>,
    /// The longest first, as one may hold another.
    secrets: Vec<String>,
}

impl Discreet {
    /// `transport` itself if there is nothing to hide.
    pub(super) fn around(transport: Arc<dyn Transport>, secrets: Vec<String>) -> Arc<dyn Transport> {
        if secrets.is_empty() { transport } else { Arc::new(Self { transport, secrets }) }
    }

    fn hide(&self, text: String) -> String {
        let mut text = text;
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "***");
            }
            // Of a text that was cut, the end may be the beginning of one. It is not known which `…` says so.
            let ends: Vec<usize> = text.rmatch_indices('…').map(|(end, _)| end).collect();
            for end in ends {
                if let Some(from) = text.get(..end).and_then(|head| secret_at_end(head, secret)) {
                    text.replace_range(from..end, "***");
                }
            }
        }
        text
    }
}

/// Where the beginning of `secret` starts that `text` ends with.
fn secret_at_end(text: &str, secret: &str) -> Option<usize> {
    let lengths = (SHORTEST..secret.len()).rev().filter(|&len| secret.is_char_boundary(len));
    lengths
        .filter_map(|len| secret.get(..len))
        .find(|start| text.ends_with(start))
        .map(|start| text.len() - start.len())
}

/// What is not to be repeated: the values of headers, and their last words without `Bearer` and the like.
pub(super) fn secrets(options: &Options) -> Vec<String> {
    let headers = options.headers.iter().filter(|(_, value)| value.is_sensitive());
    let mut secrets: Vec<String> = headers.filter_map(|(_, value)| Some(value.to_str().ok()?.to_owned())).collect();
    if let Some(credentials) = options.proxy.as_ref().and_then(|proxy| proxy.server.credentials.as_ref()) {
        secrets.push(credentials.reveal().to_owned());
        // As it is told to the proxy.
        secrets.push(STANDARD.encode(credentials.reveal()));
        secrets.extend(credentials.reveal().split_once(':').map(|(_, password)| password.to_owned()));
    }
    let words: Vec<String> =
        secrets.iter().filter_map(|value| Some(value.trim().rsplit_once(' ')?.1.to_owned())).collect();
    secrets.extend(words);
    secrets.retain(|secret| secret.len() >= SHORTEST);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

impl Transport for Discreet {
    fn prepare(&self, payload: Payload) -> Payload {
        self.transport.prepare(payload)
    }

    fn send(&self, payload: Payload, attempt: Attempt) -> SendFuture<'_> {
        Box::pin(async move {
            match self.transport.send(payload, attempt).await {
                Ok(Accepted { rejected, message }) => {
                    Ok(Accepted { rejected, message: message.map(|message| self.hide(message)) })
                }
                Err(TransportError::Retryable { cause, after, may_have_arrived, at }) => {
                    Err(TransportError::Retryable { cause: self.hide(cause), after, may_have_arrived, at })
                }
                Err(TransportError::Permanent { cause }) => Err(TransportError::Permanent { cause: self.hide(cause) }),
                Err(TransportError::Unsendable { cause }) => {
                    Err(TransportError::Unsendable { cause: self.hide(cause) })
                }
            }
        })
    }

    fn endpoint(&self) -> &str {
        self.transport.endpoint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::{OtlpConfig, TransportProtocol};

    fn options() -> Options {
        let protocol = if cfg!(feature = "http") { TransportProtocol::HttpProtobuf } else { TransportProtocol::Grpc };
        let config = OtlpConfig::default()
            .with_protocol(protocol)
            .with_header("authorization", "Bearer hunter2-hunter2")
            .with_header("x-key", "hunter2")
            .with_header("x-tenant", "a");
        let resolved = config.resolve(&|_| None, &mut |_| {}).unwrap();
        Options::new(&resolved.delivery, false).unwrap()
    }

    #[test]
    fn no_value_of_a_header_is_repeated() {
        let secrets = secrets(&options());
        assert_eq!(secrets, ["Bearer hunter2-hunter2", "hunter2-hunter2", "hunter2"]);
        let transport = super::super::unusable(
            &super::super::Endpoint::parse(
                "endpoint",
                "http://h:1",
                TransportProtocol::HttpProtobuf,
                super::super::EndpointKind::Base,
            )
            .unwrap(),
            String::new(),
        )();
        let discreet = Discreet { transport, secrets };
        for (said, shown) in [
            ("HTTP 401: invalid key hunter2 (check)", "HTTP 401: invalid key *** (check)"),
            ("no Bearer hunter2-hunter2, but hunter2-hunter2", "no ***, but ***"),
            ("a text of a tenant", "a text of a tenant"),
            ("cut within Bearer hunter2-hun…", "cut within ***…"),
            ("cut within hunte… (hint)", "cut within ***… (hint)"),
            ("cut within hunt…", "cut within hunt…"),
            // What a receiver itself leaves out is no end of the text.
            ("wait… cut within Bearer hunter2-hun…", "wait… cut within ***…"),
            ("hunter2-hu… and hunte… (hint)", "***… and ***… (hint)"),
        ] {
            assert_eq!(discreet.hide(said.to_owned()), shown);
        }
    }
}
