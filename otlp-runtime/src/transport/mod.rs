//! How encoded batches reach a receiver: one attempt, one typed outcome.
//!
//! A transport makes a single attempt. Retry, time-out and queueing stand above it, in `exporter`.

mod attempt;
#[cfg(any(feature = "http", feature = "grpc"))]
mod classify;
#[cfg(any(feature = "http", feature = "grpc"))]
mod connection;
pub(crate) mod console;
#[cfg(any(feature = "http", feature = "grpc"))]
mod discreet;
mod endpoint;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(any(feature = "http", feature = "grpc"))]
mod gzip;
#[cfg(feature = "http")]
mod http;
mod options;
pub(crate) mod properties;
#[cfg(feature = "grpc")]
mod status;
#[cfg(all(feature = "tls", any(feature = "http", feature = "grpc")))]
mod tls;
mod unusable;
#[cfg(any(feature = "http", feature = "grpc"))]
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use attempt::Attempt;
pub use endpoint::{Endpoint, EndpointKind};
pub use options::{Options, Unusable};
pub use unusable::unusable;

use crate::config::TransportProtocol;
pub use crate::encode::Payload;
use crate::error::OtlpError;

/// Names this exporter, language and version (spec-checklist EXP12, T2).
const USER_AGENT: &str = concat!("otlp-rust/", env!("CARGO_PKG_VERSION"));

/// Compresses what gets smaller by it, if that is asked for.
#[cfg(any(feature = "http", feature = "grpc"))]
fn compress(compression: crate::config::Compression, payload: Payload) -> Payload {
    match compression {
        crate::config::Compression::Gzip if !payload.gzip => match gzip::pack(&payload.body) {
            Some(body) => Payload { body, gzip: true, ..payload },
            None => payload,
        },
        _ => payload,
    }
}

/// No answer may be larger (spec-checklist OTP2).
#[cfg(any(feature = "http", feature = "grpc"))]
const RESPONSE_LIMIT: usize = 4 * 1024 * 1024;

/// The receiver accepted a request (spec-checklist OTP6: never sent again, whatever it says).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Items that the receiver refused (partial success).
    pub rejected: u64,
    /// What the receiver said about it.
    pub message: Option<String>,
}

/// Where an attempt failed, which decides what there is to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hop {
    /// At the receiver, or somewhere on the way to it.
    #[default]
    Receiver,
    /// At the proxy, so that the receiver never heard of it.
    Proxy,
}

/// An attempt failed. Display says what was wrong, without any header value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// May be sent again.
    #[error("{cause}")]
    Retryable {
        /// What happened.
        cause: String,
        /// The least time to wait, if the receiver named one (Retry-After, RetryInfo).
        after: Option<Duration>,
        /// Whether the request may have arrived all the same.
        may_have_arrived: bool,
        /// Where it failed.
        at: Hop,
    },
    /// Must not be sent again (spec-checklist OTP7).
    #[error("{cause}")]
    Permanent {
        /// What happened.
        cause: String,
    },
    /// Was not sent, because the settings allow no request.
    #[error("{cause}")]
    Unsendable {
        /// What is wrong with them.
        cause: String,
    },
}

/// A future of a transport.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<Accepted, TransportError>> + Send + 'a>>;

/// One way to reach a receiver. Implement it to bring your own.
///
/// It is called on `otlp-export`, a current-thread tokio runtime with I/O and time enabled; several sends may be under
/// way at once, and any of them may be cancelled by dropping its future.
pub trait Transport: Send + Sync + 'static {
    /// Makes `payload` ready for its attempts, once before the first: compresses it, say. It may not get larger.
    fn prepare(&self, payload: Payload) -> Payload {
        payload
    }

    /// Makes one attempt. Whoever calls it cuts it off when its time is over, by dropping the future; the transport may look at
    /// that time, and says when nothing was sent so far.
    fn send(&self, payload: Payload, attempt: Attempt) -> SendFuture<'_>;

    /// Where it sends to, for messages: an endpoint without credentials.
    fn endpoint(&self) -> &str;
}

/// Makes a transport on the thread that will drive it.
pub type TransportFactory = Box<dyn FnOnce() -> Arc<dyn Transport> + Send>;

/// The factory for `protocol`: everything that can be wrong is told here, before a thread starts.
#[cfg_attr(not(all(feature = "http", feature = "grpc")), allow(unused_variables))]
pub fn build(protocol: TransportProtocol, endpoint: Endpoint, options: Options) -> Result<TransportFactory, OtlpError> {
    match protocol {
        #[cfg(feature = "http")]
        TransportProtocol::HttpProtobuf => {
            let secrets = discreet::secrets(&options);
            Ok(Box::new(move || {
                let transport = Arc::new(http::HttpTransport::new(endpoint, options));
                discreet::Discreet::around(transport, secrets)
            }))
        }
        #[cfg(feature = "grpc")]
        TransportProtocol::Grpc => {
            let secrets = discreet::secrets(&options);
            Ok(Box::new(move || {
                let transport = Arc::new(grpc::GrpcTransport::new(endpoint, options));
                discreet::Discreet::around(transport, secrets)
            }))
        }
        TransportProtocol::Stdout => Ok(console::build()),
        #[cfg(not(feature = "http"))]
        TransportProtocol::HttpProtobuf => {
            Err(OtlpError::FeatureDisabled { wanted: "protocol `http/protobuf`", feature: "http" })
        }
        #[cfg(not(feature = "grpc"))]
        TransportProtocol::Grpc => Err(OtlpError::FeatureDisabled { wanted: "protocol `grpc`", feature: "grpc" }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_protocol_is_there_exactly_with_its_feature() {
        for (protocol, there) in [
            (TransportProtocol::HttpProtobuf, cfg!(feature = "http")),
            (TransportProtocol::Grpc, cfg!(feature = "grpc")),
        ] {
            let endpoint = Endpoint::parse("endpoint", "http://h:1", protocol, EndpointKind::Base).unwrap();
            match build(protocol, endpoint, Options::default()) {
                Ok(make) => assert!(there && make().endpoint() == "http://h:1"),
                Err(OtlpError::FeatureDisabled { .. }) => assert!(!there),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
