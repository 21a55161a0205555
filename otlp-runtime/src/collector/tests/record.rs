//! A record of a test.

use crate::data::{Scope, SpanId, SpanKind, TraceId};
use crate::processor::RecordSource;
use crate::record::layout::{Entry, RawValue, Time};
use crate::record::lost::Lost;

/// More than a request may be.
static LARGE: [u8; 4 << 20] = [0; 4 << 20];

/// A record on a route that can be encoded, or is too large for that, or makes the encoder panic.
#[derive(Clone, Copy, Debug)]
pub(in crate::collector) struct Record {
    pub(in crate::collector) route: u32,
    pub(in crate::collector) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collector) enum Kind {
    Small,
    TooLarge,
    Poison,
}

impl RecordSource for Record {
    fn scope(&self) -> Scope {
        Scope { name: "test", version: "" }
    }
    fn name(&self) -> &str {
        "work"
    }
    fn kind(&self) -> SpanKind {
        SpanKind::Internal
    }
    fn trace_id(&self) -> TraceId {
        TraceId::from_bytes([1; 16])
    }
    fn span_id(&self) -> SpanId {
        SpanId::from_bytes([2; 8])
    }
    fn parent_span_id(&self) -> SpanId {
        SpanId::from_bytes([0; 8])
    }
    fn has_remote_parent(&self) -> bool {
        false
    }
    fn has_random_trace_id(&self) -> bool {
        true
    }
    fn start(&self) -> Time {
        Time::Clock(0)
    }
    fn end(&self) -> Time {
        Time::Clock(1)
    }
    fn panicked(&self) -> bool {
        false
    }
    fn lost(&self) -> Lost {
        Lost::NONE
    }
    fn is_plain(&self) -> bool {
        true
    }
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let entry = match self.kind {
            Kind::Small => Some(Entry::Attribute("answer", RawValue::I64(42))),
            Kind::TooLarge => Some(Entry::Attribute("large", RawValue::Bytes(&LARGE))),
            Kind::Poison => panic!("scripted"),
        };
        entry.into_iter()
    }
}
