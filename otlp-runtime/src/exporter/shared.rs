//! What the export thread and its callers share: the queue, the book, and what is to be said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::health::{Health, Line};
use super::queue::{Entry, Queue, Refusal};
use super::{Batch, Settings, Settled};
use crate::account::{DropReason, Ledger};
use crate::transport::{Accepted, Attempt, Hop, Payload};

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
    /// What the queue gave out and has no fate yet, by number. Who takes an entry from here books its fate, under this lock.
    under_way: BTreeMap<u64, Entry>,
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

/// How an attempt failed that may be made again.
pub(super) struct Failure<'a> {
    pub(super) cause: &'a str,
    /// The receiver's own least delay.
    pub(super) after: Option<Duration>,
    pub(super) may_have_arrived: bool,
    pub(super) at: Hop,
}

/// A batch that is to be sent.
pub(super) struct Sending {
    pub(super) batch: Batch,
    /// It was not tried before.
    pub(super) is_new: bool,
}

/// Most methods give batches their fates, unless they were written off before; they book, then free the bytes, then settle, so
/// that who waits finds the book written.
impl Shared {
    pub(super) fn new(settings: Settings, ledger: Arc<Ledger>, say: Say) -> Self {
        let state = State {
            queue: Queue::new(settings.queue_bytes, settings.queue_items),
            under_way: BTreeMap::new(),
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

    /// Gives out the next batch that is due at `now`, or whichever is next if `ending`.
    pub(super) fn next(&self, now: Instant, ending: bool) -> Option<Sending> {
        let mut state = self.state();
        let entry = if ending { state.queue.pop_any() } else { state.queue.pop(now) }?;
        let batch = entry.batch.clone();
        self.ledger.dispatched(batch.payload.items);
        let is_new = entry.first.is_none();
        state.under_way.insert(batch.seq, entry);
        Some(Sending { batch, is_new })
    }

    /// An attempt starts at `now` to send the batch as `payload`: how long it may take. `None`: the batch was written off.
    pub(super) fn started(&self, seq: u64, payload: &Payload, now: Instant) -> Option<(Duration, Attempt)> {
        let mut state = self.state();
        let entry = state.under_way.get_mut(&seq)?;
        entry.batch.payload = payload.clone();
        let first = *entry.first.get_or_insert(now);
        let limit = self.settings.timeout.min(self.settings.retry.left(first, now));
        let attempt = Attempt::new(limit);
        entry.attempt = Some(attempt.clone());
        Some((limit, attempt))
    }

    pub(super) fn accepted(&self, seq: u64, accepted: &Accepted) {
        let mut state = self.state();
        let Some(entry) = state.under_way.remove(&seq) else { return };
        let payload = &entry.batch.payload;
        let rejected = accepted.rejected.min(payload.items);
        self.ledger.answered(payload.items, rejected);
        for line in state.health.accepted(now(), &entry.batch, rejected, accepted.message.as_deref()) {
            state.will_say(line);
        }
        self.settle(&mut state, &entry, rejected);
    }

    pub(super) fn refused(&self, seq: u64, cause: &str) {
        let mut state = self.state();
        let Some(entry) = state.under_way.remove(&seq) else { return };
        let payload = &entry.batch.payload;
        self.ledger.answered(payload.items, payload.items);
        let line = state.health.refused(now(), &entry.batch, cause);
        state.will_say(line);
        self.settle(&mut state, &entry, payload.items);
    }

    /// An attempt failed that may be made again, if time and shutdown allow it.
    pub(super) fn failed(&self, seq: u64, failure: &Failure<'_>, last_chance: bool, random: f64) {
        let now = now();
        let mut state = self.state();
        let Some(mut entry) = state.under_way.remove(&seq) else { return };
        entry.failures = entry.failures.saturating_add(1);
        entry.may_have_arrived |= failure.may_have_arrived;
        entry.attempt = None;
        if let Some(line) = state.health.failed(now, failure.cause, failure.at) {
            state.will_say(line);
        }
        let again = if state.ending.is_some() {
            (!last_chance).then_some(now)
        } else {
            self.settings.retry.next(entry.failures, entry.first.unwrap_or(now), now, failure.after, random)
        };
        match again {
            Some(at) => {
                self.ledger.requeued(entry.batch.payload.items);
                state.queue.put_back(entry, at);
            }
            None => self.drop_taken(&mut state, &entry, DropReason::RetryExhausted),
        }
    }

    pub(super) fn panicked(&self, seq: u64, text: &str) {
        self.state().health.note(&format!("the transport panicked: {text}"));
        self.drop_in_flight(seq, DropReason::Poison);
    }

    /// The settings allow no request.
    pub(super) fn unsendable(&self, seq: u64, cause: &str) {
        self.state().health.note(cause);
        self.drop_in_flight(seq, DropReason::Unsendable);
    }

    pub(super) fn drop_in_flight(&self, seq: u64, reason: DropReason) {
        let mut state = self.state();
        if let Some(entry) = state.under_way.remove(&seq) {
            self.drop_taken(&mut state, &entry, reason);
        }
    }

    /// Drops what was taken from `under_way`.
    fn drop_taken(&self, state: &mut State, entry: &Entry, reason: DropReason) {
        let (reason, items) = (entry.final_reason(reason), entry.batch.payload.items);
        self.ledger.dropped_in_flight(reason, items);
        let line = state.health.dropped(reason, &entry.batch);
        state.will_say(line);
        self.settle(state, entry, items);
    }

    fn drop_queued(&self, state: &mut State, entry: &Entry, reason: DropReason) {
        let (reason, items) = (entry.final_reason(reason), entry.batch.payload.items);
        self.ledger.dropped_queued(reason, items);
        let line = state.health.dropped(reason, &entry.batch);
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
        state.closed |= state.queue.is_empty() && state.under_way.is_empty();
        state.closed
    }

    /// Closes, and drops what is queued and what is in flight. Any thread may do so: what comes of it later changes nothing.
    pub(super) fn close(&self, reason: DropReason) {
        let mut state = self.state();
        state.closed = true;
        for entry in std::mem::take(&mut state.under_way).into_values() {
            self.drop_taken(&mut state, &entry, reason);
        }
        while let Some(entry) = state.queue.pop_any() {
            state.queue.release(&entry);
            self.drop_queued(&mut state, &entry, reason);
        }
    }
}
