//! Waiting for the engine without blocking a thread, and without a runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::desk::Desk;
use super::own;
use super::ticket::Ticket;
use crate::error::OtlpError;

/// The future of `flush_async`. It begins with its first poll, and its time runs from then; the engine wakes it.
#[must_use = "a future does nothing until it is polled"]
pub(crate) struct Flush {
    desk: Arc<Desk>,
    allowed: Duration,
    ticket: Option<Arc<Ticket>>,
}

impl Flush {
    pub(super) fn new(desk: Arc<Desk>, allowed: Duration) -> Self {
        Self { desk, allowed, ticket: None }
    }

    /// Waits for what has been asked for.
    #[cfg(feature = "testing")]
    pub(super) fn of(desk: Arc<Desk>, ticket: Arc<Ticket>) -> Self {
        Self { desk, allowed: Duration::ZERO, ticket: Some(ticket) }
    }
}

impl Future for Flush {
    type Output = Result<(), OtlpError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.ticket.is_none() {
            self.ticket = self.desk.ask_flush(self.allowed);
        }
        match &self.ticket {
            None => Poll::Ready(Ok(())),
            Some(ticket) if own::is_marked() => Poll::Ready(ticket.outcome()),
            Some(ticket) => ticket.poll(cx),
        }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(ticket) = &self.ticket {
            ticket.pipe.forget(ticket);
        }
    }
}

impl std::fmt::Debug for Flush {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flush").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}
