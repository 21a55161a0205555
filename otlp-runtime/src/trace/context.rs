//! [`Context`]: which span is current, for other threads and tasks.

use std::fmt;

use super::SpanRef;
use crate::data::{SpanId, TraceFlags, TraceId};
use crate::record::context::{Guard, Parent, flag, shared};
use crate::record::{local, route};

/// Which span is current, to be carried to other threads and tasks.
///
/// ```ignore
/// let context = otlp::Context::current();
/// std::thread::spawn(move || context.run(|| work()));
/// ```
/// It may outlive its span: children that start later still belong to it. Futures carry it with
/// [`FutureExt::in_context`](super::FutureExt::in_context).
#[derive(Clone)]
pub struct Context {
    pub(crate) parent: Parent,
}

impl Context {
    /// The current context of this thread or task.
    pub fn current() -> Self {
        Self { parent: shared() }
    }

    /// No span: what starts here starts a trace of its own.
    pub fn root() -> Self {
        Self { parent: Parent { route: capture_here(), ..Parent::NONE } }
    }

    /// A span of another process as the parent, for programs that receive ids by their own means. Invalid ids give
    /// [`Context::root`].
    pub fn remote(trace_id: TraceId, span_id: SpanId, flags: TraceFlags) -> Self {
        if !trace_id.is_valid() || !span_id.is_valid() {
            return Self::root();
        }
        let trace = u128::from_be_bytes(trace_id.to_bytes());
        let sampled = if flags.is_sampled() { flag::RECORDING } else { 0 };
        let random = if flags.bits() & TraceFlags::RANDOM.bits() != 0 { flag::RANDOM } else { 0 };
        Self {
            parent: Parent {
                trace_high: (trace >> 64) as u64,
                trace_low: trace as u64,
                span_id: u64::from_be_bytes(span_id.to_bytes()),
                handle: None,
                route: capture_here(),
                flags: flag::REMOTE | sampled | random,
            },
        }
    }

    /// The span of this context.
    pub fn span(&self) -> SpanRef {
        SpanRef { parent: self.parent }
    }

    /// Runs `f` with this context as the current one.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.enter();
        f()
    }

    /// Makes this context the current one of this thread until the guard drops. Not across an `.await`: see
    /// [`FutureExt::in_context`](super::FutureExt::in_context).
    pub fn attach(&self) -> ContextGuard {
        ContextGuard { _guard: Guard::enter_leakable(self.parent) }
    }

    pub(super) fn enter(&self) -> Guard {
        Guard::enter(self.parent)
    }

    /// No span, on a route of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn on_route(route: u32) -> Self {
        Self { parent: Parent { route, ..Parent::NONE } }
    }
}

/// The capture that records here: it sees the traces that start in it too. 0: the global pipeline does, or none.
fn capture_here() -> u32 {
    let route = local::here().parent().route;
    if route::is_capture(route) { route } else { 0 }
}

impl From<&Context> for Context {
    fn from(context: &Context) -> Self {
        context.clone()
    }
}

/// The context's ids alone.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context").field(&self.span()).finish()
    }
}

/// Restores the context before when dropped; see [`Context::attach`].
#[must_use = "the context is current until this guard is dropped: bind it to a name, `_` drops it at once"]
#[derive(Debug)]
pub struct ContextGuard {
    _guard: Guard,
}
