//! Start, wait, stop: with no runtime, in one, and with open connections.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::client::{BOTH, Connection, PATIENCE, export, run, until};
use super::compose::spans;
use crate::testing::{Collector, Outcome, Protocol, Reply};

#[test]
fn waiting_ends_when_the_spans_are_there_or_the_time_is_over() {
    let collector = Collector::start().unwrap();
    assert!(collector.wait_for(0, Duration::ZERO));
    assert!(!collector.wait_for(1, Duration::from_millis(20)));
    std::thread::scope(|scope| {
        scope.spawn(|| run(async { export(Protocol::Grpc, &collector, &spans(3)).await.unwrap() }));
        assert!(collector.wait_for(3, PATIENCE) && collector.wait_for_requests(1, PATIENCE));
    });
    assert!(!collector.wait_for(4, Duration::ZERO) && !collector.wait_for_requests(2, Duration::ZERO));
}

#[test]
fn the_endpoints_are_urls_of_the_one_port() {
    let collector = Collector::start().unwrap();
    let endpoint = format!("http://127.0.0.1:{}", collector.port());
    assert_eq!((collector.endpoint(), collector.grpc_endpoint()), (endpoint.clone(), endpoint.clone()));
    assert_eq!(collector.http_endpoint(), format!("{endpoint}/v1/traces"));
    assert!(format!("{collector:?}").contains(&endpoint));
}

#[test]
fn stopping_takes_no_time_and_frees_the_port() {
    for protocol in BOTH {
        let collector = Collector::start().unwrap();
        let port = collector.port();
        collector.reply_always(Reply::BlackHole);
        // An idle connection, one that has said half a preface, and a request in the black hole.
        let idle = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut half = TcpStream::connect(("127.0.0.1", port)).unwrap();
        std::io::Write::write_all(&mut half, b"P").unwrap();
        let client = std::thread::scope(|scope| {
            let client = scope.spawn(|| run(async { export(protocol, &collector, &spans(1)).await }));
            assert!(collector.wait_for_requests(1, PATIENCE));
            let start = Instant::now();
            collector.stop();
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
            client.join().unwrap()
        });
        assert!(client.is_err(), "the black hole's client sees the end");
        drop((idle, half));
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "refused");
        assert_eq!(collector.requests().len(), 1, "what arrived stays");
        let again = Collector::start_on(port).unwrap();
        assert_eq!(run(async { export(protocol, &again, &spans(1)).await.unwrap() }).status, 200);
    }
}

#[test]
fn it_starts_and_stops_inside_a_runtime_and_while_unwinding() {
    run(async {
        let collector = Collector::start().unwrap();
        export(Protocol::HttpProtobuf, &collector, &spans(1)).await.unwrap();
        assert_eq!(collector.span_count(), 1);
    });
    let unwound = std::panic::catch_unwind(|| {
        let _collector = Collector::start().unwrap();
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    assert!(unwound.is_err());
}

#[test]
fn a_port_in_use_is_an_error() {
    let first = Collector::start().unwrap();
    let error = Collector::start_on(first.port()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn many_collectors_live_side_by_side() {
    let collectors: Vec<_> = (0..20).map(|_| Collector::start().unwrap()).collect();
    run(async {
        for (i, collector) in collectors.iter().enumerate() {
            export(BOTH[i % 2], collector, &spans(i as u64 + 1)).await.unwrap();
        }
    });
    let counts: Vec<_> = collectors.iter().map(Collector::span_count).collect();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
}

#[test]
fn count_only_keeps_the_numbers() {
    let collector = Collector::start().unwrap();
    run(async {
        export(Protocol::Grpc, &collector, &spans(2)).await.unwrap();
        collector.count_only();
        export(Protocol::Grpc, &collector, &spans(2)).await.unwrap();
    });
    assert_eq!((collector.span_count(), collector.spans().len()), (4, 2));
}

#[test]
fn concurrent_requests_on_one_http2_connection_each_get_their_reply() {
    let collector = Collector::start().unwrap();
    collector.script([Reply::BlackHole, Reply::Accept, Reply::grpc(14, "no")]);
    run(async {
        let Connection::Http2(sender) = Connection::open(Protocol::Grpc, &collector).await else { unreachable!() };
        let mut stuck = Connection::Http2(sender.clone());
        let stuck = tokio::spawn(async move { stuck.export(Protocol::Grpc, &spans(1)).await.map(|_| ()) });
        until(|| !collector.requests().is_empty()).await;
        let mut other = Connection::Http2(sender);
        assert_eq!(other.export(Protocol::Grpc, &spans(1)).await.unwrap().grpc_status(), Some("0"));
        assert_eq!(other.export(Protocol::Grpc, &spans(1)).await.unwrap().grpc_status(), Some("14"));
        stuck.abort();
    });
    assert!(collector.wait_until_settled(PATIENCE));
    let outcomes: Vec<_> = collector.requests().iter().map(|r| (r.connection, r.outcome)).collect();
    assert_eq!(outcomes, [(0, Outcome::Abandoned), (0, Outcome::Accepted), (0, Outcome::Refused)]);
}
