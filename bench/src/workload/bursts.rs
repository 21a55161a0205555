//! Time on the calling thread: bursts of roots, with pauses in which the library's own threads keep up. So every span can
//! arrive, and the caches are those of a program that also does other things.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::{Findings, LONG, Shape, TEXT, start};
use crate::peers::{Batching, Eight, Peer, Recording, SPANS, Wait};
use crate::process::{CALLER, OTHERS, pin};
use crate::statistics::median;

const WARM_UP: u64 = 8;
const BURSTS: u64 = 40;
/// Roots in a burst.
const ROOTS: u64 = 100;
const PAUSE: Duration = Duration::from_millis(15);

pub(super) fn run<P: Peer>(shape: Shape, recording: Recording, endpoint: &str) -> Result<Findings, Box<dyn Error>> {
    // The library's threads inherit the core, and the caller leaves it.
    pin(OTHERS);
    let stop = start::<P>(endpoint, Batching::Roomy, recording)?;
    pin(CALLER);
    let mut burst = burst::<P>(shape)?;
    let mut times = Vec::with_capacity(BURSTS as usize);
    for number in 0..WARM_UP + BURSTS {
        let from = number * ROOTS;
        let start = Instant::now();
        burst(from..from + ROOTS);
        let time = start.elapsed().as_nanos() as f64 / (ROOTS * SPANS) as f64;
        if number >= WARM_UP {
            times.push(time);
        }
        std::thread::sleep(PAUSE);
    }
    let made = if recording == Recording::Everything { (WARM_UP + BURSTS) * ROOTS * SPANS } else { 0 };
    Ok(Findings { figures: vec![("ns", median(&mut times))], made, note: stop(LONG) })
}

type Burst = Box<dyn FnMut(std::ops::Range<u64>)>;

fn burst<P: Peer>(shape: Shape) -> Result<Burst, Box<dyn Error>> {
    Ok(match shape {
        Shape::NoAttributes => Box::new(|roots| roots.for_each(|_| P::root_none())),
        Shape::TwoAttributes => Box::new(|roots| roots.for_each(|i| P::root_two(i, black_box(TEXT)))),
        Shape::EightAttributes => Box::new(|roots| roots.for_each(|i| P::root_eight(Eight::new(i)))),
        Shape::Async(wait) => {
            let runtime = Builder::new_current_thread().build()?;
            Box::new(move |roots| in_runtime::<P>(&runtime, roots, wait))
        }
    })
}

/// One `block_on` a burst, so that the runtime's own share is small.
fn in_runtime<P: Peer>(runtime: &Runtime, roots: std::ops::Range<u64>, wait: Wait) {
    runtime.block_on(async {
        for i in roots {
            P::root_async(i, black_box(TEXT), wait).await;
        }
    });
}
