//! One call of flush or shutdown that waits for the engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::pipe::Pipe;
use crate::error::OtlpError;
use crate::exporter::Progress;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// That everything recorded before the call gets its fate.
    Flush,
    /// The same, and then the end.
    Shutdown,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Flush => "flush",
            Self::Shutdown => "shutdown",
        }
    }
}

/// At the deadline of a shutdown the export thread writes off what is left. Its caller waits a little longer than that, to
/// leave with a closed book; where that thread has had no turn, the caller writes it off.
const GRACE: Duration = Duration::from_millis(5);

/// The deadline of a call that need not ever return in time.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// A call and its deadline, waiting until the batches below its mark have their fates.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(super) operation: Operation,
    pub(super) pipe: Arc<Pipe>,
    allowed: Duration,
    deadline: Instant,
    /// Half of its time is over.
    half: Instant,
    /// Losses that earlier calls have told of.
    told: u64,
    /// They were below this batch.
    told_below: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    mark: Option<Mark>,
    waker: Option<Waker>,
}

/// Where a call's records end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// They are in batches with lower numbers.
    pub(super) below: u64,
    /// And so many are in none, since the pipeline was opened.
    pub(super) lost: u64,
}

impl Ticket {
    pub(super) fn new(operation: Operation, pipe: Arc<Pipe>, allowed: Duration) -> Arc<Self> {
        let now = Instant::now();
        let after = |time| now.checked_add(time).unwrap_or(now + FOREVER);
        let (deadline, half) = (after(allowed), after(allowed / 2));
        let (told, told_below) = (pipe.told.load(Ordering::Relaxed), pipe.told_below.load(Ordering::Relaxed));
        Arc::new(Self {
            operation,
            pipe,
            allowed,
            deadline,
            half,
            told,
            told_below,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// From when on nothing may be put off for it.
    pub(super) fn half(&self) -> Instant {
        self.half
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine has drained and closed everything that was recorded before the call.
    pub(super) fn mark(&self, mark: Mark) {
        self.state().mark.get_or_insert(mark);
        self.tell();
    }

    fn progress(&self, state: &State) -> Option<(Mark, Progress)> {
        state.mark.map(|mark| (mark, self.pipe.outlet.progress(mark.below)))
    }

    fn is_over(&self, state: &State) -> bool {
        self.progress(state).is_some_and(|(_, progress)| progress.settled) || Instant::now() >= self.deadline
    }

    /// Wakes whoever waits, if the wait is over.
    pub(super) fn tell(&self) {
        let mut state = self.state();
        if !self.is_over(&state) {
            return;
        }
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// Waits until it is over.
    pub(super) fn wait(&self) -> Result<(), OtlpError> {
        let grace = if self.operation == Operation::Shutdown { GRACE } else { Duration::ZERO };
        let latest = self.deadline + grace;
        let mut state = self.state();
        while !self.progress(&state).is_some_and(|(_, progress)| progress.settled) {
            let left = latest.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        // A flood of a receiver may keep the export thread busy.
        if self.operation == Operation::Shutdown && !self.pipe.outlet.wait_ended(latest) {
            self.pipe.outlet.write_off();
        }
        self.answer()
    }

    /// Whether what a shutdown has lost is on stderr, after waiting for that until `deadline` at most: the engine has read every
    /// record, and the export thread has said its last.
    pub(super) fn is_told(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.state(), left, |state| state.mark.is_none());
        let is_marked = waited.unwrap_or_else(PoisonError::into_inner).0.mark.is_some();
        is_marked && self.pipe.outlet.wait_ended(deadline)
    }

    /// Ready when it is over; the engine keeps the deadline.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), OtlpError>> {
        let waker = cx.waker().clone();
        let mut state = self.state();
        let over = self.is_over(&state);
        // Dropped when the lock is free again, for it is other people's code.
        let _old = if over { state.waker.take() } else { state.waker.replace(waker) };
        drop(state);
        if over { Poll::Ready(self.answer()) } else { Poll::Pending }
    }

    /// The outcome for the caller: what is lost is told once.
    fn answer(&self) -> Result<(), OtlpError> {
        let outcome = self.outcome();
        if let (Err(OtlpError::Lost { .. }), Some((mark, progress))) = (&outcome, self.progress(&self.state())) {
            self.pipe.told.fetch_max(progress.lost + mark.lost, Ordering::Relaxed);
            self.pipe.told_below.fetch_max(mark.below, Ordering::Relaxed);
        }
        outcome
    }

    /// How it stands now.
    pub(super) fn outcome(&self) -> Result<(), OtlpError> {
        let late = Instant::now() >= self.deadline;
        let operation = self.operation.name();
        let progress = self.progress(&self.state());
        let last_error = || self.pipe.outlet.last_error();
        let pending = match progress {
            Some((mark, Progress { pending, lost, settled })) => {
                let lost = (lost + mark.lost).saturating_sub(self.told);
                match (settled, lost) {
                    (true, 0) => return Ok(()),
                    // What a shutdown writes off at its deadline is late, not lost before it.
                    _ if late && self.operation == Operation::Shutdown => pending + lost,
                    (true, lost) => {
                        let last_error = self.pipe.outlet.loss_error(self.told_below);
                        return Err(OtlpError::Lost { operation, lost, last_error });
                    }
                    (false, _) => pending,
                }
            }
            None => {
                let counts = self.pipe.ledger.counts();
                counts.queued + counts.in_flight
            }
        };
        Err(OtlpError::DeadlineExceeded { operation, deadline: self.allowed, pending, last_error: last_error() })
    }
}
