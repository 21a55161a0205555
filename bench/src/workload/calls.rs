//! What a call of an instrumented function costs over the bare one, while its span is not recorded.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Findings, TEXT, start};
use crate::peers::none::Bare;
use crate::peers::{Batching, Peer, Recording};
use crate::process::{CALLER, OTHERS, pin};
use crate::statistics::median;

const ROUNDS: usize = 301;
/// Few enough that most rounds are not interrupted.
const CALLS: u64 = 2000;

pub(super) fn run<P: Peer>(recording: Option<Recording>, endpoint: &str) -> Result<Findings, Box<dyn Error>> {
    pin(OTHERS);
    let stop = recording.map(|recording| start::<P>(endpoint, Batching::Roomy, recording)).transpose()?;
    pin(CALLER);
    let (mut bare, mut instrumented) = (Vec::new(), Vec::new());
    // In turns, so that what drifts hits both.
    for _ in 0..ROUNDS {
        bare.push(nanoseconds(Bare::two));
        instrumented.push(nanoseconds(P::two));
    }
    let added = median(&mut instrumented) - median(&mut bare);
    let note = stop.map_or_else(String::new, |stop| stop(Duration::from_secs(1)));
    Ok(Findings { figures: vec![("added_ns", added)], made: 0, note })
}

/// For one call.
fn nanoseconds(call: fn(u64, &str)) -> f64 {
    let start = Instant::now();
    for i in 0..CALLS {
        black_box(call)(black_box(i), black_box(TEXT));
    }
    start.elapsed().as_nanos() as f64 / CALLS as f64
}
