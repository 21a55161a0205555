//! Which batches have a final fate: what a flush waits for.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

type Subscriber = Box<dyn Fn(u64) + Send>;

/// How many lossy batches are remembered one by one.
const LOSSES: usize = 1024;

/// What has become of the batches below a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items of batches that have no fate yet.
    pub pending: u64,
    /// Items that were dropped or rejected, from the beginning.
    pub lost: u64,
    /// No batch is without its fate.
    pub settled: bool,
}

/// A watermark: every batch with a lower sequence number has its fate.
#[derive(Default)]
pub struct Settled {
    book: Mutex<Book>,
    changed: Condvar,
    subscribers: Mutex<Vec<Subscriber>>,
}

#[derive(Debug, Default)]
struct Book {
    /// Batches without a fate, and their items.
    open: BTreeMap<u64, u64>,
    /// Items lost of all batches, and of the latest ones by themselves.
    lost: u64,
    losses: VecDeque<(u64, u64)>,
    /// One more than the highest number seen.
    next: u64,
    /// What subscribers were told last; none when there is someone who was told nothing.
    announced: Option<u64>,
    /// Some thread is telling them, and looks again when it is done.
    announcing: bool,
}

impl Book {
    fn watermark(&self) -> u64 {
        self.open.first_key_value().map_or(self.next, |(seq, _)| *seq)
    }
}

impl Settled {
    /// Every batch with a number below this has been answered or dropped.
    pub fn watermark(&self) -> u64 {
        self.book().watermark()
    }

    /// Waits until the watermark has reached `below`, at most until `deadline`; says whether it has.
    pub fn wait_until(&self, below: u64, deadline: Instant) -> bool {
        let mut book = self.book();
        while book.watermark() < below {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            book = self.changed.wait_timeout(book, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// What has become of the batches below `below`, so far as they were enqueued.
    pub fn progress(&self, below: u64) -> Progress {
        let book = self.book();
        let mut open = book.open.range(..below).peekable();
        let settled = open.peek().is_none();
        let later: u64 = book.losses.iter().filter(|(seq, _)| *seq >= below).map(|(_, lost)| lost).sum();
        Progress { pending: open.map(|(_, items)| items).sum(), lost: book.lost - later, settled }
    }

    /// Calls `subscriber` with the watermark soon, and after each change: mostly on the export thread, sometimes on one that
    /// subscribes or enqueues. It may be called twice with the same value.
    pub fn subscribe(&self, subscriber: Box<dyn Fn(u64) + Send>) {
        self.subscribers().push(subscriber);
        self.book().announced = None;
        self.announce();
    }

    /// A batch of `items` came in.
    pub(super) fn open(&self, seq: u64, items: u64) {
        let mut book = self.book();
        book.next = book.next.max(seq.saturating_add(1));
        book.open.insert(seq, items);
    }

    /// A batch has its fate: `lost` of its items did not arrive.
    pub(super) fn settle(&self, seq: u64, lost: u64) {
        let mut book = self.book();
        if book.open.remove(&seq).is_some() {
            if lost > 0 {
                book.lost += lost;
                if book.losses.len() == LOSSES {
                    book.losses.pop_front();
                }
                book.losses.push_back((seq, lost));
            }
            drop(book);
            self.changed.notify_all();
        }
    }

    /// Tells subscribers if there is news. They run outside all locks; one that panics is passed over.
    pub(super) fn announce(&self) {
        loop {
            let watermark = {
                let mut book = self.book();
                let watermark = book.watermark();
                if book.announcing || book.announced == Some(watermark) {
                    return;
                }
                book.announcing = true;
                book.announced = Some(watermark);
                watermark
            };
            let mut told = std::mem::take(&mut *self.subscribers());
            for subscriber in &told {
                let _ = catch_unwind(AssertUnwindSafe(|| subscriber(watermark)));
            }
            let mut subscribers = self.subscribers();
            told.append(&mut subscribers);
            *subscribers = told;
            drop(subscribers);
            self.book().announcing = false;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subscribers(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled").field("watermark", &self.watermark()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    proptest! {
        #[test]
        fn the_watermark_is_the_lowest_open_batch(order in Just((0..20_u64).collect::<Vec<_>>()).prop_shuffle(), opened in 0..20_u64) {
            let settled = Settled::default();
            (0..opened).for_each(|seq| settled.open(seq, 10));
            let mut open: BTreeSet<u64> = (0..opened).collect();
            let mut lost = BTreeMap::new();
            for seq in order {
                settled.settle(seq, seq % 3);
                if open.remove(&seq) {
                    lost.insert(seq, seq % 3);
                }
                prop_assert_eq!(settled.watermark(), open.first().copied().unwrap_or(opened));
                for below in [0, 5, 13, u64::MAX] {
                    prop_assert_eq!(settled.progress(below), Progress {
                        pending: 10 * open.range(..below).count() as u64,
                        lost: lost.range(..below).map(|(_, lost)| lost).sum(),
                        settled: open.range(..below).next().is_none(),
                    });
                }
            }
        }
    }

    #[test]
    fn a_waiter_wakes_when_its_batches_have_their_fates() {
        let settled = Arc::new(Settled::default());
        settled.open(0, 1);
        settled.open(1, 1);
        assert!(!settled.wait_until(1, Instant::now()));
        let waiter = std::thread::spawn({
            let settled = Arc::clone(&settled);
            move || settled.wait_until(2, soon())
        });
        settled.settle(1, 0);
        assert_eq!(settled.watermark(), 0);
        settled.settle(0, 0);
        assert!(waiter.join().unwrap());
        assert!(settled.wait_until(2, Instant::now()));
    }

    #[test]
    fn subscribers_hear_every_change_even_of_each_other() {
        let settled = Arc::new(Settled::default());
        let (tell, told) = mpsc::channel();
        settled.subscribe(Box::new(|_| panic!("a subscriber that fails")));
        settled.subscribe(Box::new({
            let settled = Arc::downgrade(&settled);
            let tell = tell.clone();
            let once = AtomicBool::new(true);
            move |watermark| {
                tell.send(watermark).unwrap();
                if watermark == 1 && once.swap(false, Ordering::Relaxed) {
                    let tell = tell.clone();
                    let late = Box::new(move |watermark| tell.send(100 + watermark).unwrap());
                    settled.upgrade().unwrap().subscribe(late);
                }
            }
        }));
        settled.open(0, 1);
        settled.settle(0, 0);
        settled.announce();
        let heard: Vec<u64> = told.try_iter().collect();
        assert!(heard.starts_with(&[0, 1]), "{heard:?}");
        assert!(heard.contains(&101), "{heard:?}");
    }
}
