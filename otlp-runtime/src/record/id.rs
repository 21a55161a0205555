//! Random trace and span ids (W3C Trace Context Level 2; spec-checklist TRC3), from one generator for each thread that is
//! seeded by the operating system.
//!
//! It is multiplicative congruential, with 128 bits of state of which the upper half is given out, and with a multiplier of 64
//! bits for which 32 TB of output pass PractRand 0.93 (O'Neill, "128-bit MCG Passes PractRand", pcg-random.org, 2017; known as
//! lehmer64). It takes half the instructions of xoroshiro128++. Its period is 2^126: threads that are seeded at random do not
//! meet.

use std::cell::Cell;

/// A thread's generator: its state, which is odd, or 0 until it is first used. The lower half comes first.
pub(crate) struct Generator(Cell<[u64; 2]>);

const MULTIPLIER: u64 = 0xda94_2042_e4dd_58b5;

impl Generator {
    pub(crate) const fn new() -> Self {
        Self(Cell::new([0; 2]))
    }

    /// Starts anew, with another seed: in a forked child, the old one would repeat the ids of its parent.
    pub(crate) fn reseed(&self) {
        self.0.set([0; 2]);
    }

    /// Seeds it, unless that was done.
    #[inline(always)]
    pub(crate) fn prepare(&self) {
        if self.0.get() == [0; 2] {
            self.0.set(seed());
        }
    }

    /// 64 random bits, not all zero.
    #[inline(always)]
    pub(crate) fn next(&self) -> u64 {
        self.prepare();
        self.next_prepared()
    }

    /// The same of one that was seeded.
    #[inline(always)]
    pub(crate) fn next_prepared(&self) -> u64 {
        debug_assert_ne!(self.0.get(), [0; 2]);
        let [low, high] = self.0.get();
        let state = (u128::from(high) << 64 | u128::from(low)).wrapping_mul(MULTIPLIER.into());
        let bits = (state >> 64) as u64;
        self.0.set([state as u64, bits]);
        bits.max(1)
    }
}

#[cold]
fn seed() -> [u64; 2] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // No source of randomness: the hasher's keys are the best that is left.
        use std::hash::{BuildHasher as _, Hasher as _};
        let state = std::hash::RandomState::new();
        let mut hasher = state.build_hasher();
        hasher.write_u64(u64::from(std::process::id()));
        return [hasher.finish() | 1, state.hash_one(std::thread::current().id())];
    }
    let state = u128::from_ne_bytes(bytes) | 1;
    [state as u64, (state >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From powers of the multiplier, which any arithmetic with 128 bits gives.
    #[test]
    fn it_gives_the_upper_halves_of_the_powers_of_its_multiplier() {
        let generator = Generator(Cell::new([1, 0]));
        let powers = [0xbaa0_9ca7_3f32_65b4, 0xdb76_c439_96e5_58d0, 0x5b39_42a4_2b92_b969, 0x79cb_010e_faeb_6973];
        assert_eq!(generator.next(), 1, "the upper half is zero, which is no id");
        assert_eq!(powers.map(|_| generator.next()), powers);
    }

    #[test]
    fn trc3_ids_are_random_nonzero_and_differ_between_threads() {
        let ids = || {
            let generator = Generator::new();
            (0..1000).map(|_| generator.next()).collect::<Vec<_>>()
        };
        let mut all = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ids)).collect();
            threads.into_iter().flat_map(|t| t.join().expect("no panic")).collect::<Vec<_>>()
        });
        assert!(all.iter().all(|&id| id != 0));
        let ones: u32 = all.iter().map(|id| id.count_ones()).sum();
        assert!((124_000..132_000).contains(&ones), "{ones} of 256,000 bits are set");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4000);
    }
}
