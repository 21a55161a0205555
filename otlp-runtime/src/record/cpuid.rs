//! What an x86-64 processor says of itself.

use core::arch::x86_64::{__cpuid, CpuidResult};

/// The answer to an extended question, from 8000_0001h on; `None`: the processor does not know it.
pub(super) fn extended(leaf: u32) -> Option<CpuidResult> {
    #[allow(unused_unsafe, reason = "safe since Rust 1.94")]
    // SAFETY: every x86_64 has the instruction.
    unsafe {
        (__cpuid(0x8000_0000).eax >= leaf).then(|| __cpuid(leaf))
    }
}
