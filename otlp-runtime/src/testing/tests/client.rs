//! A small OTLP client for the tests, with hyper and nothing of ours.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::testing::{Collector, Protocol};

pub(super) const BOTH: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A whole response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

impl Reply {
    /// `grpc-status`, from the trailers or from a response that has nothing but headers.
    pub(super) fn grpc_status(&self) -> Option<&str> {
        let value = self.trailers.get("grpc-status").or_else(|| self.headers.get("grpc-status"));
        value.and_then(|v| v.to_str().ok())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The message of a response that has one: without the gRPC prefix.
    pub(super) fn message(&self, protocol: Protocol) -> &[u8] {
        match protocol {
            Protocol::Grpc => &self.body[5..],
            Protocol::HttpProtobuf => &self.body,
        }
    }
}

pub(super) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    pub(super) async fn open(protocol: Protocol, collector: &Collector) -> Self {
        Self::open_port(protocol, collector.port()).await
    }

    pub(super) async fn open_port(protocol: Protocol, port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let io = TokioIo::new(stream);
        match protocol {
            Protocol::HttpProtobuf => {
                let (send, connection) = http1::handshake(io).await.unwrap();
                tokio::spawn(connection);
                Self::Http1(send)
            }
            Protocol::Grpc => {
                let (send, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
                tokio::spawn(connection);
                Self::Http2(send)
            }
        }
    }

    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Reply, hyper::Error> {
        let response: Response<hyper::body::Incoming> = match self {
            Self::Http1(send) => {
                send.ready().await?;
                send.send_request(request).await?
            }
            Self::Http2(send) => {
                send.ready().await?;
                send.send_request(request).await?
            }
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes(), trailers })
    }

    pub(super) async fn export(&mut self, protocol: Protocol, message: &[u8]) -> Result<Reply, hyper::Error> {
        self.send(export_request(protocol, message)).await
    }
}

pub(super) fn export_request(protocol: Protocol, message: &[u8]) -> Request<Full<Bytes>> {
    match protocol {
        Protocol::HttpProtobuf => Request::post("/v1/traces")
            .header("host", "localhost")
            .header("content-type", "application/x-protobuf")
            .header("user-agent", "the tests")
            .body(Full::new(Bytes::copy_from_slice(message)))
            .unwrap(),
        Protocol::Grpc => Request::post("http://localhost/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("user-agent", "the tests")
            .body(Full::new(frame(message)))
            .unwrap(),
    }
}

pub(super) fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat().into()
}

/// Runs `test` on a runtime of its own, against a fresh collector, once for each protocol.
pub(super) fn with_both(test: impl AsyncFn(Protocol, &Collector)) {
    for protocol in BOTH {
        let collector = Collector::start().unwrap();
        run(async { tokio::time::timeout(PATIENCE, test(protocol, &collector)).await.expect("in time") });
    }
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// One export on a connection of its own.
pub(super) async fn export(protocol: Protocol, collector: &Collector, message: &[u8]) -> Result<Reply, hyper::Error> {
    Connection::open(protocol, collector).await.export(protocol, message).await
}

/// Looks again and again, while the runtime goes on; a caller sets the limit.
pub(super) async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
