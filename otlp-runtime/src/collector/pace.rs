//! How long the collector waits between two passes: a pure function of what the passes found.

use std::time::Duration;

/// A pass that finds fewer records could have come later, one that finds more should have come earlier.
const FEW: u64 = 512;
const MANY: u64 = 2048;
/// A pass that finds so many is followed by the next at once: the logs fill faster than a wait allows for.
const FLOOD: u64 = 8192;
/// Passes in a row without a record after which the collector parks. They take a second or two: until then the logs of idle threads give their segments back.
const IDLE_PASSES: u32 = 40;

/// What to do after a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The next pass at once.
    None,
    /// The next pass after this time.
    Sleep(Duration),
    /// Nothing is going on: wait until somebody records or asks for something.
    Park,
}

/// Adapts the wait to the load.
#[derive(Debug)]
pub(super) struct Pace {
    delay: Duration,
    idle: u32,
}

impl Pace {
    /// The least and the longest wait between two passes while something is going on.
    pub(super) const SHORTEST: Duration = Duration::from_millis(5);
    pub(super) const LONGEST: Duration = Duration::from_millis(50);

    pub(super) fn new() -> Self {
        Self { delay: Self::SHORTEST, idle: 0 }
    }

    /// After a pass that found `records`.
    pub(super) fn after(&mut self, records: u64) -> Rest {
        self.idle = if records == 0 { self.idle.saturating_add(1) } else { 0 };
        self.delay = match records {
            ..FEW => self.delay.saturating_mul(2).min(Self::LONGEST),
            MANY.. => (self.delay / 2).max(Self::SHORTEST),
            _ => self.delay,
        };
        match records {
            FLOOD.. => Rest::None,
            _ if self.idle >= IDLE_PASSES => Rest::Park,
            _ => Rest::Sleep(self.delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_steady_load_gets_a_steady_wait_that_suits_it() {
        for (per_milli, expected) in [(1, 50), (10, 50), (100, 12), (1000, 5)] {
            let mut pace = Pace::new();
            let mut delay = Duration::from_millis(50);
            for _ in 0..20 {
                delay = match pace.after(per_milli * delay.as_millis() as u64) {
                    Rest::Sleep(next) => next,
                    Rest::None | Rest::Park => Duration::from_millis(1),
                };
            }
            let allowed = expected as u128 / 2..=expected as u128 * 2;
            assert!(allowed.contains(&delay.as_millis()), "{per_milli}: {delay:?}");
        }
    }

    #[test]
    fn silence_ends_in_parking_and_a_record_ends_the_silence() {
        let mut pace = Pace::new();
        let rests: Vec<Rest> = (0..IDLE_PASSES).map(|_| pace.after(0)).collect();
        assert_eq!(rests.iter().position(|rest| *rest == Rest::Park), Some(rests.len() - 1));
        assert_eq!(pace.after(1), Rest::Sleep(Pace::LONGEST));
        assert_eq!(pace.after(FLOOD), Rest::None);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(loads in prop::collection::vec(0..20_000_u64, 1..100)) {
            let mut pace = Pace::new();
            for records in loads {
                if let Rest::Sleep(delay) = pace.after(records) {
                    prop_assert!((Pace::SHORTEST..=Pace::LONGEST).contains(&delay));
                }
            }
        }
    }
}
