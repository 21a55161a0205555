//! What became of the telemetry so far.

use std::fmt;

use crate::account::Counts;

/// A coherent copy of the accounts: every record has exactly one fate in it.
///
/// `Display` is one line: `spans: 12 recorded, 12 exported, 0 dropped`; what else there is follows, and each reason for a
/// drop is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The spans of the pipeline of `init`: of the one that runs, else of the last one.
    pub traces: Counts,
    /// Attributes, events and the like for spans that had ended, in this process so far. They are in no span.
    pub stale_updates: u64,
    /// Attributes, events and the like that gave up waiting while other threads wrote to the same span.
    pub contended_updates: u64,
    /// Spans that were not recorded because the program's own sampler panicked, in this process so far.
    pub sampler_panics: u64,
    /// Bytes that recording holds now: logs of all threads, open spans, and attributes too large for either.
    pub recording_bytes: usize,
}

/// What became of everything that was recorded since the last `init`. Records that the collector has not fetched yet are
/// not counted; `flush` first to have them all.
pub fn status() -> Status {
    #[cfg(feature = "export")]
    let traces = crate::collector::counts();
    #[cfg(not(feature = "export"))]
    let traces = Counts::default();
    let (stale_updates, contended_updates) = crate::record::counters::refused_updates();
    let sampler_panics = crate::record::counters::sampler_panics();
    Status { traces, stale_updates, contended_updates, sampler_panics, recording_bytes: crate::record::memory() }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { recorded, exported, rejected, queued, in_flight, .. } = self.traces;
        write!(f, "spans: {recorded} recorded, {exported} exported, {} dropped", self.traces.dropped_total())?;
        for (i, (reason, count)) in self.traces.drops().enumerate() {
            write!(f, "{}{reason} {count}", if i == 0 { " (" } else { ", " })?;
        }
        if self.traces.dropped_total() > 0 {
            f.write_str(")")?;
        }
        for (count, what) in [(rejected, "rejected"), (queued, "queued"), (in_flight, "in flight")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{DropReason, Ledger};

    #[test]
    fn one_line_says_it_all() {
        assert_eq!(Status::default().to_string(), "spans: 0 recorded, 0 exported, 0 dropped");
        let ledger = Ledger::default();
        ledger.recorded(20);
        ledger.dispatched(15);
        ledger.answered(12, 2);
        let status = || Status { traces: ledger.counts(), ..Status::default() }.to_string();
        assert_eq!(status(), "spans: 20 recorded, 10 exported, 0 dropped, 2 rejected, 5 queued, 3 in flight");
        ledger.dropped_in_flight(DropReason::UnknownOutcome, 3);
        ledger.dropped_queued(DropReason::QueueFull, 5);
        assert_eq!(
            status(),
            "spans: 20 recorded, 10 exported, 8 dropped (queue_full 5, unknown_outcome 3), 2 rejected"
        );
    }
}
