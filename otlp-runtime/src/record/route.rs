//! Which pipeline a new trace belongs to, and whether it is sampled: what `init` and captures set, and every local root
//! reads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::callsite;

/// The route of traces that start outside of captures; 0: no pipeline is open.
static GLOBAL: AtomicU32 = AtomicU32::new(0);
/// The global pipeline's sampler; see [`Sampling`].
static SAMPLING: AtomicU64 = AtomicU64::new(0);
/// The last route given out, and how many are open.
static OPEN: Mutex<(u32, u32)> = Mutex::new((0, 0));

/// Bits of a trace id that the ratio is taken of (OpenTelemetry, TraceIdRatioBased; W3C Level 2).
const RANDOM_BITS: u64 = (1 << 56) - 1;
const PARENT_BASED: u64 = 1 << 63;
/// Set in the routes of captures.
const CAPTURE: u32 = 1 << 31;

/// Whether it is, or was, a capture's route.
#[inline]
pub(crate) fn is_capture(route: u32) -> bool {
    route & CAPTURE != 0
}

/// A sampler in one word: the lowest random bits that are sampled, and whether a remote parent decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sampling(u64);

impl Sampling {
    /// Samples the share `ratio` of traces; if `parent_based`, a trace that came from another process is sampled as it was
    /// there.
    pub(crate) fn new(ratio: f64, parent_based: bool) -> Self {
        let rejected = (1.0 - ratio.clamp(0.0, 1.0)) * (1u64 << 56) as f64;
        Self(rejected as u64 | if parent_based { PARENT_BASED } else { 0 })
    }

    /// The same with another ratio.
    pub(crate) fn with_ratio(self, ratio: f64) -> Self {
        Self::new(ratio, self.0 & PARENT_BASED != 0)
    }

    /// Decides for a local root; `remote` is the sampled flag of its remote parent.
    #[inline]
    pub(crate) fn samples(self, trace_id_low: u64, remote: Option<bool>) -> bool {
        match remote {
            Some(sampled) if self.0 & PARENT_BASED != 0 => sampled,
            _ => trace_id_low & RANDOM_BITS >= self.0 & !PARENT_BASED,
        }
    }
}

fn open(set: impl FnOnce(u32)) -> u32 {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // 0 means none; after two billion pipelines the numbers start again.
    open.0 = (open.0 + 1) % CAPTURE;
    open.0 = open.0.max(1);
    open.1 += 1;
    set(open.0);
    if open.1 == 1 {
        callsite::set_all(true);
    }
    open.0
}

fn close(unset: impl FnOnce()) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    unset();
    open.1 = open.1.saturating_sub(1);
    if open.1 == 0 {
        callsite::set_all(false);
    }
}

/// Opens the global route.
pub(crate) fn open_global(sampling: Sampling) -> u32 {
    open(|route| {
        SAMPLING.store(sampling.0, Ordering::Relaxed);
        GLOBAL.store(route, Ordering::Release);
    })
}

/// Closes the global route: no trace starts on it any more.
pub(crate) fn close_global() {
    close(|| GLOBAL.store(0, Ordering::Relaxed));
}

/// Opens a route of its own, on which everything is sampled.
#[cfg(feature = "testing")]
pub(crate) fn open_capture() -> u32 {
    open(|_| {}) | CAPTURE
}

/// Closes a capture's route.
#[cfg(feature = "testing")]
pub(crate) fn close_capture() {
    close(|| {});
}

/// The global route and its sampler.
#[inline]
pub(crate) fn global() -> (u32, Sampling) {
    (GLOBAL.load(Ordering::Acquire), Sampling(SAMPLING.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trc_ratio_decides_by_the_random_bits() {
        for (ratio, low, sampled) in [
            (1.0, 0, true),
            (0.0, u64::MAX, false),
            (0.5, 1 << 55, true),
            (0.5, (1 << 55) - 1, false),
            (0.5, 0xff << 56, false),
            (2.0, 0, true),
            (-1.0, u64::MAX, false),
        ] {
            assert_eq!(Sampling::new(ratio, true).samples(low, None), sampled, "{ratio} {low:x}");
        }
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let sampled = (0..100_000)
            .filter(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Sampling::new(0.1, false).samples(state >> 8, None)
            })
            .count();
        assert!((9_500..10_500).contains(&sampled), "{sampled}");
    }

    #[test]
    fn trc_a_remote_parent_decides_only_if_the_sampler_asks_it() {
        assert!(Sampling::new(0.0, true).samples(0, Some(true)));
        assert!(!Sampling::new(1.0, true).samples(0, Some(false)));
        assert!(Sampling::new(1.0, false).samples(0, Some(false)));
        assert!(!Sampling::new(0.0, false).samples(0, Some(true)));
    }
}
