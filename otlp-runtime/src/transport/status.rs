//! How a call of gRPC ended, as its headers or trailers say.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderValue};

use crate::config::percent_decoded;

/// gRPC's status codes (grpc.io, "Status codes and their use in gRPC").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl Code {
    /// In the order of their numbers.
    const ALL: [Self; 17] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// A number that is none of gRPC's means `UNKNOWN`.
    pub(super) fn of(number: &[u8]) -> Self {
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| Self::ALL.get(number).copied()).unwrap_or(Self::Unknown)
    }
}

/// What a call ended with. Whatever a receiver sends is one: what cannot be read of it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: Code,
    pub(super) message: String,
    /// A `google.rpc.Status`.
    pub(super) details: Vec<u8>,
}

impl Status {
    /// `None`: the call has not ended here.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let code = Code::of(headers.get("grpc-status")?.as_bytes());
        let message = headers.get("grpc-message").map_or_else(String::new, |message| {
            let message = String::from_utf8_lossy(message.as_bytes());
            percent_decoded(&message).unwrap_or_else(|_| message.into_owned())
        });
        let details = headers.get("grpc-status-details-bin").and_then(decoded).unwrap_or_default();
        Some(Self { code, message, details })
    }
}

/// Padding or none, as gRPC's own libraries take it.
fn decoded(value: &HeaderValue) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, LENIENT).decode(value.as_bytes().trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn headers(status: &[u8], message: &[u8], details: &[u8]) -> HeaderMap {
        [("grpc-status", status), ("grpc-message", message), ("grpc-status-details-bin", details)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.parse().unwrap(), HeaderValue::from_bytes(value).ok()?)))
            .collect()
    }

    proptest! {
        /// OTP8: whatever a receiver sends, and as tonic reads it.
        #[test]
        fn every_status_is_read(
            status in prop_oneof![(0..40_i32).prop_map(|n| n.to_string().into_bytes()), any::<Vec<u8>>()],
            message in any::<Vec<u8>>(),
            said in ".{0,20}",
            details in any::<Vec<u8>>(),
        ) {
            let _ = Status::from_headers(&headers(&status, &message, &details));

            let code = tonic::Code::from_bytes(&status);
            let written = tonic::Status::with_details(code, said.clone(), details.clone().into());
            let written: http::Response<()> = written.into_http();
            let read = Status::from_headers(written.headers()).unwrap();
            prop_assert_eq!(read.code as i32, code as i32);
            prop_assert_eq!((read.message, read.details), (said, details));
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let read = Status::from_headers(&headers(b"14", b"100%", b"!not base64!")).unwrap();
        assert_eq!((read.code, &read.message[..], &read.details[..]), (Code::Unavailable, "100%", &[][..]));
        assert_eq!(Status::from_headers(&headers(b"8", b"", b"AQI")).unwrap().details, [1, 2]);
        assert_eq!(Status::from_headers(&HeaderMap::new()), None);
    }
}
