//! OTLP over gRPC against tiny HTTP/2 servers that behave well, badly, or not at all.
#![cfg(feature = "grpc")]
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response};
use otlp_runtime::account::DropReason;
use otlp_runtime::config::TransportProtocol::Grpc;
use otlp_runtime::config::{Compression, OtlpConfig};
use otlp_runtime::exporter::Settings;
use otlp_runtime::transport::{Accepted, Attempt, Transport, TransportError};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a server does with its n-th call, counted over all connections.
#[derive(Clone)]
enum Reply {
    /// A message, then trailers.
    Message(Vec<u8>, Vec<(&'static str, String)>),
    /// The same with a message that is said to be gzip.
    Packed(Vec<u8>, Vec<(&'static str, String)>),
    /// Only headers.
    Headers(u16, Vec<(&'static str, String)>),
    /// Headers and this body, raw, then the end of the stream.
    Raw(&'static str, Vec<u8>),
    /// Before anything else.
    Reset(Reason),
    /// Half a message, then the reset.
    ResetLater(Reason),
    /// An answer, after which the connection takes no more calls.
    GoAway,
    Never,
}

fn ok() -> Reply {
    Reply::Message(Vec::new(), vec![("grpc-status", "0".into())])
}

fn status(code: u8) -> Reply {
    Reply::Headers(200, vec![("content-type", "application/grpc".into()), ("grpc-status", code.to_string())])
}

#[derive(Clone, Debug)]
struct Call {
    connection: usize,
    request: Arc<Request<()>>,
    body: Bytes,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Call>>>);

impl Log {
    fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }
}

fn serve(listener: TcpListener, script: impl Fn(usize) -> Reply + Clone + Send + 'static) -> Log {
    let log = Log::default();
    tokio::spawn({
        let log = log.clone();
        async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (script, log) = (script.clone(), log.clone());
                tokio::spawn(async move {
                    let mut h2 = h2::server::Builder::new()
                        .initial_window_size(1 << 20)
                        .initial_connection_window_size(1 << 20)
                        .handshake::<_, Bytes>(stream)
                        .await
                        .unwrap();
                    while let Some(Ok((request, respond))) = h2.accept().await {
                        if matches!(script(log.calls().len()), Reply::GoAway) {
                            h2.graceful_shutdown();
                        }
                        tokio::spawn(handle(connection, request, respond, script.clone(), log.clone()));
                    }
                });
            }
        }
    });
    log
}

async fn handle(
    connection: usize,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    script: impl Fn(usize) -> Reply,
    log: Log,
) {
    let (parts, mut stream) = request.into_parts();
    let mut body = BytesMut::new();
    while let Some(Ok(data)) = stream.data().await {
        stream.flow_control().release_capacity(data.len()).unwrap();
        body.extend_from_slice(&data);
    }
    let number = {
        let mut log = log.0.lock().unwrap();
        log.push(Call { connection, request: Arc::new(Request::from_parts(parts, ())), body: body.freeze() });
        log.len() - 1
    };
    let grpc = || Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let frame = |message: &[u8]| {
        let mut frame = vec![0];
        frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(message);
        Bytes::from(frame)
    };
    let reply = script(number);
    match reply {
        Reply::Message(ref message, ref trailers) | Reply::Packed(ref message, ref trailers) => {
            let flag = u8::from(matches!(reply, Reply::Packed(..)));
            let mut response = grpc();
            if flag == 1 {
                response.headers_mut().insert("grpc-encoding", "gzip".parse().unwrap());
            }
            let mut stream = respond.send_response(response, false).unwrap();
            let mut framed = frame(message).to_vec();
            framed[0] = flag;
            stream.send_data(framed.into(), false).unwrap();
            let mut map = HeaderMap::new();
            for (name, value) in trailers {
                map.insert(*name, value.parse().unwrap());
            }
            stream.send_trailers(map).unwrap();
        }
        Reply::Headers(status, headers) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            respond.send_response(response.body(()).unwrap(), true).unwrap();
        }
        Reply::Raw(media, body) => {
            let response = Response::builder().header("content-type", media).body(()).unwrap();
            respond.send_response(response, false).unwrap().send_data(body.into(), true).unwrap();
        }
        Reply::Reset(reason) => respond.send_reset(reason),
        Reply::ResetLater(reason) => {
            let mut stream = respond.send_response(grpc(), false).unwrap();
            stream.send_data(Bytes::from_static(&[0, 0]), false).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.send_reset(reason);
        }
        Reply::GoAway => {
            let mut stream = respond.send_response(grpc(), false).unwrap();
            stream.send_data(frame(b""), false).unwrap();
            stream
                .send_trailers(HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]))
                .unwrap();
        }
        Reply::Never => std::future::pending().await,
    }
}

async fn server(script: impl Fn(usize) -> Reply + Clone + Send + 'static) -> (Arc<dyn Transport>, Log) {
    let (listener, address) = listen().await;
    (transport(Grpc, address), serve(listener, script))
}

async fn send(transport: &Arc<dyn Transport>, body: &[u8]) -> Result<Accepted, TransportError> {
    attempt(transport, payload(Bytes::copy_from_slice(body))).await
}

/// The outcome of one call that the server treats as `reply`.
async fn outcome(reply: Reply) -> Result<Accepted, TransportError> {
    let (transport, _) = server(move |_| reply.clone()).await;
    send(&transport, b"x").await
}

#[tokio::test]
async fn otp21_otp14_exp12_calls_have_grpcs_form_and_share_one_connection() {
    let (transport, log) = server(|_| ok()).await;
    let large = vec![7; 3_000_000];
    for body in [&b"one"[..], b"", &large] {
        assert_eq!(send(&transport, body).await, Ok(Accepted::default()));
        let framed = log.calls().last().unwrap().body.clone();
        assert_eq!(framed[..5], [&[0][..], &u32::try_from(body.len()).unwrap().to_be_bytes()].concat());
        assert_eq!(framed[5..], *body);
    }
    let sends: Vec<_> = (0..8)
        .map(|_| {
            let transport = Arc::clone(&transport);
            tokio::spawn(async move { send(&transport, b"x").await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert!(log.calls().iter().all(|call| call.connection == 0));
    let request = &log.calls()[0].request;
    let path = request.uri().path();
    assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    assert_eq!(request.uri().authority().unwrap().as_str(), transport.endpoint().trim_start_matches("http://"));
    for (name, value) in [
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", concat!("otlp-rust/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(request.headers()[name], value);
    }
}

#[tokio::test]
async fn calls_at_the_same_time_wait_for_one_connection() {
    let (transport, log) = server(|_| ok()).await;
    let sends: Vec<_> = (0..8)
        .map(|_| {
            let transport = Arc::clone(&transport);
            tokio::spawn(async move { send(&transport, b"x").await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert!(log.calls().iter().all(|call| call.connection == 0));
}

#[tokio::test]
async fn calls_that_wait_for_a_connection_share_its_failure() {
    let port = UnusedPort::reserve();
    let transport = transport(Grpc, port.address());
    let sends: Vec<_> = (0..8)
        .map(|_| {
            let transport = Arc::clone(&transport);
            tokio::spawn(async move { send(&transport, b"x").await })
        })
        .collect();
    for send in sends {
        let (cause, _, may_have_arrived) = retryable(send.await.unwrap());
        assert!(cause.contains("cannot connect") && !may_have_arrived, "{cause}");
    }
}

#[tokio::test]
async fn otp8_t4_the_status_decides_in_headers_and_in_trailers() {
    for code in 1..=16 {
        let retried = [1, 4, 10, 11, 14, 15].contains(&code);
        let trailers = vec![("grpc-status", code.to_string()), ("grpc-message", "why%20not".into())];
        for reply in [status(code), Reply::Message(Vec::new(), trailers)] {
            let outcome = outcome(reply).await;
            assert_eq!(matches!(outcome, Err(TransportError::Retryable { .. })), retried, "{code}: {outcome:?}");
            assert_eq!(matches!(outcome, Err(TransportError::Permanent { .. })), !retried, "{code}: {outcome:?}");
        }
    }
    let trailers = vec![("grpc-status", "3".into()), ("grpc-message", "why%20not".into())];
    let cause = permanent(outcome(Reply::Message(Vec::new(), trailers)).await);
    assert_eq!(
        cause,
        "gRPC status InvalidArgument: why not (check that the endpoint is an OTLP receiver, and that it takes what is sent)"
    );
}

#[tokio::test]
async fn otp10_retry_info_makes_resource_exhausted_retryable() {
    // google.rpc.Status { code: 8, details: [RetryInfo { retry_delay: 7 s }] }
    let details = "CAgaMAooIHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8SBAoCCAc";
    let with = |details: &str| {
        let headers =
            [("content-type", "application/grpc"), ("grpc-status", "8"), ("grpc-status-details-bin", details)];
        Reply::Headers(200, headers.map(|(n, v)| (n, v.to_owned())).to_vec())
    };
    let malformed = outcome(with(details)).await;
    permanent(malformed);
    let details = "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIBw";
    let (_, after, _) = retryable(outcome(with(details)).await);
    assert_eq!(after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn otp6_otp2_an_ok_is_never_sent_again_whatever_the_message() {
    let zero = || vec![("grpc-status", "0".to_owned())];
    let partial = Reply::Message(b"\x0a\x07\x08\x03\x12\x03bad".to_vec(), zero());
    assert_eq!(outcome(partial).await, Ok(Accepted { rejected: 3, message: Some("bad".into()) }));
    let oversized = Reply::Raw("application/grpc", [&[0][..], &5_000_000_u32.to_be_bytes(), &[0; 9]].concat());
    for (reply, says) in [
        (Reply::Message(b"\xff\xff garbage".to_vec(), zero()), "not an OTLP response"),
        (status(0), "cannot be read"),
        (oversized, "larger than 4 MiB"),
    ] {
        let accepted = outcome(reply).await.unwrap();
        assert!(accepted.rejected == 0 && accepted.message.as_deref().unwrap().contains(says), "{accepted:?}");
    }
}

#[tokio::test]
async fn otp13_a_refused_port_and_a_dead_receiver_are_retryable() {
    let port = UnusedPort::reserve();
    let refused = transport(Grpc, port.address());
    let (cause, _, may_have_arrived) = retryable(send(&refused, b"x").await);
    assert!(cause.contains("cannot connect") && !may_have_arrived, "{cause}");
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let closing = transport(Grpc, address);
    for _ in 0..5 {
        retryable(send(&closing, &[0; 100_000]).await);
    }
}

#[tokio::test]
async fn a_reset_stream_is_a_status_and_leaves_the_connection_alone() {
    let (transport, log) = server(|n| match n {
        0 => Reply::Reset(Reason::REFUSED_STREAM),
        1 => Reply::Reset(Reason::CANCEL),
        2 => Reply::Reset(Reason::INTERNAL_ERROR),
        3 => Reply::ResetLater(Reason::INTERNAL_ERROR),
        _ => ok(),
    })
    .await;
    assert!(!retryable(send(&transport, b"x").await).2, "a refused stream was not handled");
    assert!(retryable(send(&transport, b"x").await).2);
    assert!(retryable(send(&transport, b"x").await).2);
    assert!(retryable(send(&transport, b"x").await).2);
    assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()));
    assert!(log.calls().iter().all(|call| call.connection == 0));
}

#[tokio::test]
async fn otp13_a_stream_that_ends_without_a_status_is_an_answer_that_never_came() {
    for reply in [
        Reply::Raw("application/grpc", Vec::new()),
        Reply::Raw("application/grpc", vec![0, 0, 0, 0, 0]),
        Reply::ResetLater(Reason::CANCEL),
        Reply::Headers(200, vec![("content-type", "application/grpc".into())]),
    ] {
        let (cause, _, may_have_arrived) = retryable(outcome(reply).await);
        assert!(may_have_arrived, "{cause}");
    }
}

#[tokio::test]
async fn what_is_not_grpc_goes_by_its_http_status() {
    let plain = |status| Reply::Headers(status, vec![("content-type", "text/plain".into())]);
    for status in [429, 502, 503, 504] {
        retryable(outcome(plain(status)).await);
    }
    for status in [301, 400, 401, 403, 404, 500] {
        assert!(permanent(outcome(plain(status)).await).contains(&status.to_string()));
    }
    let html = permanent(outcome(Reply::Raw("text/html", b"<html>".to_vec())).await);
    assert!(html.contains("is the endpoint a gRPC receiver?"), "{html}");
    let garbage = permanent(outcome(Reply::Raw("application/grpc", b"garbage, not frames".to_vec())).await);
    assert!(garbage.contains("is not gRPC"), "{garbage}");
}

#[tokio::test]
async fn an_http1_server_is_retryable_with_a_hint() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 64]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let (cause, _, _) = retryable(send(&transport(Grpc, address), b"x").await);
    assert!(cause.contains("does this port speak gRPC?"), "{cause}");
}

#[tokio::test]
async fn otp14_after_a_go_away_the_next_call_connects_anew() {
    let (transport, log) = server(|n| if n < 3 { Reply::GoAway } else { ok() }).await;
    for _ in 0..5 {
        assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    let connections: Vec<usize> = log.calls().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [0, 1, 2, 3, 3]);
}

/// A server that says up to which stream it has read, once it has the call, and leaves.
async fn leaves(last_stream: u8) -> TransportError {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let mut rest = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            stream.read_exact(&mut rest).await.unwrap();
            if head[3] == 1 {
                break; // HEADERS
            }
        }
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last_stream, 0, 0, 0, 0]).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    send(&transport(Grpc, address), b"x").await.unwrap_err()
}

/// RFC 9113, section 6.8: what came after the last stream that was read may be sent again, for it has not arrived.
#[tokio::test]
async fn a_go_away_tells_what_has_not_arrived() {
    for (last_stream, arrived) in [(0, false), (1, true)] {
        let (cause, _, may_have_arrived) = retryable::<()>(Err(leaves(last_stream).await));
        assert_eq!(may_have_arrived, arrived, "{cause}");
    }
}

#[tokio::test]
async fn after_a_call_without_an_answer_the_connection_is_not_trusted() {
    let (transport, log) = server(|n| if n == 0 { Reply::Never } else { ok() }).await;
    let sending = transport.send(payload(&b"x"[..]), Attempt::new(PATIENCE));
    let given_up = tokio::time::timeout(Duration::from_millis(100), sending).await;
    assert!(given_up.is_err());
    assert_eq!(send(&transport, b"y").await, Ok(Accepted::default()));
    let connections: Vec<usize> = log.calls().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [0, 1]);
}

#[test]
fn shutdown_against_a_refused_port_takes_milliseconds() {
    let port = UnusedPort::reserve();
    let url = format!("http://{port}");
    let (exporter, ledger) = exporter(Grpc, &url, Settings::default(), 20);
    let took = shut_down(exporter, Duration::from_secs(5));
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(ledger.counts().balanced());
    assert_eq!(ledger.counts().dropped(DropReason::RetryExhausted), 200);
}

#[test]
fn shutdown_against_a_black_hole_ends_at_its_deadline() {
    let (_listener, address) = black_hole();
    let (exporter, ledger) = exporter(Grpc, &format!("http://{address}"), Settings::default(), 20);
    while ledger.counts().in_flight < 80 {
        std::thread::yield_now();
    }
    let took = shut_down(exporter, Duration::from_millis(300));
    assert!(took >= Duration::from_millis(300) && took < Duration::from_millis(800), "{took:?}");
    let counts = ledger.counts();
    assert!(counts.balanced());
    assert_eq!((counts.dropped(DropReason::UnknownOutcome), counts.dropped(DropReason::Shutdown)), (80, 120));
}

#[tokio::test]
async fn exp7_exp8_exp12_calls_carry_metadata_and_are_compressed_once_that_pays() {
    let (listener, address) = listen().await;
    let log = serve(listener, |_| ok());
    let config = OtlpConfig::default()
        .with_header("X-Api-Key", "hunter2")
        .with_compression(Compression::Gzip)
        .with_user_agent_prefix("shop/1.2");
    let transport = configured(Grpc, &format!("http://{address}"), &config);
    let large = vec![7; 300_000];
    for (body, packed) in [(&b"small"[..], false), (&large, true)] {
        let prepared = transport.prepare(payload(Bytes::copy_from_slice(body)));
        for _ in 0..2 {
            assert_eq!(attempt(&transport, prepared.clone()).await, Ok(Accepted::default()));
            let call = log.calls().pop().unwrap();
            let headers = call.request.headers();
            assert_eq!(headers["x-api-key"], "hunter2");
            assert_eq!(headers["user-agent"], concat!("shop/1.2 otlp-rust/", env!("CARGO_PKG_VERSION")));
            assert_eq!(headers.get("grpc-encoding").is_some_and(|encoding| encoding == "gzip"), packed);
            assert_eq!((call.body[0] == 1, call.body.len() - 5), (packed, prepared.body.len()));
            assert_eq!(if packed { gunzip(&call.body[5..]) } else { call.body[5..].to_vec() }, body);
        }
    }
}

#[tokio::test]
async fn otp2_compressed_answers_are_read_up_to_the_limit() {
    let trailers = || vec![("grpc-status", "0".to_owned())];
    for (message, rejected, says) in [
        (gzip(b"\x0a\x07\x08\x03\x12\x03bad"), 3, "bad"),
        (gzip(&vec![0; 32 << 20]), 0, "larger than 4 MiB"),
        (b"no gzip".to_vec(), 0, "cannot be read"),
    ] {
        let accepted = outcome(Reply::Packed(message, trailers())).await.unwrap();
        assert_eq!(accepted.rejected, rejected);
        assert!(accepted.message.as_deref().unwrap().contains(says), "{accepted:?}");
    }
    // Whatever the message, an error's status decides.
    let trailers = vec![("grpc-status", "3".to_owned())];
    permanent(outcome(Reply::Packed(b"no gzip".to_vec(), trailers)).await);
}

#[tokio::test]
async fn otp8_a_code_that_does_not_exist_is_unknown() {
    for code in ["17", "99", "-1", "x", ""] {
        let headers = vec![("content-type", "application/grpc".into()), ("grpc-status", code.to_owned())];
        permanent(outcome(Reply::Headers(200, headers)).await);
    }
}

/// Without a time-out, nothing but a PING finds out that the other end is gone.
#[tokio::test]
async fn otp14_a_receiver_that_vanishes_is_noticed_by_a_ping() {
    let (listener, address) = listen().await;
    let arrived = Arc::new(tokio::sync::Notify::new());
    let here = Arc::clone(&arrived);
    tokio::spawn(async move {
        let mut silent = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut h2 = h2::server::handshake(stream).await.unwrap();
            let (request, respond) = h2.accept().await.unwrap().unwrap();
            if silent.is_empty() {
                // From here on it answers nothing, no PING either.
                silent.push((h2, request, respond));
                here.notify_one();
                continue;
            }
            tokio::spawn(handle(1, request, respond, |_| ok(), Log::default()));
            tokio::spawn(async move { while let Some(Ok(_)) = h2.accept().await {} });
        }
    });
    let transport = transport(Grpc, address);
    let first = {
        let transport = Arc::clone(&transport);
        tokio::spawn(async move { transport.send(payload(&b"x"[..]), Attempt::new(Duration::MAX)).await })
    };
    // Time flies once the call is under way.
    bounded(arrived.notified()).await;
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let (cause, _, may_have_arrived) = retryable(first.await.unwrap());
    let took = start.elapsed();
    tokio::time::resume();
    assert!(cause.contains("keep-alive timed out") && may_have_arrived, "{cause}");
    assert!(took >= Duration::from_secs(35) && took <= Duration::from_secs(45), "{took:?}");
    assert_eq!(send(&transport, b"y").await, Ok(Accepted::default()));
}

/// Passes what comes on to `target`, at most `piece` bytes at a time, and once takes nothing for a while.
async fn relay(target: std::net::SocketAddr, piece: usize) -> std::net::SocketAddr {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // So that little of it is on its way while nobody reads.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let listener = socket.listen(1).unwrap();
    tokio::spawn(async move {
        let (mut here, _) = listener.accept().await.unwrap();
        let mut there = tokio::net::TcpStream::connect(target).await.unwrap();
        let ((mut from, mut back), (mut answers, mut to)) = (here.split(), there.split());
        let forth = async {
            let (mut bytes, mut passed) = (vec![0; piece], 0);
            while let Ok(read @ 1..) = from.read(&mut bytes).await {
                to.write_all(&bytes[..read]).await.unwrap();
                if (passed..passed + read).contains(&2000) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                passed += read;
            }
        };
        let _ = tokio::join!(forth, tokio::io::copy(&mut answers, &mut back));
    });
    address
}

/// Around the size of frames and of what gathers before it is written, several at once, and one after a rest.
#[tokio::test]
async fn every_body_arrives_whole_at_a_receiver_that_reads_little_by_little() {
    for (piece, lens) in [(7, &[0_usize, 3000][..]), (1500, &[16_384 - 5, 16_384, 65_535, 65_536, 65_537, 300_000])] {
        let (listener, address) = listen().await;
        let log = serve(listener, |_| ok());
        let transport = transport(Grpc, relay(address, piece).await);
        let mut expected: Vec<Vec<u8>> =
            lens.iter().map(|&len| (0..len).map(|n| (n * 7 / 5 + len) as u8).collect()).collect();
        let sent: Vec<_> = expected
            .iter()
            .map(|body| {
                let (transport, body) = (Arc::clone(&transport), body.clone());
                tokio::spawn(async move { send(&transport, &body).await })
            })
            .collect();
        for sent in sent {
            assert_eq!(sent.await.unwrap(), Ok(Accepted::default()));
        }
        assert_eq!(send(&transport, b"last").await, Ok(Accepted::default()));
        expected.push(b"last".to_vec());
        let mut arrived: Vec<Vec<u8>> = log.calls().iter().map(|call| call.body[5..].to_vec()).collect();
        arrived.sort();
        expected.sort();
        assert!(arrived == expected, "{piece}");
    }
}
