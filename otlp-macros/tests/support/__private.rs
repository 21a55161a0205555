//! The names that expansions may use, and nothing else; each records what it is asked on the calling thread.

use std::cell::{Cell, RefCell};
use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use super::inspect::{Inspect, InspectReturn};
pub use inventory;
pub use otlp_macros::__span;

use super::inspect::Failure;

/// What a span of a test turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: &'static str,
    pub path: &'static str,
    pub line: u32,
    pub level: Level,
    pub kind: SpanKind,
    pub root: bool,
    pub scope: &'static str,
    pub parent: Option<&'static str>,
    pub fields: Vec<(String, String)>,
    /// `error.type` and message.
    pub error: Option<(String, Option<String>)>,
    pub panicked: bool,
    pub polls: usize,
}

impl Call {
    /// The value of the field `key`.
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

thread_local! {
    static DISABLED: Cell<bool> = const { Cell::new(false) };
    static STACK: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    static DONE: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f`; returns the spans that ended in it on this thread, in order of their end.
pub fn calls<R>(f: impl FnOnce() -> R) -> (R, Vec<Call>) {
    let before = DONE.take();
    let result = f();
    (result, DONE.replace(before))
}

/// Runs `f` with every callsite off.
pub fn disabled<R>(f: impl FnOnce() -> R) -> R {
    DISABLED.set(true);
    let result = f();
    DISABLED.set(false);
    result
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

pub struct Scope {
    pub name: &'static str,
    pub version: &'static str,
}

pub struct Metadata {
    pub name: &'static str,
    pub path: &'static str,
    pub file: &'static str,
    pub line: u32,
    pub level: Level,
    pub kind: SpanKind,
    pub keys: &'static [&'static str],
    pub scope: Scope,
    pub root: bool,
}

pub struct Callsite(pub Metadata);

impl Callsite {
    pub const fn new(metadata: Metadata) -> Self {
        Self(metadata)
    }

    #[inline]
    pub fn is_enabled(&self) -> bool {
        !DISABLED.get()
    }
}

pub struct Registered(pub &'static Callsite);
inventory::collect!(Registered);

pub struct Fields<'a> {
    callsite: &'static Callsite,
    out: &'a mut Vec<(String, String)>,
}

impl Fields<'_> {
    fn push(&mut self, key: u16, value: String) {
        self.out.push((self.callsite.0.keys[usize::from(key)].to_owned(), value));
    }
    pub fn value<V: Value + ?Sized>(&mut self, key: u16, value: &V) {
        self.push(key, value.text());
    }
    pub fn display(&mut self, key: u16, value: &dyn Display) {
        self.push(key, format!("%{value}"));
    }
    pub fn debug(&mut self, key: u16, value: &dyn Debug) {
        self.push(key, format!("?{value:?}"));
    }
    pub fn spread<A: Attributes + ?Sized>(&mut self, attributes: &A) {
        attributes.each(&mut |key, value| self.out.push((key.to_owned(), value)));
    }
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as an attribute",
    label = "not a `Value`",
    note = "record its text with `%` (Display) or `?` (Debug)"
)]
pub trait Value {
    fn text(&self) -> String;
}

macro_rules! value {
    ($($t:ty)*) => {$(impl Value for $t { fn text(&self) -> String { self.to_string() } })*};
}
value!(u8 u32 u64 i32 i64 usize f64 bool str String);

impl<V: Value + ?Sized> Value for &V {
    fn text(&self) -> String {
        (**self).text()
    }
}

impl<V: Value> Value for Option<V> {
    fn text(&self) -> String {
        self.as_ref().map(Value::text).unwrap_or_default()
    }
}

pub trait Attributes {
    fn each(&self, f: &mut dyn FnMut(&str, String));
}

impl<A: Attributes + ?Sized> Attributes for &A {
    fn each(&self, f: &mut dyn FnMut(&str, String)) {
        (**self).each(f);
    }
}

/// A live span.
struct Live {
    call: Option<Call>,
}

impl Live {
    fn start(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Self {
        let m = &callsite.0;
        let mut out = Vec::new();
        fields(&mut Fields { callsite, out: &mut out });
        Self {
            call: Some(Call {
                name: m.name,
                path: m.path,
                line: m.line,
                level: m.level,
                kind: m.kind,
                root: m.root,
                scope: m.scope.name,
                parent: STACK.with_borrow(|s| s.last().copied()),
                fields: out,
                error: None,
                panicked: false,
                polls: 0,
            }),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(mut call) = self.call.take() {
            call.panicked = std::thread::panicking();
            DONE.with_borrow_mut(|done| done.push(call));
        }
    }
}

/// Sync: entered until dropped.
pub struct Entered {
    live: RefCell<Live>,
    _not_send: std::marker::PhantomData<*const ()>,
}

pub fn enter(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Option<Entered> {
    let live = Live::start(callsite, fields);
    STACK.with_borrow_mut(|s| s.push(callsite.0.name));
    Some(Entered { live: RefCell::new(live), _not_send: std::marker::PhantomData })
}

impl Entered {
    pub fn outcome(&self) -> Outcome<'_> {
        Outcome(&self.live)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        STACK.with_borrow_mut(|s| s.pop());
    }
}

/// Where the end of a function is told.
pub struct Outcome<'a>(&'a RefCell<Live>);

impl Outcome<'_> {
    pub fn failed(&self, failure: &Failure<'_>) {
        if let Some(call) = &mut self.0.borrow_mut().call {
            call.error = Some((failure.error_type.to_owned(), failure.message.map(ToString::to_string)));
        }
    }
}

/// Async: not entered.
pub struct SpanHandle(Option<RefCell<Live>>);

impl SpanHandle {
    pub const fn none() -> Self {
        Self(None)
    }
}

pub fn start(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> SpanHandle {
    SpanHandle(Some(RefCell::new(Live::start(callsite, fields))))
}

pin_project_lite::pin_project! {
    pub struct Instrumented<F, P> {
        #[pin]
        future: F,
        inspect: P,
        span: SpanHandle,
    }
}

pub fn instrument<F: Future, P>(span: SpanHandle, future: F, inspect: P) -> Instrumented<F, P>
where
    P: Fn(&Outcome<'_>, &F::Output),
{
    Instrumented { future, inspect, span }
}

impl<F: Future, P: Fn(&Outcome<'_>, &F::Output)> Future for Instrumented<F, P> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(live) = &this.span.0 else { return this.future.poll(cx) };
        let name = live.borrow().call.as_ref().unwrap().name;
        live.borrow_mut().call.as_mut().unwrap().polls += 1;
        STACK.with_borrow_mut(|s| s.push(name));
        let polled = this.future.poll(cx);
        STACK.with_borrow_mut(|s| s.pop());
        if let Poll::Ready(output) = &polled {
            (this.inspect)(&Outcome(live), output);
            this.span.0 = None;
        }
        polled
    }
}

/// The owned span of `span!`.
pub struct Span(Option<Live>);

impl Span {
    pub fn is_recording(&self) -> bool {
        self.0.is_some()
    }
}

pub fn span(callsite: &'static Callsite, fields: impl FnOnce(&mut Fields<'_>)) -> Span {
    Span(callsite.is_enabled().then(|| Live::start(callsite, fields)))
}

/// Calls `f`, whatever else it could have been: a closure that is passed here is an `FnOnce` that owns its captures.
#[inline(always)]
pub fn call_once<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// A value of any type, for code that is never reached.
pub fn unreached<R>() -> R {
    unreachable!()
}

/// Gives a name to the type `!`.
pub trait Returns {
    type Output;
}
impl<R> Returns for fn() -> R {
    type Output = R;
}
pub type Never = <fn() -> ! as Returns>::Output;
