//! What holds of endpoints and answers whatever they are: looked at with random bytes by the tests, and by `fuzz/`.
#![cfg(all(any(test, fuzzing), feature = "http", feature = "grpc"))]
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::status::{Code, Status};
use super::{Endpoint, EndpointKind, TransportError, classify, wire};
use crate::config::TransportProtocol;
use crate::data::Signal;
use crate::error::OtlpError;

/// A text for a line on stderr: one, and not endless.
fn is_line(line: &str) {
    assert!(!line.contains(char::is_control) && line.len() < 2000, "{line:?}");
}

/// A URL that is taken can be sent to, and no message shows what it holds of secrets.
pub fn endpoint(text: &str) {
    for protocol in [TransportProtocol::HttpProtobuf, TransportProtocol::Grpc] {
        for kind in [EndpointKind::Base, EndpointKind::Signal] {
            let parsed = Endpoint::parse("endpoint", text, protocol, kind);
            if let Err(error) = &parsed {
                is_line(&error.to_string());
            }
            if let Ok(endpoint) = parsed {
                assert!(!endpoint.host().is_empty() && endpoint.port() > 0);
                HeaderValue::from_str(endpoint.authority()).unwrap();
                for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
                    let path = endpoint.path(signal);
                    let uri: Uri = path.parse().unwrap_or_else(|error| panic!("{path:?}: {error}"));
                    assert_eq!(uri.path_and_query().map(|path| path.as_str()), Some(path.as_str()));
                    assert!(path.starts_with('/'), "{path:?}");
                }
                if protocol == TransportProtocol::Grpc {
                    let origin: Uri = endpoint.to_string().parse().unwrap();
                    assert_eq!(origin.authority().map(|a| a.as_str()), Some(endpoint.authority()));
                }
                is_line(&endpoint.to_string());
            }
            // Without a digit of the secret, `text` cannot hold it.
            let bare = text.replace('2', "");
            // What may be a password, if the URL is no good as it is; a password in front of the host, and a key in the query.
            let perhaps = format!("{bare}hunter2@h");
            for secret in [&perhaps, &format!("http://hunter2@{bare}"), &format!("http://h/?{bare}hunter2")] {
                match Endpoint::parse("endpoint", secret, protocol, kind) {
                    // As a URL is read, an `@` behind a `/` belongs to the path.
                    Ok(_) if *secret == perhaps => {}
                    Ok(endpoint) => assert!(!endpoint.to_string().contains("hunter2"), "{endpoint}"),
                    Err(error @ OtlpError::InvalidConfig { .. }) => {
                        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    }
}

/// `Retry-After`: whatever it says, it is a time that can be waited for.
pub fn retry_after(bytes: &[u8]) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let after = classify::retry_after(bytes, now);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(seconds) = text.trim().parse::<u64>()
        && !text.contains('+')
    {
        assert_eq!(after, Some(Duration::from_secs(seconds)));
    }
}

/// An answer's body, of success and of failure, over HTTP and as gRPC's details.
pub fn answer(bytes: &[u8]) {
    let accepted = classify::success(bytes);
    is_line(accepted.message.as_deref().unwrap_or_default());
    // What the oracle cannot read may be read here, but what both read is the same.
    if let (Ok(ours), Ok(oracle)) = (wire::export_response(bytes), ExportTraceServiceResponse::decode(bytes)) {
        let partial = oracle.partial_success.unwrap_or_default();
        assert_eq!(ours.rejected, u64::try_from(partial.rejected_spans).unwrap_or(0));
        assert_eq!((accepted.rejected, ours.message), (ours.rejected, partial.error_message));
    }
    // As each header of gRPC's end of a call.
    for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
        let mut headers =
            HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("14"))]);
        if let Ok(value) = HeaderValue::from_bytes(bytes) {
            headers.insert(name, value);
        }
        let Status { code, message, details } = Status::from_headers(&headers).unwrap();
        is_line(&classify::grpc(code, &message, &details).to_string());
    }
    let status = wire::rpc_status(bytes);
    for code in [302, 400, 404, 429, 503] {
        is_line(&classify::http(StatusCode::from_u16(code).unwrap(), None, bytes).to_string());
    }
    // UNKNOWN, RESOURCE_EXHAUSTED, UNAVAILABLE: final, retried if told when, and retried.
    for code in [Code::Unknown, Code::ResourceExhausted, Code::Unavailable] {
        let error = classify::grpc(code, &String::from_utf8_lossy(bytes), bytes);
        is_line(&error.to_string());
        if let TransportError::Retryable { after, .. } = error {
            assert_eq!(after, status.as_ref().ok().and_then(|status| status.retry_delay));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exp2_exp3_of_endpoints(
            text in "(http://|HTTP://|https://|ftp://|)[a-c0-9.:/?#@%\\[\\]\\\\ \"{}|<>^`~_-]{0,24}", any in any::<String>()
        ) {
            super::endpoint(&text);
            super::endpoint(&any);
        }

        #[test]
        fn otp12_of_retry_after(text in "[ 0-9+-]{0,24}", date in "(Sun|Mon), [0-3][0-9] (Nov|Feb) [0-9]{4} [0-2][0-9]:[0-9]{2}:[0-9]{2} GMT",
            any in prop::collection::vec(any::<u8>(), 0..40)
        ) {
            for bytes in [text.as_bytes(), date.as_bytes(), &any] {
                super::retry_after(bytes);
            }
        }

        #[test]
        fn otp6_otp17_of_answers(
            any in prop::collection::vec(any::<u8>(), 0..200),
            likely in prop::collection::vec(prop::sample::select(vec![0_u8, 1, 2, 4, 8, 10, 18, 26, 127, 128, 255]), 0..40),
        ) {
            super::answer(&any);
            super::answer(&likely);
        }
    }
}
