//! OTLP over gRPC: tonic's client and framing, over our own connection, with ready-made bytes.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};

use super::connection::{Http2, Lease, Target, failure};
use super::{Accepted, Endpoint, Payload, RESPONSE_LIMIT, SendFuture, Transport, TransportError, classify};
use crate::data::Signal;

/// Sends to one endpoint over one kept connection.
#[derive(Debug)]
pub(super) struct GrpcTransport {
    connection: Arc<Http2>,
    display: String,
    origin: Uri,
}

impl GrpcTransport {
    pub(super) fn new(endpoint: Endpoint, attempt: Duration) -> Self {
        let display = endpoint.to_string();
        Self {
            // Parsed from a URL, so it is one.
            origin: display.parse().unwrap_or_default(),
            connection: Arc::new(Http2::new(Target::new(endpoint, attempt))),
            display,
        }
    }

    async fn attempt(&self, payload: Payload) -> Result<Accepted, TransportError> {
        let seen = Arc::new(Seen::default());
        let service = Service { connection: Arc::clone(&self.connection), seen: Arc::clone(&seen) };
        let mut client = Grpc::with_origin(service, self.origin.clone()).max_decoding_message_size(RESPONSE_LIMIT);
        let codec = Raw { size: payload.body.len() };
        let answer = client.unary(tonic::Request::new(payload.body), method(payload.signal), codec).await;
        verdict(answer.map(tonic::Response::into_inner), &mut seen.notes())
    }
}

impl Transport for GrpcTransport {
    fn send(&self, payload: Payload) -> SendFuture<'_> {
        Box::pin(self.attempt(payload))
    }

    fn endpoint(&self) -> &str {
        &self.display
    }
}

fn method(signal: Signal) -> PathAndQuery {
    PathAndQuery::from_static(match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    })
}

/// What the connection saw of one answer: tonic's `Status` does not say whether the receiver or the client made it.
#[derive(Debug, Default)]
struct Seen(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    /// The connection's failure, or an answer that is not gRPC.
    failure: Option<TransportError>,
    /// The receiver's own `grpc-status`.
    status: Option<Code>,
    /// Part of a message came.
    data: bool,
    /// It is compressed, for which nobody asked.
    compressed: bool,
}

impl Seen {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn verdict(answer: Result<Bytes, Status>, notes: &mut Notes) -> Result<Accepted, TransportError> {
    let status = match answer {
        Ok(message) => return Ok(classify::success(&message)),
        Err(status) => status,
    };
    if let Some(failure) = notes.failure.take() {
        return Err(failure);
    }
    match notes.status {
        // OK, then whatever is wrong with the message: it was accepted (OTP6).
        Some(Code::Ok) => Ok(classify::unreadable("cannot be read")),
        Some(code) => Err(classify::grpc(code, status.message(), status.details())),
        // Only a message over the limit ends in this code here, and only who has handled a request answers (OTP2).
        None if status.code() == Code::OutOfRange => Ok(classify::unreadable("is larger than 4 MiB")),
        None if notes.compressed => Ok(classify::unreadable("is compressed, for which nobody asked")),
        // The stream ended early: an answer that never came (OTP13).
        None if status.code() == Code::Unknown || (status.code() == Code::Internal && !notes.data) => {
            Err(classify::lost("the receiver ended the call without a gRPC status"))
        }
        None => Err(TransportError::Permanent {
            cause: format!("the answer is not gRPC: {}", classify::text(status.message().as_bytes())),
        }),
    }
}

/// One call's way to the connection.
#[derive(Debug)]
struct Service {
    connection: Arc<Http2>,
    seen: Arc<Seen>,
}

type CallFuture = Pin<Box<dyn Future<Output = Result<Response<Answer>, TransportError>> + Send>>;

impl tower_service::Service<Request<tonic::body::Body>> for Service {
    type Response = Response<Answer>;
    type Error = TransportError;
    type Future = CallFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<tonic::body::Body>) -> CallFuture {
        let (connection, seen) = (Arc::clone(&self.connection), Arc::clone(&self.seen));
        Box::pin(async move {
            request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
            let answered = connection.request(request).await;
            let mut notes = seen.notes();
            let checked = answered.and_then(|(mut response, mut lease)| {
                // tonic would look no further: neither at a status, nor whether the message is compressed at all.
                response.headers_mut().remove("grpc-encoding");
                notes.status = grpc_status(response.headers());
                if notes.status.is_none() {
                    is_grpc(response.status(), response.headers()).inspect_err(|_| lease.release())?;
                }
                if response.body().is_end_stream() {
                    lease.release();
                }
                let seen = Arc::clone(&seen);
                Ok(response.map(|body| Answer { body, lease, seen }))
            });
            checked.inspect_err(|error| notes.failure = Some(error.clone()))
        })
    }
}

fn grpc_status(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
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

/// An answer's body: notes what passes, and hands its connection back at the end.
struct Answer {
    body: Incoming,
    lease: Lease,
    seen: Arc<Seen>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match frame {
            None => {
                self.lease.release();
                None
            }
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.lease.release();
                    self.seen.notes().status = grpc_status(trailers);
                } else if let Some(&first) = frame.data_ref().and_then(|data| data.first()) {
                    let mut notes = self.seen.notes();
                    notes.compressed |= !notes.data && first == 1;
                    notes.data = true;
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                let (failure, stream_only) = failure(&error);
                if stream_only {
                    self.lease.release();
                }
                self.seen.notes().failure = Some(failure.clone());
                Some(Err(failure))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Messages that are already encoded, or that we decode ourselves.
#[derive(Clone, Copy, Debug)]
struct Raw {
    size: usize,
}

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        // Frame header and message: one allocation of the right size.
        let whole = self.size + 5;
        BufferSettings::new(whole, whole)
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(256, 256)
    }
}
