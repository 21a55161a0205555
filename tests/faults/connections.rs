//! Connections that fail: refused, silent, cut, or slow.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use otlp::TransportProtocol::{self, Grpc, HttpProtobuf};
use otlp::testing::Collector;

use crate::http2;
use crate::port::UnusedPort;
use crate::run::{Outcome, PROTOCOLS, Run, each};
use crate::server::{Server, read_request, swallow, trickle};

struct Fault {
    name: &'static str,
    protocol: TransportProtocol,
    /// What it does to a connection.
    happens: fn(TcpStream),
    /// Stands in the line that tells of it.
    cause: &'static str,
}

/// Part of a request, of which the rest is thrown away with the connection: the peer sees a reset.
fn cut_within_the_request(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 40]);
}

fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for protocol in PROTOCOLS {
        let mut add = |name, cause, happens| faults.push(Fault { name, protocol, happens, cause });
        add("accepts and closes", "", drop);
        add("never answers", "no answer within", swallow);
        add("never reads", "no answer within", |stream| {
            std::thread::sleep(Duration::from_secs(20));
            drop(stream);
        });
        add("resets in the middle of the request", "", cut_within_the_request);
        add("closes after the request", "", |mut stream| {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        add("speaks another protocol", "", |mut stream| {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
            swallow(stream);
        });
        add("answers with noise", "", |mut stream| {
            let _ = stream.write_all(&[0xff; 4096]);
            swallow(stream);
        });
    }
    let mut http = |name, cause, happens| faults.push(Fault { name, protocol: HttpProtobuf, happens, cause });
    http("begins its answer a byte at a time", "no answer within", |mut stream| {
        if read_request(&mut stream) {
            trickle(stream, b"HTTP/1.1 200 OK\r\nx: y");
        }
    });
    http("sends head after head", "no answer within", |mut stream| {
        let _ = read_request(&mut stream);
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    http("sends an endless head", "", |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").is_ok() {}
    });
    let mut grpc = |name, cause, happens| faults.push(Fault { name, protocol: Grpc, happens, cause });
    grpc("begins its frames a byte at a time", "no answer within", |stream| trickle(stream, &[0, 0, 0, 4]));
    grpc("goes away", "", |stream| http2::serve(stream, |_| http2::go_away(0)));
    grpc("goes away angrily", "", |stream| http2::serve(stream, |_| http2::go_away(11)));
    grpc("resets each stream", "", |stream| http2::serve(stream, |id| http2::reset(id, 8)));
    grpc("refuses each stream", "", |stream| http2::serve(stream, |id| http2::reset(id, 7)));
    grpc("sends an endless head", "", |stream| http2::serve(stream, http2::endless_head));
    grpc("ends without a status", "", |stream| {
        http2::serve(stream, |id| [http2::head(id, &[]), http2::frame(0, 1, id, &[])].concat());
    });
    grpc("never ends its answer", "no answer within", |stream| http2::serve(stream, |id| http2::head(id, &[])));
    faults
}

/// Nothing arrives, whatever is tried; nobody waits for longer than was allowed.
fn in_vain(run: &mut Run) -> Outcome {
    run.timeout = Duration::from_millis(150);
    run.flush = Duration::from_millis(250);
    run.shutdown = Duration::from_millis(300);
    let outcome = run.outcome();
    assert_eq!((outcome.exported(), outcome.rejected(), outcome.dropped()), (0, 0, 300), "{outcome:?}");
    outcome
}

#[test]
fn otp13_a_broken_connection_costs_no_more_than_its_time() {
    each(&faults(), |Fault { name, protocol, happens, cause }| {
        let happens = *happens;
        let server = Server::start(move |stream, _| happens(stream));
        let endpoint = server.endpoint();
        let outcome = in_vain(&mut Run::new(endpoint.clone(), *protocol));
        println!("{name} over {protocol:?}: {outcome:?}");
        outcome.says(&["export to", &endpoint, "fails: ", cause, "retrying", "OTEL_EXPORTER_OTLP_ENDPOINT"]);
        outcome.says(&["records for", &endpoint, "dropped ("]);
        assert!(server.connections() > 0, "{name}");
    });
}

#[test]
fn otp13_what_recovers_gets_everything_once() {
    each(&faults(), |Fault { name, protocol, happens, .. }| {
        let collector = Collector::start().unwrap();
        // Every connection that three requests may need at once over HTTP.
        let times = if *protocol == Grpc { 1 } else { 3 };
        let server = Server::recovering(times, *happens, &collector);
        let mut run = Run::new(server.endpoint(), *protocol);
        run.timeout = Duration::from_millis(500);
        let outcome = run.outcome();
        assert_eq!((outcome.exported(), collector.span_count()), (300, 300), "{name}: {outcome:?}");
        outcome.says(&["export to", &server.endpoint(), "works again after"]);
    });
}

/// As many heads as it can.
fn flood(mut stream: TcpStream) {
    // What comes before a request is no answer to it.
    let _ = stream.read(&mut [0; 1024]);
    let heads = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(4096);
    while stream.write_all(&heads).is_ok() {}
}

/// Reading a flood must not keep the time-out from being looked at.
#[test]
fn a_flood_ends_with_the_time_of_its_attempt() {
    let collector = Collector::start().unwrap();
    let server = Server::recovering(1, flood, &collector);
    let mut run = Run::new(server.endpoint(), HttpProtobuf);
    (run.spans, run.timeout, run.flush) = (1, Duration::from_millis(200), Duration::from_secs(30));
    let outcome = run.outcome();
    assert_eq!((outcome.exported(), collector.span_count()), (1, 1), "{outcome:?}");
    // Without optimisation, and with a retry after up to a second and a half.
    assert!(outcome.count("flush") < 4_000, "{outcome:?}");
    outcome.says(&["fails: no answer within 200ms"]);
}

/// Nor does it keep the book open: when `shutdown` returns, what has not arrived is dropped, though the export thread is busy.
#[test]
fn a_flood_does_not_outlast_shutdown_in_the_book() {
    let server = Server::start(|stream, _| flood(stream));
    let mut run = Run::new(server.endpoint(), HttpProtobuf);
    (run.spans, run.flush, run.shutdown) = (1000, Duration::from_millis(100), Duration::from_millis(300));
    let outcome = run.outcome();
    assert_eq!((outcome.exported(), outcome.dropped(), outcome.count("left")), (0, 1000, 0), "{outcome:?}");
}

#[test]
fn otp13_a_refused_port_is_told_and_ends_quickly() {
    each(&PROTOCOLS, |&protocol| {
        let port = UnusedPort::reserve();
        let endpoint = format!("http://{port}");
        let outcome = in_vain(&mut Run::new(endpoint.clone(), protocol));
        outcome.says(&["export to", &endpoint, "fails: cannot connect", "efused", "OTEL_EXPORTER_OTLP_ENDPOINT"]);
        assert_eq!(outcome.count("retry_exhausted") + outcome.count("shutdown"), 300, "{outcome:?}");
        // There is nothing to wait for.
        outcome.shut_down_within(Duration::from_millis(100));
    });
}

/// No label of a name may have more than 63 characters, so that nobody outside of this machine is asked.
#[test]
fn a_name_that_cannot_be_found_is_told() {
    each(&PROTOCOLS, |&protocol| {
        let endpoint = format!("http://{}.invalid:4318", "a".repeat(64));
        let outcome = in_vain(&mut Run::new(endpoint.clone(), protocol));
        outcome.says(&["export to", &endpoint, "fails: cannot connect", "OTEL_EXPORTER_OTLP_ENDPOINT"]);
        assert_eq!(outcome.count("unknown_outcome"), 0, "{outcome:?}");
    });
}

/// A listener whose queue is full: the packets that ask for a connection are lost.
#[cfg(target_os = "linux")]
#[test]
fn a_connection_that_is_never_made_costs_its_time_and_cannot_have_arrived() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        waiting.push(stream);
        assert!(waiting.len() < 100, "its queue does not fill");
    }
    each(&PROTOCOLS, |&protocol| {
        let outcome = in_vain(&mut Run::new(format!("http://{address}"), protocol));
        outcome.says(&["fails: cannot connect to", "no answer within"]);
        assert_eq!(outcome.count("unknown_outcome"), 0, "{outcome:?}");
    });
}
