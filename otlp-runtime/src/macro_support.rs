//! Everything that expansions of the macros may name, and nothing else. Not for direct use.

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

pub use crate::data::{Level, Scope, SpanKind};
pub use crate::record::callsite::{Callsite, Metadata, Registered};
pub use crate::record::value::{Attributes, Value};
pub use crate::trace::{Failure, Span};
pub use inspect::{Inspect, InspectReturn};
pub use inventory;

use crate::record::journal::{Journal, Key};
use crate::record::span::{self, Live, ScopedSpan, Starting};
use crate::trace::{Within, record_failure};

mod inspect;

/// Where an expansion writes a new span's fields.
pub struct Fields<'f>(&'f mut Journal);

impl Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fields")
    }
}

impl Fields<'_> {
    /// A typed value, under the callsite's key of this number.
    #[inline(always)]
    pub fn value<V: Value + ?Sized>(&mut self, key: u16, value: &V) {
        self.0.value(Key::Callsite(key), value);
    }

    /// The text of a `Display`.
    pub fn display(&mut self, key: u16, value: &dyn Display) {
        self.0.display(Key::Callsite(key), value);
    }

    /// The text of a `Debug`.
    pub fn debug(&mut self, key: u16, value: &dyn Debug) {
        self.0.debug(Key::Callsite(key), value);
    }

    /// Attributes with keys of their own.
    pub fn spread<A: Attributes + ?Sized>(&mut self, attributes: &A) {
        self.0.amend();
        self.0.attributes(attributes);
    }
}

#[inline(always)]
fn start_with(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Option<Starting> {
    let mut starting = span::start(callsite)?;
    if starting.is_recording() {
        starting.journal(|journal| fields(&mut Fields(journal)));
    }
    Some(starting)
}

/// A sync function's span: current until dropped, then ended.
pub struct Entered(ScopedSpan);

impl Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entered")
    }
}

/// Starts and enters a span. It is a call of its own, so that a function which is not recorded saves no register for it.
#[inline(never)]
pub fn enter(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Option<Entered> {
    Some(Entered(ScopedSpan::new(start_with(callsite, fields)?)))
}

impl Entered {
    /// Where the end of the function is told.
    pub fn outcome(&self) -> Outcome<'_> {
        Outcome(self.0.live())
    }
}

/// Where the end of a function is told.
pub struct Outcome<'a>(&'a Live);

impl Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outcome")
    }
}

impl Outcome<'_> {
    /// The function returned an error.
    #[cold]
    pub fn failed(&self, failure: &Failure<'_>) {
        record_failure(self.0, failure);
    }
}

/// An async function's span, which is current while its future is polled.
pub struct SpanHandle(Option<Live>);

impl Debug for SpanHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpanHandle")
    }
}

impl SpanHandle {
    /// No span.
    pub const fn none() -> Self {
        Self(None)
    }
}

/// Starts a span; a call of its own as [`enter`] is.
#[inline(never)]
pub fn start(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> SpanHandle {
    SpanHandle(start_with(callsite, fields).map(Starting::begin))
}

/// The owned span of `span!`.
#[inline]
pub fn span(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Span {
    if !callsite.is_enabled() {
        return Span::none();
    }
    start_with(callsite, fields).map_or_else(Span::unrecorded_here, Span::new)
}

/// Whether a span of this callsite would be recorded here and now: one relaxed load if nobody records.
#[inline(always)]
pub fn enabled(callsite: &'static Callsite) -> bool {
    callsite.is_enabled() && span::would_record()
}

pin_project_lite::pin_project! {
    /// A future within the span of its function.
    #[must_use = "futures do nothing unless polled"]
    pub struct Instrumented<F, P> {
        #[pin]
        within: Within<F>,
        inspect: P,
    }
}

impl<F, P> Debug for Instrumented<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instrumented")
    }
}

/// Polls `future` within `span`, shows its output to `inspect`, and ends the span.
#[inline(always)]
pub fn instrument<F: Future, P>(span: SpanHandle, future: F, inspect: P) -> Instrumented<F, P>
where
    P: Fn(&Outcome<'_>, &F::Output),
{
    Instrumented { within: Within::new(future, span.0), inspect }
}

impl<F: Future, P: Fn(&Outcome<'_>, &F::Output)> Future for Instrumented<F, P> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.within.poll(task, |mut future, live, output| {
            // The body's variables are gone; its arguments go here, within the span.
            future.set(None);
            (this.inspect)(&Outcome(live), output);
        })
    }
}

/// Calls `f`, whatever else it could have been: a closure that is passed here is an `FnOnce` that owns its captures.
#[inline(always)]
pub fn call_once<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// A value of any type, for code that is never reached.
#[allow(clippy::unreachable)]
pub fn unreached<R>() -> R {
    unreachable!("only a name for a type; never called")
}

/// Gives a name to the type `!`.
pub trait Returns {
    /// What is returned.
    type Output;
}
impl<R> Returns for fn() -> R {
    type Output = R;
}
/// The type `!`.
pub type Never = <fn() -> ! as Returns>::Output;
