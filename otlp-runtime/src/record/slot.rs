//! The slots that open spans live in, and who may touch one when.
//!
//! Slots are type-stable: their memory is never given back, so a stale handle can always look. A slot's state word holds
//! its generation and three bits:
//!
//! | state | meaning |
//! |---|---|
//! | generation alone | the journal belongs to whoever has the [`Owned`], and to the thread on which it is current |
//! | + `SHARED` | handles were given out: the journal belongs to whoever sets `BUSY` |
//! | + `BUSY` | somebody is writing the journal |
//! | + `ENDING` | the owner has let go: whoever holds `BUSY` finishes the span |
//! | another generation | the span is over; a handle to it is stale |
//!
//! The header is written by the owner alone, and read by the owner, by whoever finishes the span, and while it is [`Held`] by
//! whoever has that: the owner does not write it then.

use super::sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, Shared, spin_loop};

const SHARED: u64 = 1;
const BUSY: u64 = 2;
const ENDING: u64 = 4;
const SHIFT: u32 = 3;

/// How often a busy slot is looked at before an update gives up: some tens of microseconds.
const SPINS: u32 = if cfg!(loom) { 2 } else { 1000 };
/// Slots that are made at once.
const CHUNK: usize = if cfg!(loom) { 2 } else { 64 };
/// Chunks that there can be.
const CHUNKS: usize = if cfg!(loom) { 2 } else { 4096 };

/// The bit of the end's clock that says that the thread was unwinding.
const UNWOUND: u64 = 1 << 63;

/// What is kept in slots, and what becomes of it.
pub(crate) trait Content: Sized + 'static {
    /// Written once, at the start.
    type Header: 'static;
    /// Written until the end.
    type Journal: 'static;

    /// An empty slot's content.
    fn empty() -> (Self::Header, Self::Journal);
    /// A span has ended at `end`; afterwards the journal must be ready for the next one.
    fn finish(header: &Self::Header, journal: &mut Self::Journal, end: u64, unwound: bool);
    /// The slot is free.
    fn free(slot: &'static Slot<Self>);
    /// Whether the process was forked since the span started: whoever else wrote to it is in another process.
    fn is_inherited(_: &Self::Header) -> bool {
        false
    }
    /// An owner is about to leave the end to whoever is writing (`true`), or that is done, or was not necessary (`false`).
    fn handing_over(begins: bool);
}

/// Room for one open span.
#[repr(C, align(64))]
pub(crate) struct Slot<C: Content> {
    state: AtomicU64,
    /// When the owner let go of a busy slot.
    end: AtomicU64,
    /// The next in the free list of all threads, as index + 1.
    next: AtomicU32,
    index: u32,
    /// The next in a thread's own free list; for that thread alone.
    pub(crate) next_local: AtomicPtr<Slot<C>>,
    header: Shared<C::Header>,
    journal: Shared<C::Journal>,
}

// SAFETY: the rules of this module's table decide who touches header and journal.
unsafe impl<C: Content> Sync for Slot<C>
where
    C::Header: Send + Sync,
    C::Journal: Send,
{
}

impl<C: Content> Slot<C> {
    fn new(index: u32) -> Self {
        let (header, journal) = C::empty();
        Self {
            state: AtomicU64::new(0),
            end: AtomicU64::new(0),
            next: AtomicU32::new(0),
            index,
            next_local: AtomicPtr::new(std::ptr::null_mut()),
            header: Shared::new(header),
            journal: Shared::new(journal),
        }
    }

    /// Makes the caller the owner.
    ///
    /// # Safety
    /// The slot is free, and the caller alone took it off its free list.
    #[inline(always)]
    pub(crate) unsafe fn claim(&'static self) -> Owned<C> {
        Owned(self)
    }

    /// # Safety
    /// The caller alone may touch header and journal, and does so never again.
    #[inline(always)]
    unsafe fn finish(&'static self, generation: u64, end: u64, unwound: bool) {
        // SAFETY: by this function's contract.
        unsafe { self.header.read(|header| self.journal.write(|journal| C::finish(header, journal, end, unwound))) };
        self.state.store((generation + 1) << SHIFT, Ordering::Release);
        C::free(self);
    }
}

/// Why an update was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The span has ended.
    Stale,
    /// Others kept writing to it.
    Busy,
}

/// Refers to a span that may have ended. Whether it may be used on other threads is decided by [`Handle::share`].
pub(crate) struct Handle<C: Content> {
    slot: &'static Slot<C>,
    generation: u64,
}

impl<C: Content> Clone for Handle<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C: Content> Copy for Handle<C> {}
impl<C: Content> PartialEq for Handle<C> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.slot, other.slot) && self.generation == other.generation
    }
}

impl<C: Content> Handle<C> {
    #[inline(always)]
    fn unshared(self) -> u64 {
        self.generation << SHIFT
    }

    /// From now on the span may be updated from any thread.
    ///
    /// # Safety
    /// The handle is shared already, or the span is current on this thread (or owned by it) and nowhere else.
    #[inline(always)]
    pub(crate) unsafe fn share(self) {
        let unshared = self.unshared();
        if self.slot.state.load(Ordering::Relaxed) == unshared {
            // If it fails, it was shared, or has ended, in between.
            let _ = self.slot.state.compare_exchange(unshared, unshared | SHARED, Ordering::Release, Ordering::Relaxed);
        }
    }

    #[cfg(all(test, loom))]
    pub(crate) fn slot(self) -> &'static Slot<C> {
        self.slot
    }

    /// Whether the span has not ended yet.
    pub(crate) fn is_open(self) -> bool {
        let state = self.slot.state.load(Ordering::Relaxed);
        state >> SHIFT == self.generation && state & ENDING == 0
    }

    /// Lets `f` write to the journal of a span that was shared. `f` must not run anybody else's code.
    #[inline]
    pub(crate) fn update_shared<R>(self, f: impl FnOnce(&mut C::Journal) -> R) -> Result<R, Refused> {
        let slot = self.slot;
        let shared = self.unshared() | SHARED;
        let mut state = slot.state.load(Ordering::Relaxed);
        for _ in 0..SPINS {
            if state & !BUSY != shared {
                return Err(Refused::Stale);
            }
            if state & BUSY == 0 {
                match slot.state.compare_exchange(shared, shared | BUSY, Ordering::Acquire, Ordering::Relaxed) {
                    Ok(_) => {
                        // SAFETY: `BUSY` was set by us.
                        let result = unsafe { slot.journal.write(f) };
                        self.unlock();
                        return Ok(result);
                    }
                    Err(now) => state = now,
                }
            } else {
                spin_loop();
                state = slot.state.load(Ordering::Relaxed);
            }
        }
        Err(Refused::Busy)
    }

    fn unlock(self) {
        let shared = self.unshared() | SHARED;
        if self.slot.state.compare_exchange(shared | BUSY, shared, Ordering::Release, Ordering::Acquire).is_err() {
            let end = self.slot.end.load(Ordering::Relaxed);
            // SAFETY: `ENDING` was set while we held `BUSY`: the owner has left the slot to us.
            unsafe { self.slot.finish(self.generation, end & !UNWOUND, end & UNWOUND != 0) };
            C::handing_over(false);
        }
    }
}

/// A span that is open and stays so, and whose header stays as it is, for as long as this is used.
pub(crate) struct Held<C: Content>(&'static Slot<C>);

impl<C: Content> Clone for Held<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C: Content> Copy for Held<C> {}

impl<C: Content> Held<C> {
    #[inline(always)]
    pub(crate) fn handle(self) -> Handle<C> {
        Handle { slot: self.0, generation: self.0.state.load(Ordering::Relaxed) >> SHIFT }
    }

    #[inline(always)]
    pub(crate) fn header<R>(self, f: impl FnOnce(&C::Header) -> R) -> R {
        // SAFETY: nobody writes the header, and the slot is not anybody else's yet ([`Owned::hold`]).
        unsafe { self.0.header.read(f) }
    }
}

/// The right to end a span; there is one for each claimed slot. Dropping it without [`Owned::end`] leaks the slot.
pub(crate) struct Owned<C: Content>(&'static Slot<C>);

impl<C: Content> Owned<C> {
    #[inline(always)]
    pub(crate) fn handle(&self) -> Handle<C> {
        Held(self.0).handle()
    }

    /// The span as it stays.
    ///
    /// # Safety
    /// Until what is returned, and its copies, were last used, the span is not ended and its header is not written.
    #[inline(always)]
    pub(crate) unsafe fn hold(&self) -> Held<C> {
        Held(self.0)
    }

    #[inline(always)]
    pub(crate) fn header<R>(&self, f: impl FnOnce(&C::Header) -> R) -> R {
        // SAFETY: the header is written through `&mut` of the one owner alone.
        unsafe { self.0.header.read(f) }
    }

    #[inline(always)]
    pub(crate) fn header_mut<R>(&mut self, f: impl FnOnce(&mut C::Header) -> R) -> R {
        // SAFETY: handles never touch the header while there is an owner, this is the one owner, borrowed, and nobody reads it as
        // `Held` ([`Owned::hold`]).
        unsafe { self.0.header.write(f) }
    }

    /// Lets `f` write to the journal before anybody else can reach it.
    ///
    /// # Safety
    /// No handle was given out yet.
    #[inline(always)]
    pub(crate) unsafe fn first_write<R>(&mut self, f: impl FnOnce(&mut C::Journal) -> R) -> R {
        // SAFETY: nobody else can reach the slot (this function's contract).
        unsafe { self.0.journal.write(f) }
    }

    /// Ends the span at `end`. If somebody is writing to it just now, they finish it.
    #[inline(always)]
    pub(crate) fn end(self, end: u64, unwound: bool) {
        let state = self.0.state.load(Ordering::Relaxed);
        if state & (SHARED | BUSY | ENDING) == 0 {
            // SAFETY: never shared, and the owner is consumed.
            unsafe { self.0.finish(state >> SHIFT, end, unwound) };
        } else {
            self.end_shared(end, unwound);
        }
    }

    #[inline(never)]
    fn end_shared(self, end: u64, unwound: bool) {
        let slot = self.0;
        slot.end.store(end & !UNWOUND | if unwound { UNWOUND } else { 0 }, Ordering::Relaxed);
        let mut state = slot.state.load(Ordering::Relaxed);
        let mut spins = 0;
        loop {
            let busy = state & BUSY != 0;
            if busy && spins < SPINS {
                spins += 1;
                spin_loop();
                state = slot.state.load(Ordering::Relaxed);
                continue;
            }
            if busy {
                if self.header(C::is_inherited) {
                    // Nobody will finish it: the slot is lost.
                    return;
                }
                C::handing_over(true);
            }
            let success = if busy { Ordering::Release } else { Ordering::Acquire };
            match slot.state.compare_exchange(state, state | BUSY | ENDING, success, Ordering::Relaxed) {
                Ok(_) if busy => return,
                Ok(_) => {
                    // SAFETY: `BUSY` was set by us, and `ENDING` keeps everybody else out.
                    unsafe { slot.finish(state >> SHIFT, end, unwound) };
                    return;
                }
                Err(now) => {
                    if busy {
                        C::handing_over(false);
                    }
                    state = now;
                }
            }
        }
    }
}

/// Where free slots are found: a stack of indices whose head carries a tag against ABA.
pub(crate) struct Slots<C: Content> {
    /// Tag in the high half, index + 1 of the first free slot in the low half.
    head: AtomicU64,
    made: AtomicU32,
    limit: AtomicU32,
    /// Slots on the list, about.
    listed: AtomicU32,
    /// See [`Slots::is_scarce`]; set by whoever changes one of the numbers.
    scarce: AtomicBool,
    chunks: [AtomicPtr<Slot<C>>; CHUNKS],
}

impl<C: Content> Slots<C> {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            head: AtomicU64::new(0),
            made: AtomicU32::new(0),
            limit: AtomicU32::new(CHUNKS as u32),
            listed: AtomicU32::new(0),
            scarce: AtomicBool::new(false),
            chunks: [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS],
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            head: AtomicU64::new(0),
            made: AtomicU32::new(0),
            limit: AtomicU32::new(CHUNKS as u32),
            listed: AtomicU32::new(0),
            scarce: AtomicBool::new(false),
            chunks: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())),
        }
    }

    /// Sets the budget in bytes. Slots that were made stay.
    pub(crate) fn set_limit(&self, bytes: usize) {
        let chunks = (bytes / (CHUNK * size_of::<Slot<C>>())).clamp(1, CHUNKS);
        self.limit.store(chunks as u32, Ordering::Relaxed);
        self.weigh();
    }

    /// Whether more than half of what the budget allows is open, or kept by threads: then they keep no free slots. Where
    /// several threads change that at once, it is right again after the next change, or when one of them finds no slot.
    #[inline(always)]
    pub(crate) fn is_scarce(&self) -> bool {
        self.scarce.load(Ordering::Relaxed)
    }

    fn weigh(&self) {
        let made = self.made.load(Ordering::Relaxed) * CHUNK as u32;
        let out = made.saturating_sub(self.listed.load(Ordering::Relaxed));
        let scarce = out > self.limit.load(Ordering::Relaxed) * (CHUNK as u32 / 2);
        self.scarce.store(scarce, Ordering::Relaxed);
    }

    /// Bytes in slots, free or not.
    pub(crate) fn held(&self) -> usize {
        self.made.load(Ordering::Relaxed) as usize * CHUNK * size_of::<Slot<C>>()
    }

    /// The slot with this index, which came from a free list.
    #[inline(always)]
    fn get(&'static self, index: u32) -> Option<&'static Slot<C>> {
        let chunk = self.chunks.get(index as usize / CHUNK)?.load(Ordering::Acquire);
        if chunk.is_null() {
            return None;
        }
        // SAFETY: a chunk holds `CHUNK` slots and lives forever.
        Some(unsafe { &*chunk.add(index as usize % CHUNK) })
    }

    /// Takes a free slot off the list or makes new ones; `None`: the budget is used up.
    pub(crate) fn take(&'static self) -> Option<&'static Slot<C>> {
        let mut head = self.head.load(Ordering::Acquire);
        while head as u32 != 0 {
            let slot = self.get(head as u32 - 1)?;
            let next = u64::from(slot.next.load(Ordering::Relaxed));
            let tag = (head >> 32).wrapping_add(1) << 32;
            match self.head.compare_exchange_weak(head, tag | next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    self.listed.fetch_sub(1, Ordering::Relaxed);
                    self.weigh();
                    return Some(slot);
                }
                Err(now) => head = now,
            }
        }
        self.grow()
    }

    #[cold]
    fn grow(&'static self) -> Option<&'static Slot<C>> {
        let limit = self.limit.load(Ordering::Relaxed);
        let more = |made| (made < limit).then_some(made + 1);
        let Ok(chunk) = self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) else {
            // Whoever keeps free slots is to give them back, whatever the flag said.
            self.weigh();
            return None;
        };
        let first = chunk * CHUNK as u32;
        let make = || (first..first + CHUNK as u32).map(Slot::new).collect::<Vec<_>>().leak();
        #[cfg(not(loom))]
        let slots: &'static mut [Slot<C>] = super::local::allocating(make);
        #[cfg(loom)]
        let slots: &'static mut [Slot<C>] = make();
        self.chunks.get(chunk as usize)?.store(slots.as_mut_ptr(), Ordering::Release);
        for index in first + 1..first + CHUNK as u32 {
            self.put(self.get(index)?);
        }
        self.get(first)
    }

    /// Puts a free slot on the list.
    pub(crate) fn put(&self, slot: &'static Slot<C>) {
        // Before it can be taken, so that the number never falls below zero.
        self.listed.fetch_add(1, Ordering::Relaxed);
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            slot.next.store(head as u32, Ordering::Relaxed);
            let new = (head >> 32).wrapping_add(1) << 32 | u64::from(slot.index + 1);
            match self.head.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return self.weigh(),
                Err(now) => head = now,
            }
        }
    }
}
