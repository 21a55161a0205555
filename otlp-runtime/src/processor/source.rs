//! [`RecordSource`]: what the encoder asks of a span, wherever it comes from.

use crate::data::{Scope, SpanId, SpanKind, TraceId};
use crate::record::layout::{Entry, RecordView, Time, Visitor};
use crate::record::lost::Lost;

/// A finished span, as the encoder sees it: a record in a log, a patched one, or a span built by hand.
pub trait RecordSource {
    /// The instrumentation scope.
    fn scope(&self) -> Scope;
    /// The span's name, if no [`Entry::Name`] changes it.
    fn name(&self) -> &str;
    /// Its kind.
    fn kind(&self) -> SpanKind;
    /// Its trace.
    fn trace_id(&self) -> TraceId;
    /// Its id.
    fn span_id(&self) -> SpanId;
    /// Its parent's id, invalid for a root.
    fn parent_span_id(&self) -> SpanId;
    /// Whether the parent is a span of another process.
    fn has_remote_parent(&self) -> bool;
    /// Whether the trace id is random (W3C Level 2).
    fn has_random_trace_id(&self) -> bool;
    /// When it started.
    fn start(&self) -> Time;
    /// When it ended.
    fn end(&self) -> Time;
    /// Whether it ended by a panic.
    fn panicked(&self) -> bool;
    /// What is missing among the entries.
    fn lost(&self) -> Lost;
    /// `true`: the entries are attributes alone, and no key occurs twice.
    fn is_plain(&self) -> bool;
    /// Attributes, events, links and changes, in their order.
    fn entries(&self) -> impl Iterator<Item = Entry<'_>>;
    /// Shows the entries to `visitor`, as long as they are attributes of simple values and it answers. `None`: not all.
    fn visit(&self, visitor: &mut impl Visitor) -> Option<()> {
        self.entries().try_for_each(|entry| match entry {
            Entry::Attribute(name, value) => visitor.attribute(name, &value),
            _ => None,
        })
    }
}

impl RecordSource for RecordView<'_> {
    fn scope(&self) -> Scope {
        RecordView::scope(self)
    }
    fn name(&self) -> &str {
        self.callsite().metadata().name
    }
    fn kind(&self) -> SpanKind {
        RecordView::kind(self)
    }
    fn trace_id(&self) -> TraceId {
        RecordView::trace_id(self)
    }
    fn span_id(&self) -> SpanId {
        RecordView::span_id(self)
    }
    fn parent_span_id(&self) -> SpanId {
        RecordView::parent_span_id(self)
    }
    fn has_remote_parent(&self) -> bool {
        RecordView::has_remote_parent(self)
    }
    fn has_random_trace_id(&self) -> bool {
        RecordView::has_random_trace_id(self)
    }
    fn start(&self) -> Time {
        RecordView::start(self)
    }
    fn end(&self) -> Time {
        RecordView::end(self)
    }
    fn panicked(&self) -> bool {
        RecordView::panicked(self)
    }
    fn lost(&self) -> Lost {
        RecordView::lost(self)
    }
    fn is_plain(&self) -> bool {
        !self.is_amended() && self.callsite().has_distinct_keys()
    }
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        RecordView::entries(self)
    }
    #[inline(always)]
    fn visit(&self, visitor: &mut impl Visitor) -> Option<()> {
        RecordView::entries(self).visit(visitor)
    }
}
