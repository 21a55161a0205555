//! Streams that run within a span or a context.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use futures_core::Stream;

use super::{InContext, InSpan, Polling, Within};
use crate::record::clock;
use crate::trace::{Context, Span};

/// Carries spans and contexts along with streams.
///
/// ```
/// # use otlp_runtime as otlp;
/// use otlp::trace::{Span, StreamExt as _};
/// # use std::{pin::Pin, task::{Context, Poll}};
/// # struct Rows(u32);
/// # impl futures_core::Stream for Rows {
/// #     type Item = u32;
/// #     fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u32>> {
/// #         self.0 += 1;
/// #         Poll::Ready((self.0 < 3).then_some(self.0))
/// #     }
/// # }
///
/// fn rows() -> impl futures_core::Stream<Item = u32> {
///     // Ends after the last row, or when the reader gives up.
///     Rows(0).in_span(Span::builder("rows").start())
/// }
/// # drop(rows());
/// ```
pub trait StreamExt: Stream + Sized {
    /// Runs the stream within `span`, which is current during each poll, and ends when the stream ends or is dropped.
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan::new(self, span)
    }

    /// Runs the stream within `context`.
    fn in_context(self, context: Context) -> InContext<Self> {
        InContext::new(self, context)
    }
}

impl<S: Stream> StreamExt for S {}

impl<S: Stream> Within<S> {
    fn poll_next(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(stream) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let polling = Polling(this.live);
        let Some(live) = &*polling.0 else { return stream.poll_next(task) };
        let guard = live.enter();
        let polled = stream.poll_next(task);
        let end = matches!(polled, Poll::Ready(None)).then(clock::now);
        drop(guard);
        if let Some(end) = end
            && let Some(live) = polling.0.take()
        {
            live.end_at(end);
        }
        std::mem::forget(polling);
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.future.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S: Stream> Stream for InSpan<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _guard = this.above.as_ref().map(Context::enter);
        this.within.poll_next(task)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.within.size_hint()
    }
}

impl<S: Stream> Stream for InContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _guard = this.context.enter();
        this.future.as_pin_mut().map_or(Poll::Ready(None), |stream| stream.poll_next(task))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.future.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
