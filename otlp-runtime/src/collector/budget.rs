//! How one limit of bytes is shared out.

/// What a batch costs the queue beside its bytes.
const OVERHEAD: usize = 4096;

/// The shares of `memory_limit`; their sum is not more than it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Segments of the threads' logs.
    pub(crate) segments: usize,
    /// Slots of open spans.
    pub(crate) slots: usize,
    /// Attributes that outgrow their slot or segment.
    pub(crate) heap: usize,
    /// Closed batches, waiting or under way.
    pub(crate) queue: usize,
    /// The size in bytes at which an open batch is closed.
    pub(crate) batch: usize,
}

impl Budget {
    /// Shares out `limit`. Of the default 32 MiB: segments 12, slots 6, heap 4, queue 8, and the rest is for open batches.
    ///
    /// Batches larger than a quarter of the limit would leave too little for everything else, so they are closed earlier.
    pub(crate) fn split(limit: usize, batch_bytes: usize) -> Self {
        let batch = batch_bytes.min(limit / 4);
        let open = batch.max(limit / 16);
        let queue = (batch + OVERHEAD).max(limit / 4);
        let rest = limit.saturating_sub(open).saturating_sub(queue);
        let share = |parts: usize| (rest / 22).saturating_mul(parts);
        Self { segments: share(12), slots: share(6), heap: share(4), queue, batch }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn the_default_is_as_documented() {
        let budget = Budget::split(32 * MIB, MIB);
        let close = |bytes: usize, mib: usize| bytes.abs_diff(mib * MIB) < 64;
        assert!(close(budget.segments, 12) && close(budget.slots, 6) && close(budget.heap, 4), "{budget:?}");
        assert_eq!((budget.queue, budget.batch), (8 * MIB, MIB));
    }

    proptest! {
        #[test]
        fn shares_keep_to_the_limit_and_none_is_starved(limit in MIB..usize::MAX, batch in 1..64 * MIB) {
            let batch = batch.min(limit / 2);
            let budget = Budget::split(limit, batch);
            let open = budget.batch.max(limit / 16);
            let sum = [budget.segments, budget.slots, budget.heap, budget.queue, open].iter().fold(0_usize, |a, b| a.saturating_add(*b));
            prop_assert!(sum <= limit);
            prop_assert!(budget.batch + OVERHEAD <= budget.queue);
            prop_assert!(budget.segments >= limit / 6 && budget.slots >= limit / 12 && budget.heap >= limit / 16, "{budget:?}");
        }
    }
}
