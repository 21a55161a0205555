//! The raw clock.

use std::sync::OnceLock;
use std::time::Instant;

/// The raw clock now, in nanoseconds since its first reading.
pub(crate) fn now() -> u64 {
    static BASE: OnceLock<Instant> = OnceLock::new();
    BASE.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
