//! SIGTERM, for programs that ask for it: what was recorded is delivered, then the signal takes its course.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::collector;
use crate::error::OtlpError;
use crate::os;
use crate::os::signal::{self, Fate};
use crate::record::local;

/// The name of the thread that waits for the signal.
const THREAD: &str = "otlp-signal";

/// How long the signal may be held up, in nanoseconds.
static ALLOWED: AtomicU64 = AtomicU64::new(0);

/// From now on SIGTERM is held up until what was recorded has arrived, for `timeout` at most.
pub(super) fn watch(timeout: Duration) -> Result<(), OtlpError> {
    ALLOWED.store(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    let failed = |source| OtlpError::Thread { name: THREAD, source };
    let Some(sigterm) = signal::prepare().map_err(failed)? else { return Ok(()) };
    let (ready, armed) = sigterm.into_parts();
    let waits = move || {
        local::suppress();
        if let Some(fate) = ready.wait() {
            end(fate);
            signal::pass_on();
        }
    };
    os::thread::spawn(THREAD, waits).map_err(failed)?;
    armed.arm().map_err(failed)
}

/// A process that goes on has its own way to end, which must find telemetry running.
fn end(fate: Fate) {
    let allowed = Duration::from_nanos(ALLOWED.load(Ordering::Relaxed));
    match fate {
        Fate::Ends => {
            collector::shutdown_or_say(None, allowed);
        }
        // What is still to come is said by the exporter, which goes on.
        Fate::Handled => drop(collector::flush(allowed)),
    }
}
