//! Reads the few protobuf answers of a receiver without generated code.

use std::time::Duration;

pub(super) use crate::encode::Malformed;
use crate::encode::{Field, take_field};

/// Calls `visit` with the number and value of every field.
fn walk<'a>(
    mut bytes: &'a [u8],
    mut visit: impl FnMut(u32, Field<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    while !bytes.is_empty() {
        let (number, field) = take_field(&mut bytes)?;
        visit(number, field)?;
    }
    Ok(())
}

fn varint(field: Field<'_>) -> Result<u64, Malformed> {
    if let Field::Varint(value) = field { Ok(value) } else { Err(Malformed) }
}

fn bytes(field: Field<'_>) -> Result<&[u8], Malformed> {
    if let Field::Bytes(value) = field { Ok(value) } else { Err(Malformed) }
}

/// `Export{Trace,Metrics,Logs}ServiceResponse.partial_success`: the three have the same shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartialSuccess {
    /// Never negative: a receiver that counts below zero has rejected nothing.
    pub(super) rejected: u64,
    pub(super) message: String,
}

/// Reads an `Export*ServiceResponse`.
pub(super) fn export_response(answer: &[u8]) -> Result<PartialSuccess, Malformed> {
    let mut partial = PartialSuccess::default();
    walk(answer, |number, value| {
        if number != 1 {
            return Ok(());
        }
        walk(bytes(value)?, |number, value| {
            match number {
                1 => partial.rejected = u64::try_from(varint(value)?.cast_signed()).unwrap_or(0),
                2 => partial.message = String::from_utf8_lossy(bytes(value)?).into_owned(),
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok(partial)
}

/// What a `google.rpc.Status` says that matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RpcStatus {
    pub(super) message: String,
    /// The delay of a `google.rpc.RetryInfo` among the details.
    pub(super) retry_delay: Option<Duration>,
}

/// Reads a `google.rpc.Status`: the body of an HTTP error, or the `grpc-status-details-bin` of a gRPC one.
pub(super) fn rpc_status(answer: &[u8]) -> Result<RpcStatus, Malformed> {
    let mut status = RpcStatus::default();
    walk(answer, |number, value| {
        match number {
            1 => drop(varint(value)?),
            2 => status.message = String::from_utf8_lossy(bytes(value)?).into_owned(),
            3 => status.retry_delay = retry_info(bytes(value)?)?.or(status.retry_delay),
            _ => {}
        }
        Ok(())
    })?;
    Ok(status)
}

/// The delay, if the `google.protobuf.Any` holds a `RetryInfo`; one without a delay means none is needed.
fn retry_info(any: &[u8]) -> Result<Option<Duration>, Malformed> {
    let (mut url, mut info) = (&[][..], &[][..]);
    walk(any, |number, value| {
        match number {
            1 => url = bytes(value)?,
            2 => info = bytes(value)?,
            _ => {}
        }
        Ok(())
    })?;
    if url.rsplit(|&b| b == b'/').next() != Some(b"google.rpc.RetryInfo") {
        return Ok(None);
    }
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    walk(info, |number, value| {
        if number != 1 {
            return Ok(());
        }
        walk(bytes(value)?, |number, value| {
            match number {
                1 => seconds = varint(value)?.cast_signed(),
                2 => nanos = varint(value)?.cast_signed(),
                _ => {}
            }
            Ok(())
        })
    })?;
    let nanos = u32::try_from(nanos).ok().filter(|&n| n < 1_000_000_000).unwrap_or(0);
    Ok(Some(Duration::new(u64::try_from(seconds).unwrap_or(0), nanos)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    /// `google.rpc.Status` and its parts, as the oracle reads them.
    #[derive(Clone, PartialEq, Message)]
    pub(crate) struct ProstStatus {
        #[prost(int32, tag = "1")]
        pub(crate) code: i32,
        #[prost(string, tag = "2")]
        pub(crate) message: String,
        #[prost(message, repeated, tag = "3")]
        pub(crate) details: Vec<ProstAny>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(crate) struct ProstAny {
        #[prost(string, tag = "1")]
        pub(crate) type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        pub(crate) value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct ProstRetryInfo {
        #[prost(message, optional, tag = "1")]
        retry_delay: Option<ProstDuration>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct ProstDuration {
        #[prost(int64, tag = "1")]
        seconds: i64,
        #[prost(int32, tag = "2")]
        nanos: i32,
    }

    fn details(type_url: &str, value: &[u8]) -> Vec<ProstAny> {
        let other = ProstAny { type_url: "type.googleapis.com/google.rpc.DebugInfo".into(), value: vec![1, 2, 3] };
        vec![other, ProstAny { type_url: type_url.into(), value: value.to_vec() }]
    }

    proptest! {
        #[test]
        fn a_response_reads_as_prost_reads_it(rejected in any::<i64>(), error_message in ".{0,40}", set in any::<bool>()) {
            let partial = ExportTracePartialSuccess { rejected_spans: rejected, error_message: error_message.clone() };
            let bytes = ExportTraceServiceResponse { partial_success: set.then_some(partial) }.encode_to_vec();
            let read = export_response(&bytes).unwrap();
            prop_assert_eq!(read.rejected, if set { rejected.max(0) as u64 } else { 0 });
            prop_assert_eq!(read.message, if set { error_message } else { String::new() });
        }

        #[test]
        fn garbage_never_panics_and_is_accepted_only_where_prost_accepts_it(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let prost = ExportTraceServiceResponse::decode(&bytes[..]);
            if let (Ok(ours), Ok(prost)) = (export_response(&bytes), &prost) {
                let rejected = prost.partial_success.as_ref().map_or(0, |p| p.rejected_spans);
                prop_assert_eq!(ours.rejected, rejected.max(0) as u64);
            }
            let _ = rpc_status(&bytes);
        }

        #[test]
        fn a_retry_delay_reads_as_prost_wrote_it(code in any::<i32>(), seconds in 0..100_000_i64, nanos in 0..999_999_999_i32) {
            let info = ProstRetryInfo { retry_delay: Some(ProstDuration { seconds, nanos }) }.encode_to_vec();
            let details = details("type.googleapis.com/google.rpc.RetryInfo", &info);
            let bytes = ProstStatus { code, message: "busy".into(), details }.encode_to_vec();
            let status = rpc_status(&bytes).unwrap();
            prop_assert_eq!(status.message, "busy");
            prop_assert_eq!(status.retry_delay, Some(Duration::new(seconds as u64, nanos as u32)));
        }
    }

    #[test]
    fn only_retry_info_is_retry_info_and_absurd_delays_do_no_harm() {
        let status = |details| rpc_status(&ProstStatus { details, ..Default::default() }.encode_to_vec()).unwrap();
        assert_eq!(status(details("type.googleapis.com/google.rpc.QuotaFailure", &[])).retry_delay, None);
        assert_eq!(status(details("x/google.rpc.RetryInfo", &[])).retry_delay, Some(Duration::ZERO));
        let negative = ProstRetryInfo { retry_delay: Some(ProstDuration { seconds: -5, nanos: -5 }) }.encode_to_vec();
        assert_eq!(status(details("x/google.rpc.RetryInfo", &negative)).retry_delay, Some(Duration::ZERO));
    }

    #[test]
    fn truncated_and_impossible_bytes_are_malformed() {
        for bytes in [
            &[0x0a][..],
            &[0x0a, 5, 1],
            &[0x0b],
            &[0x00, 1],
            &[0x08],
            &[0x08, 1],
            b"<html>",
            &[0xff; 12],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            assert_eq!(export_response(bytes), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(export_response(&[]), Ok(PartialSuccess::default()));
    }
}
