//! What the export thread and its callers share: the queue, the book, and what is to be said.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::health::{Health, Line};
use super::queue::{Entry, Queue, Refusal};
use super::{Batch, Settings, Settled};
use crate::account::{DropReason, Ledger};
use crate::transport::Accepted;

/// The clock of queue and time-outs: tokio's, which tests can drive.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) ledger: Arc<Ledger>,
    pub(super) settled: Settled,
    pub(super) wake: Notify,
    state: Mutex<State>,
    say: Say,
}

/// Where lines go.
pub(super) type Say = Box<dyn Fn(Line) + Send + Sync>;

pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) health: Health,
    /// The deadline of shutdown, once it was asked for.
    pub(super) ending: Option<Instant>,
    /// Nothing is taken in any more.
    closed: bool,
    /// To be said by the export thread, because stderr may block. The latest of each kind.
    lines: Vec<Line>,
}

impl State {
    fn will_say(&mut self, line: Line) {
        match self.lines.iter_mut().find(|l| l.kind == line.kind) {
            Some(earlier) => *earlier = line,
            None => self.lines.push(line),
        }
    }
}

/// Each method gives batches their fates; it books, then frees the bytes, then settles, so that who waits finds the book
/// written.
impl Shared {
    pub(super) fn new(settings: Settings, ledger: Arc<Ledger>, say: Say) -> Self {
        let state = State {
            queue: Queue::new(settings.queue_bytes, settings.queue_items),
            health: Health::new("the receiver".to_owned()),
            ending: None,
            closed: false,
            lines: Vec::new(),
        };
        Self { settings, ledger, settled: Settled::default(), wake: Notify::new(), state: Mutex::new(state), say }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the export thread say `line`.
    pub(super) fn will_say(&self, line: Line) {
        self.state().will_say(line);
        self.wake.notify_one();
    }

    /// Says what there is to say.
    pub(super) fn speak(&self) {
        let lines = std::mem::take(&mut self.state().lines);
        lines.into_iter().for_each(&self.say);
    }

    pub(super) fn enqueue(&self, batch: Batch) {
        self.settled.open(batch.seq, batch.payload.items);
        let mut state = self.state();
        let (reason, entry) = if state.closed {
            (DropReason::Shutdown, Entry::new(batch))
        } else {
            match state.queue.push(Entry::new(batch), now()) {
                Ok(()) => {
                    drop(state);
                    self.wake.notify_one();
                    return;
                }
                Err((Refusal::Full, entry)) => (DropReason::QueueFull, entry),
                Err((Refusal::TooLarge, entry)) => (DropReason::TooLarge, entry),
            }
        };
        let closed = state.closed;
        self.drop_queued(&mut state, &entry, reason);
        drop(state);
        if closed {
            self.speak();
            self.settled.announce();
        } else {
            self.wake.notify_one();
        }
    }

    pub(super) fn accepted(&self, entry: &Entry, accepted: &Accepted) {
        let payload = &entry.batch.payload;
        let rejected = accepted.rejected.min(payload.items);
        self.ledger.answered(payload.items, rejected);
        let mut state = self.state();
        for line in state.health.accepted(now(), payload, rejected, accepted.message.as_deref()) {
            state.will_say(line);
        }
        self.settle(&mut state, entry, rejected);
    }

    pub(super) fn refused(&self, entry: &Entry, cause: &str) {
        let payload = &entry.batch.payload;
        self.ledger.answered(payload.items, payload.items);
        let mut state = self.state();
        let line = state.health.refused(payload, cause);
        state.will_say(line);
        self.settle(&mut state, entry, payload.items);
    }

    /// An attempt failed that may be made again, if time and shutdown allow it.
    pub(super) fn failed(&self, entry: Entry, cause: &str, after: Option<Duration>, last_chance: bool, random: f64) {
        let now = now();
        let mut state = self.state();
        if let Some(line) = state.health.failed(now, cause) {
            state.will_say(line);
        }
        let again = if state.ending.is_some() {
            (!last_chance).then_some(now)
        } else {
            self.settings.retry.next(entry.failures, entry.first.unwrap_or(now), now, after, random)
        };
        match again {
            Some(at) => {
                self.ledger.requeued(entry.batch.payload.items);
                state.queue.put_back(entry, at);
            }
            None => {
                drop(state);
                self.drop_in_flight(&entry, DropReason::RetryExhausted);
            }
        }
    }

    pub(super) fn panicked(&self, entry: &Entry, text: &str) {
        self.state().health.note(&format!("the transport panicked: {text}"));
        self.drop_in_flight(entry, DropReason::Poison);
    }

    /// The settings allow no request.
    pub(super) fn unsendable(&self, entry: &Entry, cause: &str) {
        self.state().health.note(cause);
        self.drop_in_flight(entry, DropReason::Unsendable);
    }

    pub(super) fn drop_in_flight(&self, entry: &Entry, reason: DropReason) {
        let (reason, items) = (entry.final_reason(reason), entry.batch.payload.items);
        self.ledger.dropped_in_flight(reason, items);
        let mut state = self.state();
        let line = state.health.dropped(reason, items);
        state.will_say(line);
        self.settle(&mut state, entry, items);
    }

    fn drop_queued(&self, state: &mut State, entry: &Entry, reason: DropReason) {
        let (reason, items) = (entry.final_reason(reason), entry.batch.payload.items);
        self.ledger.dropped_queued(reason, items);
        let line = state.health.dropped(reason, items);
        state.will_say(line);
        self.settled.settle(entry.batch.seq, items);
    }

    fn settle(&self, state: &mut State, entry: &Entry, lost: u64) {
        state.queue.release(entry);
        self.settled.settle(entry.batch.seq, lost);
    }

    /// Closes if nothing is left to send.
    pub(super) fn close_if_drained(&self) -> bool {
        let mut state = self.state();
        state.closed |= state.queue.is_empty();
        state.closed
    }

    /// Closes, and drops what is queued.
    pub(super) fn close(&self, reason: DropReason) {
        let mut state = self.state();
        state.closed = true;
        while let Some(entry) = state.queue.pop_any() {
            state.queue.release(&entry);
            self.drop_queued(&mut state, &entry, reason);
        }
    }
}
