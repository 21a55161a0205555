//! Where records come from, and how the engine waits for more.

use std::time::Duration;

use crate::processor::RecordSource;
use crate::record::doze;
use crate::record::drain::{Drain, Pass};
use crate::record::layout::RecordView;

/// Finished records, in passes.
pub(super) trait Feed {
    /// A record that is lent for the length of a call.
    type Record<'a>: RecordSource;

    /// The route that a record was made on.
    fn route(record: &Self::Record<'_>) -> u32;

    /// Hands out every record that was finished before the call. `each` does not panic.
    fn pass(&mut self, each: impl FnMut(Self::Record<'_>)) -> Pass;
}

/// Waiting between passes; whoever has news can end it early.
pub(super) trait Doze: Clone {
    /// For at most `time`.
    fn sleep(&self, time: Duration);

    /// Until there is news, unless `look` finds some first.
    fn park(&self, look: impl FnOnce() -> bool);
}

/// The logs of all threads of the process.
pub(super) struct Logs(Drain);

impl Logs {
    /// There is one engine that reads them, on the calling thread.
    pub(super) fn adopt() -> Self {
        doze::adopt();
        Self(Drain::new())
    }
}

impl Feed for Logs {
    type Record<'a> = RecordView<'a>;

    fn route(record: &RecordView<'_>) -> u32 {
        record.route()
    }

    fn pass(&mut self, mut each: impl FnMut(RecordView<'_>)) -> Pass {
        self.0.pass(&mut each)
    }
}

/// Waits until a recording thread, or somebody with an order, wakes the process's collector.
#[derive(Clone, Copy)]
pub(super) struct Nap;

impl Doze for Nap {
    fn sleep(&self, time: Duration) {
        doze::sleep(time);
    }

    fn park(&self, look: impl FnOnce() -> bool) {
        doze::park(look);
    }
}
