//! From OTLP's protobuf messages to what tests read.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message as _;

use super::span::{CapturedEvent, CapturedLink, CapturedScope, CapturedSpan};
use crate::data::{AttributeValue, Resource, SpanId, SpanKind, StatusCode, TraceId};

/// Bytes that are no valid export request for traces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid ExportTraceServiceRequest: {0}")]
pub struct DecodeError(String);

/// Decodes one encoded export request.
pub(super) fn decode_spans(bytes: &[u8]) -> Result<Vec<CapturedSpan>, DecodeError> {
    let request = parse(bytes)?;
    let mut spans = Vec::new();
    for group in request.resource_spans {
        let mut resource = Resource::new();
        for (key, value) in group.resource.map(|r| attributes(r.attributes)).unwrap_or_default() {
            resource.set(key, value);
        }
        if !group.schema_url.is_empty() {
            resource = resource.with_schema_url(group.schema_url);
        }
        let resource = Arc::new(resource);
        for group in group.scope_spans {
            let scope = Arc::new(group.scope.map(scope).unwrap_or_default());
            for span in group.spans {
                spans.push(self::span(span, &scope, &resource)?);
            }
        }
    }
    Ok(spans)
}

/// Checks one encoded export request, and counts its spans.
pub(super) fn count_spans(bytes: &[u8]) -> Result<u64, DecodeError> {
    let request = parse(bytes)?;
    let mut count = 0;
    for span in request.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans) {
        trace_id(&span.trace_id)?;
        span_id(&span.span_id)?;
        parent(&span.parent_span_id)?;
        for link in &span.links {
            trace_id(&link.trace_id)?;
            span_id(&link.span_id)?;
        }
        count += 1;
    }
    Ok(count)
}

fn parse(bytes: &[u8]) -> Result<ExportTraceServiceRequest, DecodeError> {
    ExportTraceServiceRequest::decode(bytes).map_err(|e| DecodeError(e.to_string()))
}

fn span(span: proto::Span, scope: &Arc<CapturedScope>, resource: &Arc<Resource>) -> Result<CapturedSpan, DecodeError> {
    let (status, status_message) = span.status.map(|s| (s.code, s.message)).unwrap_or_default();
    Ok(CapturedSpan {
        trace_id: trace_id(&span.trace_id)?,
        span_id: span_id(&span.span_id)?,
        parent_span_id: parent(&span.parent_span_id)?,
        name: span.name,
        kind: kind(span.kind),
        start_unix_nanos: span.start_time_unix_nano,
        end_unix_nanos: span.end_time_unix_nano,
        attributes: attributes(span.attributes),
        events: span.events.into_iter().map(event).collect(),
        links: span.links.into_iter().map(link).collect::<Result<_, _>>()?,
        status: match status {
            1 => StatusCode::Ok,
            2 => StatusCode::Error,
            _ => StatusCode::Unset,
        },
        status_message,
        dropped_attributes: span.dropped_attributes_count,
        dropped_events: span.dropped_events_count,
        dropped_links: span.dropped_links_count,
        flags: span.flags,
        trace_state: span.trace_state,
        scope: Arc::clone(scope),
        resource: Arc::clone(resource),
    })
}

fn event(event: proto::span::Event) -> CapturedEvent {
    CapturedEvent {
        name: event.name,
        unix_nanos: event.time_unix_nano,
        attributes: attributes(event.attributes),
        dropped_attributes: event.dropped_attributes_count,
    }
}

fn link(link: proto::span::Link) -> Result<CapturedLink, DecodeError> {
    Ok(CapturedLink {
        trace_id: trace_id(&link.trace_id)?,
        span_id: span_id(&link.span_id)?,
        trace_state: link.trace_state,
        flags: link.flags,
        attributes: attributes(link.attributes),
        dropped_attributes: link.dropped_attributes_count,
    })
}

fn scope(scope: InstrumentationScope) -> CapturedScope {
    CapturedScope { name: scope.name, version: scope.version, attributes: attributes(scope.attributes) }
}

/// Receivers read an unspecified kind as internal (trace.proto, SpanKind).
fn kind(kind: i32) -> SpanKind {
    match kind {
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn attributes(attributes: Vec<KeyValue>) -> Vec<(String, AttributeValue)> {
    attributes.into_iter().map(|pair| (pair.key, value(pair.value))).collect()
}

fn value(value: Option<AnyValue>) -> AttributeValue {
    match value.and_then(|v| v.value) {
        Some(Value::StringValue(text)) => AttributeValue::String(text),
        Some(Value::BoolValue(value)) => AttributeValue::Bool(value),
        Some(Value::IntValue(value)) => AttributeValue::I64(value),
        Some(Value::DoubleValue(value)) => AttributeValue::F64(value),
        Some(Value::BytesValue(bytes)) => AttributeValue::Bytes(bytes),
        Some(Value::ArrayValue(array)) => {
            AttributeValue::Array(array.values.into_iter().map(|v| self::value(Some(v))).collect())
        }
        Some(Value::KvlistValue(map)) => AttributeValue::Map(attributes(map.values)),
        // A reference into a profile's strings has no meaning here and is read as absent (common.proto).
        Some(Value::StringValueStrindex(_)) | None => AttributeValue::Empty,
    }
}

fn trace_id(bytes: &[u8]) -> Result<TraceId, DecodeError> {
    let id = <[u8; 16]>::try_from(bytes).map(TraceId::from_bytes);
    id.ok().filter(|id| id.is_valid()).ok_or_else(|| invalid("trace", bytes, 16))
}

fn span_id(bytes: &[u8]) -> Result<SpanId, DecodeError> {
    let id = <[u8; 8]>::try_from(bytes).map(SpanId::from_bytes);
    id.ok().filter(|id| id.is_valid()).ok_or_else(|| invalid("span", bytes, 8))
}

fn parent(bytes: &[u8]) -> Result<Option<SpanId>, DecodeError> {
    if bytes.is_empty() { Ok(None) } else { span_id(bytes).map(Some) }
}

fn invalid(what: &str, bytes: &[u8], wanted: usize) -> DecodeError {
    let found = if bytes.len() == wanted { "all zero".to_owned() } else { format!("{} bytes", bytes.len()) };
    DecodeError(format!("a {what} id must be {wanted} bytes and not all zero; this one is {found}"))
}
