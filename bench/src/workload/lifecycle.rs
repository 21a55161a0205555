//! How long it takes to start, and to end with 1,100 spans just made.

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use super::{Findings, Receiver, TEXT, start};
use crate::peers::{Batching, Peer, Recording, SPANS};

const ROOTS: u64 = 100;
/// What `shutdown` is given, where it can be given something.
const DEADLINE: Duration = Duration::from_secs(1);

pub(super) fn run<P: Peer>(receiver: Receiver, live: &str) -> Result<Findings, Box<dyn Error>> {
    let endpoint = match receiver {
        Receiver::Live => live.to_owned(),
        Receiver::Refused => format!("http://{}", TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?),
        Receiver::BlackHole => black_hole()?,
    };
    let (started, init) = timed(|| start::<P>(&endpoint, Batching::Default, Recording::Everything));
    let stop = started?;
    let ((), first) = timed(|| P::root_two(0, TEXT));
    (1..ROOTS).for_each(|i| P::root_two(i, TEXT));
    let (note, shutdown) = timed(|| stop(DEADLINE));
    let figures = vec![("init_ms", init), ("first_ms", first), ("shutdown_ms", shutdown)];
    Ok(Findings { figures, made: ROOTS * SPANS, note })
}

/// In milliseconds.
fn timed<R>(work: impl FnOnce() -> R) -> (R, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64() * 1e3)
}

/// Accepts connections, and does nothing with them until the process ends.
fn black_hole() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            held.push(stream);
        }
    });
    Ok(endpoint)
}
