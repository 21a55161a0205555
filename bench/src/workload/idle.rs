//! What a thread keeps resident that has recorded once and now waits.

use std::error::Error;
use std::sync::Barrier;
use std::time::Duration;

use super::{Findings, LONG, TEXT, start};
use crate::peers::{Batching, Peer, Recording, SPANS};
use crate::process::status_mib;

const THREADS: usize = 1000;
/// Threads that record at about the same time, so that no queue is too short.
const WAVE: usize = 100;
const BETWEEN_WAVES: Duration = Duration::from_millis(50);
/// Longer than any library waits before it sends.
const SENT: Duration = Duration::from_millis(1200);

pub(super) fn run<P: Peer>(endpoint: &str) -> Result<Findings, Box<dyn Error>> {
    let stop = start::<P>(endpoint, Batching::Roomy, Recording::Everything)?;
    // What the process needs once.
    (0..WAVE as u64).for_each(|i| P::root_two(i, TEXT));
    std::thread::sleep(SENT);
    let steps = Barrier::new(THREADS + 1);
    let thread = |number: usize| {
        steps.wait();
        steps.wait();
        std::thread::sleep(BETWEEN_WAVES * (number / WAVE) as u32);
        P::root_two(number as u64, TEXT);
        steps.wait();
        steps.wait();
    };
    let added = std::thread::scope(|scope| {
        for number in 0..THREADS {
            let thread = &thread;
            scope.spawn(move || thread(number));
        }
        steps.wait();
        let before = status_mib("VmRSS");
        steps.wait();
        steps.wait();
        std::thread::sleep(SENT);
        let added = status_mib("VmRSS") - before;
        steps.wait();
        added
    });
    let figures = vec![("kib", added * 1024.0 / THREADS as f64)];
    Ok(Findings { figures, made: (WAVE + THREADS) as u64 * SPANS, note: stop(LONG) })
}
