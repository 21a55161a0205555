//! How the collector waits, and how it is woken.
//!
//! While it sleeps for a few milliseconds nobody needs to wake it. Only when it has parked, because nothing was recorded
//! for a while, does the next record pay for an `unpark` (about 12 microseconds), once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::Thread;
use std::time::Duration;

use super::sync::{heavy_barrier, light_barrier};
use crate::os::fork::PerProcess;

const AWAKE: u8 = 0;
/// Wakes by itself.
const ASLEEP: u8 = 1;
/// Waits for a record.
const PARKED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(AWAKE);
static COLLECTOR: PerProcess<OnceLock<Thread>> = PerProcess::new(OnceLock::new(), |_| OnceLock::new());

/// How often a parked collector looks if the system has no process-wide barrier to make parking safe.
#[cfg_attr(target_os = "linux", allow(dead_code))]
const LOOK: Duration = Duration::from_millis(50);

/// The calling thread is the collector.
pub(crate) fn adopt() {
    let _ = COLLECTOR.get().set(std::thread::current());
}

/// In a forked child, which has no collector.
pub(super) fn forget() {
    STATE.store(AWAKE, Ordering::Relaxed);
}

/// Sleeps for at most `time`.
pub(crate) fn sleep(time: Duration) {
    STATE.store(ASLEEP, Ordering::Relaxed);
    std::thread::park_timeout(time);
    STATE.store(AWAKE, Ordering::Relaxed);
}

/// Waits until something is recorded or [`wake`] is called. `found_work` looks once more after producers have been told
/// to wake us: either it sees their record, or they see that we are parked.
pub(crate) fn park(found_work: impl FnOnce() -> bool) {
    STATE.store(PARKED, Ordering::SeqCst);
    let safe = heavy_barrier();
    if !found_work() {
        if safe {
            std::thread::park();
        } else {
            std::thread::park_timeout(LOOK);
        }
    }
    STATE.store(AWAKE, Ordering::Relaxed);
}

/// Wakes the collector, whatever it waits for.
pub(crate) fn wake() {
    STATE.store(AWAKE, Ordering::Relaxed);
    if let Some(collector) = COLLECTOR.get().get() {
        collector.unpark();
    }
}

/// After a record was published: wakes the collector if it has parked.
#[inline(always)]
pub(crate) fn published() {
    light_barrier();
    if STATE.load(Ordering::Relaxed) == PARKED {
        wake_once(PARKED);
    }
}

/// A log grows faster than the collector's sleep allows for.
#[cold]
pub(crate) fn growing() {
    wake_once(ASLEEP);
}

#[cold]
fn wake_once(from: u8) {
    if STATE.compare_exchange(from, AWAKE, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        && let Some(collector) = COLLECTOR.get().get()
    {
        collector.unpark();
    }
}
