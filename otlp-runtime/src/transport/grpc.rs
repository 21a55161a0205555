//! OTLP over gRPC: unary calls with ready-made bytes, over our own connection.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, TE};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::connection::{Framed, Http2, Lease, Target, failure};
use super::gzip::{self, Unpacked};
use super::status::{Code, Status};
use super::{
    Accepted, Attempt, Endpoint, Options, Payload, RESPONSE_LIMIT, SendFuture, Transport, TransportError, classify,
    compress,
};
use crate::config::Compression;
use crate::data::Signal;

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// Whether a message is compressed, and its length in four bytes.
const PREFIX: usize = 5;

/// Sends to one endpoint over one kept connection.
#[derive(Debug)]
pub(super) struct GrpcTransport {
    connection: Arc<Http2>,
    display: String,
    /// Of the program, `User-Agent` included.
    headers: HeaderMap,
    compression: Compression,
}

impl GrpcTransport {
    pub(super) fn new(endpoint: Endpoint, options: Options) -> Self {
        Self {
            display: endpoint.to_string(),
            connection: Arc::new(Http2::new(Target::new(endpoint, &options, b"h2"))),
            headers: options.headers,
            compression: options.compression,
        }
    }

    fn request(&self, payload: Payload) -> Request<Framed> {
        let mut prefix = [u8::from(payload.gzip); PREFIX];
        if let Some(length) = prefix.last_chunk_mut::<4>() {
            *length = u32::try_from(payload.body.len()).unwrap_or(u32::MAX).to_be_bytes();
        }
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(&prefix).chain(payload.body)));
        *request.method_mut() = Method::POST;
        // The endpoint was parsed from a URL, and gRPC's has no path.
        *request.uri_mut() = format!("{}{}", self.display, method(payload.signal)).parse().unwrap_or(Uri::default());
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip,identity"));
        if payload.gzip {
            headers.insert(ENCODING, HeaderValue::from_static("gzip"));
        }
        request
    }

    async fn attempt(&self, payload: Payload, attempt: Attempt) -> Result<Accepted, TransportError> {
        let (response, mut lease) = self.connection.request(self.request(payload), &attempt).await?;
        let (head, body) = response.into_parts();
        if let Some(status) = Status::from_headers(&head.headers) {
            lease.release();
            return verdict(&status, Message::Missing);
        }
        is_grpc(head.status, &head.headers).inspect_err(|_| lease.release())?;
        let gzip = head.headers.get(ENCODING).is_some_and(|encoding| encoding.as_bytes() == b"gzip");
        read(body, gzip, &mut lease).await
    }
}

impl Transport for GrpcTransport {
    fn prepare(&self, payload: Payload) -> Payload {
        compress(self.compression, payload)
    }

    fn send(&self, payload: Payload, attempt: Attempt) -> SendFuture<'_> {
        Box::pin(self.attempt(payload, attempt))
    }

    fn endpoint(&self) -> &str {
        &self.display
    }
}

fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

/// Reads an answer to its end, or until there is no more to learn from it.
async fn read(mut body: Incoming, gzip: bool, lease: &mut Lease) -> Result<Accepted, TransportError> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let (failure, stream_only) = failure(&error);
            if stream_only {
                lease.release();
            }
            failure
        })?;
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                lease.release();
                let status = frame.trailers_ref().and_then(Status::from_headers);
                return status.map_or_else(|| Err(ended()), |status| verdict(&status, Message::new(&bytes, gzip)));
            }
        };
        bytes.extend_from_slice(&data);
        match Message::new(&bytes, gzip) {
            // Only who has handled a request answers (OTP2).
            Message::TooLarge => return Ok(too_large()),
            Message::Not => {
                let cause =
                    "the answer is not gRPC, for its message has no prefix of gRPC's: check the endpoint".to_owned();
                return Err(TransportError::Permanent { cause });
            }
            _ => {}
        }
    }
    lease.release();
    Err(ended())
}

fn ended() -> TransportError {
    classify::lost("the receiver ended the call without a gRPC status")
}

fn too_large() -> Accepted {
    classify::unreadable("is larger than 4 MiB")
}

/// What an answer's body holds so far.
#[derive(Debug, PartialEq, Eq)]
enum Message<'a> {
    Whole {
        packed: bool,
        bytes: &'a [u8],
    },
    /// Not all of it, or none.
    Missing,
    /// It says so, or it is.
    TooLarge,
    /// It is compressed, and nobody said how.
    Foreign,
    /// No message of gRPC begins so, or another follows.
    Not,
}

impl<'a> Message<'a> {
    fn new(body: &'a [u8], gzip: bool) -> Self {
        let Some((&[flag, length @ ..], bytes)) = body.split_first_chunk::<PREFIX>() else {
            let not = body.first().is_some_and(|&flag| flag > 1);
            return if not { Self::Not } else { Self::Missing };
        };
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        match flag {
            0 | 1 if length > RESPONSE_LIMIT => Self::TooLarge,
            1 if !gzip => Self::Foreign,
            0 | 1 if bytes.len() == length => Self::Whole { packed: flag == 1, bytes },
            0 | 1 if bytes.len() < length => Self::Missing,
            _ => Self::Not,
        }
    }
}

fn verdict(status: &Status, message: Message<'_>) -> Result<Accepted, TransportError> {
    if status.code != Code::Ok {
        return Err(classify::grpc(status.code, &status.message, &status.details));
    }
    // OK, then whatever is wrong with the message: it was accepted (OTP6).
    Ok(match message {
        Message::Whole { packed: false, bytes } => classify::success(bytes),
        Message::Whole { packed: true, bytes } => match gzip::unpack(bytes, RESPONSE_LIMIT) {
            (message, Unpacked::Whole) => classify::success(&message),
            (_, Unpacked::TooLarge) => too_large(),
            (_, Unpacked::Broken) => classify::unreadable("cannot be read"),
        },
        Message::TooLarge => too_large(),
        Message::Foreign => classify::unreadable("is compressed, for which nobody asked"),
        Message::Missing | Message::Not => classify::unreadable("cannot be read"),
    })
}

/// An answer without gRPC's marks comes from something in between: its HTTP status decides, as gRPC's
/// http-grpc-status-mapping says.
fn is_grpc(status: StatusCode, headers: &HeaderMap) -> Result<(), TransportError> {
    let media = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if status == StatusCode::OK && media.starts_with(b"application/grpc") {
        return Ok(());
    }
    if status == StatusCode::OK {
        let cause = "the answer is not gRPC: is the endpoint a gRPC receiver? HTTP has its own port, mostly 4318";
        return Err(TransportError::Permanent { cause: cause.to_owned() });
    }
    Err(classify::http(status, None, b""))
}
