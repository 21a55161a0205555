//! What is counted on the spot because it is rare: updates that were not made, and panics of a sampler.

use std::sync::atomic::{AtomicU64, Ordering};

use super::slot::Refused;

static STALE: AtomicU64 = AtomicU64::new(0);
static BUSY: AtomicU64 = AtomicU64::new(0);
static SAMPLER_PANICS: AtomicU64 = AtomicU64::new(0);

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

/// Counts a panic of the program's own sampler.
#[cold]
pub(crate) fn sampler_panicked() {
    SAMPLER_PANICS.fetch_add(1, Ordering::Relaxed);
}

/// Spans that were not recorded because the sampler panicked.
pub(crate) fn sampler_panics() -> u64 {
    SAMPLER_PANICS.load(Ordering::Relaxed)
}
