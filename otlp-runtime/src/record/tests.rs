//! The log and the slots with real threads, against simple models. Address sanitizer and valgrind run these too.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use proptest::prelude::*;

use super::log::{Chain, Loss, Reader, Registry, Writer};
use super::pool::{LARGE, Pool, SMALL};
use super::slot::{Content, Handle, Refused, Slot, Slots};
use super::sync::copy_in;

/// How much work a test does; under a memory checker, which is slow, `OTLP_FEW_ROUNDS` asks for less.
fn rounds() -> u64 {
    if cfg!(miri) || std::env::var_os("OTLP_FEW_ROUNDS").is_some() { 500 } else { 20_000 }
}

struct Logs {
    pool: Pool,
    registry: Registry,
}

// SAFETY: pool and registry are made of atomics, and hold what they own by pointers that are handed over whole.
unsafe impl Sync for Logs {}
// SAFETY: as above.
unsafe impl Send for Logs {}

impl Logs {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { pool: Pool::new(limit), registry: Registry::new() })
    }
}

/// A thread's end of a log: the chain, until it is an orphan.
struct End<'l> {
    logs: &'l Logs,
    chain: *const Chain,
    writer: Writer,
}

impl<'l> End<'l> {
    fn new(logs: &'l Logs) -> Self {
        Self { logs, chain: logs.registry.register(), writer: Writer::new() }
    }

    /// A record of `words` words: how many they are, then `value`, then padding.
    fn push(&mut self, value: u64, words: usize) -> bool {
        let mut record = vec![value; words];
        record[0] = words as u64;
        // SAFETY: the one writer of this chain.
        unsafe {
            let here = self.writer.room_here(&*self.chain, words);
            let Some(room) = here.or_else(|| self.writer.room(&*self.chain, &self.logs.pool, words)) else {
                (*self.chain).count(Loss::NoRoom);
                return false;
            };
            copy_in(room.words, &record);
            self.writer.publish(room);
            true
        }
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        // SAFETY: the chain is not freed before this.
        unsafe { (*self.chain).orphan() };
    }
}

/// The values of a run of records.
fn values(mut run: &[u64], into: &mut impl Extend<u64>) {
    while let [words, value, ..] = *run {
        let (record, rest) = run.split_at(words as usize);
        assert!(record[1..].iter().all(|&word| word == value), "a torn record: {record:?}");
        into.extend([value]);
        run = rest;
    }
    assert!(run.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Drain,
    TakeBack,
}

proptest! {
    #[test]
    fn a_log_gives_what_was_pushed_and_counts_what_found_no_room(
        steps in prop::collection::vec(
            prop_oneof![
                8 => (2usize..600).prop_map(Step::Push),
                1 => (2usize..LARGE + 2).prop_map(Step::Push),
                2 => Just(Step::Drain),
                1 => Just(Step::TakeBack),
            ],
            1..120,
        ),
        limit in prop::sample::select(vec![0, SMALL * 8, LARGE * 8, LARGE * 20, LARGE * 80]),
    ) {
        let logs = Logs::new(limit);
        let mut end = End::new(&logs);
        let mut reader = logs.registry.take().remove(0);
        let (mut expected, mut lost, mut next) = (VecDeque::new(), 0, 0);
        let (mut read, mut counted): (Vec<u64>, u64) = (Vec::new(), 0);
        for step in steps {
            match step {
                Step::Push(words) => {
                    next += 1;
                    if end.push(next, words) { expected.push_back(next) } else { lost += 1 }
                }
                Step::Drain => {
                    let drained = reader.drain(&logs.pool, |run| values(run, &mut read));
                    counted += drained.lost[Loss::NoRoom as usize];
                    prop_assert!(!drained.finished);
                }
                Step::TakeBack => {
                    reader.revoke(&logs.pool, |run| values(run, &mut read));
                }
            }
            prop_assert!(logs.pool.usage().0 <= limit);
        }
        drop(end);
        loop {
            let drained = reader.drain(&logs.pool, |run| values(run, &mut read));
            counted += drained.lost[Loss::NoRoom as usize];
            if drained.finished { break }
        }
        prop_assert_eq!(read, Vec::from(expected));
        prop_assert_eq!(counted, lost);
        prop_assert_eq!(logs.pool.usage().0, 0);
    }
}

/// Reads until all threads have ended; returns the values of each log, and how many records found no room.
fn read_all(logs: &Logs, done: &AtomicBool) -> (Vec<Vec<u64>>, u64) {
    let mut open: Vec<(Reader, Vec<u64>)> = Vec::new();
    let (mut closed, mut lost, mut pass) = (Vec::new(), 0, 0u64);
    loop {
        let last = done.load(Ordering::Acquire);
        open.extend(logs.registry.take().into_iter().map(|reader| (reader, Vec::new())));
        for (mut reader, mut read) in std::mem::take(&mut open) {
            pass += 1;
            if pass.is_multiple_of(3) {
                reader.revoke(&logs.pool, |run| values(run, &mut read));
            }
            let drained = reader.drain(&logs.pool, |run| values(run, &mut read));
            lost += drained.lost[Loss::NoRoom as usize];
            if drained.finished {
                closed.push(read);
            } else {
                open.push((reader, read));
            }
        }
        if last && open.is_empty() {
            return (closed, lost);
        }
        thread::yield_now();
    }
}

#[test]
fn threads_write_while_one_reads_and_takes_segments_back() {
    // Little room, so that some records find none.
    for limit in [LARGE * 8 * 3, 16 << 20] {
        let logs = Logs::new(limit);
        let done = Arc::new(AtomicBool::new(false));
        let reader = {
            let (logs, done) = (Arc::clone(&logs), Arc::clone(&done));
            thread::spawn(move || read_all(&logs, &done))
        };
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let logs = Arc::clone(&logs);
                thread::spawn(move || {
                    let mut end = End::new(&logs);
                    (1..=rounds()).filter(|&value| end.push(value, 2 + value as usize % 40)).count() as u64
                })
            })
            .collect();
        let written: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        done.store(true, Ordering::Release);
        let (logs_read, lost) = reader.join().unwrap();
        assert_eq!(logs_read.len(), 4);
        assert!(logs_read.iter().all(|values| values.is_sorted_by(|a, b| a < b)), "in order, and none twice");
        assert_eq!(logs_read.iter().map(|values| values.len() as u64).sum::<u64>(), written);
        assert_eq!(written + lost, 4 * rounds());
        assert_eq!(logs.pool.usage().0, 0);
    }
}

#[test]
fn the_log_of_a_thread_that_ended_is_read_and_freed() {
    // Room for all of them: the reader may be late.
    let logs = Logs::new(16 << 20);
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (logs, done) = (Arc::clone(&logs), Arc::clone(&done));
        thread::spawn(move || read_all(&logs, &done))
    };
    for round in 0..rounds() / 100 {
        let logs = &logs;
        thread::scope(|scope| {
            for thread in 0..2 {
                scope.spawn(move || assert!(End::new(logs).push(round * 2 + thread, 5)));
            }
        });
    }
    done.store(true, Ordering::Release);
    let (logs_read, lost) = reader.join().unwrap();
    let mut values: Vec<u64> = logs_read.concat();
    values.sort_unstable();
    assert_eq!((lost, logs.pool.usage().0), (0, 0));
    assert!(values.iter().copied().eq(0..rounds() / 100 * 2));
}

/// A span whose journal is a sum, and whose header says which span it is.
struct Counted;

static FINISHED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
static SLOTS: Slots<Counted> = Slots::new();

impl Content for Counted {
    fn handing_over(_: bool) {}
    type Header = u64;
    type Journal = (u64, Vec<u64>);

    fn empty() -> (u64, (u64, Vec<u64>)) {
        (0, (0, Vec::new()))
    }

    fn finish(header: &u64, journal: &mut (u64, Vec<u64>), end: u64, unwound: bool) {
        assert_eq!((*header, unwound), (end, end.is_multiple_of(2)));
        assert_eq!(journal.1.len() as u64, journal.0);
        FINISHED[0].fetch_add(1, Ordering::Relaxed);
        FINISHED[1].fetch_add(journal.0, Ordering::Relaxed);
        journal.0 = 0;
        journal.1.clear();
    }

    fn free(slot: &'static Slot<Self>) {
        SLOTS.put(slot);
    }
}

#[test]
fn handles_are_used_while_spans_end_and_slots_are_used_again() {
    let (send, receive) = std::sync::mpsc::sync_channel::<Handle<Counted>>(64);
    let receive = Arc::new(std::sync::Mutex::new(receive));
    let updaters: Vec<_> = (0..3)
        .map(|_| {
            let receive = Arc::clone(&receive);
            thread::spawn(move || {
                let (mut made, mut stale) = (0u64, 0u64);
                loop {
                    let Ok(handle) = receive.lock().unwrap().recv() else { return (made, stale) };
                    for _ in 0..3 {
                        match handle.update_shared(|journal| {
                            journal.0 += 1;
                            journal.1.push(7);
                        }) {
                            Ok(()) => made += 1,
                            Err(Refused::Stale | Refused::Busy) => stale += 1,
                        }
                    }
                }
            })
        })
        .collect();
    let owners: Vec<_> = (0..2)
        .map(|_| {
            let send = send.clone();
            thread::spawn(move || {
                for span in 0..rounds() {
                    // SAFETY: just taken off the list.
                    let mut owned = unsafe { SLOTS.take().unwrap().claim() };
                    owned.header_mut(|header| *header = span);
                    // SAFETY: no handle was given out.
                    unsafe { owned.first_write(|journal| assert_eq!(journal.0, 0)) };
                    // SAFETY: shared by its owner before it is handed out.
                    unsafe { owned.handle().share() };
                    for _ in 0..3 {
                        let _ = send.try_send(owned.handle());
                    }
                    owned.end(span, span.is_multiple_of(2));
                }
            })
        })
        .collect();
    drop(send);
    owners.into_iter().for_each(|owner| owner.join().unwrap());
    let made: u64 = updaters.into_iter().map(|updater| updater.join().unwrap().0).sum();
    assert_eq!(FINISHED[0].load(Ordering::Relaxed), 2 * rounds(), "every span ends once");
    assert_eq!(FINISHED[1].load(Ordering::Relaxed), made, "an update that was made is in its span");
    assert!(SLOTS.held() < 1 << 20, "slots are used again");
}

#[test]
fn the_budget_bounds_the_slots() {
    struct Plain;
    static FEW: Slots<Plain> = Slots::new();
    impl Content for Plain {
        fn handing_over(_: bool) {}
        type Header = ();
        type Journal = ();
        fn empty() -> ((), ()) {
            ((), ())
        }
        fn finish((): &(), (): &mut (), _: u64, _: bool) {}
        fn free(slot: &'static Slot<Self>) {
            FEW.put(slot);
        }
    }
    FEW.set_limit(0);
    let half: Vec<_> = (0..32).map(|_| FEW.take().unwrap()).collect();
    assert!(!FEW.is_scarce());
    let more = FEW.take().unwrap();
    assert!(FEW.is_scarce());
    FEW.put(more);
    assert!(!FEW.is_scarce());
    let rest: Vec<_> = std::iter::from_fn(|| FEW.take()).collect();
    let all = [half, rest].concat();
    assert_eq!(all.len(), 64, "one chunk is always there");
    assert!(FEW.is_scarce());
    // SAFETY: just taken off the list.
    unsafe { all[0].claim() }.end(0, false);
    assert!(FEW.take().is_some() && FEW.take().is_none());
}

/// Here too, where the memory checkers look.
#[test]
fn a_built_record_says_its_kind_and_scope_and_shows_only_what_follows() {
    use super::callsite::BUILT;
    use super::journal::{Journal, Key};
    use super::layout::{Entry, HEADER, RawValue, RecordView, Time, flag, tag};
    use crate::data::{Scope, SpanKind};

    let scope = Scope { name: "shop", version: "1.2.3" };
    for (kind, scope) in
        [(SpanKind::Server, Some(scope)), (SpanKind::Consumer, None), (SpanKind::Internal, Some(scope))]
    {
        let mut journal = Journal::new();
        journal.built(kind, scope);
        journal.word(Key::Inline("n"), tag::I64, 7);
        let flags = u64::from(flag::AMENDED | flag::END_UNIX);
        let mut words =
            vec![(HEADER + journal.words().0.len()) as u64 | flags << 32, std::ptr::from_ref(&BUILT) as u64];
        words.extend([1, 2, 3, 4, 5, 6, 7]);
        words.extend(journal.words().0);
        let view = RecordView::from_words(&words).unwrap();
        assert_eq!((view.kind(), view.scope()), (kind, scope.unwrap_or(BUILT.metadata().scope)));
        assert_eq!((view.start(), view.end()), (Time::Clock(1), Time::Unix(2)));
        let entries: Vec<_> = view.entries().collect();
        assert!(matches!(entries[..], [Entry::Attribute("n", RawValue::I64(7))]), "{entries:?}");
    }
}
