//! The receiver itself: it finds each mistake that it looks for, so that its silence means something.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use serde_json::Value;

use super::python::Sink;

fn pair(key: &str, text: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(text.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// One span in which nothing is wrong.
fn good(id: u8) -> ExportTraceServiceRequest {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        name: "good".to_owned(),
        kind: 1,
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        attributes: vec![pair("a", "b")],
        ..Span::default()
    };
    let keys = ["service.name", "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"];
    let resource = Resource { attributes: keys.map(|key| pair(key, "x")).into(), ..Resource::default() };
    let scope = InstrumentationScope { name: "scope".to_owned(), ..InstrumentationScope::default() };
    let scope_spans = ScopeSpans { scope: Some(scope), spans: vec![span], ..ScopeSpans::default() };
    let resource_spans =
        ResourceSpans { resource: Some(resource), scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

/// Posts `body`; gives the status line's code.
fn post(port: u16, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn the_receiver_finds_what_is_wrong() {
    type Spoil = fn(&mut Span);
    let Some(mut sink) = Sink::start() else { return };
    let port = sink.program().http_port();
    assert_eq!(post(port, &good(1).encode_to_vec()), 200);
    assert_eq!(sink.ask("summary")["faults"], Value::Array(Vec::new()));
    let spoils: [(&str, Spoil); 14] = [
        ("trace id", |span| span.trace_id = vec![0; 16]),
        ("trace id", |span| span.trace_id.truncate(15)),
        ("span id", |span| span.span_id = Vec::new()),
        ("parent: span id", |span| span.parent_span_id = vec![0; 8]),
        ("its own parent", |span| span.parent_span_id.clone_from(&span.span_id)),
        ("came before", |span| span.span_id = vec![1; 8]),
        ("flags", |span| span.flags = 0x200),
        ("flags", |span| span.flags = 0x400),
        ("trace state", |span| span.trace_state = "A=1".to_owned()),
        ("kind 0", |span| span.kind = 0),
        ("kind 6", |span| span.kind = 6),
        ("a message with status", |span| span.status = Some(Status { message: "m".to_owned(), code: 1 })),
        ("from 3 to 2", |span| span.start_time_unix_nano = 3),
        ("stands twice", |span| span.attributes.push(pair("a", "c"))),
    ];
    for (n, (fault, spoil)) in (2..).zip(spoils) {
        sink.ask("reset");
        post(port, &good(1).encode_to_vec());
        let mut request = good(n);
        spoil(&mut request.resource_spans[0].scope_spans[0].spans[0]);
        assert_eq!(post(port, &request.encode_to_vec()), 200);
        let faults = sink.ask("summary")["faults"].clone();
        assert!(faults[0].as_str().is_some_and(|found| found.contains(fault)), "{fault}: {faults}");
        assert!(faults[1].is_null(), "{faults}");
    }
    sink.ask("reset");
    let mut unknown = good(1).encode_to_vec();
    unknown.extend([0xf8, 0x3f, 1]);
    assert_eq!(post(port, &unknown), 200);
    // A name that is not UTF-8, and no message at all.
    let text = good(2).encode_to_vec();
    let at = text.windows(4).position(|window| window == b"good").unwrap();
    let mut broken = text.clone();
    broken[at] = 0xff;
    assert_eq!((post(port, &broken), post(port, b"garbage")), (400, 400));
    let faults = sink.ask("summary")["faults"].clone();
    for (n, says) in ["3 bytes of unknown fields", "not an export request", "not an export request"].iter().enumerate()
    {
        assert!(faults[n].as_str().is_some_and(|found| found.contains(says)), "{says}: {faults}");
    }
}
