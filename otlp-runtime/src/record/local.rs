//! What belongs to a thread: its current context, its generator of ids, its free slots, and its end of its log.
//!
//! The thread-local itself is constant and has no destructor, so that it costs one address and works until the thread's
//! very last instruction; a second one, with a destructor, tells when the thread ends.

use std::cell::{Cell, UnsafeCell};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::context::{Current, Left, Parent};
use super::doze;
use super::id::Generator;
use super::layout::{HEADER, ROUTE};
use super::log::{Chain, Loss, Registry, Room, Writer};
use super::pool::Pool;
use super::route;
use super::slot::Slots;
use super::span::{HeldSpan, Span, SpanSlot};
use super::sync::{Word, copy_in, write_in};

/// The memory of all logs.
pub(crate) static POOL: Pool = Pool::new(12 << 20);
/// New logs.
pub(crate) static REGISTRY: Registry = Registry::new();
/// The slots of open spans.
pub(crate) static SLOTS: Slots<Span> = Slots::new();
/// Logs that exist, and how many may.
pub(crate) static CHAINS: AtomicUsize = AtomicUsize::new(0);
const MAX_CHAINS: usize = 1 << 17;
/// Records that were lost because there were too many threads, or within an allocation of ours.
pub(crate) static NO_CHAIN: [AtomicUsize; Loss::COUNT] = [const { AtomicUsize::new(0) }; Loss::COUNT];

/// Free slots that a thread keeps.
const KEPT_SLOTS: u32 = 8;

/// The thread has recorded nothing yet.
const NEW: u8 = 0;
/// It has a log, and its generator of ids is seeded.
const READY: u8 = 1;
/// Its destructors run.
const ENDING: u8 = 2;
/// This crate is allocating, and the program's allocator may be instrumented: nothing is recorded meanwhile.
const ALLOCATING: u8 = 4;
/// It is one of this crate's threads: nothing is ever recorded there.
const SUPPRESSED: u8 = 8;
/// The program's own sampler runs: what it does is not recorded.
const DECIDING: u8 = 16;

pub(crate) struct Local {
    pub(crate) current: Cell<Current>,
    /// What is current, if that is no span that stays open meanwhile.
    pub(crate) other: Cell<Parent>,
    pub(crate) ids: Generator,
    /// Contexts that were left before their guards went.
    pub(crate) left: Cell<Left>,
    /// How many contexts were entered on this thread so far.
    pub(crate) entries: Cell<u64>,
    state: Cell<u8>,
    free_slots: Cell<u32>,
    first_slot: Cell<*mut SpanSlot>,
    chain: Cell<*const Chain>,
    writer: UnsafeCell<Writer>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            current: Cell::new(Current::NONE),
            other: Cell::new(Parent::NONE),
            ids: Generator::new(),
            left: Cell::new(Left::NONE),
            entries: Cell::new(0),
            state: Cell::new(NEW),
            free_slots: Cell::new(0),
            first_slot: Cell::new(null_mut()),
            chain: Cell::new(null()),
            writer: UnsafeCell::new(Writer::new()),
        }
    };
    static END: ThreadEnd = const { ThreadEnd };
}

/// The thread's state.
#[inline(always)]
pub(crate) fn here() -> &'static Local {
    let local = LOCAL.with(std::ptr::from_ref);
    const { assert!(!std::mem::needs_drop::<Local>()) };
    // SAFETY: what has no destructor is there until the thread's last instruction; and as it is not `Sync`, the reference stays
    // on the thread.
    unsafe { &*local }
}

/// Nothing that this thread does from now on makes telemetry.
pub(crate) fn suppress() {
    let local = here();
    local.state.set(local.state.get() | SUPPRESSED);
}

/// Runs `allocate`, in which a span of an instrumented allocator would meet this crate half-way through its work.
pub(crate) fn allocating<R>(allocate: impl FnOnce() -> R) -> R {
    let local = here();
    let state = local.state.get();
    local.state.set(state | ALLOCATING);
    let result = allocate();
    local.state.set(state);
    result
}

/// In a forked child: nobody will read the logs that are there. Async-signal-safe.
pub(super) fn forget() {
    REGISTRY.forget();
    POOL.forget();
    CHAINS.store(0, Ordering::Relaxed);
    NO_CHAIN.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    here().forget();
}

/// Runs `decide`, which is the program's own code and does not unwind: nothing starts on this thread meanwhile.
pub(super) fn deciding<R>(decide: impl FnOnce() -> R) -> R {
    let local = here();
    local.state.set(local.state.get() | DECIDING);
    let result = decide();
    local.state.set(local.state.get() & !DECIDING);
    result
}

struct ThreadEnd;

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        here().end();
    }
}

impl Local {
    /// A free slot; `None`: there is none.
    #[inline(always)]
    pub(crate) fn take_slot(&self) -> Option<&'static SpanSlot> {
        self.take_own_slot().or_else(|| SLOTS.take())
    }

    /// One of the thread's own.
    #[inline(always)]
    pub(crate) fn take_own_slot(&self) -> Option<&'static SpanSlot> {
        // SAFETY: the list holds slots alone, which live forever.
        let slot = unsafe { self.first_slot.get().as_ref() }?;
        self.first_slot.set(slot.next_local.load(Ordering::Relaxed));
        self.free_slots.set(self.free_slots.get() - 1);
        Some(slot)
    }

    #[inline(always)]
    pub(crate) fn put_slot(&self, slot: &'static SpanSlot) {
        if self.free_slots.get() < KEPT_SLOTS && self.is_ready() && !SLOTS.is_scarce() {
            slot.next_local.store(self.first_slot.get(), Ordering::Relaxed);
            self.first_slot.set(std::ptr::from_ref(slot).cast_mut());
            self.free_slots.set(self.free_slots.get() + 1);
        } else {
            SLOTS.put(slot);
        }
    }

    /// The current context.
    #[inline(always)]
    pub(crate) fn parent(&self) -> Parent {
        self.current_span().map_or_else(|| self.other.get(), Parent::of)
    }

    /// The current span, if it stays open while it is current. What is returned is used before that can change.
    #[inline(always)]
    pub(super) fn current_span(&self) -> Option<HeldSpan> {
        self.current.get().span
    }

    /// Whether the thread has a log and a seeded generator, and nothing keeps it from recording.
    #[inline(always)]
    pub(crate) fn is_ready(&self) -> bool {
        self.state.get() == READY
    }

    /// Whether nothing may be recorded on this thread now.
    #[inline(always)]
    pub(crate) fn is_silent(&self) -> bool {
        self.state.get() & (ALLOCATING | SUPPRESSED | DECIDING) != 0
    }

    /// Appends a record to the thread's log. `false`: there was no room, and the loss is counted.
    #[cold]
    #[inline(never)]
    pub(crate) fn publish(&self, head: &[u64; HEADER], body: &[u64]) -> bool {
        let done = self.append(head, body);
        if !done {
            self.count(Loss::NoRoom, head[ROUTE] as u32);
        }
        doze::published();
        done
    }

    /// Room for a record of so many words, to be written and then given to [`Local::publish_here`], before anything else is
    /// asked of the thread. `None`: the thread has no log, or that has no room, or is wanted back.
    ///
    /// # Safety
    /// All that is said here is done.
    #[inline(always)]
    pub(super) unsafe fn room_here(&self, words: usize) -> Option<Room<'_>> {
        if !self.is_ready() {
            return None;
        }
        // SAFETY: as in `append`; this thread is the chain's one writer.
        unsafe { (*self.writer.get()).room_here(&*self.chain.get(), words) }
    }

    /// # Safety
    /// It is what [`Local::room_here`] has just given, and written.
    #[inline(always)]
    pub(super) unsafe fn publish_here(&self, room: Room<'_>) {
        // SAFETY: by this function's contract.
        unsafe { (*self.writer.get()).publish(room) };
        doze::published();
    }

    /// Also for a thread that is new, ending, or one that does not record but was given a span to end.
    fn append(&self, head: &[u64; HEADER], body: &[u64]) -> bool {
        let state = self.state.get();
        if state & ALLOCATING != 0 {
            return false;
        }
        if state & READY == 0 && !self.prepare() {
            return append_late(head, body);
        }
        // SAFETY: the chain is this thread's and lives until `end` has made it an orphan. The writer is used here and in
        // `room_here`, and not again before `push` returns: what it calls is this crate's, but for the
        // allocator, and while that runs the state is not `READY`.
        unsafe { push(&mut *self.writer.get(), &*self.chain.get(), head, body) }
    }

    /// Counts a span that found no slot.
    #[cold]
    pub(crate) fn count_no_slot(&self, route: u32) {
        if self.state.get() & READY == 0 {
            self.prepare();
        }
        self.count(Loss::NoSlot, route);
        doze::published();
    }

    #[cold]
    #[inline(never)]
    fn count(&self, loss: Loss, route: u32) {
        let loss = if route::is_capture(route) { Loss::Captured } else { loss };
        let state = self.state.get();
        if state & READY != 0 && state & ALLOCATING == 0 {
            // SAFETY: as in `append`.
            unsafe { (*self.chain.get()).count(loss) };
        } else {
            NO_CHAIN[loss as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Gets the thread a log; `false`: it is ending, or there are too many logs.
    #[cold]
    fn prepare(&self) -> bool {
        if self.state.get() & ENDING != 0 {
            return false;
        }
        if allocating(|| END.try_with(|_| ())).is_err() {
            self.state.set(self.state.get() | ENDING);
            return false;
        }
        allocating(|| self.ids.prepare());
        match new_chain() {
            Some(chain) => {
                self.chain.set(chain);
                // SAFETY: the state is not `READY`, so `append` is not at work. A forked child leaves its parent's log here.
                unsafe { *self.writer.get() = Writer::new() };
                self.state.set(self.state.get() | READY);
                true
            }
            None => false,
        }
    }

    /// In a forked child, whose one thread this is: the log is the parent's, and so are the ids that would come next.
    fn forget(&self) {
        self.state.set(self.state.get() & !READY);
        self.ids.reseed();
    }

    /// The thread ends: its log is complete, and its free slots are for others.
    fn end(&self) {
        let state = self.state.get();
        self.state.set(state & !READY | ENDING);
        if state & READY != 0 {
            // SAFETY: the chain is this thread's and not an orphan yet; the state keeps it from being used again.
            unsafe { (*self.chain.get()).orphan() };
            self.chain.set(null());
        }
        while let Some(slot) = self.take_own_slot() {
            SLOTS.put(slot);
        }
    }
}

/// Appends a record that consists of `head` and `body`. `false`: there was no room.
///
/// # Safety
/// As for [`Writer::room`].
unsafe fn push(writer: &mut Writer, chain: &Chain, head: &[u64; HEADER], body: &[u64]) -> bool {
    // SAFETY: by this function's contract, and every word is written.
    unsafe {
        let Some(room) = writer.room(chain, &POOL, HEADER + body.len()) else { return false };
        write(room.words, *head, body);
        writer.publish(room);
    }
    true
}

/// Writes a record.
///
/// # Safety
/// Nobody else reads or writes the words until they are published.
#[inline(always)]
pub(super) unsafe fn write(words: &[Word], head: [u64; HEADER], body: &[u64]) {
    if let Some((start, rest)) = words.split_first_chunk() {
        // SAFETY: by this function's contract.
        unsafe {
            write_in(start, head);
            copy_in(rest, body);
        }
    }
}

fn new_chain() -> Option<*const Chain> {
    if CHAINS.fetch_add(1, Ordering::Relaxed) >= MAX_CHAINS {
        CHAINS.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    Some(allocating(|| REGISTRY.register()))
}

/// A record that is made while the thread's destructors run gets a log of its own.
#[cold]
#[inline(never)]
fn append_late(head: &[u64; HEADER], body: &[u64]) -> bool {
    let Some(chain) = new_chain() else { return false };
    // SAFETY: the chain was just made, and its reader keeps it until it is an orphan.
    unsafe {
        let done = push(&mut Writer::new(), &*chain, head, body);
        (*chain).orphan();
        done
    }
}
