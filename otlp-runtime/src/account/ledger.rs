//! The book of one pipeline and signal. Written by the engine's threads only, never by an application thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::DropReason;

/// What became of the records of one pipeline and signal.
///
/// `recorded == exported + rejected + dropped_total() + queued + in_flight` holds in every copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Records that the collector has taken over, and those that were lost before it could.
    pub recorded: u64,
    /// Accepted by the receiver.
    pub exported: u64,
    /// Refused by the receiver for good: partial success, or a response that must not be retried.
    pub rejected: u64,
    /// Waiting in an open batch or in the queue, retries included.
    pub queued: u64,
    /// In a request that has no answer yet.
    pub in_flight: u64,
    dropped: [u64; DropReason::COUNT],
}

impl Counts {
    /// Records dropped for one reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Records dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// The reasons that have occurred, with their counts.
    pub fn drops(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.into_iter().map(|r| (r, self.dropped(r))).filter(|&(_, n)| n > 0)
    }

    /// Whether every record has exactly one fate.
    pub fn balanced(&self) -> bool {
        self.recorded == self.exported + self.rejected + self.dropped_total() + self.queued + self.in_flight
    }
}

/// Moves records between fates; each method is one indivisible entry.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Counts>);

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A coherent copy.
    pub fn counts(&self) -> Counts {
        *self.book()
    }

    /// `items` were encoded into an open batch.
    pub fn recorded(&self, items: u64) {
        let mut book = self.book();
        book.recorded += items;
        book.queued += items;
    }

    /// `items` were lost before they could be encoded.
    pub fn lost(&self, reason: DropReason, items: u64) {
        let mut book = self.book();
        book.recorded += items;
        book.dropped[reason as usize] += items;
    }

    /// `items` left the queue without being sent.
    pub fn dropped_queued(&self, reason: DropReason, items: u64) {
        let mut book = self.book();
        book.queued -= items;
        book.dropped[reason as usize] += items;
    }

    /// A request with `items` starts.
    pub fn dispatched(&self, items: u64) {
        let mut book = self.book();
        book.queued -= items;
        book.in_flight += items;
    }

    /// A request with `items` failed, and goes back to the queue.
    pub fn requeued(&self, items: u64) {
        let mut book = self.book();
        book.in_flight -= items;
        book.queued += items;
    }

    /// The receiver answered: `rejected` of the `items` were refused, the others accepted.
    pub fn answered(&self, items: u64, rejected: u64) {
        let mut book = self.book();
        let rejected = rejected.min(items);
        book.in_flight -= items;
        book.rejected += rejected;
        book.exported += items - rejected;
    }

    /// A request with `items` failed for the last time.
    pub fn dropped_in_flight(&self, reason: DropReason, items: u64) {
        let mut book = self.book();
        book.in_flight -= items;
        book.dropped[reason as usize] += items;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_keeps_the_identity() {
        let ledger = Ledger::default();
        ledger.recorded(10);
        ledger.lost(DropReason::BufferFull, 3);
        ledger.dispatched(7);
        ledger.requeued(2);
        ledger.answered(4, 1);
        ledger.dropped_in_flight(DropReason::UnknownOutcome, 1);
        ledger.dropped_queued(DropReason::QueueFull, 2);
        let counts = ledger.counts();
        assert!(counts.balanced(), "{counts:?}");
        assert_eq!((counts.recorded, counts.exported, counts.rejected, counts.queued, counts.in_flight), (13, 3, 1, 3, 0));
        assert_eq!(counts.dropped_total(), 6);
        assert_eq!(counts.dropped(DropReason::QueueFull), 2);
    }
}
