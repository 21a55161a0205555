//! Memory that is about to be written is asked for ahead of time.
//!
//! Another core has had it last: what was in a segment the collector has read, what was in a batch the exporter has sent. So each
//! of its cache lines has to be fetched from there before it can be written, and to be owned: a prefetch for reading would fetch
//! a line that has to be fetched again.

use std::sync::atomic::{AtomicU8, Ordering};

/// Whether the processor has the instruction.
static ANSWER: AtomicU8 = AtomicU8::new(OPEN);

const OPEN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// Asks the processor, unless that was done.
pub(super) fn start() {
    if ANSWER.load(Ordering::Relaxed) == OPEN {
        ANSWER.store(if has_prefetchw() { YES } else { NO }, Ordering::Relaxed);
    }
}

/// Intel SDM vol. 2, CPUID, and AMD APM vol. 3: leaf 8000_0001h, ECX bit 8. The first 64-bit Pentium 4 has it not, and faults.
#[cfg(target_arch = "x86_64")]
fn has_prefetchw() -> bool {
    super::cpuid::extended(0x8000_0001).is_some_and(|features| features.ecx & 1 << 8 != 0)
}

#[cfg(not(target_arch = "x86_64"))]
fn has_prefetchw() -> bool {
    false
}

/// So many bytes from `from` on will be written soon. It is advice: any address will do.
#[inline(always)]
#[cfg_attr(any(not(target_arch = "x86_64"), miri), allow(unused_variables, unused_mut))]
pub(crate) fn will_write(mut from: *const u8, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if ANSWER.load(Ordering::Relaxed) == YES {
        let end = from.wrapping_add(bytes);
        while from < end {
            // SAFETY: the processor has the instruction, which changes nothing and never faults.
            unsafe {
                std::arch::asm!("prefetchw [{}]", in(reg) from.addr(), options(nomem, nostack, preserves_flags));
            }
            from = from.wrapping_add(64);
        }
    }
}
