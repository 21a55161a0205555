//! Everything that expansions of the macros may name, and nothing else. Not for direct use.

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

pub use crate::__register_callsite as register;
pub use crate::data::{Level, Scope, SpanKind};
pub use crate::record::callsite::{Callsite, Metadata, Registered};
pub use crate::record::value::{AttributeWriter, Attributes, Value, ValueWriter};
pub use crate::trace::{Failure, Span};
pub use argument::{Argument, RecordArgument};
pub use derive::inner;
pub use held::{HoldsFuture, gives, hold};
pub use inspect::{Inspect, InspectReturn, IsFuture, IsNoFuture};
pub use inventory;
pub use links::Links;
pub use returned::{Returned, ReturnedValue};

use crate::record::clock;
use crate::record::counters;
use crate::record::journal::{Journal, Key};
use crate::record::layout::tag;
use crate::record::local;
use crate::record::span::{Live, ScopedSpan, Starting};
use crate::record::start;
use crate::record::text::caught;
use crate::trace::{Context, Within, link_to, record_failure};

mod argument;
mod derive;
mod held;
mod inspect;
mod links;
mod returned;

/// The key of what a function returned.
const RETURN: Key<'static> = Key::Inline("return");

/// Puts a callsite into the program's registry; with `--cfg otlp_off` there is none. The `cfg` is asked for here, where it
/// is this crate's: in the expansion it would be the user's, whose compiler may not know it.
#[cfg(not(otlp_off))]
#[doc(hidden)]
#[macro_export]
macro_rules! __register_callsite {
    ($callsite:ident) => {
        $crate::macro_support::inventory::submit! { $crate::macro_support::Registered(&$callsite) }
    };
}
#[cfg(otlp_off)]
#[doc(hidden)]
#[macro_export]
macro_rules! __register_callsite {
    ($callsite:ident) => {};
}

/// Where an expansion writes a new span's fields.
pub struct Fields<'f> {
    journal: &'f mut Journal,
    /// The keys, where they are not those of the span's callsite.
    keys: Option<&'static [&'static str]>,
}

impl Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fields")
    }
}

impl Fields<'_> {
    #[inline(always)]
    fn key(&self, key: u16) -> Key<'static> {
        match self.keys {
            None => Key::Callsite(key),
            Some(keys) => Key::Inline(keys.get(usize::from(key)).copied().unwrap_or_default()),
        }
    }

    /// A typed value, under the callsite's key of this number.
    #[inline(always)]
    pub fn value<V: Value + ?Sized>(&mut self, key: u16, value: &V) {
        let key = self.key(key);
        self.journal.value(key, value);
    }

    /// The text of a `Display`.
    pub fn display(&mut self, key: u16, value: &dyn Display) {
        let key = self.key(key);
        self.journal.display(key, value);
    }

    /// The text of a `Debug`.
    pub fn debug(&mut self, key: u16, value: &dyn Debug) {
        let key = self.key(key);
        self.journal.debug(key, value);
    }

    /// Links to the spans of these contexts.
    pub fn links<L: Links>(&mut self, links: L) {
        self.journal.amend();
        caught(|| {
            links.contexts().filter_map(|context| link_to(&context)).for_each(|link| self.journal.link(&link, |_| {}));
        });
    }

    /// Attributes with keys of their own.
    pub fn spread<A: Attributes + ?Sized>(&mut self, attributes: &A) {
        self.journal.amend();
        self.journal.attributes(attributes);
    }
}

#[inline(always)]
fn start_with(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Option<Starting> {
    with_fields(start::start(callsite)?, fields)
}

fn start_below(
    callsite: &'static Callsite,
    parent: &Context,
    fields: impl FnOnce(&mut Fields<'_>),
) -> Option<Starting> {
    with_fields(start::start_under(local::here(), callsite, &parent.parent)?, fields)
}

#[inline(always)]
fn with_fields(mut starting: Starting, fields: impl FnOnce(&mut Fields<'_>)) -> Option<Starting> {
    if starting.is_recording() {
        starting.journal(|journal| fields(&mut Fields { journal, keys: None }));
    }
    Some(starting)
}

/// A sync function's span: current until dropped, then ended; on its own thread.
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

/// The same as a child of `parent`.
#[inline(never)]
pub fn enter_below(
    callsite: &'static Callsite,
    parent: impl Into<Context>,
    fields: impl FnOnce(&mut Fields<'_>),
) -> Option<Entered> {
    Some(Entered(ScopedSpan::new(start_below(callsite, &parent.into(), fields)?)))
}

impl Entered {
    /// Where the end of the function is told.
    pub fn outcome(&self) -> Outcome<'_> {
        Outcome::of(self.0.live())
    }
}

/// Where the end of a function is told, on the thread on which it ends.
pub struct Outcome<'a> {
    live: &'a Live,
    event: bool,
    thread: PhantomData<*const ()>,
}

impl Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outcome")
    }
}

impl Outcome<'_> {
    fn of(live: &'_ Live) -> Outcome<'_> {
        Outcome { live, event: true, thread: PhantomData }
    }

    /// The function returned an error.
    #[cold]
    pub fn failed(&self, failure: &Failure<'_>) {
        record_failure(self.live, failure, self.event);
    }

    /// The same, of which an error makes no event.
    pub fn without_event(&self) -> Self {
        Self { event: false, ..Self::of(self.live) }
    }

    /// Records what the function returned.
    pub fn ret<V: Value + ?Sized>(&self, value: &V) {
        self.append(|journal| journal.value(RETURN, value));
    }

    /// Records its `Display`.
    pub fn ret_display(&self, value: &dyn Display) {
        self.append(|journal| journal.display(RETURN, value));
    }

    /// Records its `Debug`.
    pub fn ret_debug(&self, value: &dyn Debug) {
        self.append(|journal| journal.debug(RETURN, value));
    }

    /// User code runs before the span is touched.
    fn append(&self, write: impl FnOnce(&mut Journal)) {
        let mut scratch = Journal::new();
        write(&mut scratch);
        if let Err(refused) = self.live.update(|journal| journal.append(&scratch)) {
            counters::count(refused);
        }
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

    /// Itself, if there is a span.
    #[inline(always)]
    pub fn open(self) -> Option<OpenHandle> {
        self.0.map(|live| OpenHandle(ManuallyDrop::new(live)))
    }

    /// Whether there is none.
    #[inline(always)]
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// A span on the way into its future. It has no drop, and neither has [`Kept`]: a function would keep a flag for each, and
/// look at it at its end, recorded or not. Between here and there nothing can panic.
pub struct OpenHandle(ManuallyDrop<Live>);

impl Debug for OpenHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenHandle")
    }
}

/// A future that is on its way to be awaited.
pub struct Kept<F>(ManuallyDrop<F>);

impl<F> Debug for Kept<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// Keeps an `async` block.
#[inline(always)]
pub fn keep<F: Future>(future: F) -> Kept<F> {
    Kept(ManuallyDrop::new(future))
}

impl<F: Future> Kept<F> {
    /// The future, without a span.
    #[inline(always)]
    pub fn alone(self) -> F {
        ManuallyDrop::into_inner(self.0)
    }

    /// The future within `span`.
    #[cfg(not(otlp_off))]
    #[inline(always)]
    pub fn within<P>(self, span: OpenHandle, inspect: P) -> Instrumented<F, P>
    where
        P: Fn(&Outcome<'_>, &F::Output),
    {
        instrument(SpanHandle(Some(ManuallyDrop::into_inner(span.0))), self.alone(), inspect)
    }

    /// The future itself, which no span is ever around.
    #[cfg(otlp_off)]
    #[inline(always)]
    pub fn within<P>(self, span: OpenHandle, inspect: P) -> F
    where
        P: Fn(&Outcome<'_>, &F::Output),
    {
        instrument(SpanHandle(Some(ManuallyDrop::into_inner(span.0))), self.alone(), inspect)
    }
}

/// Starts a span; a call of its own as [`enter`] is.
#[inline(never)]
pub fn start(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> SpanHandle {
    SpanHandle(start_with(callsite, fields).map(Starting::begin))
}

/// The same as a child of `parent`.
#[inline(never)]
pub fn start_under(
    callsite: &'static Callsite,
    parent: impl Into<Context>,
    fields: impl FnOnce(&mut Fields<'_>),
) -> SpanHandle {
    SpanHandle(start_below(callsite, &parent.into(), fields).map(Starting::begin))
}

/// The owned span of `span!`.
#[inline]
pub fn span(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Span {
    if !callsite.is_enabled() {
        return Span::unrecorded_here();
    }
    start_with(callsite, fields).map_or_else(Span::unrecorded_here, Span::new)
}

/// Whether a span of this callsite would be recorded here and now: one relaxed load if nobody records.
#[inline(always)]
pub fn enabled(callsite: &'static Callsite) -> bool {
    callsite.is_enabled() && start::would_record(callsite)
}

/// An event or a log record. Until there are logs, it is an event of the current span; without one it goes nowhere.
#[cold]
pub fn event(callsite: &'static Callsite, body: Option<fmt::Arguments<'_>>, fields: impl FnOnce(&mut Fields<'_>)) {
    let span = Span::current();
    if !span.is_recording() || !start::is_wanted_here(callsite) {
        return;
    }
    let metadata = callsite.metadata();
    span.append(|journal| {
        journal.event(metadata.name, clock::now(), |journal| {
            if let Some(body) = body {
                journal.display(Key::Inline("message"), &body);
                journal.bytes(Key::Inline("level"), tag::STR, metadata.level.as_str().as_bytes());
            }
            fields(&mut Fields { journal, keys: Some(metadata.keys) });
        });
    });
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
#[cfg(not(otlp_off))]
#[inline(always)]
pub fn instrument<F: Future, P>(span: SpanHandle, future: F, inspect: P) -> Instrumented<F, P>
where
    P: Fn(&Outcome<'_>, &F::Output),
{
    Instrumented { within: Within::new(future, span.0), inspect }
}

/// The future itself, which no span is ever around.
#[cfg(otlp_off)]
#[inline(always)]
pub fn instrument<F: Future, P>(span: SpanHandle, future: F, _: P) -> F
where
    P: Fn(&Outcome<'_>, &F::Output),
{
    drop(span.0);
    future
}

impl<F: Future, P: Fn(&Outcome<'_>, &F::Output)> Future for Instrumented<F, P> {
    type Output = F::Output;

    // Not in line: what is not recorded would pay for its frame.
    #[inline(never)]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.within.poll(task, |mut future, live, output| {
            // The body's variables are gone; its arguments go here, within the span.
            future.set(None);
            (this.inspect)(&Outcome::of(live), output);
        })
    }
}

/// A closure that is called once, whatever else it could have been: as an `FnOnce` it owns its captures.
#[inline(always)]
pub fn once<R, F: FnOnce() -> R>(f: F) -> F {
    f
}

/// Calls `f` where it is recorded; not in line, where the call without a span is already.
#[inline(never)]
pub fn call<R>(f: impl FnOnce() -> R) -> R {
    f()
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

/// A future on the heap.
pub fn pin<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}
