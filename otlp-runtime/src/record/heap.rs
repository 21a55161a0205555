//! Heap blocks for what does not fit a span slot, under one budget of bytes.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes in all blocks, and how many there may be.
static HELD: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(8 << 20);

/// The first block of a span (512 bytes).
const FIRST: usize = 64;
/// The most that one span may hold, in words (1 MiB).
pub(crate) const SPAN_LIMIT: usize = 1 << 17;
/// A slot keeps a block of up to this many words for its next span (4 KiB).
const KEPT: usize = 512;

/// Sets the budget for all blocks, in bytes.
pub(crate) fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Bytes in all blocks.
pub(crate) fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// A growing block of words, charged to the budget for as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct Block(Vec<u64>);

impl Block {
    /// An empty block, which holds no memory.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes over what [`Block::give_up`] gave; it is charged already.
    pub(crate) fn adopt(words: Vec<u64>) -> Self {
        Self(words)
    }

    /// Gives the words away; whoever gets them must let [`Block::adopt`] have them.
    pub(crate) fn give_up(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the words from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
        if len == 0 {
            // The span may live long.
            self.recycle();
        }
    }

    /// Puts `first` before all other words, in the room that [`Block::extend`] has kept.
    pub(crate) fn prepend(&mut self, first: &[u64]) {
        self.0.extend_from_slice(first);
        self.0.rotate_right(first.len());
    }

    /// Adds `words` zero words at the end and returns them; `None`: the span or the budget has no room for them and
    /// `spare` more.
    #[cold]
    pub(crate) fn extend(&mut self, words: usize, spare: usize) -> Option<&mut [u64]> {
        let start = self.0.len();
        let needed = start.checked_add(words)?;
        let with_spare = needed.checked_add(spare).filter(|&all| all <= SPAN_LIMIT)?;
        if with_spare > self.0.capacity() {
            let capacity = with_spare.next_power_of_two().max(FIRST);
            let more = (capacity - self.0.capacity()) * 8;
            if HELD.fetch_add(more, Ordering::Relaxed) + more > LIMIT.load(Ordering::Relaxed) {
                HELD.fetch_sub(more, Ordering::Relaxed);
                return None;
            }
            let before = self.0.capacity();
            super::local::allocating(|| self.0.reserve_exact(capacity - start));
            // The allocator may have given more than was asked for.
            HELD.fetch_add((self.0.capacity() - before) * 8 - more, Ordering::Relaxed);
        }
        self.0.resize(needed, 0);
        self.0.get_mut(start..)
    }

    /// Empties the block for the slot's next span; a large one is freed, and any if the budget is half used up.
    pub(crate) fn recycle(&mut self) {
        let scarce = HELD.load(Ordering::Relaxed) > LIMIT.load(Ordering::Relaxed) / 2;
        if self.0.capacity() > KEPT || scarce {
            *self = Self::new();
        } else {
            self.0.clear();
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if self.0.capacity() > 0 {
            HELD.fetch_sub(self.0.capacity() * 8, Ordering::Relaxed);
        }
    }
}
