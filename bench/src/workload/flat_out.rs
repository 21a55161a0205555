//! One thread makes spans as fast as it can, with the library's default settings.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Findings, LONG, TEXT, start};
use crate::peers::{Batching, Peer, Recording, SPANS};
use crate::process::{limit_memory, status_mib};

const TIME: Duration = Duration::from_secs(5);
/// Roots between two looks at the clock.
const ROOTS: u64 = 100;
/// Address space, for a library whose queue has no end.
const MEMORY: u64 = 16 << 30;

pub(super) fn run<P: Peer>(endpoint: &str) -> Result<Findings, Box<dyn Error>> {
    limit_memory(MEMORY);
    let stop = start::<P>(endpoint, Batching::Default, Recording::Everything)?;
    let begin = Instant::now();
    let mut roots = 0;
    while begin.elapsed() < TIME {
        (0..ROOTS).for_each(|i| P::root_two(i, black_box(TEXT)));
        roots += ROOTS;
    }
    let made = roots * SPANS;
    let made_per_second = made as f64 / begin.elapsed().as_secs_f64();
    let note = stop(LONG);
    let figures = vec![
        ("made_per_second", made_per_second),
        // What arrives is divided by it: also what is sent at the end takes its time.
        ("seconds", begin.elapsed().as_secs_f64()),
        ("peak_mib", status_mib("VmHWM")),
    ];
    Ok(Findings { figures, made, note })
}
