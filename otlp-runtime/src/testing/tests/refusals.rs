//! What is no valid export request is refused as a real collector would, and takes no reply from the script.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::client::{Connection, export, export_request, run, with_both};
use super::compose::{SpanExt as _, request, span, spans};
use crate::testing::{Collector, Outcome, Protocol, Reply};

fn refused_http(request: Request<Full<Bytes>>) -> u16 {
    let collector = Collector::start().unwrap();
    let status = run(async {
        let mut connection = Connection::open(Protocol::HttpProtobuf, &collector).await;
        connection.send(request).await.unwrap().status
    });
    assert_eq!(collector.requests().iter().map(|r| r.outcome).collect::<Vec<_>>(), [Outcome::Refused]);
    assert_eq!(collector.span_count(), 0);
    status
}

#[test]
fn wrong_http_requests() {
    let good = || export_request(Protocol::HttpProtobuf, &spans(1));
    let mut request = good();
    *request.method_mut() = http::Method::PUT;
    assert_eq!(refused_http(request), 405);
    let mut request = good();
    *request.uri_mut() = "/v1/metrics".parse().unwrap();
    assert_eq!(refused_http(request), 404);
    let mut request = good();
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    assert_eq!(refused_http(request), 415);
    let mut request = good();
    request.headers_mut().remove("content-type");
    assert_eq!(refused_http(request), 415);
    let mut request = good();
    request.headers_mut().insert("content-encoding", "zstd".parse().unwrap());
    assert_eq!(refused_http(request), 415);
}

#[test]
fn an_endpoint_may_have_a_path_in_front() {
    let collector = Collector::start().unwrap();
    run(async {
        let mut request = export_request(Protocol::HttpProtobuf, &spans(1));
        *request.uri_mut() = "/prefix/v1/traces?x=1".parse().unwrap();
        let mut connection = Connection::open(Protocol::HttpProtobuf, &collector).await;
        assert_eq!(connection.send(request).await.unwrap().status, 200);
    });
    assert_eq!(collector.requests()[0].path, "/prefix/v1/traces");
}

#[test]
fn wrong_grpc_requests() {
    let cases: [(&str, Bytes, &str); 5] = [
        ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", super::client::frame(&spans(1)), "12"),
        ("", Bytes::from_static(&[0, 0]), "13"),
        ("", Bytes::from_static(&[0, 0, 0, 0, 9, 1]), "13"),
        ("", Bytes::from_static(&[1, 0, 0, 0, 0]), "12"),
        ("", Bytes::from_static(&[0, 0, 0, 0, 1, 7]), "3"),
    ];
    for (path, body, code) in cases {
        let collector = Collector::start().unwrap();
        run(async {
            let mut request = export_request(Protocol::Grpc, &[]);
            if !path.is_empty() {
                *request.uri_mut() = format!("http://localhost{path}").parse().unwrap();
            }
            *request.body_mut() = Full::new(body.clone());
            let reply = Connection::open(Protocol::Grpc, &collector).await.send(request).await.unwrap();
            assert_eq!((reply.status, reply.grpc_status()), (200, Some(code)), "{path} {body:?}");
        });
        assert_eq!(collector.requests()[0].outcome, Outcome::Refused);
    }
}

#[test]
fn pro1_ids_of_a_wrong_length_or_all_zero_are_refused() {
    let mut cases = Vec::new();
    for bad in [vec![], vec![1; 15], vec![0; 16]] {
        let mut case = span("s", 1, 0, (0, 1));
        case.trace_id = bad;
        cases.push(case);
    }
    for bad in [vec![], vec![1; 9], vec![0; 8]] {
        let mut case = span("s", 1, 0, (0, 1));
        case.span_id = bad;
        cases.push(case);
    }
    let mut case = span("s", 1, 0, (0, 1));
    case.parent_span_id = vec![0; 8];
    cases.push(case);
    let mut case = span("s", 1, 0, (0, 1)).with_link();
    case.links[0].span_id = vec![1];
    cases.push(case);
    with_both(async |protocol, collector| {
        collector.script([Reply::status(418)]);
        for case in &cases {
            let reply = export(protocol, collector, &request(vec![case.clone()])).await.unwrap();
            match protocol {
                Protocol::Grpc => assert_eq!(reply.grpc_status(), Some("3")),
                _ => assert_eq!(reply.status, 400),
            }
        }
        assert_eq!((collector.span_count(), collector.refused_count()), (0, 0));
        assert_eq!(export(protocol, collector, &spans(1)).await.unwrap().status, 418, "the script waited");
    });
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    with_both(async |protocol, collector| {
        let message = vec![0; (64 << 20) + 1];
        match export(protocol, collector, &message).await {
            Ok(reply) if protocol == Protocol::Grpc => assert_eq!(reply.grpc_status(), Some("8")),
            Ok(reply) => assert_eq!(reply.status, 413),
            // The answer may come while the body is still being written, which ends the connection.
            Err(error) => assert!(!error.is_user(), "{error}"),
        }
        assert_eq!(collector.requests()[0].outcome, Outcome::Refused);
    });
}
