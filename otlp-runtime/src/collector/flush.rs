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
use crate::os::fork::OfProcess;

/// The future of `flush_async`. It begins with its first poll, and its time runs from then; the engine wakes it.
#[must_use = "a future does nothing until it is polled"]
///
/// In a forked child, which has nothing to wait for, what its parent has begun is over.
pub(crate) struct Flush {
    allowed: Duration,
    call: OfProcess<Call>,
}

struct Call {
    desk: Arc<Desk>,
    ticket: Option<Arc<Ticket>>,
}

impl Flush {
    pub(super) fn new(desk: Arc<Desk>, allowed: Duration) -> Self {
        Self { allowed, call: OfProcess::new(Call { desk, ticket: None }) }
    }

    /// Waits for what has been asked for.
    #[cfg(feature = "testing")]
    pub(super) fn of(desk: Arc<Desk>, ticket: Arc<Ticket>) -> Self {
        Self { allowed: Duration::ZERO, call: OfProcess::new(Call { desk, ticket: Some(ticket) }) }
    }
}

impl Future for Flush {
    type Output = Result<(), OtlpError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let allowed = self.allowed;
        let Some(call) = self.call.get_mut() else { return Poll::Ready(Ok(())) };
        if call.ticket.is_none() {
            call.ticket = call.desk.ask_flush(allowed);
        }
        match &call.ticket {
            None => Poll::Ready(Ok(())),
            Some(ticket) if own::is_marked() => Poll::Ready(ticket.outcome()),
            Some(ticket) => ticket.poll(cx),
        }
    }
}

impl Drop for Call {
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
