//! Futures that run within a span or a context.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use super::{Context, Span};

/// Carries spans and contexts along with futures.
pub trait FutureExt: Future + Sized {
    /// Runs the future within `span`, which ends when the future is ready or dropped.
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan { future: Some(self), span: Some(span) }
    }

    /// Runs the future within `context`; for tasks that are spawned, whose context is otherwise empty.
    fn in_context(self, context: Context) -> InContext<Self> {
        InContext { future: self, context }
    }
}

impl<F: Future> FutureExt for F {}

pin_project_lite::pin_project! {
    /// A future within a span; see [`FutureExt::in_span`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InSpan<F> {
        #[pin]
        future: Option<F>,
        span: Option<Span>,
    }

    impl<F> PinnedDrop for InSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What the future holds is dropped within the span.
            let _guard = this.span.as_ref().and_then(Span::guard);
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        let polling = Polling(this.span);
        let guard = polling.0.as_ref().and_then(Span::guard);
        let polled = future.poll(task);
        if polled.is_ready() {
            this.future.set(None);
            drop(guard);
            *polling.0 = None;
        }
        polled
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

/// Ends the span if the poll panics: whoever catches the panic may drop the future much later.
struct Polling<'s>(&'s mut Option<Span>);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0 = None;
        }
    }
}
