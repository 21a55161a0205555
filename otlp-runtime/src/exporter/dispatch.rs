//! The loop of the export thread: takes what is due, sends it, and writes down what became of it.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError, JoinSet};

use super::retry::Jitter;
use super::shared::{Failure, Sending, Shared, now};
use crate::account::DropReason;
use crate::transport::{Accepted, Hop, Transport, TransportError};

type Outcome = Result<Accepted, TransportError>;

/// Drives one transport. All its state besides [`Shared`] belongs to the export thread.
pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    /// None if making it panicked.
    transport: Option<Arc<dyn Transport>>,
    jitter: Jitter,
    attempts: JoinSet<Outcome>,
    flights: HashMap<Id, Flight>,
    /// The receiver asked for quiet until then (OTP10).
    hold_until: Option<Instant>,
}

struct Flight {
    seq: u64,
    /// It started after shutdown had been asked for.
    last_chance: bool,
}

impl Dispatcher {
    pub(super) fn new(shared: Arc<Shared>, transport: Option<Arc<dyn Transport>>) -> Self {
        Self {
            shared,
            transport,
            jitter: Jitter::from_system(),
            attempts: JoinSet::new(),
            flights: HashMap::new(),
            hold_until: None,
        }
    }

    /// Returns when shutdown is complete or its deadline has passed.
    pub(super) async fn run(&mut self) {
        loop {
            while let Some(joined) = self.attempts.try_join_next_with_id() {
                self.finish(joined);
            }
            let ending = self.shared.state().ending;
            if ending.is_some_and(|deadline| now() >= deadline) {
                break;
            }
            self.dispatch(ending.is_some());
            // The last lines tell the totals: they wait for the end.
            if ending.is_none() {
                self.shared.speak();
            }
            self.shared.settled.announce();
            if ending.is_some() && self.shared.close_if_drained() {
                break;
            }
            let alarm = self.alarm(ending);
            if let Some(joined) = self.wait(alarm).await {
                self.finish(joined);
            }
        }
    }

    /// Gives everything that has no fate yet its last one; nothing is taken in after this.
    pub(super) fn close(&mut self, reason: DropReason) {
        self.attempts.abort_all();
        self.shared.close(reason);
        self.shared.speak();
        self.shared.settled.announce();
    }

    /// Starts attempts while there are permits and entries that are due; at the end all are.
    fn dispatch(&mut self, ending: bool) {
        let now = now();
        if !ending && self.hold_until.is_some_and(|until| now < until) {
            return;
        }
        while self.attempts.len() < self.shared.settings.concurrency.max(1) {
            let Some(sending) = self.shared.next(now, ending) else { return };
            self.start(sending, now, ending);
        }
    }

    fn start(&mut self, Sending { batch, is_new }: Sending, now: Instant, ending: bool) {
        let (seq, mut payload) = (batch.seq, batch.payload);
        let Some(transport) = self.transport.clone() else {
            self.shared.drop_in_flight(seq, DropReason::Poison);
            return;
        };
        if is_new {
            match catch_unwind(AssertUnwindSafe(|| transport.prepare(payload))) {
                Ok(prepared) => payload = prepared,
                Err(_) => return self.shared.panicked(seq, "while it prepared a batch"),
            }
        }
        let Some((limit, attempt)) = self.shared.started(seq, &payload, now) else { return };
        let sending = async move {
            attempt.sending()?;
            let timed = tokio::time::timeout_at(attempt.deadline(), transport.send(payload, attempt.clone())).await;
            timed.unwrap_or_else(|_| {
                let may_have_arrived = attempt.may_have_arrived();
                let missing = if may_have_arrived { "answer" } else { "connection" };
                let cause = format!("no {missing} within {limit:?}");
                Err(TransportError::Retryable { cause, after: None, may_have_arrived, at: Hop::Receiver })
            })
        };
        let id = self.attempts.spawn(sending).id();
        self.flights.insert(id, Flight { seq, last_chance: ending });
    }

    fn finish(&mut self, joined: Result<(Id, Outcome), JoinError>) {
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, Ok(outcome)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(Flight { seq, last_chance }) = self.flights.remove(&id) else { return };
        match outcome {
            Ok(Ok(accepted)) => self.shared.accepted(seq, &accepted),
            Ok(Err(TransportError::Permanent { cause })) => self.shared.refused(seq, &cause),
            Ok(Err(TransportError::Unsendable { cause })) => self.shared.unsendable(seq, &cause),
            Ok(Err(TransportError::Retryable { cause, after, may_have_arrived, at })) => {
                let random = self.jitter.next();
                self.hold(after, random);
                let failure = Failure { cause: &cause, after, may_have_arrived, at };
                self.shared.failed(seq, &failure, last_chance, random);
            }
            Err(error) => self.shared.panicked(seq, &panic_text(error)),
        }
    }

    /// A delay that the receiver names is meant for all of its clients' requests, but it cannot silence us for longer than
    /// a batch may live. It ends as late as that of the batch does, for other clients were told the same.
    fn hold(&mut self, after: Option<Duration>, random: f64) {
        let retry = &self.shared.settings.retry;
        let longest = if retry.max_elapsed.is_zero() { Duration::MAX } else { retry.max_elapsed };
        let until = after.and_then(|after| {
            let spread = after.saturating_add(retry.spread(after, random));
            now().checked_add(spread.min(longest))
        });
        self.hold_until = self.hold_until.max(until);
    }

    /// When there is something to do although nothing happens.
    fn alarm(&self, ending: Option<Instant>) -> Option<Instant> {
        if ending.is_some() {
            return ending;
        }
        if self.attempts.len() >= self.shared.settings.concurrency.max(1) {
            return None;
        }
        let due = self.shared.state().queue.next_due()?;
        Some(self.hold_until.map_or(due, |hold| due.max(hold)))
    }

    /// Waits for an answer, a call from outside, or the alarm.
    async fn wait(&mut self, alarm: Option<Instant>) -> Option<Result<(Id, Outcome), JoinError>> {
        let attempts = &mut self.attempts;
        let mut woken = pin!(self.shared.wake.notified());
        let mut sleep = pin!(async {
            match alarm {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|cx| {
            if let Poll::Ready(Some(joined)) = attempts.poll_join_next_with_id(cx) {
                return Poll::Ready(Some(joined));
            }
            if woken.as_mut().poll(cx).is_ready() || sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await
    }
}

fn panic_text(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "was cancelled".to_owned() };
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("panicked").chars().take(256);
    text.map(|c| if c.is_control() { ' ' } else { c }).collect()
}
