//! The reading side: one pass over the logs of all threads.

use std::sync::atomic::Ordering;

use super::layout::RecordView;
use super::local::{CHAINS, NO_CHAIN, POOL, REGISTRY};
use super::log::{Loss, Reader};
use super::span;
use super::sync::heavy_barrier;

/// Passes without a record after which a thread's segment is taken back; one, when memory is short.
const IDLE_PASSES: u32 = 20;

/// The reading ends of all logs.
#[derive(Default)]
pub(crate) struct Drain {
    readers: Vec<Reader>,
    no_chain: [u64; Loss::COUNT],
}

/// What one pass found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    /// Records read.
    pub(crate) records: u64,
    /// Some spans had ended by then whose records were still to be written, by other threads.
    pub(crate) unfinished: bool,
    /// Records lost since the last pass, for each [`Loss`].
    pub(crate) lost: [u64; Loss::COUNT],
}

impl Drain {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Reads every record that was published before the call.
    pub(crate) fn pass(&mut self, each: &mut dyn FnMut(RecordView<'_>)) -> Pass {
        let mut pass = Pass { unfinished: span::some_are_handed_over(), ..Pass::default() };
        let no_chain = NO_CHAIN.each_ref().map(|count| count.load(Ordering::Relaxed) as u64);
        let before = std::mem::replace(&mut self.no_chain, no_chain);
        pass.lost = std::array::from_fn(|i| no_chain[i] - before[i]);
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
            pass.lost.iter_mut().zip(drained.lost).for_each(|(sum, lost)| *sum += lost);
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
