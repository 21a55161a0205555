//! The memory of all logs: segments, the free ones among them, and the budget of bytes that they share.

use super::sync::{AtomicPtr, AtomicUsize, Ordering, Word};

/// Words in the segment that a thread starts with (4 KiB).
pub(crate) const SMALL: usize = if cfg!(loom) { 2 } else { 512 };
/// Words in the segments of a thread that has filled one (64 KiB).
pub(crate) const LARGE: usize = if cfg!(loom) { 4 } else { 8192 };

/// A block of words.
pub(crate) struct Segment {
    pub(super) tail: AtomicUsize,
    pub(super) next: AtomicPtr<Segment>,
    pub(super) words: Box<[Word]>,
}

impl Segment {
    fn new(words: usize) -> Box<Self> {
        #[cfg(not(loom))]
        let block = {
            let zeroed = Box::into_raw(vec![0u64; words].into_boxed_slice());
            // SAFETY: `Word` is a transparent cell of a `u64`, so both slices have the same layout.
            unsafe { Box::from_raw(zeroed as *mut [Word]) }
        };
        #[cfg(loom)]
        let block = (0..words).map(|_| Word::zero()).collect();
        Box::new(Self { tail: AtomicUsize::new(0), next: AtomicPtr::new(std::ptr::null_mut()), words: block })
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.len() * 8
    }
}

/// How many free segments of one size are kept.
const BAG: usize = if cfg!(loom) { 1 } else { 256 };

/// Free segments of one size. A place is emptied by a swap, which hands over ownership: there is no list to corrupt, and
/// so no ABA.
struct Bag {
    count: AtomicUsize,
    places: [AtomicPtr<Segment>; BAG],
}

impl Bag {
    #[cfg(not(loom))]
    const fn new() -> Self {
        Self { count: AtomicUsize::new(0), places: [const { AtomicPtr::new(std::ptr::null_mut()) }; BAG] }
    }

    #[cfg(loom)]
    fn new() -> Self {
        let places = std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut()));
        Self { count: AtomicUsize::new(0), places }
    }

    fn take(&self) -> Option<Box<Segment>> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        for place in &self.places {
            if !place.load(Ordering::Relaxed).is_null() {
                let segment = place.swap(std::ptr::null_mut(), Ordering::Acquire);
                if !segment.is_null() {
                    self.count.fetch_sub(1, Ordering::Relaxed);
                    // SAFETY: the swap took the only pointer to a segment that `put` had leaked from its box.
                    return Some(unsafe { Box::from_raw(segment) });
                }
            }
        }
        None
    }

    fn put(&self, segment: Box<Segment>) -> Result<(), Box<Segment>> {
        let raw = Box::into_raw(segment);
        for place in &self.places {
            if place.load(Ordering::Relaxed).is_null() {
                // Counted first, so that the count never runs below zero.
                self.count.fetch_add(1, Ordering::Relaxed);
                if place.compare_exchange(std::ptr::null_mut(), raw, Ordering::Release, Ordering::Relaxed).is_ok() {
                    return Ok(());
                }
                self.count.fetch_sub(1, Ordering::Relaxed);
            }
        }
        // SAFETY: `raw` came from `Box::into_raw` above, and no place took it.
        Err(unsafe { Box::from_raw(raw) })
    }
}

/// The segments of all threads, and the byte budget they share.
pub(crate) struct Pool {
    limit: AtomicUsize,
    /// Bytes of the segments that chains hold.
    held: AtomicUsize,
    small: Bag,
    large: Bag,
}

impl Pool {
    #[cfg(not(loom))]
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit: AtomicUsize::new(limit), held: AtomicUsize::new(0), small: Bag::new(), large: Bag::new() }
    }

    #[cfg(loom)]
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: AtomicUsize::new(limit), held: AtomicUsize::new(0), small: Bag::new(), large: Bag::new() }
    }

    /// Sets the budget, in bytes. What is held already stays.
    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// What chains hold now is never given back: in a forked child, which does not have them.
    #[cfg(not(loom))]
    pub(crate) fn forget(&self) {
        self.held.store(0, Ordering::Relaxed);
    }

    /// Bytes held by chains, and the budget.
    pub(crate) fn usage(&self) -> (usize, usize) {
        (self.held.load(Ordering::Relaxed), self.limit.load(Ordering::Relaxed))
    }

    pub(super) fn take(&self, words: usize) -> Option<Box<Segment>> {
        let bytes = words * 8;
        let limit = self.limit.load(Ordering::Relaxed);
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes > limit {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            return None;
        }
        let bag = if words == LARGE { &self.large } else { &self.small };
        #[cfg(not(loom))]
        let new = || super::local::allocating(|| Segment::new(words));
        #[cfg(loom)]
        let new = || Segment::new(words);
        Some(bag.take().unwrap_or_else(new))
    }

    pub(super) fn put(&self, mut segment: Box<Segment>) {
        self.held.fetch_sub(segment.bytes(), Ordering::Relaxed);
        // A fresh pair of atomics: the box is ours alone.
        segment.tail = AtomicUsize::new(0);
        segment.next = AtomicPtr::new(std::ptr::null_mut());
        let bag = if segment.words.len() == LARGE { &self.large } else { &self.small };
        drop(bag.put(segment));
    }
}
