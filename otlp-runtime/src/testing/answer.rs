//! HTTP responses out of replies, for either protocol.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message as _;
use tonic::{Code, Status};

use super::connection::Cut;
use super::export::Refusal;
use super::reply::Reply;
use super::request::Protocol;

/// No message starts with a tag of field 0 and wire type 7.
const GARBAGE: &[u8] = &[0x07, 0xff, 0xff, 0xff, 0xff];
/// What a broken answer promises, and does not deliver.
const PROMISED_BYTES: u64 = 64;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl RpcStatus {
    fn new(code: i32, message: &str, retry_info: Option<Duration>) -> Self {
        let details = retry_info.map(|delay| {
            let delay = ProtoDuration {
                seconds: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
                nanos: i32::try_from(delay.subsec_nanos()).unwrap_or(0),
            };
            Any {
                type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
                value: RetryInfo { retry_delay: Some(delay) }.encode_to_vec(),
            }
        });
        Self { code, message: message.to_owned(), details: details.into_iter().collect() }
    }
}

/// The answer to a request that is no valid export request.
pub(super) fn refuse(protocol: Protocol, refusal: &Refusal) -> Response<Answer> {
    match protocol {
        Protocol::Grpc => grpc_error(refusal.grpc, &refusal.message, None),
        Protocol::HttpProtobuf => http_error(refusal.http, refusal.grpc, &refusal.message, None),
    }
}

/// The answer that a reply stands for. What never answers is an empty 200.
pub(super) fn respond(protocol: Protocol, reply: &Reply, cut: &Cut) -> Response<Answer> {
    match (reply, protocol) {
        (Reply::Accept, _) => success(protocol, &ExportTraceServiceResponse::default()),
        (Reply::PartialSuccess { rejected, message }, _) => {
            let partial_success = ExportTracePartialSuccess {
                rejected_spans: i64::try_from(*rejected).unwrap_or(i64::MAX),
                error_message: message.clone(),
            };
            success(protocol, &ExportTraceServiceResponse { partial_success: Some(partial_success) })
        }
        (Reply::HttpStatus { code, retry_after, body }, _) => plain(*code, retry_after.as_deref(), body),
        (Reply::Grpc { code, message, retry_info }, Protocol::Grpc) => grpc_error(*code, message, *retry_info),
        (Reply::Grpc { code, message, retry_info }, Protocol::HttpProtobuf) => {
            http_error(http_status(Code::from_i32(*code)), *code, message, *retry_info)
        }
        (Reply::Garbage, _) => raw_success(protocol, Bytes::from_static(GARBAGE)),
        (Reply::Reset, _) => broken(protocol, cut.clone()),
        (Reply::Delay(..) | Reply::Disconnect | Reply::BlackHole, _) => Response::new(Answer::default()),
    }
}

fn success(protocol: Protocol, message: &ExportTraceServiceResponse) -> Response<Answer> {
    raw_success(protocol, message.encode_to_vec().into())
}

fn raw_success(protocol: Protocol, message: Bytes) -> Response<Answer> {
    let parts = match protocol {
        Protocol::HttpProtobuf => vec![Part::Data(message)],
        Protocol::Grpc => {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            vec![Part::Data(grpc_frame(&message)), Part::Trailers(trailers)]
        }
    };
    let mut response = Response::new(Answer::new(parts));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type(protocol));
    response
}

fn plain(code: u16, retry_after: Option<&str>, body: &[u8]) -> Response<Answer> {
    let mut response = Response::new(Answer::new(vec![Part::Data(Bytes::copy_from_slice(body))]));
    *response.status_mut() = final_status(code);
    if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn grpc_error(code: i32, message: &str, retry_info: Option<Duration>) -> Response<Answer> {
    let details = retry_info.map(|_| RpcStatus::new(code, message, retry_info).encode_to_vec()).unwrap_or_default();
    Status::with_details(Code::from_i32(code), message, details.into()).into_http()
}

fn http_error(http: u16, grpc: i32, message: &str, retry_info: Option<Duration>) -> Response<Answer> {
    let body = RpcStatus::new(grpc, message, retry_info).encode_to_vec();
    let seconds = retry_info.map(|d| (d.as_secs() + u64::from(d.subsec_nanos() > 0)).to_string());
    let mut response = plain(http, seconds.as_deref(), &body);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type(Protocol::HttpProtobuf));
    response
}

fn broken(protocol: Protocol, cut: Cut) -> Response<Answer> {
    let begun = match protocol {
        Protocol::HttpProtobuf => Bytes::from_static(&[0x0a]),
        Protocol::Grpc => Bytes::from_static(&[0, 0, 0]),
    };
    let mut response = Response::new(Answer::new(vec![Part::Data(begun), Part::Flush, Part::Reset(cut)]));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type(protocol));
    response.headers_mut().insert(header::CONTENT_LENGTH, PROMISED_BYTES.into());
    response
}

fn content_type(protocol: Protocol) -> HeaderValue {
    HeaderValue::from_static(match protocol {
        Protocol::Grpc => "application/grpc",
        Protocol::HttpProtobuf => "application/x-protobuf",
    })
}

fn grpc_frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

fn final_status(code: u16) -> StatusCode {
    match StatusCode::from_u16(code) {
        Ok(status) if !status.is_informational() => status,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The HTTP status that google.rpc.Code names for a gRPC code.
fn http_status(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    }
}

enum Part {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Gives the connection a chance to write what stands before it.
    Flush,
    /// Resets the connection.
    Reset(Cut),
}

/// A response's body.
#[derive(Default)]
pub(super) struct Answer(VecDeque<Part>);

impl Answer {
    fn new(parts: Vec<Part>) -> Self {
        Self(parts.into_iter().filter(|part| !matches!(part, Part::Data(bytes) if bytes.is_empty())).collect())
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match self.0.pop_front() {
            Some(Part::Data(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Part::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Part::Flush) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Part::Reset(cut)) => {
                cut.reset();
                return Poll::Pending;
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut bytes = 0;
        for part in &self.0 {
            match part {
                Part::Data(data) => bytes += data.len() as u64,
                _ => return SizeHint::default(),
            }
        }
        SizeHint::with_exact(bytes)
    }
}
