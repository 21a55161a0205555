//! When a failed batch is tried again: a pure function of what is passed in.

use std::time::{Duration, Instant};

/// A receiver's own delay is made longer by up to this share of itself, but by no more than [`MOST_SPREAD`].
const SPREAD: f64 = 0.2;
const MOST_SPREAD: Duration = Duration::from_secs(5);

/// Exponential back-off with jitter and a budget (spec-checklist EXP11, OTP9, OTP10, OTP13).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Delay after the first failure.
    pub initial: Duration,
    /// No delay of our own grows beyond this.
    pub max: Duration,
    /// Each delay is this much longer than the one before.
    pub multiplier: f64,
    /// A delay is varied by up to this share of itself in both directions. What the receiver asks for is never made
    /// shorter, and made longer by a fifth of itself and five seconds at most, so that not all who were told the same come
    /// back at once.
    pub jitter: f64,
    /// No attempt goes on for longer than this after the start of a batch's first; zero means no end.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(30),
            multiplier: 1.5,
            jitter: 0.5,
            max_elapsed: Duration::from_secs(300),
        }
    }
}

impl RetryPolicy {
    /// When to try again after `failures` failures (at least one), the first attempt having started at `first`; `None`
    /// if that would be past the budget. `after` is the receiver's own least delay, `random` is in `0..1`.
    ///
    /// What is added to the receiver's delay never goes past the budget: it costs no batch its attempt.
    pub fn next(
        &self,
        failures: u32,
        first: Instant,
        now: Instant,
        after: Option<Duration>,
        random: f64,
    ) -> Option<Instant> {
        let after = after.unwrap_or(Duration::ZERO);
        let at = now.checked_add(self.delay(failures, random).max(after))?;
        let within = self.max_elapsed.is_zero() || at.saturating_duration_since(first) <= self.max_elapsed;
        let spread = self.spread(after, random).min(self.left(first, at));
        within.then(|| at.checked_add(spread).unwrap_or(at))
    }

    /// How much later than the `after` that a receiver asked for it is asked again.
    pub(super) fn spread(&self, after: Duration, random: f64) -> Duration {
        let share = self.jitter.clamp(0.0, SPREAD) * random.clamp(0.0, 1.0);
        Duration::try_from_secs_f64(after.as_secs_f64() * share).unwrap_or(Duration::ZERO).min(MOST_SPREAD)
    }

    /// How long an attempt that starts now may take.
    pub(super) fn left(&self, first: Instant, now: Instant) -> Duration {
        let left = self.max_elapsed.saturating_sub(now.saturating_duration_since(first));
        if self.max_elapsed.is_zero() { Duration::MAX } else { left }
    }

    fn delay(&self, failures: u32, random: f64) -> Duration {
        let growth = self.multiplier.max(1.0).powi(i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX));
        let grown = Duration::try_from_secs_f64(self.initial.as_secs_f64() * growth).unwrap_or(self.max).min(self.max);
        let share = 1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        Duration::try_from_secs_f64(grown.as_secs_f64() * share).unwrap_or(grown)
    }
}

/// Numbers in `0..1` that differ between processes, so that clients do not retry in step (OTP13).
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn from_system() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(0_u8))
    }

    /// The next number (splitmix64).
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn secs(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    #[test]
    fn otp9_delays_grow_to_their_limit() {
        let policy = RetryPolicy { jitter: 0.0, ..Default::default() };
        let delays: Vec<_> = (1..=12).map(|n| policy.delay(n, 0.3)).collect();
        assert_eq!(delays[..4], [secs(1.0), secs(1.5), secs(2.25), secs(3.375)]);
        assert!(delays.is_sorted());
        assert_eq!(delays[11], secs(30.0));
        assert_eq!(policy.delay(u32::MAX, 0.5), secs(30.0));
    }

    #[test]
    fn otp10_the_receivers_delay_is_a_floor_and_the_budget_a_ceiling() {
        let policy = RetryPolicy { jitter: 0.0, ..Default::default() };
        let first = Instant::now();
        let now = first + secs(10.0);
        assert_eq!(policy.next(1, first, now, Some(secs(20.0)), 0.5), Some(now + secs(20.0)));
        assert_eq!(policy.next(1, first, now, Some(secs(0.5)), 0.5), Some(now + secs(1.0)));
        assert_eq!(policy.next(1, first, now, Some(secs(290.0)), 0.5), Some(first + secs(300.0)));
        assert_eq!(policy.next(1, first, now, Some(secs(290.1)), 0.5), None);
        assert_eq!(policy.next(1, first, now, Some(Duration::MAX), 0.5), None);
        assert_eq!(policy.next(1, first, first + secs(300.0), None, 0.5), None);
        let endless = RetryPolicy { max_elapsed: Duration::ZERO, ..policy };
        assert!(endless.next(1, first, first + secs(1e6), None, 0.5).is_some());
        assert_eq!((policy.left(first, now), endless.left(first, now)), (secs(290.0), Duration::MAX));
        assert_eq!(policy.left(first, first + secs(301.0)), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn otp13_jitter_stays_within_its_share(failures in 1..40_u32, random in 0.0..1.0_f64) {
            let policy = RetryPolicy::default();
            let plain = RetryPolicy { jitter: 0.0, ..policy }.delay(failures, random).as_secs_f64();
            let delay = policy.delay(failures, random).as_secs_f64();
            prop_assert!((0.499 * plain..=1.501 * plain).contains(&delay));
        }

        #[test]
        fn otp13_a_receivers_delay_is_spread_but_never_cut_nor_at_the_cost_of_an_attempt(
            after in 0..400_000_u64, random in 0.0..1.0_f64, gone in 0..300_u64,
        ) {
            let (policy, after) = (RetryPolicy::default(), Duration::from_millis(after));
            let first = Instant::now();
            let now = first + Duration::from_secs(gone);
            let at = |random| policy.next(1, first, now, Some(after), random);
            let plain = RetryPolicy { jitter: 0.0, ..policy }.next(1, first, now, Some(after), random);
            if let Some(at) = at(random) {
                let longest = (after.mul_f64(0.2).min(secs(5.0)) + after).max(secs(1.5) + after.mul_f64(0.2));
                prop_assert!(at >= now + after && at <= (now + longest + secs(0.001)).min(first + policy.max_elapsed));
            }
            if after >= secs(1.5) {
                prop_assert_eq!(at(random).is_some(), plain.is_some());
                let has_room = now + after.mul_f64(1.2) < first + policy.max_elapsed;
                prop_assert!(!has_room || at(0.9) > at(0.1));
            }
        }

        #[test]
        fn no_settings_make_it_panic(
            initial in any::<u64>(), max in any::<u64>(), multiplier in any::<f64>(), jitter in any::<f64>(),
            failures in any::<u32>(), random in any::<f64>(), after in any::<Option<u64>>(),
        ) {
            let policy = RetryPolicy {
                initial: Duration::from_millis(initial), max: Duration::from_millis(max), multiplier, jitter,
                max_elapsed: Duration::ZERO,
            };
            let now = Instant::now();
            let _ = policy.next(failures, now, now, after.map(Duration::from_millis), random);
        }
    }

    #[test]
    fn random_numbers_lie_between_zero_and_one_and_differ() {
        let mut jitter = Jitter(7);
        let numbers: Vec<f64> = (0..1000).map(|_| jitter.next()).collect();
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        let mean = numbers.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
