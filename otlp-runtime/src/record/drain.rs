//! The reading side: one pass over the logs of all threads.

use std::sync::atomic::Ordering;

use super::layout::RecordView;
use super::local::{CHAINS, NO_CHAIN, POOL, REGISTRY};
use super::log::Reader;
use super::sync::heavy_barrier;

/// Passes without a record after which a thread's segment is taken back; one, when memory is short.
const IDLE_PASSES: u32 = 20;

/// The reading ends of all logs.
#[derive(Default)]
pub(crate) struct Drain {
    readers: Vec<Reader>,
    no_chain: usize,
}

/// What one pass found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    /// Records read.
    pub(crate) records: u64,
    /// Records lost since the last pass because their log was full.
    pub(crate) no_room: u64,
    /// Spans lost since the last pass because no slot was free.
    pub(crate) no_slot: u64,
}

impl Drain {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Reads every record that was published before the call.
    pub(crate) fn pass(&mut self, each: &mut dyn FnMut(RecordView<'_>)) -> Pass {
        let mut pass = Pass::default();
        let no_chain = NO_CHAIN.load(Ordering::Relaxed);
        pass.no_room += (no_chain - std::mem::replace(&mut self.no_chain, no_chain)) as u64;
        self.readers.extend(REGISTRY.take());
        let records = &mut pass.records;
        let mut run = |words: &[u64]| {
            // SAFETY: the log holds whole records, and `drain` and `revoke` show each of them once.
            unsafe {
                RecordView::for_each(words, |view| {
                    *records += 1;
                    each(view);
                });
            }
        };
        let mut asked = false;
        let (held, limit) = POOL.usage();
        let patience = if held > limit / 2 { 1 } else { IDLE_PASSES };
        self.readers.retain_mut(|reader| {
            let drained = reader.drain(&POOL, &mut run);
            pass.no_room += drained.no_room;
            pass.no_slot += drained.no_slot;
            if drained.finished {
                CHAINS.fetch_sub(1, Ordering::Relaxed);
            } else {
                reader.asked = reader.idle_passes() >= patience && reader.ask();
                asked |= reader.asked;
            }
            !drained.finished
        });
        if asked {
            let barrier = heavy_barrier();
            for reader in self.readers.iter_mut().filter(|reader| reader.asked) {
                reader.take_back(barrier, &POOL, &mut run);
            }
        }
        pass
    }
}
