//! Updates that were not made, counted on the spot: both are rare.

use std::sync::atomic::{AtomicU64, Ordering};

use super::slot::Refused;

static STALE: AtomicU64 = AtomicU64::new(0);
static BUSY: AtomicU64 = AtomicU64::new(0);

/// Counts an update that was refused.
#[cold]
pub(crate) fn count(refused: Refused) {
    match refused {
        Refused::Stale => &STALE,
        Refused::Busy => &BUSY,
    }
    .fetch_add(1, Ordering::Relaxed);
}

/// Updates of spans that had ended, and updates that gave up because others kept writing to the span.
pub(crate) fn refused_updates() -> (u64, u64) {
    (STALE.load(Ordering::Relaxed), BUSY.load(Ordering::Relaxed))
}
