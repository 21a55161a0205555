//! [`Attempt`]: how long one attempt may take, and how far it has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::{Hop, TransportError};

/// Nothing of the request is on its way.
const UNSENT: u8 = 0;
/// It may have arrived.
const SENDING: u8 = 1;
/// It was given up while it was unsent, and stays so.
const ABANDONED: u8 = 2;

/// What the exporter and a transport know of one attempt: when it is cut off, and whether it can have arrived then.
///
/// An attempt that is handed to [`Transport::send`](super::Transport::send) counts as sent. A transport that takes care to say
/// [`Attempt::unsent`] while it connects has what is cut off until then booked as what it is: not arrived.
#[derive(Clone, Debug)]
pub struct Attempt {
    deadline: Instant,
    state: Arc<AtomicU8>,
}

impl Attempt {
    /// An attempt of at most `limit`, from now on.
    pub fn new(limit: Duration) -> Self {
        let now = Instant::now();
        // As far as tokio's own time goes if that is too far: some thirty years.
        let deadline = now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(1 << 30));
        Self { deadline, state: Arc::new(AtomicU8::new(UNSENT)) }
    }

    /// When it is cut off.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How much of its time is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Nothing of the request is on its way, until [`Attempt::sending`] is called.
    pub fn unsent(&self) {
        let _ = self.state.compare_exchange(SENDING, UNSENT, Ordering::AcqRel, Ordering::Acquire);
    }

    /// From now on the request may arrive.
    ///
    /// # Errors
    ///
    /// The attempt was given up: its records are booked as not arrived, so the request must not be sent.
    pub fn sending(&self) -> Result<(), TransportError> {
        match self.state.compare_exchange(UNSENT, SENDING, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(SENDING) => Ok(()),
            Err(_) => {
                let cause = "it was given up before it was sent".to_owned();
                Err(TransportError::Retryable { cause, after: None, may_have_arrived: false, at: Hop::Receiver })
            }
        }
    }

    /// Whether the request may have arrived by now.
    pub fn may_have_arrived(&self) -> bool {
        self.state.load(Ordering::Acquire) == SENDING
    }

    /// Gives it up: what is unsent stays so. Whether it may have arrived.
    pub(crate) fn abandon(&self) -> bool {
        self.state.compare_exchange(UNSENT, ABANDONED, Ordering::AcqRel, Ordering::Acquire) == Err(SENDING)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_unsent_when_it_is_given_up_stays_unsent() {
        let attempt = Attempt::new(Duration::MAX);
        assert!(!attempt.may_have_arrived());
        attempt.sending().unwrap();
        assert!(attempt.may_have_arrived());
        attempt.unsent();
        assert!(!attempt.may_have_arrived() && !attempt.abandon());
        assert!(matches!(attempt.sending(), Err(TransportError::Retryable { may_have_arrived: false, .. })));
        attempt.unsent();
        assert!(attempt.sending().is_err() && !attempt.abandon());
    }

    #[test]
    fn what_was_sent_cannot_be_called_back() {
        let attempt = Attempt::new(Duration::ZERO);
        attempt.sending().unwrap();
        assert!(attempt.abandon() && attempt.may_have_arrived());
        assert!(attempt.left().is_zero());
        attempt.sending().unwrap();
    }
}
