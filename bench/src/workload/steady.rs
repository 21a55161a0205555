//! Processor time of the whole process for one span, at a fixed rate: from the call to the socket.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Findings, LONG, TEXT};
use crate::peers::{Batching, Peer, Protocol, Recording, SPANS, Setup};
use crate::process::{cpu_time, status_mib, thread_cpu_time};

/// Spans a second.
const RATE: f64 = 100_000.0;
/// Roots made at once, about every 11 ms.
const TICK: u64 = 100;
/// For four seconds.
const TICKS: u64 = 364;

pub(super) fn run<P: Peer>(protocol: Protocol, endpoint: &str) -> Result<Findings, Box<dyn Error>> {
    let setup =
        Setup { endpoint: endpoint.to_owned(), protocol, batching: Batching::Roomy, recording: Recording::Everything };
    let stop = P::start(&setup)?;
    // What only the first span costs.
    P::root_two(0, TEXT);
    std::thread::sleep(Duration::from_millis(50));
    let (process, caller, start) = (cpu_time(), thread_cpu_time(), Instant::now());
    for tick in 1..=TICKS {
        (0..TICK).for_each(|i| P::root_two(i, black_box(TEXT)));
        let due = Duration::from_secs_f64((tick * TICK * SPANS) as f64 / RATE);
        if let Some(early) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(early);
        }
    }
    let late = start.elapsed().as_secs_f64() * RATE / (TICKS * TICK * SPANS) as f64 - 1.0;
    let caller = thread_cpu_time().saturating_sub(caller);
    let said = stop(LONG);
    let process = cpu_time().saturating_sub(process);
    let spans = (TICKS * TICK * SPANS) as f64;
    let note = if late > 0.02 { format!("{said} (the rate was {:.0} % too low)", late * 100.0) } else { said };
    let figures = vec![
        ("cpu_ns", process.as_nanos() as f64 / spans),
        ("caller_ns", caller.as_nanos() as f64 / spans),
        ("peak_mib", status_mib("VmHWM")),
    ];
    Ok(Findings { figures, made: (TICKS * TICK + 1) * SPANS, note })
}
