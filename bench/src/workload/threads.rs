//! Many threads that record at once: processor time on these threads for one span. Times would hold the waiting of threads
//! for a core, of which there are fewer.

use std::error::Error;
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Duration;

use super::{Findings, LONG, TEXT, start};
use crate::peers::{Batching, Peer, Recording, SPANS};
use crate::process::thread_cpu_time;
use crate::statistics::median;

const WARM_UP: usize = 3;
const ROUNDS: usize = 15;
/// Roots of all threads in a round: 7,040 spans, which is less than the smallest queue.
const ROOTS: usize = 640;
const PAUSE: Duration = Duration::from_millis(40);

pub(super) fn run<P: Peer>(threads: usize, endpoint: &str) -> Result<Findings, Box<dyn Error>> {
    let stop = start::<P>(endpoint, Batching::Roomy, Recording::Everything)?;
    let roots = ROOTS / threads;
    let barrier = Barrier::new(threads);
    let mut rounds = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work::<P>(roots, &barrier))).collect();
        let mut sums = vec![0.0; WARM_UP + ROUNDS];
        for worker in workers {
            let times = worker.join().map_err(|_| "a recording thread panicked")?;
            sums.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
        }
        Ok::<_, Box<dyn Error>>(sums.split_off(WARM_UP))
    })?;
    let spans = (roots * threads * SPANS as usize) as f64;
    let figures = vec![("cpu_ns", median(&mut rounds) / spans)];
    let made = ((WARM_UP + ROUNDS) * roots * threads) as u64 * SPANS;
    Ok(Findings { figures, made, note: stop(LONG) })
}

/// Nanoseconds that this thread took for each round.
fn work<P: Peer>(roots: usize, barrier: &Barrier) -> Vec<f64> {
    let reading = cost_of_a_reading();
    let round = |_| {
        std::thread::sleep(PAUSE);
        barrier.wait();
        let start = thread_cpu_time();
        (0..roots as u64).for_each(|i| P::root_two(i, black_box(TEXT)));
        let time = thread_cpu_time().saturating_sub(start);
        time.as_nanos() as f64 - reading
    };
    (0..WARM_UP + ROUNDS).map(round).collect()
}

/// What two readings of the thread's clock are apart when nothing lies between them.
fn cost_of_a_reading() -> f64 {
    let apart = |_| {
        let start = thread_cpu_time();
        thread_cpu_time().saturating_sub(start).as_nanos() as f64
    };
    median(&mut (0..101).map(apart).collect::<Vec<_>>())
}
