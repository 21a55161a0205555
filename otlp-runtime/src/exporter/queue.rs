//! What waits to be sent: bounded in bytes and in items, in the order in which it is due.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Batch;
use crate::account::DropReason;
use crate::transport::Attempt;

/// What a batch costs beside its bytes, so that empty ones are bounded too.
const OVERHEAD: usize = 256;

/// A batch and what has been tried with it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) batch: Batch,
    pub(super) failures: u32,
    /// When the first attempt started.
    pub(super) first: Option<Instant>,
    /// Whether one of the attempts may have arrived although it failed.
    pub(super) may_have_arrived: bool,
    /// The one that is under way.
    pub(super) attempt: Option<Attempt>,
    /// What it costs the queue, whatever becomes of its body.
    cost: usize,
}

impl Entry {
    pub(super) fn new(batch: Batch) -> Self {
        let cost = batch.payload.body.len().saturating_add(OVERHEAD);
        Self { batch, failures: 0, first: None, may_have_arrived: false, attempt: None, cost }
    }

    /// Why it is dropped, if `reason` is what ends it: what may have arrived has an unknown outcome, unless we know better. An
    /// attempt that has sent nothing so far will not.
    pub(super) fn final_reason(&self, reason: DropReason) -> DropReason {
        let may_have_arrived = self.attempt.as_ref().is_some_and(Attempt::abandon) || self.may_have_arrived;
        match reason {
            DropReason::Shutdown | DropReason::RetryExhausted if may_have_arrived => DropReason::UnknownOutcome,
            reason => reason,
        }
    }
}

/// Why an entry was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No room now.
    Full,
    /// Larger than the whole queue.
    TooLarge,
}

/// Entries by the time from which they may be sent. The bounds include what [`Queue::pop`] took out and
/// [`Queue::release`] has not seen yet, so there is always room for a retry.
#[derive(Debug)]
pub(super) struct Queue {
    entries: BTreeMap<(Instant, u64), Entry>,
    tickets: u64,
    bytes: usize,
    limit: usize,
    items: u64,
    most_items: u64,
}

impl Queue {
    /// A queue for so many bytes and so many items.
    pub(super) fn new(limit: usize, most_items: u64) -> Self {
        Self { entries: BTreeMap::new(), tickets: 0, bytes: 0, limit, items: 0, most_items }
    }

    /// Takes a new entry, which may be sent at once.
    pub(super) fn push(&mut self, entry: Entry, now: Instant) -> Result<(), (Refusal, Entry)> {
        let (cost, items) = (entry.cost, entry.batch.payload.items);
        if cost > self.limit {
            return Err((Refusal::TooLarge, entry));
        }
        // A batch is never too large by its items: alone, it always finds room.
        let too_many = self.items > 0 && items > self.most_items.saturating_sub(self.items);
        if cost > self.limit - self.bytes || too_many {
            return Err((Refusal::Full, entry));
        }
        self.bytes += cost;
        self.items += items;
        self.put_back(entry, now);
        Ok(())
    }

    /// Takes back an entry that [`Queue::pop`] gave out.
    pub(super) fn put_back(&mut self, entry: Entry, not_before: Instant) {
        self.entries.insert((not_before, self.tickets), entry);
        self.tickets += 1;
    }

    /// The entry that is due longest.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Entry> {
        let first = self.entries.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// The first entry, due or not.
    pub(super) fn pop_any(&mut self) -> Option<Entry> {
        self.entries.pop_first().map(|(_, entry)| entry)
    }

    /// When the next entry is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }

    /// An entry that had been given out has its fate.
    pub(super) fn release(&mut self, entry: &Entry) {
        self.bytes = self.bytes.saturating_sub(entry.cost);
        self.items = self.items.saturating_sub(entry.batch.payload.items);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::data::Signal;
    use crate::transport::Payload;

    fn entry(seq: u64, len: usize) -> Entry {
        let payload = Payload { signal: Signal::Traces, body: Bytes::from(vec![0; len]), gzip: false, items: 1 };
        Entry::new(Batch { seq, payload })
    }

    #[test]
    fn entries_come_out_when_they_are_due_in_the_order_they_came_in() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut queue = Queue::new(10_000, u64::MAX);
        queue.put_back(entry(9, 1), later);
        (0..3).for_each(|seq| queue.push(entry(seq, 1), now).unwrap());
        let order: Vec<u64> = std::iter::from_fn(|| queue.pop(now)).map(|e| e.batch.seq).collect();
        assert_eq!(order, [0, 1, 2]);
        assert_eq!(queue.next_due(), Some(later));
        assert_eq!(queue.pop(later).unwrap().batch.seq, 9);
        assert!(queue.is_empty());
    }

    #[test]
    fn the_bound_counts_bytes_that_are_out_until_they_are_released() {
        let now = Instant::now();
        let mut queue = Queue::new(2 * (100 + OVERHEAD), u64::MAX);
        assert_eq!(queue.push(entry(0, 10_000), now).unwrap_err().0, Refusal::TooLarge);
        queue.push(entry(0, 100), now).unwrap();
        queue.push(entry(1, 100), now).unwrap();
        assert_eq!(queue.push(entry(2, 0), now).unwrap_err().0, Refusal::Full);
        let out = queue.pop(now).unwrap();
        assert_eq!(queue.push(entry(2, 0), now).unwrap_err().0, Refusal::Full);
        queue.release(&out);
        queue.push(entry(2, 100), now).unwrap();
    }

    #[test]
    fn the_bound_of_items_holds_beside_that_of_bytes() {
        let now = Instant::now();
        let entry = |seq, items| {
            let mut entry = entry(seq, 1);
            entry.batch.payload.items = items;
            entry
        };
        let mut queue = Queue::new(usize::MAX, 10);
        queue.push(entry(0, 6), now).unwrap();
        assert_eq!(queue.push(entry(1, 5), now).unwrap_err().0, Refusal::Full);
        queue.push(entry(1, 4), now).unwrap();
        let out = queue.pop(now).unwrap();
        assert_eq!(queue.push(entry(2, 1), now).unwrap_err().0, Refusal::Full);
        queue.release(&out);
        queue.push(entry(2, 6), now).unwrap();
        // One that is larger than the bound is the collector's decision.
        Queue::new(usize::MAX, 10).push(entry(0, 11), now).unwrap();
    }
}
