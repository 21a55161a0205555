//! Futures that run within a span or a context.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use super::{Context, Span};
use crate::record::context::{Guard, Parent};
use crate::record::span::Live;
use crate::record::{clock, local};

/// Carries spans and contexts along with futures.
pub trait FutureExt: Future + Sized {
    /// Runs the future within `span`, which ends when the future is ready or dropped.
    fn in_span(self, span: Span) -> InSpan<Self> {
        let (live, unrecorded) = span.into_parts();
        InSpan { within: Within::new(self, live), unrecorded }
    }

    /// Runs the future within `context`; for tasks that are spawned, whose context is otherwise empty.
    fn in_context(self, context: Context) -> InContext<Self> {
        InContext { future: self, context }
    }
}

impl<F: Future> FutureExt for F {}

pin_project_lite::pin_project! {
    /// A future within an open span.
    pub(crate) struct Within<F> {
        #[pin]
        future: Option<F>,
        live: Option<Live>,
    }

    impl<F> PinnedDrop for Within<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(live) = this.live.take() {
                // What a cancelled future holds is dropped within its span.
                let guard = live.enter();
                this.future.set(None);
                drop(guard);
                live.cancel();
            }
        }
    }
}

impl<F> Within<F> {
    #[inline(always)]
    pub(crate) fn new(future: F, live: Option<Live>) -> Self {
        Self { future: Some(future), live }
    }
}

impl<F: Future> Within<F> {
    /// Polls the future within the span, which ends when it is ready and `ready` has seen what came out.
    #[inline(always)]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
        ready: impl FnOnce(Pin<&mut Option<F>>, &Live, &F::Output),
    ) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        let polling = Polling(this.live);
        let Some(live) = &*polling.0 else { return future.poll(task) };
        let guard = live.enter();
        let polled = future.poll(task);
        if let Poll::Ready(output) = &polled {
            ready(this.future, live, output);
            let end = clock::now();
            drop(guard);
            if let Some(live) = polling.0.take() {
                live.end_at(end);
            }
        } else {
            drop(guard);
        }
        std::mem::forget(polling);
        polled
    }
}

/// Ends the span if the poll panics: whoever catches the panic may drop the future much later.
struct Polling<'s>(&'s mut Option<Live>);

impl Drop for Polling<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.0 = None;
    }
}

pin_project_lite::pin_project! {
    /// A future within a span; see [`FutureExt::in_span`].
    #[must_use = "futures do nothing unless polled"]
    pub struct InSpan<F> {
        #[pin]
        within: Within<F>,
        unrecorded: Option<Parent>,
    }
}

impl<F> fmt::Debug for InSpan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InSpan")
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _guard = this.unrecorded.map(|parent| local::with(|local| Guard::enter(local, parent)));
        this.within.poll(task, |_, _, _| {})
    }
}

pin_project_lite::pin_project! {
    /// A future within a context; see [`FutureExt::in_context`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InContext<F> {
        #[pin]
        future: F,
        context: Context,
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _guard = this.context.enter();
        this.future.poll(task)
    }
}
