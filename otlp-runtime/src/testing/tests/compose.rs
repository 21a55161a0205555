//! Export requests to send, built with the protocol's own types.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

/// A span of trace 1: `id` and `parent` as numbers, and it lasts from `start` to `end` microseconds.
pub(super) fn span(name: &str, id: u64, parent: u64, (start, end): (u64, u64)) -> Span {
    Span {
        trace_id: 1_u128.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { parent.to_be_bytes().to_vec() },
        name: name.to_owned(),
        kind: 1,
        flags: 0x103,
        start_time_unix_nano: 1_700_000_000_000_000_000 + start * 1000,
        end_time_unix_nano: 1_700_000_000_000_000_000 + end * 1000,
        ..Default::default()
    }
}

pub(super) trait SpanExt {
    fn with(self, key: &str, value: Value) -> Self;
    fn failed(self, message: &str) -> Self;
    fn with_event(self, name: &str, key: &str, value: Value) -> Self;
    fn with_link(self) -> Self;
}

impl SpanExt for Span {
    fn with(mut self, key: &str, value: Value) -> Self {
        self.attributes.push(pair(key, value));
        self
    }

    fn failed(mut self, message: &str) -> Self {
        self.status = Some(Status { code: 2, message: message.to_owned() });
        self
    }

    fn with_event(mut self, name: &str, key: &str, value: Value) -> Self {
        let attributes = vec![pair(key, value)];
        let time_unix_nano = self.start_time_unix_nano + 500;
        self.events.push(Event { time_unix_nano, name: name.to_owned(), attributes, dropped_attributes_count: 0 });
        self
    }

    fn with_link(mut self) -> Self {
        self.links.push(Link { trace_id: vec![7; 16], span_id: vec![7; 8], flags: 1, ..Default::default() });
        self
    }
}

pub(super) fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

pub(super) fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

pub(super) fn request(spans: Vec<Span>) -> Vec<u8> {
    let scope = InstrumentationScope { name: "shop".to_owned(), version: "1.2.3".to_owned(), ..Default::default() };
    let resource = Resource { attributes: vec![pair("service.name", text("tests"))], ..Default::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// A request with `count` spans, `span-0` and so on.
pub(super) fn spans(count: u64) -> Vec<u8> {
    request((0..count).map(|i| span(&format!("span-{i}"), i + 1, 0, (i, i + 1))).collect())
}
