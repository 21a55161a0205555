//! [`Span`]: a span that its owner ends.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::SystemTime;

use super::builder::unix_nanos;
use super::{Context, SpanRef};
use crate::record::context::{Guard, Parent, current};
use crate::record::span::{Live, Starting};

/// A span that its owner ends, by dropping it or with [`Span::end`]. It is `Send`: it may end on another thread.
///
/// `otlp::span!("name", key = value)` starts one as a child of the current span; it is not current itself until it is
/// entered: for a scope with [`Span::entered`], for a call with [`Span::in_scope`], for a future with
/// [`FutureExt::in_span`](super::FutureExt::in_span). Everything that [`SpanRef`] does, it does too.
#[must_use = "a span that is dropped at once measures nothing: bind it, or enter it"]
pub struct Span {
    pub(super) live: Option<Live>,
    reference: SpanRef,
}

impl Span {
    /// The current span of this thread or task, by reference; one without ids if there is none.
    pub fn current() -> SpanRef {
        SpanRef::current()
    }

    /// A span that records nothing: what `span!` gives when nobody records.
    pub(crate) fn none() -> Self {
        Self { live: None, reference: SpanRef { parent: Parent::NONE } }
    }

    /// A span that is not recorded below `parent`: it has the ids of that, but no way to write to it (spec-checklist TRC10).
    pub(crate) fn unrecorded(parent: Parent) -> Self {
        Self { live: None, reference: SpanRef { parent: Parent { handle: None, ..parent } } }
    }

    /// A span that is not recorded below the current one.
    #[cold]
    pub(crate) fn unrecorded_here() -> Self {
        Self::unrecorded(current())
    }

    pub(crate) fn new(starting: Starting) -> Self {
        Self::of(starting.begin())
    }

    pub(super) fn of(live: Live) -> Self {
        live.share();
        let reference = SpanRef { parent: live.parent() };
        Self { live: Some(live), reference }
    }

    /// Makes it the current span of this thread until the returned guard drops, which ends it.
    ///
    /// The guard must not be held across an `.await`: the compiler refuses it in futures that are `Send`. Use
    /// [`FutureExt::in_span`](super::FutureExt::in_span) there.
    pub fn entered(self) -> EnteredSpan {
        let guard = self.has_context().then(|| Guard::enter_leakable(self.reference.parent));
        EnteredSpan { guard, span: Some(self), thread: PhantomData }
    }

    /// Runs `f` with this span as the current one.
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.guard();
        f()
    }

    /// Ends it now.
    pub fn end(self) {}

    /// Ends it at `time`, for work that is told of afterwards; see
    /// [`SpanBuilder::start_time`](super::SpanBuilder::start_time).
    ///
    /// An end before the start is exported as the start. Times before 1970 count as 1970.
    ///
    /// ```
    /// # use otlp_runtime::trace::Span;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let seen = SystemTime::now();
    /// let span = Span::builder("queued").start_time(seen - Duration::from_secs(3)).start();
    /// span.end_at(seen);
    /// ```
    pub fn end_at(self, time: SystemTime) {
        if let Some(live) = self.live {
            live.end_at_unix(unix_nanos(time));
        }
    }

    /// Forgets it: it is not exported, and `otlp::status()` does not count it as recorded. What was started below it keeps
    /// it as its parent.
    pub fn discard(self) {
        if let Some(live) = self.live {
            live.discard();
        }
    }

    /// Whether there is anything to make current.
    fn has_context(&self) -> bool {
        self.live.is_some() || self.reference.parent.span_id != 0
    }

    /// Runs what follows with this span as the current one; for scopes that this crate closes itself.
    pub(super) fn guard(&self) -> Option<Guard> {
        match &self.live {
            Some(live) => Some(live.enter()),
            None => self.has_context().then(|| Guard::enter(self.reference.parent)),
        }
    }
}

impl Deref for Span {
    type Target = SpanRef;

    fn deref(&self) -> &SpanRef {
        &self.reference
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference.fmt(f)
    }
}

/// A span that is current on this thread until it is dropped; see [`Span::entered`].
///
/// A guard that is dropped out of order leaves what was entered within it too: the context of the thread then is what it was
/// before that guard. A span whose guard is leaked with `mem::forget` never ends and is not exported.
#[must_use = "the span ends when this guard is dropped: bind it to a name, `_` drops it at once"]
#[derive(Debug)]
pub struct EnteredSpan {
    // Dropped in this order: the context is restored, then the span ends.
    guard: Option<Guard>,
    span: Option<Span>,
    thread: PhantomData<*const ()>,
}

impl EnteredSpan {
    /// Leaves the scope, and gives the span back, still open.
    pub fn exit(mut self) -> Span {
        drop(self.guard.take());
        self.span.take().unwrap_or_else(Span::none)
    }
}

impl Deref for EnteredSpan {
    type Target = Span;

    fn deref(&self) -> &Span {
        // `exit` consumes the guard, so there always is a span.
        const NONE: &Span = &Span { live: None, reference: SpanRef { parent: Parent::NONE } };
        self.span.as_ref().unwrap_or(NONE)
    }
}

impl From<&EnteredSpan> for Context {
    fn from(span: &EnteredSpan) -> Self {
        span.context()
    }
}

impl From<&Span> for Context {
    fn from(span: &Span) -> Self {
        span.context()
    }
}
