//! TLS that fails, before the handshake, in it and after it, and TLS that works (spec-checklist EXP2, EXP10).

use std::collections::HashSet;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otlp::TransportProtocol;
use otlp::testing::Collector;
use rustls::server::ServerConfig;
use tokio::io::{AsyncReadExt as _, copy, copy_bidirectional, sink};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::{Authority, Pair, server_config};
use crate::credentials::Credentials;
use crate::run::{Outcome, PROTOCOLS, Run, each};
use crate::server::{Server, swallow};

const HOST: &str = "localhost";

type Stream = TlsStream<tokio::net::TcpStream>;

/// The handshake, and then what `then` does. Where it fails, the peer is told why and may read it.
fn talk<F: Future<Output = ()>>(stream: TcpStream, config: &Arc<ServerConfig>, then: impl FnOnce(Stream) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        match TlsAcceptor::from(Arc::clone(config)).accept(stream).into_fallible().await {
            Ok(stream) => then(stream).await,
            // What is left unread when a socket closes resets the connection, and the alert is lost.
            Err((_, mut stream)) => drop(copy(&mut stream, &mut sink()).await),
        }
    });
}

/// What is inside goes to the collector on `port`.
fn pass_on(stream: TcpStream, config: &Arc<ServerConfig>, port: u16) {
    talk(stream, config, |mut stream| async move {
        let Ok(mut collector) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else { return };
        let _ = copy_bidirectional(&mut stream, &mut collector).await;
    });
}

/// Part of a request, and then no more, not even TLS's own farewell.
fn reset_within_the_request(stream: TcpStream, config: &Arc<ServerConfig>) {
    talk(stream, config, |mut stream| async move {
        let _ = stream.read_exact(&mut [0; 40]).await;
        let _ = stream.get_ref().0.set_zero_linger();
    });
}

/// Reads part of the program's first message; the rest is thrown away with the connection, so that the peer sees a reset.
fn reset_within_the_handshake(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 40]);
}

fn speak_plain(mut stream: TcpStream, greeting: &[u8]) {
    let _ = stream.write_all(greeting);
    swallow(stream);
}

fn endpoint(server: &Server) -> String {
    server.endpoint().replace("http://127.0.0.1", &format!("https://{HOST}"))
}

/// The authority that the programs trust, and what it has signed.
struct World {
    authority: Authority,
    good: Arc<ServerConfig>,
}

struct Fault {
    name: &'static str,
    /// What it does to a connection.
    happens: Arc<dyn Fn(TcpStream) + Send + Sync>,
    /// Stand in the line that tells of it: the cause, and what to do.
    says: [&'static str; 2],
    /// Whether a request may have been sent by then.
    may_arrive: bool,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new();
        let good = server_config(&authority.certify(&[HOST]), None);
        Self { authority, good }
    }

    fn credentials(&self) -> Credentials {
        Credentials { authority: self.authority.pem.clone(), ..Credentials::default() }
    }

    fn run(&self, server: &Server, protocol: TransportProtocol) -> Run {
        let mut run = Run::new(endpoint(server), protocol);
        run.credentials = self.credentials();
        run
    }

    /// The certificates that are no good, for whatever reason.
    fn bad_certificates(&self) -> Vec<Fault> {
        let clients = Authority::named("of clients");
        let certificate = |name, pair: &Pair, clients: Option<&Authority>, says| {
            let config = server_config(pair, clients);
            let happens = Arc::new(move |stream| talk(stream, &config, |stream| async { drop(stream) }));
            Fault { name, happens, says, may_arrive: false }
        };
        vec![
            certificate(
                "has an expired certificate",
                &self.authority.certify_between(2000, 2001),
                None,
                ["expired", "renew the receiver's certificate"],
            ),
            certificate(
                "has the certificate of another host",
                &self.authority.certify(&["elsewhere.example"]),
                None,
                ["not valid for name", "use a host name in the endpoint"],
            ),
            certificate(
                "has signed its certificate itself",
                &Pair::self_signed(&[HOST]),
                None,
                ["UnknownIssuer", "OTEL_EXPORTER_OTLP_CERTIFICATE"],
            ),
            certificate(
                "wants a certificate of the client",
                &self.authority.certify(&[HOST]),
                Some(&clients),
                ["wants a client certificate", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"],
            ),
        ]
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = self.bad_certificates();
        let mut before = |name, says, happens: fn(TcpStream)| {
            faults.push(Fault { name, happens: Arc::new(happens), says, may_arrive: false });
        };
        let plain = ["does this port speak TLS?", "write `http://`"];
        before("speaks plain HTTP", plain, |stream| {
            speak_plain(stream, b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        });
        before("speaks plain HTTP/2", plain, |stream| speak_plain(stream, &crate::http2::frame(4, 0, 0, &[])));
        before("speaks another protocol", plain, |stream| speak_plain(stream, b"SSH-2.0-OpenSSH_9.6\r\n"));
        before("accepts and closes", ["cannot connect to localhost", "TLS handshake"], drop);
        before(
            "resets within the handshake",
            ["cannot connect to localhost", "TLS handshake"],
            reset_within_the_handshake,
        );
        let config = Arc::clone(&self.good);
        faults.push(Fault {
            name: "resets within the request",
            happens: Arc::new(move |stream| reset_within_the_request(stream, &config)),
            says: ["connection error: ", "Check that an OTLP receiver listens there"],
            may_arrive: true,
        });
        faults
    }
}

/// Every fault with every protocol.
fn all(faults: &[Fault]) -> Vec<(&Fault, TransportProtocol)> {
    faults.iter().flat_map(|fault| PROTOCOLS.map(|protocol| (fault, protocol))).collect()
}

/// The collector has all of them, and each once.
#[track_caller]
fn arrived_once(outcome: &Outcome, collector: &Collector, spans: u64) {
    let received = collector.spans();
    let different: HashSet<_> = received.iter().map(|span| span.i64("n").unwrap()).collect();
    assert_eq!((outcome.exported(), outcome.rejected(), outcome.dropped()), (spans, 0, 0), "{outcome:?}");
    assert_eq!((received.len() as u64, different.len() as u64), (spans, spans), "{outcome:?}");
}

/// Nobody knows how far an attempt was that the deadline of shutdown cut off; of every other it is known.
fn surely_not_arrived(run: &Run, outcome: &Outcome) -> bool {
    u128::from(outcome.count("shutdown_took")) >= run.shutdown.as_millis() || outcome.count("unknown_outcome") == 0
}

#[test]
fn exp10_tls_that_fails_costs_no_more_than_its_time() {
    let world = World::new();
    each(&all(&world.faults()), |&(fault, protocol)| {
        let happens = Arc::clone(&fault.happens);
        let server = Server::start(move |stream, _| happens(stream));
        let mut run = world.run(&server, protocol);
        // A handshake without optimisation, on a machine with other things to do.
        (run.flush, run.shutdown) = (Duration::from_secs(2), Duration::from_millis(300));
        let outcome = run.outcome();
        println!("{} over {protocol:?}: {outcome:?}", fault.name);
        assert_eq!((outcome.exported(), outcome.rejected(), outcome.dropped()), (0, 0, 300), "{outcome:?}");
        let [cause, remedy] = fault.says;
        outcome.says(&["export to", &endpoint(&server), "fails: ", cause, remedy, "retrying"]);
        outcome.says(&["records for", &endpoint(&server), "dropped ("]);
        assert!(fault.may_arrive || surely_not_arrived(&run, &outcome), "{}: {outcome:?}", fault.name);
    });
}

#[test]
fn exp10_what_recovers_over_tls_gets_everything_once() {
    let world = World::new();
    each(&all(&world.faults()), |&(fault, protocol)| {
        let collector = Collector::start().unwrap();
        // Every connection that three requests may need at once over HTTP.
        let times = if protocol == TransportProtocol::Grpc { 1 } else { 3 };
        let (port, happens, good) = (collector.port(), Arc::clone(&fault.happens), Arc::clone(&world.good));
        let serve = move |stream, number| if number < times { happens(stream) } else { pass_on(stream, &good, port) };
        let server = Server::start(serve);
        let outcome = world.run(&server, protocol).outcome();
        println!("{} over {protocol:?}: {outcome:?}", fault.name);
        arrived_once(&outcome, &collector, 300);
        outcome.says(&["export to", &endpoint(&server), "works again after"]);
    });
}

/// The end of the program comes before that of the attempt.
#[test]
fn exp10_a_handshake_that_is_never_answered_holds_up_no_shutdown() {
    let world = World::new();
    each(&PROTOCOLS, |&protocol| {
        let server = Server::start(|stream, _| swallow(stream));
        let mut run = world.run(&server, protocol);
        run.timeout = Duration::from_secs(30);
        (run.flush, run.shutdown) = (Duration::from_millis(250), Duration::from_millis(300));
        let outcome = run.outcome();
        assert_eq!((outcome.exported(), outcome.rejected(), outcome.dropped()), (0, 0, 300), "{outcome:?}");
        assert!(server.connections() > 0);
        // Law 2: nothing of them was sent.
        assert_eq!(outcome.count("shutdown"), 300, "{outcome:?}");
        outcome.says(&["300 records for", &endpoint(&server), "dropped (shutdown)", "allow `shutdown` more time"]);
    });
}

/// And what it costs while the program goes on: the time of its attempt, and the next connection is tried.
#[test]
fn exp10_a_handshake_that_is_never_answered_is_told_and_tried_again() {
    let world = World::new();
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        let (port, good, answers) = (collector.port(), Arc::clone(&world.good), Arc::new(AtomicBool::new(false)));
        let answering = Arc::clone(&answers);
        let server = Server::start(move |stream, _| {
            if answering.load(Ordering::Relaxed) { pass_on(stream, &good, port) } else { swallow(stream) }
        });
        let mut run = world.run(&server, protocol);
        run.timeout = Duration::from_secs(2);
        let running = run.start();
        running.wait_for("fails: ");
        answers.store(true, Ordering::Relaxed);
        let outcome = running.outcome();
        arrived_once(&outcome, &collector, 300);
        outcome.says(&["export to", &endpoint(&server), "cannot connect to", "no answer within", "retrying"]);
        outcome.says(&["export to", &endpoint(&server), "works again after"]);
    });
}

/// Its receiver renews the certificate while batches wait for it.
#[test]
fn a_certificate_that_is_renewed_gets_everything_once() {
    let world = World::new();
    let expired = server_config(&world.authority.certify_between(2000, 2001), None);
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        let (port, expired, good) = (collector.port(), Arc::clone(&expired), Arc::clone(&world.good));
        let is_renewed = Arc::new(AtomicBool::new(false));
        let renewed = Arc::clone(&is_renewed);
        let server = Server::start(move |stream, _| {
            pass_on(stream, if renewed.load(Ordering::Relaxed) { &good } else { &expired }, port);
        });
        let mut run = world.run(&server, protocol);
        run.spans = 2_000;
        let running = run.start();
        running.wait_for("fails: ");
        assert_eq!(collector.requests().len(), 0);
        is_renewed.store(true, Ordering::Relaxed);
        let outcome = running.outcome();
        arrived_once(&outcome, &collector, 2_000);
        outcome.says(&["export to", &endpoint(&server), "expired", "renew the receiver's certificate", "retrying"]);
        outcome.says(&["export to", &endpoint(&server), "works again after"]);
    });
}

/// A run where nothing is wrong, with a receiver that is set up so.
fn good_run(world: &World, config: &Arc<ServerConfig>, credentials: &Credentials) {
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        let (port, config) = (collector.port(), Arc::clone(config));
        let server = Server::start(move |stream, _| pass_on(stream, &config, port));
        let mut run = world.run(&server, protocol);
        (run.spans, run.credentials) = (2_000, credentials.clone());
        let outcome = run.outcome();
        arrived_once(&outcome, &collector, 2_000);
        outcome.says_nothing();
    });
}

#[test]
fn exp10_good_tls_delivers_everything_once_and_says_nothing() {
    let world = World::new();
    good_run(&world, &world.good, &world.credentials());
}

/// A receiver that knows its clients, and one that does not accept this one.
#[test]
fn exp10_mutual_tls_delivers_to_whom_it_knows() {
    let (world, clients) = (World::new(), Authority::named("of clients"));
    let config = server_config(&world.authority.certify(&[HOST]), Some(&clients));
    let with = |pair: Pair| {
        let Pair { certificate, key } = pair;
        Credentials { certificate, key, ..world.credentials() }
    };
    good_run(&world, &config, &with(clients.certify(&["shop"])));
    let stranger = with(world.authority.certify(&["shop"]));
    each(&PROTOCOLS, |&protocol| {
        let config = Arc::clone(&config);
        let server = Server::start(move |stream, _| talk(stream, &config, |stream| async { drop(stream) }));
        let mut run = world.run(&server, protocol);
        run.credentials = stranger.clone();
        (run.flush, run.shutdown) = (Duration::from_secs(2), Duration::from_millis(300));
        let outcome = run.outcome();
        assert_eq!(outcome.dropped(), 300, "{outcome:?}");
        assert!(surely_not_arrived(&run, &outcome), "{outcome:?}");
        outcome.says(&["fails: ", "does not accept this program's certificate", "`with_client_certificate`"]);
    });
}
