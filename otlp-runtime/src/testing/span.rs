//! A span as it arrived.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::data::{AttributeValue, Resource, SpanId, SpanKind, StatusCode, TraceFlags, TraceId};

/// A span as a receiver sees it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CapturedSpan {
    /// Its name.
    pub name: String,
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// Its parent's id; `None` for the root of a trace.
    pub parent_span_id: Option<SpanId>,
    /// Its role.
    pub kind: SpanKind,
    /// When it started, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end_unix_nanos: u64,
    /// Its attributes in the order in which they were sent.
    pub attributes: Vec<(String, AttributeValue)>,
    /// Its events in the order in which they were sent.
    pub events: Vec<CapturedEvent>,
    /// Its links in the order in which they were sent.
    pub links: Vec<CapturedLink>,
    /// Its outcome.
    pub status: StatusCode,
    /// What was said about the outcome; empty if nothing.
    pub status_message: String,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// Events that the sender dropped.
    pub dropped_events: u32,
    /// Links that the sender dropped.
    pub dropped_links: u32,
    /// OTLP's span flags: the W3C flags in the lowest eight bits, "remote is known" in bit 8, "remote" in bit 9.
    pub flags: u32,
    /// The W3C trace state; empty if none.
    pub trace_state: String,
    /// The crate that made it.
    pub scope: Arc<CapturedScope>,
    /// The process that made it.
    pub resource: Arc<Resource>,
}

/// Something that happened in the course of a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// Its name.
    pub name: String,
    /// When it happened, in nanoseconds since 1970.
    pub unix_nanos: u64,
    /// Its attributes in the order in which they were sent.
    pub attributes: Vec<(String, AttributeValue)>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
}

/// A pointer to another span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CapturedLink {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// The other span's trace state; empty if none.
    pub trace_state: String,
    /// Flags as in [`CapturedSpan::flags`].
    pub flags: u32,
    /// Its attributes in the order in which they were sent.
    pub attributes: Vec<(String, AttributeValue)>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
}

/// The instrumentation scope of a span.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CapturedScope {
    /// The crate's name.
    pub name: String,
    /// The crate's version.
    pub version: String,
    /// Attributes of the scope.
    pub attributes: Vec<(String, AttributeValue)>,
}

impl CapturedSpan {
    /// When it started.
    pub fn start(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.start_unix_nanos)
    }

    /// When it ended.
    pub fn end(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.end_unix_nanos)
    }

    /// How long it took; zero if it ended before it started.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_unix_nanos.saturating_sub(self.start_unix_nanos))
    }

    /// Whether its status is an error.
    pub fn is_error(&self) -> bool {
        self.status == StatusCode::Error
    }

    /// The W3C trace flags.
    pub fn trace_flags(&self) -> TraceFlags {
        TraceFlags::from_bits(self.flags.to_le_bytes()[0])
    }

    /// Whether its parent is in another process; `None` if the sender did not say.
    pub fn has_remote_parent(&self) -> Option<bool> {
        (self.flags & 0x100 != 0).then_some(self.flags & 0x200 != 0)
    }

    /// An attribute.
    pub fn attribute(&self, key: &str) -> Option<&AttributeValue> {
        find(&self.attributes, key)
    }

    /// A text attribute; `None` if there is none, or it is no text.
    pub fn string(&self, key: &str) -> Option<&str> {
        as_string(self.attribute(key))
    }

    /// An integer attribute; `None` if there is none, or it is no integer.
    pub fn i64(&self, key: &str) -> Option<i64> {
        match self.attribute(key) {
            Some(AttributeValue::I64(value)) => Some(*value),
            _ => None,
        }
    }

    /// A floating-point attribute; `None` if there is none, or it is no floating-point number.
    pub fn f64(&self, key: &str) -> Option<f64> {
        match self.attribute(key) {
            Some(AttributeValue::F64(value)) => Some(*value),
            _ => None,
        }
    }

    /// A truth value; `None` if there is none, or it is no truth value.
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.attribute(key) {
            Some(AttributeValue::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// The first event of a name.
    pub fn event(&self, name: &str) -> Option<&CapturedEvent> {
        self.events.iter().find(|event| event.name == name)
    }
}

impl CapturedEvent {
    /// When it happened.
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.unix_nanos)
    }

    /// An attribute.
    pub fn attribute(&self, key: &str) -> Option<&AttributeValue> {
        find(&self.attributes, key)
    }

    /// A text attribute; `None` if there is none, or it is no text.
    pub fn string(&self, key: &str) -> Option<&str> {
        as_string(self.attribute(key))
    }
}

impl CapturedLink {
    /// An attribute.
    pub fn attribute(&self, key: &str) -> Option<&AttributeValue> {
        find(&self.attributes, key)
    }
}

fn find<'a>(attributes: &'a [(String, AttributeValue)], key: &str) -> Option<&'a AttributeValue> {
    attributes.iter().find(|(k, _)| k == key).map(|(_, value)| value)
}

fn as_string(value: Option<&AttributeValue>) -> Option<&str> {
    match value {
        Some(AttributeValue::String(text)) => Some(text),
        _ => None,
    }
}
