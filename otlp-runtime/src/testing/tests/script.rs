//! Every scripted reply, as a client of either protocol sees it, and what the collector counts.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::client::{Connection, PATIENCE, export, run, until, with_both};
use super::compose::spans;
use crate::testing::{Collector, Outcome, Protocol, Reply};

fn outcomes(collector: &Collector) -> Vec<Outcome> {
    collector.requests().iter().map(|r| r.outcome).collect()
}

#[test]
fn accepts_in_both_protocols_on_one_port_and_remembers_the_request() {
    with_both(async |protocol, collector| {
        let message = spans(3);
        let mut connection = Connection::open(protocol, collector).await;
        for _ in 0..2 {
            let reply = connection.export(protocol, &message).await.unwrap();
            assert_eq!(reply.status, 200);
            assert_eq!(reply.grpc_status(), (protocol == Protocol::Grpc).then_some("0"));
            let response = ExportTraceServiceResponse::decode(reply.message(protocol)).unwrap();
            assert_eq!(response.partial_success, None);
        }
        assert_eq!((collector.span_count(), collector.refused_count()), (6, 0));
        assert_eq!(collector.bytes(), 2 * message.len() as u64);
        assert_eq!(collector.spans().len(), 6);
        let requests = collector.requests();
        assert_eq!(requests.len(), 2);
        for request in &requests {
            assert_eq!((request.protocol, request.spans, request.connection), (protocol, 3, 0));
            assert_eq!((request.bytes, request.outcome), (message.len(), Outcome::Accepted));
            assert_eq!(request.header("user-agent"), Some("the tests"));
            let (path, content_type) = match protocol {
                Protocol::Grpc => ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", "application/grpc"),
                Protocol::HttpProtobuf => ("/v1/traces", "application/x-protobuf"),
            };
            assert_eq!((request.path.as_str(), request.header("content-type")), (path, Some(content_type)));
        }
        export(protocol, collector, &message).await.unwrap();
        assert_eq!(collector.requests().last().map(|r| r.connection), Some(1), "a second connection");
    });
}

#[test]
fn both_protocols_at_once() {
    let collector = Collector::start().unwrap();
    run(async {
        for protocol in super::client::BOTH {
            export(protocol, &collector, &spans(2)).await.unwrap();
        }
    });
    assert_eq!(collector.span_count(), 4);
}

#[test]
fn partial_success_takes_the_first_and_names_the_rejected() {
    with_both(async |protocol, collector| {
        collector.script([Reply::partial(2, "two too many"), Reply::partial(99, ""), Reply::partial(0, "a warning")]);
        let mut answers = Vec::new();
        for _ in 0..3 {
            let reply = export(protocol, collector, &spans(5)).await.unwrap();
            let response = ExportTraceServiceResponse::decode(reply.message(protocol)).unwrap();
            let partial = response.partial_success.unwrap();
            answers.push((partial.rejected_spans, partial.error_message));
        }
        assert_eq!(answers, [(2, "two too many".to_owned()), (5, String::new()), (0, "a warning".to_owned())]);
        let partial = |rejected| Outcome::Partial { rejected };
        assert_eq!(outcomes(collector), [partial(2), partial(5), partial(0)]);
        assert_eq!((collector.span_count(), collector.refused_count()), (3 + 5, 2 + 5));
        let names: Vec<_> = collector.spans().into_iter().map(|s| s.name).take(4).collect();
        assert_eq!(names, ["span-0", "span-1", "span-2", "span-0"]);
    });
}

#[test]
fn http_statuses_come_as_they_are_and_then_everything_is_accepted() {
    with_both(async |protocol, collector| {
        let busy = Reply::HttpStatus { code: 503, retry_after: Some("7".to_owned()), body: b"come back".to_vec() };
        collector.script([busy, Reply::status(404), Reply::status(101), Reply::status(65_000)]);
        let mut connection = Connection::open(protocol, collector).await;
        let reply = connection.export(protocol, &spans(1)).await.unwrap();
        assert_eq!((reply.status, reply.header("retry-after"), &reply.body[..]), (503, Some("7"), &b"come back"[..]));
        assert_eq!(reply.grpc_status(), None);
        for expected in [404, 500, 500, 200] {
            assert_eq!(connection.export(protocol, &spans(1)).await.unwrap().status, expected);
        }
        assert_eq!((collector.span_count(), collector.refused_count()), (1, 4));
        assert_eq!(outcomes(collector)[3..], [Outcome::Refused, Outcome::Accepted]);
    });
}

#[test]
fn grpc_statuses_carry_message_and_retry_info_and_have_an_http_counterpart() {
    with_both(async |protocol, collector| {
        let wait = Duration::from_millis(1500);
        let slow = Reply::Grpc { code: 8, message: "slow — down".to_owned(), retry_info: Some(wait) };
        collector.script([slow, Reply::grpc(14, "")]);
        let reply = export(protocol, collector, &spans(1)).await.unwrap();
        match protocol {
            Protocol::Grpc => {
                let status = tonic::Status::from_header_map(&reply.headers).unwrap();
                assert_eq!((status.code(), status.message()), (tonic::Code::ResourceExhausted, "slow — down"));
                // google.rpc.Status { 8, message, [Any { RetryInfo { 1 s, 500,000,000 ns } }] }
                let details = [&[0x08, 8, 0x12, 13][..], "slow — down".as_bytes()].concat();
                assert!(status.details().starts_with(&details), "{:?}", status.details());
                assert!(status.details().ends_with(&[0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]));
            }
            _ => {
                assert_eq!((reply.status, reply.header("retry-after")), (429, Some("2")));
                assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
                assert_eq!(reply.body[..2], [0x08, 8]);
            }
        }
        let reply = export(protocol, collector, &spans(1)).await.unwrap();
        match protocol {
            Protocol::Grpc => assert_eq!((reply.status, reply.grpc_status()), (200, Some("14"))),
            _ => assert_eq!((reply.status, reply.header("retry-after")), (503, None)),
        }
        assert_eq!((collector.span_count(), collector.refused_count()), (0, 2));
    });
}

#[test]
fn a_delayed_reply_comes_late_and_leaves_nothing_to_a_client_that_has_gone() {
    with_both(async |protocol, collector| {
        let delay = Duration::from_millis(60);
        collector.script([Reply::Accept.after(delay / 2).after(delay / 2)]);
        let start = Instant::now();
        export(protocol, collector, &spans(1)).await.unwrap();
        assert!(start.elapsed() >= delay);
        assert_eq!(collector.span_count(), 1);

        collector.script([Reply::Accept.after(Duration::from_secs(3600))]);
        abandon(protocol, collector).await;
        assert_eq!(outcomes(collector), [Outcome::Accepted, Outcome::Abandoned]);
        assert_eq!(collector.span_count(), 1);
    });
}

#[test]
fn a_black_hole_reads_and_never_answers() {
    with_both(async |protocol, collector| {
        collector.reply_always(Reply::BlackHole);
        abandon(protocol, collector).await;
        assert_eq!(outcomes(collector), [Outcome::Abandoned]);
        assert_eq!((collector.span_count(), collector.refused_count()), (0, 0));
    });
}

/// Sends a request, and goes away once it has arrived.
async fn abandon(protocol: Protocol, collector: &Collector) {
    let before = collector.requests().len();
    let port = collector.port();
    let exchange =
        tokio::spawn(async move { Connection::open_port(protocol, port).await.export(protocol, &spans(1)).await });
    until(|| collector.requests().len() > before).await;
    assert_eq!(outcomes(collector).last(), Some(&Outcome::Waiting));
    exchange.abort();
    until(|| collector.wait_until_settled(Duration::ZERO)).await;
    assert!(exchange.await.unwrap_err().is_cancelled());
}

#[test]
fn a_disconnect_is_an_end_without_an_answer() {
    with_both(async |protocol, collector| {
        collector.script([Reply::Disconnect]);
        let mut connection = Connection::open(protocol, collector).await;
        let error = connection.export(protocol, &spans(1)).await.unwrap_err();
        assert!(!error.is_user(), "{error:?}");
        assert!(connection.export(protocol, &spans(1)).await.is_err(), "the connection is closed");
        assert_eq!(outcomes(collector), [Outcome::Disconnected]);
        assert_eq!((collector.span_count(), collector.refused_count()), (0, 0));
        assert_eq!(export(protocol, collector, &spans(1)).await.unwrap().status, 200, "a new one works");
    });
}

#[test]
fn a_reset_breaks_the_answer_off_in_its_middle() {
    with_both(async |protocol, collector| {
        collector.script([Reply::Reset]);
        let error = export(protocol, collector, &spans(1)).await.unwrap_err();
        assert!(!error.is_user(), "{error:?}");
        assert_eq!(outcomes(collector), [Outcome::Accepted]);
        assert_eq!(collector.span_count(), 1, "it was taken before the answer broke off");
    });
}

#[test]
fn the_http_answer_has_begun_before_the_reset() {
    use std::io::{Read as _, Write as _};
    let collector = Collector::start().unwrap();
    collector.script([Reply::Reset]);
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", collector.port())).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = spans(1);
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: ";
    write!(socket, "{head}{}\r\n\r\n", body.len()).unwrap();
    socket.write_all(&body).unwrap();
    let mut answer = Vec::new();
    let error = socket.read_to_end(&mut answer).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("content-length: 64"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n\n"), "{answer}");
}

#[test]
fn garbage_looks_like_success_and_is_no_message() {
    with_both(async |protocol, collector| {
        collector.script([Reply::Garbage]);
        let reply = export(protocol, collector, &spans(1)).await.unwrap();
        assert_eq!(reply.status, 200);
        assert!(ExportTraceServiceResponse::decode(reply.message(protocol)).is_err());
        assert_eq!((collector.span_count(), collector.refused_count()), (1, 0));
    });
}

#[test]
fn an_answer_may_be_larger_than_a_client_should_read() {
    with_both(async |protocol, collector| {
        let body = vec![b'x'; 5 << 20];
        collector.script([Reply::HttpStatus { code: 400, retry_after: None, body }]);
        let reply = export(protocol, collector, &spans(1)).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (400, 5 << 20));
    });
}
