//! What has arrived, shared between the collector's thread and the test.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::reply::Reply;
use super::request::{Outcome, Request};

/// Encoded requests are kept up to this many bytes; later ones are only counted.
const KEPT_BYTES: u64 = 512 << 20;

/// An accepted request, and how many of its spans were taken: the first so many.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) body: Bytes,
    pub(super) taken: u64,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) requests: Vec<Request>,
    pub(super) deliveries: Vec<Delivery>,
    /// Spans taken.
    pub(super) received: u64,
    /// Spans in valid requests that were answered and not taken.
    pub(super) refused: u64,
    /// Bytes of the requests that were taken, wholly or in part.
    pub(super) bytes: u64,
    pub(super) count_only: bool,
    script: VecDeque<Reply>,
    always: Option<Reply>,
}

#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

impl Inbox {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces what is left of the script.
    pub(super) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        let replies = replies.into_iter().collect();
        self.state().script = replies;
    }

    /// The reply once the script has ended.
    pub(super) fn always(&self, reply: Reply) {
        self.state().always = Some(reply);
    }

    /// Takes the next reply of the script.
    pub(super) fn next_reply(&self) -> Reply {
        let mut state = self.state();
        state.script.pop_front().or_else(|| state.always.clone()).unwrap_or(Reply::Accept)
    }

    /// Notes a request that has arrived whole; the number is its index.
    pub(super) fn arrived(&self, request: Request) -> usize {
        let mut state = self.state();
        state.requests.push(request);
        self.changed.notify_all();
        state.requests.len() - 1
    }

    /// Settles a request that is still waiting, and takes its spans if the outcome says so.
    pub(super) fn settle(&self, index: usize, outcome: Outcome, body: &Bytes) {
        let mut state = self.state();
        let state = &mut *state;
        let Some(request) = state.requests.get_mut(index).filter(|r| r.outcome == Outcome::Waiting) else { return };
        request.outcome = outcome;
        let (taken, refused) = match outcome {
            Outcome::Accepted => (request.spans, 0),
            Outcome::Partial { rejected } => (request.spans.saturating_sub(rejected), rejected),
            Outcome::Refused => (0, request.spans),
            _ => (0, 0),
        };
        state.received += taken;
        state.refused += refused;
        if matches!(outcome, Outcome::Accepted | Outcome::Partial { .. }) {
            state.bytes += body.len() as u64;
            if !state.count_only && state.bytes <= KEPT_BYTES {
                state.deliveries.push(Delivery { body: body.clone(), taken });
            }
        }
        self.changed.notify_all();
    }

    /// Waits until `done` holds, at most for `timeout`; whether it does.
    pub(super) fn wait_until(&self, timeout: Duration, mut done: impl FnMut(&State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), timeout, |state| !done(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        done(&state)
    }
}
