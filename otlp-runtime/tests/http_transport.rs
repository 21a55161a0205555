//! OTLP over HTTP against tiny servers that behave well, badly, or not at all.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use otlp_runtime::account::{Counts, DropReason};
use otlp_runtime::config::TransportProtocol::HttpProtobuf;
use otlp_runtime::config::{Compression, OtlpConfig};
use otlp_runtime::data::Signal;
use otlp_runtime::exporter::{RetryPolicy, Settings};
use otlp_runtime::transport::{Accepted, Attempt, Endpoint, EndpointKind, Options, Transport, build};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";

/// What a server does with its n-th request, counted over all connections.
#[derive(Clone)]
enum Reply {
    Bytes(Vec<u8>),
    /// Then the connection is closed.
    Last(Vec<u8>),
    Never,
}

fn reply(bytes: &[u8]) -> Reply {
    Reply::Bytes(bytes.to_vec())
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Reply {
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}

#[derive(Clone, Debug)]
struct Request {
    connection: usize,
    head: String,
    body: Vec<u8>,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Request>>>);

impl Log {
    fn requests(&self) -> Vec<Request> {
        self.0.lock().unwrap().clone()
    }

    fn connections(&self) -> usize {
        self.requests().iter().map(|r| r.connection).collect::<HashSet<_>>().len()
    }
}

fn serve(listener: TcpListener, script: impl Fn(usize) -> Reply + Clone + Send + 'static) -> Log {
    let log = Log::default();
    tokio::spawn({
        let log = log.clone();
        async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(talk(stream, connection, script.clone(), log.clone()));
            }
        }
    });
    log
}

async fn talk(mut stream: TcpStream, connection: usize, script: impl Fn(usize) -> Reply, log: Log) {
    while let Some((head, body)) = read_request(&mut stream).await {
        let number = {
            let mut log = log.0.lock().unwrap();
            log.push(Request { connection, head, body });
            log.len() - 1
        };
        match script(number) {
            Reply::Bytes(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reply::Last(bytes) => return drop(stream.write_all(&bytes).await),
            Reply::Never => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head.to_lowercase().split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = bytes.split_off(end);
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    Some((head, body))
}

async fn server(script: impl Fn(usize) -> Reply + Clone + Send + 'static) -> (Arc<dyn Transport>, Log, SocketAddr) {
    let (listener, address) = listen().await;
    (transport(HttpProtobuf, address), serve(listener, script), address)
}

async fn send(
    transport: &Arc<dyn Transport>,
    body: &[u8],
) -> Result<Accepted, otlp_runtime::transport::TransportError> {
    attempt(transport, payload(Bytes::copy_from_slice(body))).await
}

#[tokio::test]
async fn otp16_otp14_exp12_requests_are_posts_on_one_kept_connection() {
    let (transport, log, address) = server(|_| reply(OK)).await;
    for body in [&b"one"[..], b"", &[7; 300_000]] {
        assert_eq!(send(&transport, body).await, Ok(Accepted::default()));
        assert_eq!(log.requests().last().unwrap().body, body);
    }
    assert_eq!(log.connections(), 1);
    let head = log.requests()[0].head.to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    for line in [
        format!("host: {address}"),
        "content-type: application/x-protobuf".into(),
        concat!("user-agent: otlp-rust/", env!("CARGO_PKG_VERSION")).into(),
        "content-length: 3".into(),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} is not in {head}");
    }
    assert_eq!(transport.endpoint(), format!("http://{address}"));
}

#[tokio::test]
async fn exp5_t7_a_signals_endpoint_is_used_as_it_is() {
    let (_, log, address) = server(|_| reply(OK)).await;
    let url = format!("http://{address}/in/here?key=1");
    let endpoint = Endpoint::parse("endpoint", &url, HttpProtobuf, EndpointKind::Signal).unwrap();
    let transport = build(HttpProtobuf, endpoint, Options::default()).unwrap()();
    for signal in [Signal::Traces, Signal::Logs] {
        let payload = otlp_runtime::transport::Payload { signal, ..payload(&b"x"[..]) };
        attempt(&transport, payload).await.unwrap();
    }
    assert!(log.requests().iter().all(|r| r.head.starts_with("POST /in/here?key=1 HTTP/1.1\r\n")));
    assert!(!transport.endpoint().contains("key"));
}

#[tokio::test]
async fn otp3_requests_at_the_same_time_share_a_few_connections() {
    let (transport, log, _) = server(|_| reply(OK)).await;
    for _ in 0..3 {
        let sends: Vec<_> = (0..4)
            .map(|_| {
                let transport = Arc::clone(&transport);
                tokio::spawn(async move { send(&transport, b"x").await })
            })
            .collect();
        for send in sends {
            send.await.unwrap().unwrap();
        }
    }
    assert!(log.connections() <= 4, "{} connections", log.connections());
}

#[tokio::test]
async fn otp13_a_refused_port_is_retryable_and_nothing_arrived() {
    let port = UnusedPort::reserve();
    let transport = transport(HttpProtobuf, port.address());
    let (cause, after, may_have_arrived) = retryable(send(&transport, b"x").await);
    assert!(cause.contains("cannot connect to 127.0.0.1:") && cause.contains("refused"), "{cause}");
    assert_eq!((after, may_have_arrived), (None, false));
}

#[tokio::test]
async fn a_host_without_an_address_is_retryable_and_nothing_arrived() {
    let transport = factory(HttpProtobuf, "http://no-such-host.invalid:4318")();
    let (cause, _, may_have_arrived) = retryable(send(&transport, b"x").await);
    assert!(cause.contains("cannot connect to no-such-host.invalid:4318"), "{cause}");
    assert!(!may_have_arrived);
}

#[tokio::test]
async fn otp13_a_connection_closed_without_an_answer_is_retryable_and_may_have_arrived() {
    let (transport, log, _) = server(|n| if n == 0 { Reply::Last(Vec::new()) } else { reply(OK) }).await;
    let (_, after, may_have_arrived) = retryable(send(&transport, b"x").await);
    assert_eq!((after, may_have_arrived), (None, true));
    assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()));
    assert_eq!(log.connections(), 2);
}

#[tokio::test]
async fn a_receiver_that_accepts_and_closes_is_retryable() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let transport = transport(HttpProtobuf, address);
    for _ in 0..5 {
        retryable(send(&transport, &[0; 100_000]).await);
    }
}

#[tokio::test]
async fn otp14_a_kept_connection_that_the_receiver_closed_costs_nothing() {
    let (transport, log, _) = server(|_| Reply::Last(OK.to_vec())).await;
    for _ in 0..20 {
        assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()));
        // The end of the stream is on its way: let this thread's tasks see it.
        while log.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(log.connections(), 20);
}

#[tokio::test]
async fn p9_otp2_otp6_a_200_is_never_sent_again_whatever_follows_it() {
    let large = |_| {
        let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n".to_vec();
        bytes.resize(bytes.len() + 5_000_000, 0);
        Reply::Last(bytes)
    };
    let broken = |_| Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec());
    let garbage = |_| answer("200 OK", "content-type: application/x-protobuf\r\n", b"\xff\xff garbage");
    let html = |_| answer("200 OK", "content-type: text/html\r\n", b"<html>log in</html>");
    let partial = |_| answer("200 OK", "content-type: application/x-protobuf\r\n", b"\x0a\x07\x08\x03\x12\x03bad");
    type Script = fn(usize) -> Reply;
    let scripts: [(Script, u64, &str); 5] = [
        (large, 0, "larger than 4 MiB"),
        (broken, 0, "broke off"),
        (garbage, 0, "not an OTLP response"),
        (html, 0, "not in protobuf"),
        (partial, 3, "bad"),
    ];
    for (script, rejected, says) in scripts {
        let (transport, _, _) = server(script).await;
        let accepted = send(&transport, b"x").await.unwrap();
        assert_eq!(accepted.rejected, rejected, "{says}");
        assert!(accepted.message.as_deref().unwrap().contains(says), "{accepted:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_retryable_with_a_hint() {
    let (transport, _, _) = server(|_| Reply::Last(b"\0\0\x12\x04\0\0\0\0\0 garbage".to_vec())).await;
    let (cause, _, may_have_arrived) = retryable(send(&transport, b"x").await);
    assert!(cause.contains("does this port speak HTTP/1.1?"), "{cause}");
    assert!(may_have_arrived);
}

#[tokio::test]
async fn otp11_otp12_otp17_errors_are_typed_by_their_status() {
    let (transport, log, _) = server(|n| match n {
        0 => answer("503 Service Unavailable", "retry-after: 7\r\nx-token: secret\r\n", b"\x08\x0e\x12\x04busy"),
        1 => answer("429 Too Many Requests", "", b"slow\r\ndown"),
        2 => answer("400 Bad Request", "content-type: text/plain\r\n", b"no such field"),
        3 => answer("307 Temporary Redirect", "location: http://elsewhere/\r\n", b""),
        _ => answer("500 Internal Server Error", "", &[b'x'; 100_000]),
    })
    .await;
    let (cause, after, may_have_arrived) = retryable(send(&transport, b"x").await);
    assert_eq!(cause, "HTTP 503 Service Unavailable: busy");
    assert_eq!((after, may_have_arrived), (Some(Duration::from_secs(7)), false));
    assert_eq!(retryable(send(&transport, b"x").await).0, "HTTP 429 Too Many Requests: slow down");
    assert_eq!(
        permanent(send(&transport, b"x").await),
        "HTTP 400 Bad Request: no such field (check that the endpoint is an OTLP receiver, and that it takes what is sent)"
    );
    let redirect = permanent(send(&transport, b"x").await);
    assert!(redirect.contains("redirects are not followed") && !redirect.contains("elsewhere"), "{redirect}");
    assert!(permanent(send(&transport, b"x").await).len() < 400);
    assert_eq!(log.connections(), 1);
}

#[tokio::test]
async fn a_dropped_send_closes_its_connection_and_leaves_the_transport_usable() {
    let (transport, log, _) = server(|n| if n == 0 { Reply::Never } else { reply(OK) }).await;
    let sending = transport.send(payload(&b"x"[..]), Attempt::new(PATIENCE));
    let given_up = tokio::time::timeout(Duration::from_millis(100), sending).await;
    assert!(given_up.is_err());
    assert_eq!(send(&transport, b"y").await, Ok(Accepted::default()));
    assert_eq!(log.connections(), 2);
}

#[tokio::test]
async fn ipv6_works_where_the_machine_has_it() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let address = listener.local_addr().unwrap();
    let log = serve(listener, |_| reply(OK));
    assert_eq!(send(&transport(HttpProtobuf, address), b"x").await, Ok(Accepted::default()));
    assert!(log.requests()[0].head.to_lowercase().contains(&format!("host: {address}\r\n")));
}

#[test]
fn shutdown_against_a_refused_port_takes_milliseconds() {
    let port = UnusedPort::reserve();
    let url = format!("http://{port}");
    let (exporter, ledger) = exporter(HttpProtobuf, &url, Settings::default(), 20);
    let took = shut_down(exporter, Duration::from_secs(5));
    assert!(took < Duration::from_millis(500), "{took:?}");
    let counts = ledger.counts();
    assert!(counts.balanced());
    assert_eq!(counts.dropped(DropReason::RetryExhausted), 200);
}

#[test]
fn shutdown_against_a_black_hole_ends_at_its_deadline() {
    let (_listener, address) = black_hole();
    let url = format!("http://{address}");
    let (exporter, ledger) = exporter(HttpProtobuf, &url, Settings::default(), 20);
    while ledger.counts().in_flight < 80 {
        std::thread::yield_now();
    }
    let took = shut_down(exporter, Duration::from_millis(300));
    assert!(took >= Duration::from_millis(300) && took < Duration::from_millis(800), "{took:?}");
    let counts = ledger.counts();
    assert!(counts.balanced());
    assert_eq!((counts.dropped(DropReason::UnknownOutcome), counts.dropped(DropReason::Shutdown)), (80, 120));
}

#[test]
fn what_a_receiver_that_was_down_missed_arrives_when_it_is_up() {
    let port = UnusedPort::reserve();
    let retry = RetryPolicy { initial: Duration::from_millis(20), ..RetryPolicy::default() };
    let settings = Settings { retry, ..Settings::default() };
    let (exporter, ledger) = exporter(HttpProtobuf, &format!("http://{port}"), settings, 5);
    while exporter.last_error().is_none() {
        std::thread::yield_now();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let log = runtime.block_on(bounded(async {
        let listener = port.listen(|address| std::net::TcpListener::bind(address).unwrap());
        listener.set_nonblocking(true).unwrap();
        let log = serve(TcpListener::from_std(listener).unwrap(), |_| reply(OK));
        while exporter.settled().watermark() < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        log
    }));
    assert_eq!(ledger.counts().exported, 50);
    assert_eq!(log.requests().len(), 5);
    shut_down(exporter, PATIENCE);
}

/// A server that gives `head` and never the body that it promises.
fn stalled(head: &'static [u8]) -> (Counts, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(bounded(async {
        let (listener, address) = listen().await;
        let log = serve(listener, move |_| reply(head));
        let retry = RetryPolicy { initial: Duration::from_millis(10), ..RetryPolicy::default() };
        let settings = Settings { retry, timeout: Duration::from_millis(500), ..Settings::default() };
        let (exporter, ledger) = exporter(HttpProtobuf, &format!("http://{address}"), settings, 1);
        while exporter.settled().watermark() < 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        (ledger.counts(), log.requests().len())
    }))
}

#[test]
fn otp6_the_head_of_an_answer_is_its_verdict_even_if_the_body_never_comes() {
    let (counts, requests) =
        stalled(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 100\r\n\r\n");
    assert_eq!((counts.exported, requests), (counts.recorded, 1));
    let (counts, requests) = stalled(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\n");
    assert_eq!((counts.rejected, requests), (counts.recorded, 1));
}

#[tokio::test]
async fn exp7_exp8_exp12_requests_carry_headers_and_are_compressed_once_that_pays() {
    let (_, log, address) = server(|_| reply(OK)).await;
    let config = OtlpConfig::default()
        .with_header("X-Api-Key", "hunter2")
        .with_compression(Compression::Gzip)
        .with_user_agent_prefix("shop/1.2");
    let transport = configured(HttpProtobuf, &format!("http://{address}"), &config);
    let large = vec![7; 300_000];
    for (body, packed) in [(&b"small"[..], false), (&large, true)] {
        let prepared = transport.prepare(payload(Bytes::copy_from_slice(body)));
        // What waits for a retry is what was compressed.
        for _ in 0..2 {
            attempt(&transport, prepared.clone()).await.unwrap();
            let request = log.requests().pop().unwrap();
            let head = request.head.to_lowercase();
            assert!(head.contains("\r\nx-api-key: hunter2\r\n"), "{head}");
            assert!(head.contains(concat!("\r\nuser-agent: shop/1.2 otlp-rust/", env!("CARGO_PKG_VERSION"), "\r\n")));
            assert_eq!(head.contains("\r\ncontent-encoding: gzip\r\n"), packed);
            assert_eq!(if packed { gunzip(&request.body) } else { request.body }, body);
        }
    }
    assert_eq!(log.connections(), 1);
}

#[tokio::test]
async fn otp2_otp16_compressed_answers_are_read_up_to_the_limit() {
    let compressed = |body: &[u8]| {
        answer("200 OK", "content-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n", &gzip(body))
    };
    let cut = {
        let bytes = gzip(&[7; 1000]);
        answer("200 OK", "content-encoding: gzip\r\n", &bytes[..bytes.len() - 8])
    };
    for (reply, rejected, says) in [
        (compressed(b"\x0a\x07\x08\x03\x12\x03bad"), 3, Some("bad")),
        (compressed(b""), 0, None),
        (compressed(&vec![0; 32 << 20]), 0, Some("larger than 4 MiB")),
        (cut, 0, Some("broke off")),
        (answer("200 OK", "content-encoding: br\r\n", b"x"), 0, Some("compressed in an unknown way")),
    ] {
        let (transport, _, _) = server(move |_| reply.clone()).await;
        let accepted = send(&transport, b"x").await.unwrap();
        assert_eq!(accepted.rejected, rejected);
        let message = accepted.message.unwrap_or_default();
        assert!(says.map_or(message.is_empty(), |says| message.contains(says)), "{message}");
    }
    let refusal = answer("400 Bad Request", "content-encoding: gzip\r\n", &gzip(b"no such field"));
    let (transport, _, _) = server(move |_| refusal.clone()).await;
    assert_eq!(
        permanent(send(&transport, b"x").await),
        "HTTP 400 Bad Request: no such field (check that the endpoint is an OTLP receiver, and that it takes what is sent)"
    );
}

#[tokio::test]
async fn otp11_t3_every_status_on_the_wire() {
    let (transport, log, _) = server(|n| answer(&format!("{} Status", 200 + n), "", b"")).await;
    for status in 200..600_u16 {
        let outcome = send(&transport, b"x").await;
        match status {
            200..300 => assert!(outcome.is_ok(), "{status}: {outcome:?}"),
            429 | 502 | 503 | 504 => drop(retryable(outcome)),
            _ => drop(permanent(outcome)),
        }
    }
    assert_eq!(log.requests().len(), 400);
}

#[tokio::test]
async fn an_interim_answer_is_not_the_answer() {
    for interim in ["100 Continue", "103 Early Hints"] {
        let both = [format!("HTTP/1.1 {interim}\r\n\r\n").as_bytes(), OK].concat();
        let (transport, _, _) = server(move |_| Reply::Bytes(both.clone())).await;
        assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()), "{interim}");
    }
}

/// An answer that comes a byte at a time, for ever.
#[test]
fn a_slow_answer_ends_with_its_attempt() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(bounded(async {
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let _ = read_request(&mut stream).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
                    while stream.write_all(b"a: b\r\n").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                });
            }
        });
        let retry = RetryPolicy {
            initial: Duration::from_millis(1),
            max_elapsed: Duration::from_millis(100),
            ..RetryPolicy::default()
        };
        let settings = Settings { retry, timeout: Duration::from_millis(200), ..Settings::default() };
        let (exporter, ledger) = exporter(HttpProtobuf, &format!("http://{address}"), settings, 1);
        while exporter.settled().watermark() < 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(ledger.counts().dropped(DropReason::UnknownOutcome), 10);
    }));
}
