//! The raw clock: the processor's time stamp counter where it can be trusted, the operating system's monotonic clock
//! elsewhere. Raw readings mean nothing alone; [`super::timeline`] turns them into wall-clock time.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::os;

/// Decided once, before recording is first enabled.
static CHOICE: AtomicU8 = AtomicU8::new(OPEN);

const OPEN: u8 = 0;
const SYSTEM: u8 = 1;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
const TSC: u8 = 2;

/// A raw reading: ticks of the counter, or nanoseconds. Monotone for each thread, and across threads as far as the
/// system's clock is.
#[inline(always)]
pub(crate) fn now() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if CHOICE.load(Ordering::Relaxed) == TSC {
        // SAFETY: the instruction exists on every x86_64 and touches no memory.
        return unsafe { core::arch::x86_64::_rdtsc() };
    }
    os::clock::monotonic_nanos()
}

/// Chooses the clock. The choice is made once; a choice while spans were open would make their times meaningless.
pub(crate) fn start() {
    if CHOICE.load(Ordering::Relaxed) == OPEN {
        let choice = if tsc_is_trusted() { TSC } else { SYSTEM };
        // Whoever decides first has decided; no lock, for a forked child could wait for it for ever.
        let _ = CHOICE.compare_exchange(OPEN, choice, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The counter runs at one rate in all states of the processor, and the kernel, which has compared it across processors,
/// keeps time by it.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn tsc_is_trusted() -> bool {
    let by_kernel = std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
        .is_ok_and(|source| source.trim() == "tsc");
    by_kernel && has_invariant_tsc()
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn tsc_is_trusted() -> bool {
    false
}

/// Intel SDM vol. 3, 19.17.1 and AMD APM vol. 3: CPUID 8000_0007h, EDX bit 8.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn has_invariant_tsc() -> bool {
    super::cpuid::extended(0x8000_0007).is_some_and(|power| power.edx & 1 << 8 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_never_go_back_on_one_thread() {
        start();
        let mut last = now();
        for _ in 0..100_000 {
            let next = now();
            assert!(next >= last, "{next} after {last}");
            last = next;
        }
        assert!(os::clock::monotonic_nanos() <= os::clock::monotonic_nanos());
    }
}
