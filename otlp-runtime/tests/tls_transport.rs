//! OTLP over TLS, with certificates made here: good ones, and every kind of bad one (spec-checklist EXP2, EXP10).
#![cfg(all(feature = "tls", feature = "http", feature = "grpc"))]
#![allow(clippy::unwrap_used)]

#[path = "tls_transport/proxy.rs"]
mod proxy;
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
use otlp_runtime::account::DropReason;
use otlp_runtime::config::TransportProtocol::{self, Grpc, HttpProtobuf};
use otlp_runtime::config::{Compression, OtlpConfig, Pem, Source};
use otlp_runtime::exporter::{RetryPolicy, Settings};
use otlp_runtime::transport::{Accepted, Attempt, Transport, TransportError};
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
    attempt(transport, payload).await
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
        let transport = configured(protocol, &https("127.0.0.1", address), &trusting(&Authority::new()));
        let attempt = Attempt::new(Duration::from_millis(300));
        let (cause, _, may_have_arrived) =
            retryable(bounded(transport.send(payload(&b"x"[..]), attempt.clone())).await);
        assert!(cause.contains("no answer within 2") && !may_have_arrived, "{cause}");
        assert!(!attempt.left().is_zero() && !attempt.may_have_arrived());
    }
}

/// Law 2: what is cut off by the end of its batch's time, or of the program's, was not sent if nothing was connected by then.
#[test]
fn what_is_cut_off_while_it_connects_has_not_arrived() {
    let (_listener, address) = black_hole();
    for protocol in BOTH {
        let start = |retry| {
            let make = configured_factory(protocol, &https("127.0.0.1", address), &trusting(&Authority::new()));
            exporter_with(make, Settings { retry, ..Settings::default() }, 10)
        };
        // Its batches have less time than one attempt.
        let (exporter, ledger) =
            start(RetryPolicy { max_elapsed: Duration::from_millis(200), ..RetryPolicy::default() });
        assert!(exporter.settled().wait_until(10, std::time::Instant::now() + PATIENCE));
        assert_eq!(ledger.counts().dropped(DropReason::RetryExhausted), 100, "{:?}", ledger.counts());
        let cause = exporter.last_error().unwrap();
        assert!(cause.contains("cannot connect to 127.0.0.1"), "{cause}");
        shut_down(exporter, PATIENCE);
        // The program ends before an attempt does.
        let (exporter, ledger) = start(RetryPolicy::default());
        while ledger.counts().in_flight < 80 {
            std::thread::yield_now();
        }
        shut_down(exporter, Duration::from_millis(100));
        assert_eq!(ledger.counts().dropped(DropReason::Shutdown), 100, "{:?}", ledger.counts());
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
            let make = configured_factory(protocol, &https("localhost", address), &trusting(&authority));
            let (exporter, ledger) = exporter_with(make, settings, 1);
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
