//! The per-thread log: a chain of segments that one thread appends to and the collector drains.
//!
//! Invariants, on which every `unsafe` block here relies:
//! - A segment belongs to one chain at a time. Its words below `tail` are published and never written again; the words
//!   at and above it are touched by the chain's writer alone.
//! - `tail` of a segment is final once its `next` is set.
//! - The reader alone frees or recycles a segment: after it has moved on to `next`, or after it has revoked it
//!   (`ReaderSide::revoke`), or after the writer's thread has ended (`orphaned`).
//! - A writer's words (tail, next) and a reader's words (its position) never share a cache line: the reader keeps its own
//!   in [`Reader`].

use super::pool::{LARGE, Pool, SMALL, Segment};
use super::sync::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use super::sync::{Word, light_barrier, with_words};

/// The collector is woken from its sleep if one part in so many of the budget is in use.
#[cfg(not(loom))]
const WAKE_AT: usize = 8;

/// How many words ahead of a record its writer asks for memory: so many that it comes in time.
#[cfg(not(loom))]
const AHEAD: usize = 64;

/// No request.
const KEPT: u8 = 0;
/// The reader wants the writer's segment back.
const ASKED: u8 = 1;
/// The reader has taken it.
const TAKEN: u8 = 2;

/// Why a record was lost before it was in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// No segment was left for it.
    NoRoom,
    /// No slot was left for its span.
    NoSlot,
    /// Either of these, and it was one of a capture.
    Captured,
}

impl Loss {
    pub(crate) const COUNT: usize = 3;
}

/// What the writer and the reader of one thread's log share.
#[repr(align(128))]
pub(crate) struct Chain {
    /// The first segment after a time without any; the reader takes it out.
    mailbox: AtomicPtr<Segment>,
    /// The writer is between looking at `revoke` and publishing.
    writing: AtomicBool,
    orphaned: AtomicBool,
    /// How often each [`Loss`] has occurred; written by the writer alone.
    lost: [AtomicU64; Loss::COUNT],
    next: AtomicPtr<Chain>,
    reader: ReaderSide,
}

/// Words that the reader writes, on a cache line of their own.
#[repr(align(128))]
struct ReaderSide {
    revoke: AtomicU8,
    /// Bytes of segments in this chain: the writer adds when it takes one, the reader subtracts when it recycles one.
    held: AtomicUsize,
}

impl Chain {
    pub(crate) fn new() -> Self {
        Self {
            mailbox: AtomicPtr::new(std::ptr::null_mut()),
            writing: AtomicBool::new(false),
            orphaned: AtomicBool::new(false),
            lost: std::array::from_fn(|_| AtomicU64::new(0)),
            next: AtomicPtr::new(std::ptr::null_mut()),
            reader: ReaderSide { revoke: AtomicU8::new(KEPT), held: AtomicUsize::new(0) },
        }
    }

    /// Says that nothing more will be written: the reader frees what is left.
    pub(crate) fn orphan(&self) {
        self.orphaned.store(true, Ordering::Release);
    }

    /// Counts a loss. For the chain's writer only.
    pub(crate) fn count(&self, loss: Loss) {
        let lost = &self.lost[loss as usize];
        lost.store(lost.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// The writing end of a chain; it lives in its thread's local storage.
pub(crate) struct Writer {
    segment: *const Segment,
    at: usize,
    end: usize,
}

/// Room for a record. Until it is published, the reader leaves its segment alone: it must not be dropped instead.
#[must_use]
pub(crate) struct Room<'c> {
    pub(super) words: &'c [Word],
    /// Where the next record begins.
    end: usize,
    segment: &'c Segment,
    chain: &'c Chain,
}

impl Writer {
    /// A writer without a segment.
    pub(crate) const fn new() -> Self {
        Self { segment: std::ptr::null(), at: 0, end: 0 }
    }

    /// Room for a record of so many words, to be written and then [`Writer::publish`]ed. `None`: there is none.
    ///
    /// # Safety
    /// This writer is the only one of `chain`, and always used with this chain and this pool. There is a word at least.
    pub(crate) unsafe fn room<'c>(&mut self, chain: &'c Chain, pool: &Pool, words: usize) -> Option<Room<'c>> {
        chain.writing.store(true, Ordering::Relaxed);
        light_barrier();
        if chain.reader.revoke.load(Ordering::Relaxed) != KEPT {
            self.answer_revocation(chain);
        }
        if words > self.end - self.at && !self.grow(chain, pool, words) {
            chain.writing.store(false, Ordering::Release);
            return None;
        }
        // SAFETY: there is a segment with room for the words, and the reader has not taken it.
        Some(unsafe { self.room_there(chain, words) })
    }

    /// The same in the segment that is there; `None` also where the reader wants it back.
    ///
    /// # Safety
    /// As for [`Writer::room`].
    #[inline(always)]
    pub(crate) unsafe fn room_here<'c>(&mut self, chain: &'c Chain, words: usize) -> Option<Room<'c>> {
        if words > self.end - self.at {
            return None;
        }
        chain.writing.store(true, Ordering::Relaxed);
        light_barrier();
        if chain.reader.revoke.load(Ordering::Relaxed) != KEPT {
            chain.writing.store(false, Ordering::Release);
            return None;
        }
        // SAFETY: as above.
        Some(unsafe { self.room_there(chain, words) })
    }

    /// # Safety
    /// The writer has a segment with room for the words. It is alive: the reader recycles a segment of a living writer only
    /// after it was left behind or taken, and the latter the caller has ruled out.
    #[inline(always)]
    unsafe fn room_there<'c>(&mut self, chain: &'c Chain, words: usize) -> Room<'c> {
        debug_assert!(words > 0);
        // SAFETY: by this function's contract.
        unsafe {
            let segment = &*self.segment;
            #[cfg(not(loom))]
            if self.at + AHEAD < self.end {
                super::ahead::will_write(segment.words.as_ptr().wrapping_add(self.at + AHEAD).cast(), words * 8);
            }
            let end = self.at + words;
            Room { words: segment.words.get_unchecked(self.at..end), end, segment, chain }
        }
    }

    /// Publishes a record.
    ///
    /// # Safety
    /// This writer has given it last, and all of its words are written.
    #[inline(always)]
    pub(crate) unsafe fn publish(&mut self, Room { words, end, segment, chain }: Room<'_>) {
        debug_assert!(self.at + words.len() == end);
        self.at = end;
        segment.tail.store(end, Ordering::Release);
        chain.writing.store(false, Ordering::Release);
    }

    #[cold]
    fn answer_revocation(&mut self, chain: &Chain) {
        let answer = chain.reader.revoke.compare_exchange(ASKED, KEPT, Ordering::AcqRel, Ordering::Acquire);
        // The reader may also have given up in the meantime.
        if answer == Err(TAKEN) {
            *self = Self::new();
            chain.reader.revoke.store(KEPT, Ordering::Release);
        }
    }

    #[cold]
    fn grow(&mut self, chain: &Chain, pool: &Pool, words: usize) -> bool {
        let size = if self.segment.is_null() && words <= SMALL { SMALL } else { LARGE };
        if words > size {
            return false;
        }
        // One thread may hold at most half of the budget.
        let held = chain.reader.held.load(Ordering::Relaxed);
        if held > 0 && (held + size * 8) * 2 > pool.usage().1 {
            return false;
        }
        let Some(fresh) = pool.take(size) else { return false };
        #[cfg(not(loom))]
        super::ahead::will_write(fresh.words.as_ptr().cast(), AHEAD * 8);
        #[cfg(not(loom))]
        if let (held, limit) = pool.usage()
            && held > limit / WAKE_AT
        {
            super::doze::growing();
        }
        chain.reader.held.fetch_add(size * 8, Ordering::Relaxed);
        let fresh = Box::into_raw(fresh);
        if self.segment.is_null() {
            chain.mailbox.swap(fresh, Ordering::AcqRel);
        } else {
            // SAFETY: the current segment is alive: the reader frees it only after it has seen the `next` set here.
            unsafe { (*self.segment).next.store(fresh, Ordering::Release) };
        }
        *self = Self { segment: fresh, at: 0, end: size };
        true
    }
}

/// Chains that have a writer, until the collector picks them up.
pub(crate) struct Registry(AtomicPtr<Chain>);

impl Registry {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Makes a chain known. The caller may use it until it has called [`Chain::orphan`]; then its reader frees it.
    pub(crate) fn register(&self) -> *const Chain {
        let chain = Box::into_raw(Box::new(Chain::new()));
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: not shared before the exchange below succeeds.
            unsafe { (*chain).next.store(head, Ordering::Relaxed) };
            match self.0.compare_exchange_weak(head, chain, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return chain,
                Err(now) => head = now,
            }
        }
    }

    /// Forgets what was registered since: in a forked child, most of the writers are not there.
    #[cfg(not(loom))]
    pub(crate) fn forget(&self) {
        self.0.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Takes every chain that was registered since the last call.
    pub(crate) fn take(&self) -> Vec<Reader> {
        let mut readers = Vec::new();
        let mut chain = self.0.swap(std::ptr::null_mut(), Ordering::AcqRel);
        while !chain.is_null() {
            // SAFETY: registered chains live until their one reader drops; this swap made us that reader. The writer
            // does not touch `next` after registering.
            let next = unsafe { (*chain).next.load(Ordering::Relaxed) };
            readers.push(Reader {
                chain,
                head: std::ptr::null_mut(),
                at: 0,
                idle: 0,
                asked: false,
                lost: [0; Loss::COUNT],
            });
            chain = next;
        }
        readers.reverse();
        readers
    }
}

/// What one pass over a chain found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Drained {
    /// Words read.
    pub(crate) words: usize,
    /// How often each [`Loss`] has occurred since the last pass.
    pub(crate) lost: [u64; Loss::COUNT],
    /// The writer's thread has ended and everything was read: drop the reader.
    pub(crate) finished: bool,
}

/// The reading end of a chain.
pub(crate) struct Reader {
    chain: *const Chain,
    head: *mut Segment,
    at: usize,
    idle: u32,
    /// The writer was asked for its segment in this pass.
    pub(crate) asked: bool,
    lost: [u64; Loss::COUNT],
}

// SAFETY: a reader is the only one of its chain, and everything it shares with the writer is atomic or published.
unsafe impl Send for Reader {}

impl Reader {
    fn chain(&self) -> &Chain {
        // SAFETY: the chain lives until this reader drops.
        unsafe { &*self.chain }
    }

    /// Reads every record published before the call; `each` gets whole runs of records.
    pub(crate) fn drain(&mut self, pool: &Pool, mut each: impl FnMut(&[u64])) -> Drained {
        let orphaned = self.chain().orphaned.load(Ordering::Acquire);
        let mut drained = Drained { finished: orphaned, ..Drained::default() };
        if self.head.is_null() {
            self.head = self.chain().mailbox.swap(std::ptr::null_mut(), Ordering::AcqRel);
            self.at = 0;
        }
        let mark = self.mark();
        while !self.head.is_null() {
            // SAFETY: the head segment is ours to read until we recycle it below.
            let segment = unsafe { &*self.head };
            let next = segment.next.load(Ordering::Acquire);
            let tail = segment.tail.load(Ordering::Acquire);
            let stop = if self.head == mark.0 { mark.1 } else { tail };
            if stop > self.at {
                drained.words += stop - self.at;
                // Before they are read: whatever happens there, nothing is read twice.
                let start = std::mem::replace(&mut self.at, stop);
                // SAFETY: the words below an acquired tail are published for good.
                unsafe { with_words(&segment.words[start..stop], &mut each) };
            }
            let last = self.head == mark.0;
            // The tail was loaded after `next`, so if there is a next one, all of it has been read.
            if !next.is_null() && self.at == tail {
                self.recycle_head(pool, next);
            }
            if last {
                break;
            }
        }
        if orphaned && !self.head.is_null() {
            self.recycle_head(pool, std::ptr::null_mut());
        }
        let lost = self.chain().lost.each_ref().map(|count| count.load(Ordering::Relaxed));
        let before = std::mem::replace(&mut self.lost, lost);
        drained.lost = std::array::from_fn(|i| lost[i] - before[i]);
        self.idle = if drained.words > 0 { 0 } else { self.idle.saturating_add(1) };
        drained
    }

    /// Passes since something was last read.
    pub(crate) fn idle_passes(&self) -> u32 {
        self.idle
    }

    /// The last segment and its tail, as they are now: how far this pass reads, however fast the writer is.
    fn mark(&self) -> (*mut Segment, usize) {
        let (mut last, mut tail) = (self.head, 0);
        let mut segment = self.head;
        while !segment.is_null() {
            last = segment;
            // SAFETY: segments from the head on stay ours to read until recycled.
            unsafe {
                segment = (*last).next.load(Ordering::Acquire);
                tail = (*last).tail.load(Ordering::Acquire);
            }
        }
        (last, tail)
    }

    fn recycle_head(&mut self, pool: &Pool, next: *mut Segment) {
        // SAFETY: the writer has left this segment for good (it has a `next`, was taken, or its thread has ended), and it
        // came from `Box::into_raw`.
        let segment = unsafe { Box::from_raw(self.head) };
        self.chain().reader.held.fetch_sub(segment.bytes(), Ordering::Relaxed);
        pool.put(segment);
        (self.head, self.at) = (next, 0);
    }

    /// Takes the segment of an idle writer back; what it published is read first. `false`: the writer is busy, or the
    /// system has no process-wide barrier.
    #[cfg(test)]
    pub(crate) fn revoke(&mut self, pool: &Pool, each: impl FnMut(&[u64])) -> bool {
        self.ask() && self.take_back(super::sync::heavy_barrier(), pool, each)
    }

    /// Asks the writer for its segment. The caller then passes a process-wide barrier, one for any number of writers, and
    /// tells [`Reader::take_back`] whether there was one.
    ///
    /// Either the barrier makes the writer's `writing` visible to us, or the writer's next look sees the request: it is
    /// Dekker's handshake with the writer's fence paid here.
    pub(crate) fn ask(&self) -> bool {
        if self.head.is_null() {
            return false;
        }
        self.chain().reader.revoke.store(ASKED, Ordering::SeqCst);
        true
    }

    /// Takes the segment that was asked for, after reading what was published in it. `false`: the writer is busy.
    pub(crate) fn take_back(&mut self, barrier: bool, pool: &Pool, each: impl FnMut(&[u64])) -> bool {
        let chain = self.chain();
        if !barrier || chain.writing.load(Ordering::Acquire) {
            // If the writer has answered first, the request is gone already.
            let _ = chain.reader.revoke.compare_exchange(ASKED, KEPT, Ordering::AcqRel, Ordering::Relaxed);
            return false;
        }
        if chain.reader.revoke.compare_exchange(ASKED, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        self.read_taken(pool, each);
        true
    }

    fn read_taken(&mut self, pool: &Pool, mut each: impl FnMut(&[u64])) {
        while !self.head.is_null() {
            // SAFETY: the chain of segments was taken, so all of it is ours.
            let segment = unsafe { &*self.head };
            let next = segment.next.load(Ordering::Acquire);
            let tail = segment.tail.load(Ordering::Acquire);
            if tail > self.at {
                let start = std::mem::replace(&mut self.at, tail);
                // SAFETY: published words.
                unsafe { with_words(&segment.words[start..tail], &mut each) };
            }
            self.recycle_head(pool, next);
        }
    }
}

impl Drop for Reader {
    /// Frees the chain if its writer is gone. A reader that is dropped earlier leaks it, for its writer still writes.
    fn drop(&mut self) {
        if self.chain().orphaned.load(Ordering::Acquire) && self.head.is_null() {
            // SAFETY: orphaned: the writer never touches the chain again; and this was its only reader.
            drop(unsafe { Box::from_raw(self.chain.cast_mut()) });
        }
    }
}
