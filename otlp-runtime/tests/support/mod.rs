//! What the transport tests share.
#![allow(dead_code, unused_imports, unreachable_pub, clippy::unwrap_used)]

#[cfg(feature = "tls")]
pub(crate) mod certificates;
mod port;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use otlp_runtime::account::Ledger;
use otlp_runtime::config::{OtlpConfig, TransportProtocol};
use otlp_runtime::data::Signal;
use otlp_runtime::exporter::{Batch, Exporter, Settings};
use otlp_runtime::transport::{
    Accepted, Attempt, Endpoint, EndpointKind, Options, Payload, Transport, TransportError, TransportFactory, Unusable,
    build,
};
pub(crate) use port::UnusedPort;
use tokio::net::TcpListener;

/// No test waits longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Accepts connections and never answers. The kernel does the accepting.
pub fn black_hole() -> (std::net::TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub fn factory(protocol: TransportProtocol, url: &str) -> TransportFactory {
    let endpoint = Endpoint::parse("endpoint", url, protocol, EndpointKind::Base).unwrap();
    build(protocol, endpoint, Options::default()).unwrap()
}

pub fn transport(protocol: TransportProtocol, address: SocketAddr) -> Arc<dyn Transport> {
    factory(protocol, &format!("http://{address}"))()
}

pub fn payload(body: impl Into<Bytes>) -> Payload {
    Payload { signal: Signal::Traces, body: body.into(), gzip: false, items: 10 }
}

/// One attempt, with all the time of a test.
pub async fn attempt(transport: &Arc<dyn Transport>, payload: Payload) -> Result<Accepted, TransportError> {
    bounded(transport.send(payload, Attempt::new(PATIENCE))).await
}

pub async fn bounded<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("a test waited too long")
}

/// Cause, delay and whether it may have arrived.
#[track_caller]
pub fn retryable<T: std::fmt::Debug>(outcome: Result<T, TransportError>) -> (String, Option<Duration>, bool) {
    match outcome {
        Err(TransportError::Retryable { cause, after, may_have_arrived, .. }) => (cause, after, may_have_arrived),
        other => panic!("not retryable: {other:?}"),
    }
}

#[track_caller]
pub fn permanent<T: std::fmt::Debug>(outcome: Result<T, TransportError>) -> String {
    match outcome {
        Err(TransportError::Permanent { cause }) => cause,
        other => panic!("not permanent: {other:?}"),
    }
}

/// A whole exporter with `batches` of ten items enqueued.
pub fn exporter(protocol: TransportProtocol, url: &str, settings: Settings, batches: u64) -> (Exporter, Arc<Ledger>) {
    exporter_with(factory(protocol, url), settings, batches)
}

/// The same with a transport of one's own.
pub fn exporter_with(make: TransportFactory, settings: Settings, batches: u64) -> (Exporter, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::default());
    let exporter = Exporter::start(settings, make, Arc::clone(&ledger)).unwrap();
    for seq in 0..batches {
        ledger.recorded(10);
        exporter.enqueue(Batch { seq, payload: payload(seq.to_le_bytes().to_vec()) });
    }
    (exporter, ledger)
}

/// Shuts down and says how long that took.
pub fn shut_down(exporter: Exporter, within: Duration) -> Duration {
    let start = Instant::now();
    exporter.shutdown(start + within);
    assert!(exporter.join(start + PATIENCE), "the export thread did not end");
    start.elapsed()
}

/// What `config`, without any environment, makes of requests.
pub fn options(config: &OtlpConfig, secure: bool) -> Result<Options, Unusable> {
    let resolved = config.clone().with_env(false).resolve(&|_| None, &mut |_| {}).unwrap();
    Options::new(&resolved.delivery, secure)
}

/// A transport to `url` as `config` wants it.
pub fn configured(protocol: TransportProtocol, url: &str, config: &OtlpConfig) -> Arc<dyn Transport> {
    configured_factory(protocol, url, config)()
}

pub fn configured_factory(protocol: TransportProtocol, url: &str, config: &OtlpConfig) -> TransportFactory {
    let endpoint = Endpoint::parse("endpoint", url, protocol, EndpointKind::Base).unwrap();
    let options = options(config, endpoint.is_secure()).unwrap();
    build(protocol, endpoint, options).unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut plain).unwrap();
    plain
}
