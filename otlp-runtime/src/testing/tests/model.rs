//! Decoding: every field of a span, and how spans belong together.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;

use super::compose::{SpanExt as _, pair, request, span, text};
use crate::data::{AttributeValue, SpanId, SpanKind, StatusCode, TraceFlags, TraceId};
use crate::testing::Captured;

fn captured(spans: Vec<Span>) -> Captured {
    Captured::decode(&request(spans)).unwrap()
}

#[test]
fn every_field_is_there() {
    let mut sent = span("place_order", 2, 9, (10, 35))
        .with("text", text("a"))
        .with("int", Value::IntValue(-7))
        .with("float", Value::DoubleValue(0.5))
        .with("bool", Value::BoolValue(true))
        .with("bytes", Value::BytesValue(vec![1, 2]))
        .with_event("retry", "attempt", Value::IntValue(2))
        .with_link()
        .failed("card declined");
    let item = |value| AnyValue { value: Some(value) };
    let values = vec![item(Value::IntValue(1)), item(text("x")), AnyValue { value: None }];
    sent = sent.with("array", Value::ArrayValue(ArrayValue { values }));
    sent = sent.with("map", Value::KvlistValue(KeyValueList { values: vec![pair("k", Value::BoolValue(false))] }));
    sent.attributes.push(KeyValue { key: "empty".to_owned(), value: None, ..Default::default() });
    sent.kind = 3;
    sent.trace_state = "a=b".to_owned();
    (sent.dropped_attributes_count, sent.dropped_events_count, sent.dropped_links_count) = (1, 2, 3);
    let captured = captured(vec![sent]);

    let span = captured.one("place_order");
    assert_eq!(span.trace_id, TraceId::from_bytes(1_u128.to_be_bytes()));
    assert_eq!(span.span_id, SpanId::from_bytes(2_u64.to_be_bytes()));
    assert_eq!(span.parent_span_id, Some(SpanId::from_bytes(9_u64.to_be_bytes())));
    assert_eq!((span.kind, span.trace_state.as_str()), (SpanKind::Client, "a=b"));
    assert_eq!((span.status, span.status_message.as_str()), (StatusCode::Error, "card declined"));
    assert!(span.is_error());
    assert_eq!(span.duration(), Duration::from_micros(25));
    assert_eq!(span.end().duration_since(span.start()).unwrap(), span.duration());
    assert_eq!(span.start_unix_nanos, 1_700_000_000_000_010_000);
    assert_eq!((span.dropped_attributes, span.dropped_events, span.dropped_links), (1, 2, 3));
    assert_eq!(span.trace_flags(), TraceFlags::SAMPLED.with(TraceFlags::RANDOM));
    assert_eq!(span.has_remote_parent(), Some(false));

    assert_eq!((span.string("text"), span.i64("int"), span.f64("float")), (Some("a"), Some(-7), Some(0.5)));
    assert_eq!((span.bool("bool"), span.string("int"), span.i64("missing")), (Some(true), None, None));
    assert_eq!((span.i64("text"), span.f64("int"), span.bool("int")), (None, None, None));
    assert_eq!(span.attribute("bytes"), Some(&AttributeValue::Bytes(vec![1, 2])));
    let empty = || AttributeValue::Empty;
    let array = vec![AttributeValue::I64(1), AttributeValue::String("x".to_owned()), empty()];
    assert_eq!(span.attribute("array"), Some(&AttributeValue::Array(array)));
    let map = vec![("k".to_owned(), AttributeValue::Bool(false))];
    assert_eq!(span.attribute("map"), Some(&AttributeValue::Map(map)));
    assert_eq!(span.attribute("empty"), Some(&empty()));

    let event = span.event("retry").unwrap();
    assert_eq!(event.attribute("attempt"), Some(&AttributeValue::I64(2)));
    assert_eq!(event.time().duration_since(span.start()).unwrap(), Duration::from_nanos(500));
    assert_eq!(span.links[0].trace_id, TraceId::from_bytes([7; 16]));
    assert_eq!((span.scope.name.as_str(), span.scope.version.as_str()), ("shop", "1.2.3"));
    assert_eq!(span.resource.get("service.name"), Some(&AttributeValue::String("tests".to_owned())));
}

#[test]
fn kinds_and_statuses() {
    let kinds = [
        SpanKind::Internal,
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ];
    for (number, expected) in kinds.into_iter().enumerate() {
        let mut sent = span("s", 1, 0, (0, 1));
        sent.kind = i32::try_from(number).unwrap();
        assert_eq!(captured(vec![sent]).one("s").kind, expected);
    }
    for (number, expected) in [StatusCode::Unset, StatusCode::Ok, StatusCode::Error].into_iter().enumerate() {
        let mut sent = span("s", 1, 0, (0, 1)).failed("");
        sent.status.as_mut().unwrap().code = i32::try_from(number).unwrap();
        assert_eq!(captured(vec![sent]).one("s").status, expected);
    }
}

#[test]
fn an_end_before_the_start_has_no_length() {
    assert_eq!(captured(vec![span("s", 1, 0, (5, 1))]).one("s").duration(), Duration::ZERO);
}

#[test]
fn roots_and_children_are_in_the_order_of_start() {
    let captured = captured(vec![
        span("late", 3, 1, (5, 6)),
        span("early", 2, 1, (1, 2)),
        span("root", 1, 0, (0, 9)),
        span("orphan", 4, 77, (0, 9)),
    ]);
    let names = |spans: Vec<&crate::testing::CapturedSpan>| spans.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(captured.roots()), ["root", "orphan"]);
    assert_eq!(names(captured.children_of(captured.one("root"))), ["early", "late"]);
    assert!(captured.children_of(captured.one("late")).is_empty());
    assert_eq!(captured.named("late").count(), 1);
}

#[test]
fn one_lists_what_there_is_when_it_fails() {
    let captured = captured(vec![span("a", 1, 0, (0, 1)), span("b", 2, 1, (0, 1)), span("b", 3, 1, (0, 1))]);
    for (name, message) in [
        ("c", "expected exactly one span \"c\", found 0 among 3:\na\n├─ b\n└─ b"),
        ("b", "expected exactly one span \"b\", found 2 among 3:\na\n├─ b\n└─ b"),
    ] {
        let panic = std::panic::catch_unwind(|| captured.one(name).clone()).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), message);
    }
}

#[test]
fn requests_are_decoded_in_order_and_errors_are_said() {
    let captured = Captured::from_requests([
        request(vec![span("a", 1, 0, (0, 1))]),
        request(vec![]),
        request(vec![span("b", 2, 0, (0, 1))]),
    ])
    .unwrap();
    assert_eq!(captured.to_string(), "a\nb");
    assert!(Captured::default().to_string().is_empty());
    let error = Captured::decode(&[7]).unwrap_err().to_string();
    assert!(error.starts_with("not a valid ExportTraceServiceRequest: "), "{error}");
    let mut bad = span("s", 1, 0, (0, 1));
    bad.trace_id = vec![1; 4];
    let error = Captured::decode(&request(vec![bad])).unwrap_err().to_string();
    assert!(error.ends_with("a trace id must be 16 bytes and not all zero; this one is 4 bytes"), "{error}");
}
