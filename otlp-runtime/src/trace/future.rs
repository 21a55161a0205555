//! Futures that run within a span or a context.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use super::{Context, Span};
use crate::record::clock;
use crate::record::span::Live;
#[cfg(feature = "stream")]
pub use stream::StreamExt;

#[cfg(feature = "stream")]
mod stream;

/// Carries spans and contexts along with futures.
pub trait FutureExt: Future + Sized {
    /// Runs the future within `span`, which ends when the future is ready or dropped.
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan::new(self, span)
    }

    /// Runs the future within `context`; for tasks that are spawned, whose context is otherwise empty.
    fn in_context(self, context: Context) -> InContext<Self> {
        InContext::new(self, context)
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
            this.cancel();
        }
    }
}

impl<F> Within<F> {
    #[inline(always)]
    pub(crate) fn new(future: F, live: Option<Live>) -> Self {
        Self { future: Some(future), live }
    }

    /// Drops the future, if it is there: what it holds goes within its span.
    fn cancel(self: Pin<&mut Self>) {
        let mut this = self.project();
        match this.live.take() {
            Some(live) => {
                let guard = live.enter();
                this.future.set(None);
                drop(guard);
                live.cancel();
            }
            None => this.future.set(None),
        }
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
    /// A future or stream within a span; see [`FutureExt::in_span`].
    #[must_use = "futures and streams do nothing unless polled"]
    pub struct InSpan<F> {
        #[pin]
        within: Within<F>,
        above: Option<Context>,
    }

    impl<F> PinnedDrop for InSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(above) = this.above {
                let _guard = above.enter();
                this.within.project().future.set(None);
            }
        }
    }
}

impl<F> InSpan<F> {
    fn new(future: F, span: Span) -> Self {
        // Below a span that is not recorded neither is anything else, on whatever thread it is polled.
        let above = (span.live.is_none() && span.span_id().is_valid()).then(|| span.context());
        Self { within: Within::new(future, span.live), above }
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
        let _guard = this.above.as_ref().map(Context::enter);
        this.within.poll(task, |_, _, _| {})
    }
}

pin_project_lite::pin_project! {
    /// A future or stream within a context; see [`FutureExt::in_context`].
    #[derive(Debug)]
    #[must_use = "futures and streams do nothing unless polled"]
    pub struct InContext<F> {
        #[pin]
        future: Option<F>,
        context: Context,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What a cancelled future holds is dropped within its context.
            let _guard = this.context.enter();
            this.future.set(None);
        }
    }
}

impl<F> InContext<F> {
    fn new(future: F, context: Context) -> Self {
        Self { future: Some(future), context }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _guard = this.context.enter();
        this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(task))
    }
}
