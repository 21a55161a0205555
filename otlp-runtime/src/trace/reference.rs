//! [`SpanRef`]: a span by reference.

use std::fmt;

use super::Context;
use crate::data::{SpanId, StatusCode, TraceFlags, TraceId};
use crate::record::clock;
use crate::record::context::{Parent, flag, shared};
use crate::record::counters;
use crate::record::journal::{Journal, Key};
use crate::record::layout;
use crate::record::span;
use crate::record::text::Text;
use crate::record::value::{Attributes, Value};

/// A span by reference: `Copy`, `Send`, and good for as long as you like.
///
/// [`Span::current`](super::Span::current) returns one. Each method looks whether the span is still open: on one that has
/// ended, or that is not recorded, methods do nothing (updates of ended spans are counted in `otlp::status()`).
///
/// Updates of one span from several threads at once wait for each other for a bounded time of some tens of
/// microseconds; one that does not get its turn is left out and counted.
#[derive(Clone, Copy)]
pub struct SpanRef {
    pub(super) parent: Parent,
}

impl SpanRef {
    pub(crate) fn current() -> Self {
        Self { parent: shared() }
    }

    /// The id of its trace; all zero if there is no span.
    pub fn trace_id(&self) -> TraceId {
        layout::trace_id(self.parent.trace_high, self.parent.trace_low)
    }

    /// Its id; all zero if there is no span.
    pub fn span_id(&self) -> SpanId {
        SpanId::from_bytes(self.parent.span_id.to_be_bytes())
    }

    /// Its W3C trace flags.
    pub fn trace_flags(&self) -> TraceFlags {
        let set = |on, flag| if on { flag } else { TraceFlags::NONE };
        set(self.parent.flags & flag::RECORDING != 0, TraceFlags::SAMPLED)
            .with(set(self.parent.flags & flag::RANDOM != 0, TraceFlags::RANDOM))
    }

    /// Whether the span is recorded and has not ended: if not, attributes need not be computed.
    pub fn is_recording(&self) -> bool {
        self.parent.handle.is_some_and(|handle| handle.is_open())
    }

    /// Sets an attribute; a later value of the same key wins. An attribute without a key is dropped and counted.
    pub fn set_attribute<V: Value>(&self, key: &str, value: V) {
        if self.parent.handle.is_none() {
            return;
        }
        let key = Key::Inline(key);
        if value.is_plain() {
            self.update(|journal| journal.value(key, &value));
        } else {
            self.append(|journal| journal.value(key, &value));
        }
    }

    /// Sets several attributes.
    pub fn set_attributes<A: Attributes>(&self, attributes: A) {
        self.append(|journal| journal.attributes(&attributes));
    }

    /// Adds an event that happens now.
    pub fn add_event<A: Attributes>(&self, name: &str, attributes: A) {
        self.append(|journal| journal.event(name, clock::now(), |journal| journal.attributes(&attributes)));
    }

    /// Adds the event `exception` for an error that does not end the span. The status stays as it is: see
    /// [`SpanRef::set_status`].
    pub fn record_error<E: std::error::Error + ?Sized>(&self, error: &E) {
        if self.parent.handle.is_none() {
            return;
        }
        // Its user's code runs before the span is touched.
        let message = Text::of(&error);
        self.update(|journal| super::error::exception(journal, super::error::error_type::<E>(), message.as_ref()));
    }

    /// Sets the status. `Ok` is final, and `Error` beats `Unset`; a description counts with `Error` alone.
    pub fn set_status(&self, code: StatusCode, description: &str) {
        self.update(|journal| journal.status(code, description));
    }

    /// Gives the span another name; an empty one is ignored.
    pub fn update_name(&self, name: &str) {
        if name.is_empty() {
            return;
        }
        self.update(|journal| journal.name(name));
    }

    /// Links the span to the span of `context`, which caused it too. A context without a span is ignored.
    pub fn add_link<A: Attributes>(&self, context: &Context, attributes: A) {
        if let Some(words) = link_to(context) {
            self.append(|journal| journal.link(&words, |journal| journal.attributes(&attributes)));
        }
    }

    /// The context in which this span is current, for other threads and tasks.
    pub fn context(&self) -> Context {
        Context { parent: self.parent }
    }

    /// Writes to the span's journal; `f` runs no user code.
    fn update(&self, f: impl FnOnce(&mut Journal)) {
        let Some(handle) = self.parent.handle else { return };
        if let Err(refused) = span::update_shared(handle, f) {
            counters::count(refused);
        }
    }

    /// Writes to a journal of its own, so that user code runs before the span is touched.
    pub(crate) fn append(&self, write: impl FnOnce(&mut Journal)) {
        if self.parent.handle.is_none() {
            return;
        }
        let mut scratch = Journal::new();
        write(&mut scratch);
        self.update(|journal| journal.append(&scratch));
    }
}

/// A link to the span of `context`, as a record has it; `None`: there is no span.
pub(crate) fn link_to(context: &Context) -> Option<[u64; 4]> {
    let Parent { trace_high, trace_low, span_id, flags, .. } = context.parent;
    let remote = if flags & flag::REMOTE != 0 { layout::LINK_REMOTE } else { 0 };
    let flags = u64::from(context.span().trace_flags().bits()) | remote;
    (span_id != 0).then_some([trace_high, trace_low, span_id, flags])
}

impl From<SpanRef> for Context {
    fn from(span: SpanRef) -> Self {
        span.context()
    }
}

impl From<&SpanRef> for Context {
    fn from(span: &SpanRef) -> Self {
        span.context()
    }
}

/// The ids alone: nothing that was recorded.
impl fmt::Debug for SpanRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanRef")
            .field("trace_id", &format_args!("{}", self.trace_id()))
            .field("span_id", &format_args!("{}", self.span_id()))
            .field("is_recording", &self.is_recording())
            .finish()
    }
}
