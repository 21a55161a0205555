//! The log and the slots under loom: every interleaving that the memory model allows, for small cases.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p otlp-runtime --lib --release loom`
#![allow(clippy::unwrap_used)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::log::{Chain, Reader, Registry, Writer};
use super::pool::Pool;
use super::slot::{Content, Handle, Owned, Refused, Slot, Slots};
use super::sync::{Word, write_in};

struct Shared {
    pool: Pool,
    registry: Registry,
}

// SAFETY: pool and registry are made of atomics, and hold what they own by pointers that are handed over whole.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self { pool: Pool::new(1 << 20), registry: Registry::new() })
    }
}

fn read(reader: &mut Reader, shared: &Shared, into: &mut Vec<u64>) -> bool {
    reader.drain(&shared.pool, |words| into.extend_from_slice(words)).finished
}

/// Appends a record of one word as spans do.
///
/// # Safety
/// As for [`Writer::room`].
unsafe fn push(writer: &mut Writer, chain: *const Chain, shared: &Shared, word: u64) -> bool {
    // SAFETY: by this function's contract; nobody else has the words while they are written.
    unsafe {
        let here = writer.room_here(&*chain, 1);
        let Some(room) = here.or_else(|| writer.room(&*chain, &shared.pool, 1)) else { return false };
        write_in(room.words.first_chunk().unwrap(), [word]);
        writer.publish(room);
    }
    true
}

/// Writes `count` one-word records, then ends the thread.
fn write(shared: &Shared, count: u64) {
    let chain = shared.registry.register();
    let mut writer = Writer::new();
    for word in 1..=count {
        // SAFETY: this thread is the chain's one writer, until it makes it an orphan.
        assert!(unsafe { push(&mut writer, chain, &shared, word) });
    }
    unsafe { (*chain).orphan() };
}

#[test]
fn loom_everything_written_is_read_once_in_order_across_segments_and_the_threads_end() {
    loom::model(|| {
        let shared = Shared::new();
        let theirs = Arc::clone(&shared);
        let writer = thread::spawn(move || write(&theirs, 4));
        let mut words = Vec::new();
        let mut readers = shared.registry.take();
        let mut finished = readers.iter_mut().map(|reader| read(reader, &shared, &mut words)).any(|done| done);
        writer.join().unwrap();
        readers.extend(shared.registry.take());
        assert_eq!(readers.len(), 1);
        while !finished {
            finished = readers.iter_mut().map(|reader| read(reader, &shared, &mut words)).any(|done| done);
        }
        drop(readers);
        assert_eq!(words, [1, 2, 3, 4]);
        assert_eq!(shared.pool.usage().0, 0, "every segment came back");
    });
}

#[test]
fn loom_a_segment_is_taken_back_only_while_its_writer_does_not_write() {
    loom::model(|| {
        let shared = Shared::new();
        let theirs = Arc::clone(&shared);
        let chain = shared.registry.register();
        let address = chain as usize;
        let mut reader = shared.registry.take().remove(0);
        let mut writer = Writer::new();
        // SAFETY: the one writer, which moves to the other thread below.
        assert!(unsafe { push(&mut writer, chain, &shared, 1) });
        let mut words = Vec::new();
        read(&mut reader, &shared, &mut words);
        struct Moved(Writer);
        // SAFETY: a writer may move with its chain; it does not here as it lives in thread-locals.
        unsafe impl Send for Moved {}
        let moved = Moved(writer);
        let thread = thread::spawn(move || {
            let Moved(mut writer) = { moved };
            let chain = address as *const Chain;
            for word in 2..=3 {
                // SAFETY: as above.
                assert!(unsafe { push(&mut writer, chain, &theirs, word) });
            }
            unsafe { (*chain).orphan() };
        });
        reader.revoke(&shared.pool, |run| words.extend_from_slice(run));
        thread.join().unwrap();
        while !read(&mut reader, &shared, &mut words) {}
        drop(reader);
        assert_eq!(words, [1, 2, 3]);
        assert_eq!(shared.pool.usage().0, 0);
    });
}

#[test]
fn loom_two_threads_share_one_pool() {
    loom::model(|| {
        let shared = Shared::new();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || write(&shared, 1))
            })
            .collect();
        let mut words = Vec::new();
        let mut readers = shared.registry.take();
        readers.retain_mut(|reader| !read(reader, &shared, &mut words));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        readers.extend(shared.registry.take());
        while !readers.is_empty() {
            readers.retain_mut(|reader| !read(reader, &shared, &mut words));
        }
        assert_eq!(words, [1, 1]);
        assert_eq!(shared.pool.usage().0, 0);
    });
}

struct Sum;

/// Written by `finish`: sums of journals, and how many there were.
struct Out {
    sum: AtomicUsize,
    finished: AtomicUsize,
    freed: AtomicUsize,
}

impl Content for Sum {
    fn handing_over(_: bool) {}
    type Header = Option<Arc<Out>>;
    type Journal = usize;

    fn empty() -> (Self::Header, usize) {
        (None, 0)
    }

    fn finish(header: &Self::Header, journal: &mut usize, _: u64, _: bool) {
        let out = header.as_ref().unwrap();
        out.sum.fetch_add(*journal, Ordering::Relaxed);
        out.finished.fetch_add(1, Ordering::Relaxed);
        *journal = 0;
    }

    fn free(slot: &'static Slot<Self>) {
        // SAFETY: it is free, and on no list yet.
        let owned = unsafe { slot.claim() };
        owned.header(|header| header.as_ref().unwrap().freed.fetch_add(1, Ordering::Release));
    }
}

fn slots() -> &'static Slots<Sum> {
    Box::leak(Box::new(Slots::new()))
}

fn out() -> Arc<Out> {
    Arc::new(Out { sum: AtomicUsize::new(0), finished: AtomicUsize::new(0), freed: AtomicUsize::new(0) })
}

fn start(slots: &'static Slots<Sum>, out: &Arc<Out>) -> Owned<Sum> {
    // SAFETY: just taken off the list.
    let mut owned = unsafe { slots.take().unwrap().claim() };
    owned.header_mut(|header| *header = Some(Arc::clone(out)));
    owned
}

fn forget_header(slot: &mut Owned<Sum>) {
    slot.header_mut(|header| *header = None);
}

#[test]
fn loom_an_update_is_in_the_span_or_is_refused_and_the_span_ends_once() {
    loom::model(|| {
        let (slots, out) = (slots(), out());
        let owned = start(slots, &out);
        let handle: Handle<Sum> = owned.handle();
        // SAFETY: the owner shares it before it hands it out.
        unsafe { handle.share() };
        let updates: Vec<_> = (0..2).map(|_| thread::spawn(move || handle.update_shared(|sum| *sum += 1))).collect();
        owned.end(7, false);
        let made = updates
            .into_iter()
            .map(|update| update.join().unwrap())
            .filter(|made| match made {
                Ok(()) => true,
                Err(Refused::Stale | Refused::Busy) => false,
            })
            .count();
        assert_eq!(out.finished.load(Ordering::Relaxed), 1);
        assert_eq!(out.sum.load(Ordering::Relaxed), made);
        assert!(!handle.is_open());
        assert_eq!(handle.update_shared(|_| ()), Err(Refused::Stale));
        // The header's count of `out` must go before loom looks for leaks.
        slots.put(handle.slot());
        // SAFETY: put back just now, and nobody else takes.
        let mut again = unsafe { slots.take().unwrap().claim() };
        forget_header(&mut again);
    });
}

#[test]
fn loom_a_stale_handle_never_reaches_the_slots_next_span() {
    loom::model(|| {
        let (slots, first, second) = (slots(), out(), out());
        let owned = start(slots, &first);
        let handle = owned.handle();
        // SAFETY: the owner shares it before it hands it out.
        unsafe { handle.share() };
        let update = thread::spawn(move || handle.update_shared(|sum| *sum += 1).is_ok());
        owned.end(7, false);
        if first.freed.load(Ordering::Acquire) == 1 {
            slots.put(handle.slot());
            let mut owned = start(slots, &second);
            // SAFETY: the owner shares it before anybody has a handle.
            unsafe { owned.handle().share() };
            let made = update.join().unwrap();
            // SAFETY: not reachable from elsewhere.
            unsafe { owned.first_write(|sum| assert_eq!(*sum, 0)) };
            assert_eq!(first.sum.load(Ordering::Relaxed), usize::from(made));
            forget_header(&mut owned);
        } else {
            assert!(update.join().unwrap(), "the one that was busy finishes the span");
            assert_eq!(first.sum.load(Ordering::Relaxed), 1);
            slots.put(handle.slot());
            // SAFETY: put back just now, and nobody else takes.
            let mut again = unsafe { slots.take().unwrap().claim() };
            forget_header(&mut again);
        }
    });
}

#[test]
fn loom_a_free_slot_is_taken_by_one_thread() {
    loom::model(|| {
        let slots = slots();
        let first = slots.take().unwrap();
        let second = slots.take().unwrap();
        slots.put(first);
        slots.put(second);
        let work = move || {
            let slot = slots.take().unwrap();
            slots.put(slot);
            let again = slots.take().unwrap();
            std::ptr::from_ref(again) as usize
        };
        let other = thread::spawn(work);
        let mine = work();
        assert_ne!(mine, other.join().unwrap());
    });
}
