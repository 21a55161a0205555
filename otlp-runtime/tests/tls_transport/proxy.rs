//! Proxies: what they are asked, and whose failure is whose.

use otlp_runtime::transport::Hop;

use super::*;

/// A proxy that answers `CONNECT` with `answer`, and if that is a success connects to `target`, whatever was asked for.
async fn proxy(target: SocketAddr, answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (listener, address) = listen().await;
    let heads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heads);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                log.lock().unwrap().push(String::from_utf8(head).unwrap());
                stream.write_all(format!("{answer}\r\n\r\n").as_bytes()).await.unwrap();
                if answer.contains("HTTP/1.1 200") {
                    let mut target = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut target).await;
                }
            });
        }
    });
    (address, heads)
}

/// A transport of a program whose environment names a proxy.
fn behind(proxy: &str, protocol: TransportProtocol, config: OtlpConfig) -> Arc<dyn Transport> {
    configured_behind(proxy, protocol, config.with_endpoint("https://collector.test:4317"))
}

/// The same for any endpoint.
fn configured_behind(proxy: &str, protocol: TransportProtocol, config: OtlpConfig) -> Arc<dyn Transport> {
    let environment = |name: &str| (name == "HTTPS_PROXY").then(|| proxy.into());
    let config = config.with_protocol(protocol);
    let resolved = config.resolve(&environment, &mut |line| panic!("{line}")).unwrap();
    let endpoint = otlp_runtime::transport::Endpoint::parse(
        "endpoint",
        &resolved.endpoint.url,
        protocol,
        otlp_runtime::transport::EndpointKind::Base,
    )
    .unwrap();
    let options = otlp_runtime::transport::Options::new(&resolved.delivery, endpoint.is_secure()).unwrap();
    otlp_runtime::transport::build(protocol, endpoint, options).unwrap()()
}

#[tokio::test]
async fn u40_p11_a_proxy_tunnels_tls_of_both_protocols() {
    let authority = Authority::new();
    let server = server_config(&authority.certify(&["collector.test"]), None);
    for protocol in BOTH {
        let (address, log) = serve(vec![Arc::clone(&server)]).await;
        // A reason phrase is not for programs, and may be missing.
        let answer = if protocol == Grpc {
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"
        } else {
            "HTTP/1.1 200 Connection established\r\nx: y"
        };
        let (through, heads) = proxy(address, answer).await;
        let transport = behind(&format!("http://user:hunter2@{through}"), protocol, trusting(&authority));
        for _ in 0..2 {
            assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()), "{protocol}");
        }
        assert_eq!((log.bodies().len(), log.connections().len()), (2, 1));
        let expected = "CONNECT collector.test:4317 HTTP/1.1\r\nHost: collector.test:4317\r\n\
                        Proxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n\r\n";
        assert_eq!(*heads.lock().unwrap(), [expected]);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_none_is_retryable_and_nothing_arrived() {
    let config = || trusting(&Authority::new());
    let refused = UnusedPort::reserve();
    for (answer, says) in [
        ("HTTP/1.1 407 Proxy Authentication Required", "it wants other credentials"),
        ("HTTP/1.1 403 Forbidden", "it refuses: HTTP/1.1 403 Forbidden"),
        ("HTTP/1.1 403 not Basic dXNlcjpodW50ZXIy", "it refuses: HTTP/1.1 403 not Basic ***"),
        ("SSH-2.0-OpenSSH", "it does not answer as a proxy"),
        // One that never stops would keep the export thread from looking at the time.
        ("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000).leak(), "its answer does not end"),
    ] {
        let (through, _) = proxy(refused.address(), answer).await;
        let transport = behind(&format!("http://user:hunter2@{through}"), HttpProtobuf, config());
        let cause = failed_at(Hop::Proxy, send(&transport, b"x").await);
        assert!(cause.contains(says) && !cause.contains("hunter2"), "{cause}");
        assert!(cause.contains(&format!("through the proxy {through} of HTTPS_PROXY: ")), "{cause}");
    }
    let refused = refused.address();
    let transport = behind(&refused.to_string(), Grpc, config());
    let cause = failed_at(Hop::Proxy, send(&transport, b"x").await);
    assert!(cause.contains(&format!("through the proxy {refused} of ")), "{cause}");
    // One that never answers.
    let (_listener, silent) = black_hole();
    let transport = behind(&silent.to_string(), HttpProtobuf, config());
    let attempt = Attempt::new(Duration::from_millis(300));
    let cause = failed_at(Hop::Proxy, bounded(transport.send(payload(&b"x"[..]), attempt)).await);
    assert!(cause.contains(&format!("through the proxy {silent} of HTTPS_PROXY: no answer within 2")), "{cause}");
}

/// The cause of a failure there, after which nothing has arrived.
#[track_caller]
fn failed_at(hop: Hop, outcome: Result<Accepted, TransportError>) -> String {
    match outcome {
        Err(TransportError::Retryable { cause, after: None, may_have_arrived: false, at }) if at == hop => cause,
        other => panic!("{other:?}"),
    }
}

/// What stands behind the proxy is not the proxy's fault, but its name helps: some break TLS open.
#[tokio::test]
async fn a_receiver_that_fails_behind_a_proxy_is_no_failure_of_the_proxy() {
    let (address, _) = serve(vec![server_config(&Authority::new().certify(&["collector.test"]), None)]).await;
    for protocol in BOTH {
        let (through, _) = proxy(address, "HTTP/1.1 200 OK").await;
        let transport = behind(&through.to_string(), protocol, trusting(&Authority::new()));
        let cause = failed_at(Hop::Receiver, send(&transport, b"x").await);
        let expected = format!("cannot connect to collector.test:4317 (through the proxy {through} of HTTPS_PROXY): ");
        assert!(cause.starts_with(&expected), "{cause}");
    }
}

/// ENV2: code wins, also where the environment is not read.
#[tokio::test]
async fn u40_p11_a_proxy_that_is_set_in_code_is_used_without_tls_too() {
    for (protocol, env) in [(HttpProtobuf, true), (Grpc, false)] {
        let collector = otlp_runtime::testing::Collector::start().unwrap();
        let target = collector.endpoint().trim_start_matches("http://").parse().unwrap();
        let (through, heads) = proxy(target, "HTTP/1.1 200 OK").await;
        let config = OtlpConfig::default()
            .with_endpoint("http://collector.test:4318")
            .with_proxy(format!("http://user:hunter2@{through}"))
            .with_env(env);
        let transport = configured_behind("http://192.0.2.1:1", protocol, config);
        assert_eq!(send(&transport, b"").await, Ok(Accepted::default()), "{protocol}");
        let heads = heads.lock().unwrap();
        assert!(heads.len() == 1 && heads[0].starts_with("CONNECT collector.test:4318 HTTP/1.1\r\n"), "{heads:?}");
    }
}
