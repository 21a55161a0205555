//! OTLP over TLS, with certificates made here: good ones, and every kind of bad one (spec-checklist EXP2, EXP10).
#![cfg(all(feature = "tls", feature = "http", feature = "grpc"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use otlp_runtime::config::TransportProtocol::{self, Grpc, HttpProtobuf};
use otlp_runtime::config::{Compression, OtlpConfig, Pem, Source};
use otlp_runtime::exporter::{Exporter, RetryPolicy, Settings};
use otlp_runtime::transport::{Accepted, Transport, TransportError};
use rustls::server::ServerConfig;
use support::certificates::{Authority, Pair, server_config};
use support::*;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const BOTH: [TransportProtocol; 2] = [HttpProtobuf, Grpc];

fn trusting(authority: &Authority) -> OtlpConfig {
    OtlpConfig::default().with_ca_certificate(Pem::bytes(authority.pem.clone()))
}

/// One connection that came to stand.
#[derive(Clone, Debug)]
struct Seen {
    alpn: Vec<u8>,
    sni: Option<String>,
}

#[derive(Clone, Default)]
struct Log {
    connections: Arc<Mutex<Vec<Seen>>>,
    bodies: Arc<Mutex<Vec<Bytes>>>,
}

impl Log {
    fn connections(&self) -> Vec<Seen> {
        self.connections.lock().unwrap().clone()
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.bodies.lock().unwrap().clone()
    }
}

/// Serves with the settings that `configs` has for each connection, the last one for all that follow.
async fn serve(configs: Vec<Arc<ServerConfig>>) -> (SocketAddr, Log) {
    let (listener, address) = listen().await;
    let log = Log::default();
    tokio::spawn(accept(listener, configs, log.clone()));
    (address, log)
}

async fn accept(listener: TcpListener, configs: Vec<Arc<ServerConfig>>, log: Log) {
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let config = Arc::clone(&configs[connection.min(configs.len() - 1)]);
        tokio::spawn(talk(stream, config, log.clone()));
    }
}

async fn talk(stream: TcpStream, config: Arc<ServerConfig>, log: Log) {
    let Ok(stream) = TlsAcceptor::from(config).accept(stream).await else { return };
    let session = stream.get_ref().1;
    let alpn = session.alpn_protocol().unwrap_or_default().to_vec();
    log.connections.lock().unwrap().push(Seen { alpn: alpn.clone(), sni: session.server_name().map(str::to_owned) });
    let service = service_fn(move |request| answer(request, log.clone()));
    let stream = TokioIo::new(stream);
    if alpn == b"h2" {
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
    }
}

type Answer = http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>;

async fn answer(request: Request<Incoming>, log: Log) -> Result<Response<Answer>, hyper::Error> {
    let grpc = request.headers()["content-type"] == "application/grpc";
    let body = request.into_body().collect().await?.to_bytes();
    log.bodies.lock().unwrap().push(body);
    let (media, body) = if grpc {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let body = Full::new(Bytes::from_static(&[0; 5])).with_trailers(async { Some(Ok(trailers)) });
        ("application/grpc", body.boxed())
    } else {
        ("application/x-protobuf", Full::new(Bytes::new()).boxed())
    };
    Ok(Response::builder().header("content-type", media).body(body).unwrap())
}

fn https(host: &str, address: SocketAddr) -> String {
    format!("https://{host}:{}", address.port())
}

async fn send(transport: &Arc<dyn Transport>, body: &[u8]) -> Result<Accepted, TransportError> {
    let payload = transport.prepare(payload(Bytes::copy_from_slice(body)));
    bounded(transport.send(payload)).await
}

/// The error of a certificate that cannot be accepted: retryable, and surely not arrived.
async fn refused(protocol: TransportProtocol, server: Arc<ServerConfig>, config: &OtlpConfig) -> String {
    let (address, log) = serve(vec![server]).await;
    let transport = configured(protocol, &https("localhost", address), config);
    let (cause, _, may_have_arrived) = retryable(send(&transport, b"x").await);
    assert!(!may_have_arrived, "{protocol}: {cause}");
    assert!(cause.starts_with(&format!("cannot connect to localhost:{}: TLS: ", address.port())), "{cause}");
    assert!(log.bodies().is_empty());
    cause
}

#[tokio::test]
async fn exp10_requests_go_over_one_kept_connection_to_a_receiver_whose_authority_is_named() {
    let authority = Authority::new();
    let server = server_config(&authority.certify(&["localhost", "127.0.0.1"]), None);
    for protocol in BOTH {
        for (host, sni) in [("localhost", Some("localhost".to_owned())), ("127.0.0.1", None)] {
            let (address, log) = serve(vec![Arc::clone(&server)]).await;
            let transport = configured(protocol, &https(host, address), &trusting(&authority));
            for body in [&b"one"[..], b"", &[7; 300_000]] {
                assert_eq!(send(&transport, body).await, Ok(Accepted::default()), "{protocol} {host}");
                assert!(log.bodies().last().unwrap().ends_with(body));
            }
            let connections = log.connections();
            assert_eq!(connections.len(), 1);
            assert_eq!(connections[0].alpn, if protocol == Grpc { &b"h2"[..] } else { b"http/1.1" });
            assert_eq!(connections[0].sni, sni, "{host}");
            assert_eq!(transport.endpoint(), https(host, address));
        }
    }
}

#[tokio::test]
async fn exp3_a_grpc_endpoint_without_a_scheme_means_tls() {
    let authority = Authority::new();
    let (address, log) = serve(vec![server_config(&authority.certify(&["localhost"]), None)]).await;
    let transport = configured(Grpc, &format!("localhost:{}", address.port()), &trusting(&authority));
    assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()));
    assert_eq!(log.connections().len(), 1);
}

#[tokio::test]
async fn exp8_gzip_goes_inside_of_tls() {
    let authority = Authority::new();
    for protocol in BOTH {
        let (address, log) = serve(vec![server_config(&authority.certify(&["localhost"]), None)]).await;
        let config = trusting(&authority).with_compression(Compression::Gzip);
        let transport = configured(protocol, &https("localhost", address), &config);
        assert_eq!(send(&transport, &[7; 300_000]).await, Ok(Accepted::default()));
        let body = log.bodies()[0].clone();
        let packed = if protocol == Grpc { &body[5..] } else { &body[..] };
        assert_eq!(gunzip(packed), [7; 300_000]);
    }
}

#[tokio::test]
async fn a_bad_certificate_of_the_receiver_is_retryable_and_says_what_to_do() {
    let (authority, stranger, impostor) = (Authority::new(), Authority::named("a stranger"), Authority::new());
    for (pair, what, remedy) in [
        (authority.certify_between(2000, 2001), "expired", "renew the receiver's certificate"),
        (authority.certify_between(2100, 2101), "not valid yet", "set this machine's clock"),
        (authority.certify(&["elsewhere.example"]), "not valid for name", "use a host name"),
        (stranger.certify(&["localhost"]), "UnknownIssuer", "with_ca_certificate"),
        (impostor.certify(&["localhost"]), "BadSignature", "with_ca_certificate"),
        (authority.certify_authority(), "CaUsedAsEndEntity", "shows the certificate of an authority as its own"),
    ] {
        for protocol in BOTH {
            let cause = refused(protocol, server_config(&pair, None), &trusting(&authority)).await;
            assert!(cause.contains(what) && cause.contains(remedy), "{cause}");
        }
    }
}

#[tokio::test]
async fn the_systems_authorities_do_not_know_ours_and_are_asked_without_others() {
    let authority = Authority::new();
    let cause = bounded(async {
        let (address, _) = serve(vec![server_config(&authority.certify(&["localhost"]), None)]).await;
        let transport = configured(HttpProtobuf, &https("localhost", address), &OtlpConfig::default());
        retryable(send(&transport, b"x").await).0
    })
    .await;
    // Where a machine has none at all, that is said.
    assert!(cause.contains("UnknownIssuer") || cause.contains("has no certificate authorities"), "{cause}");
}

#[tokio::test]
async fn mutual_tls_shows_the_programs_certificate() {
    let (authority, clients) = (Authority::new(), Authority::named("of clients"));
    let server = server_config(&authority.certify(&["localhost"]), Some(&clients));
    let known = clients.certify(&["shop"]);
    let unknown = [authority.certify(&["shop"]), Authority::named("of clients").certify(&["shop"])];
    let with = |pair: &Pair| {
        let (certificate, key) = (Pem::bytes(pair.certificate.clone()), Pem::bytes(pair.key.clone()));
        trusting(&authority).with_client_certificate(certificate, key)
    };
    for protocol in BOTH {
        let (address, log) = serve(vec![Arc::clone(&server)]).await;
        let transport = configured(protocol, &https("localhost", address), &with(&known));
        assert_eq!(send(&transport, b"x").await, Ok(Accepted::default()), "{protocol}");
        assert_eq!(log.bodies().len(), 1);

        let cause = refused(protocol, Arc::clone(&server), &trusting(&authority)).await;
        assert!(cause.contains("with_client_certificate"), "{cause}");
        for unknown in &unknown {
            let cause = refused(protocol, Arc::clone(&server), &with(unknown)).await;
            assert!(cause.contains("does not accept this program's certificate"), "{cause}");
        }
    }
}

#[tokio::test]
async fn a_port_without_tls_is_retryable_with_a_hint() {
    for protocol in BOTH {
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        let transport = configured(protocol, &https("127.0.0.1", address), &trusting(&Authority::new()));
        let (cause, _, may_have_arrived) = retryable(send(&transport, b"x").await);
        assert!(cause.contains("does this port speak TLS? If not, write `http://`"), "{cause}");
        assert!(!may_have_arrived);
    }
}

#[tokio::test]
async fn a_handshake_without_an_answer_takes_less_than_the_attempt_and_nothing_arrived() {
    let (_listener, address) = black_hole();
    for protocol in BOTH {
        let endpoint = otlp_runtime::transport::Endpoint::parse(
            "endpoint",
            &https("127.0.0.1", address),
            protocol,
            otlp_runtime::transport::EndpointKind::Base,
        )
        .unwrap();
        let options = options(&trusting(&Authority::new()), true).unwrap();
        let attempt = Duration::from_millis(300);
        let transport = otlp_runtime::transport::build(protocol, endpoint, attempt, options).unwrap()();
        let (cause, _, may_have_arrived) = retryable(send(&transport, b"x").await);
        assert!(cause.contains("no answer within 270ms") && !may_have_arrived, "{cause}");
    }
}

#[test]
fn what_a_bad_certificate_held_up_arrives_once_it_is_renewed() {
    let authority = Authority::new();
    let expired = server_config(&authority.certify_between(2000, 2001), None);
    let renewed = server_config(&authority.certify(&["localhost"]), None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for protocol in BOTH {
        runtime.block_on(bounded(async {
            let (address, log) = serve(vec![Arc::clone(&expired), Arc::clone(&expired), Arc::clone(&renewed)]).await;
            let retry = RetryPolicy { initial: Duration::from_millis(10), ..RetryPolicy::default() };
            let settings = Settings { retry, ..Settings::default() };
            let endpoint = otlp_runtime::transport::Endpoint::parse(
                "endpoint",
                &https("localhost", address),
                protocol,
                otlp_runtime::transport::EndpointKind::Base,
            )
            .unwrap();
            let options = options(&trusting(&authority), true).unwrap();
            let make = otlp_runtime::transport::build(protocol, endpoint, PATIENCE, options).unwrap();
            let ledger = Arc::new(otlp_runtime::account::Ledger::default());
            let exporter = Exporter::start(settings, make, Arc::clone(&ledger)).unwrap();
            ledger.recorded(10);
            exporter.enqueue(otlp_runtime::exporter::Batch { seq: 0, payload: payload(&b"x"[..]) });
            while exporter.settled().watermark() < 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!((ledger.counts().exported, log.bodies().len()), (10, 1));
            shut_down(exporter, PATIENCE);
        }));
    }
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_that_names_it_and_no_key() {
    let authority = Authority::new();
    let (pair, other) = (authority.certify(&["a"]), authority.certify(&["b"]));
    let bytes = |text: &str| Pem::bytes(text.to_owned());
    let with = |certificate: Pem, key: Pem| OtlpConfig::default().with_client_certificate(certificate, key);
    let ca = |pem: Pem| OtlpConfig::default().with_ca_certificate(pem);
    let damaged = pair.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (config, setting, says) in [
        (ca(Pem::file("/no/such/ca.pem")), "ca_certificate", "/no/such/ca.pem: cannot be read: No such file"),
        (ca(Pem::file("/")), "ca_certificate", "is not a regular file"),
        (ca(Pem::file("/dev/zero")), "ca_certificate", "is not a regular file"),
        (ca(bytes("")), "ca_certificate", "holds no PEM certificate"),
        (ca(bytes(&pair.key)), "ca_certificate", "holds no PEM certificate"),
        (
            ca(bytes("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
            "ca_certificate",
            "cannot be used",
        ),
        (ca(bytes("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n")), "ca_certificate", "is not PEM"),
        (with(bytes(""), bytes(&pair.key)), "client_certificate", "holds no PEM certificate"),
        (with(bytes(&pair.certificate), bytes("")), "client_certificate", "holds no PEM private key"),
        (with(bytes(&pair.certificate), bytes(&damaged)), "client_certificate", "not encrypted"),
        (with(bytes(&pair.certificate), bytes(&other.key)), "client_certificate", "is not the key to the certificate"),
        (with(bytes(&pair.certificate), Pem::file("/no/key")), "client_certificate", "/no/key: cannot be read"),
    ] {
        let unusable = options(&config, true).unwrap_err();
        let error = unusable.error.to_string();
        assert!(error.starts_with(setting) && error.contains(says), "{error}");
        assert_eq!(unusable.source, Source::Code);
        let key = pair.key.lines().nth(1).unwrap();
        assert!(!format!("{error} {:?} {config:?}", unusable.error).contains(key));
        // Without TLS they are not even read.
        options(&config, false).unwrap();
    }
}

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
    let environment = |name: &str| (name == "HTTPS_PROXY").then(|| proxy.into());
    let config = config.with_endpoint("https://collector.test:4317").with_protocol(protocol);
    let resolved = config.resolve(&environment, &mut |line| panic!("{line}")).unwrap();
    let endpoint = otlp_runtime::transport::Endpoint::parse(
        "endpoint",
        &resolved.endpoint.url,
        protocol,
        otlp_runtime::transport::EndpointKind::Base,
    );
    let options = otlp_runtime::transport::Options::new(&resolved.delivery, true).unwrap();
    otlp_runtime::transport::build(protocol, endpoint.unwrap(), PATIENCE, options).unwrap()()
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
        ("SSH-2.0-OpenSSH", "it does not answer as a proxy"),
    ] {
        let (through, _) = proxy(refused.address(), answer).await;
        let transport = behind(&format!("http://user:hunter2@{through}"), HttpProtobuf, config());
        let (cause, _, may_have_arrived) = retryable(send(&transport, b"x").await);
        assert!(cause.contains(says) && !cause.contains("hunter2") && !may_have_arrived, "{cause}");
        assert!(cause.contains(&format!("through the proxy {through} of HTTPS_PROXY: ")), "{cause}");
    }
    let transport = behind(&refused.to_string(), Grpc, config());
    let (cause, _, may_have_arrived) = retryable(send(&transport, b"x").await);
    assert!(cause.contains(&format!("through the proxy {refused} of ")) && !may_have_arrived, "{cause}");
}
