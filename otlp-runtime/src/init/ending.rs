//! Ends that the program does not announce to us: what was recorded is delivered all the same, within a bounded time.

use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::collector::{self, SAYING};
use crate::os;
use crate::record::local;

/// The longest that the end of a process waits.
const LONGEST: Duration = Duration::from_secs(2);

/// How long it may wait, in nanoseconds.
static ALLOWED: AtomicU64 = AtomicU64::new(LONGEST.as_nanos() as u64);

fn allowed() -> Duration {
    Duration::from_nanos(ALLOWED.load(Ordering::Relaxed))
}

/// From now on the end of the process waits for what was recorded, for `timeout` or two seconds, whichever is less.
pub(super) fn watch(timeout: Duration) {
    let allowed = timeout.min(LONGEST).as_nanos();
    ALLOWED.store(u64::try_from(allowed).unwrap_or(u64::MAX), Ordering::Relaxed);
    os::exit::at_exit(at_exit);
    if cfg!(panic = "abort") {
        watch_panics();
    }
}

/// By `exit`, or by a `main` that returns while the guard lives elsewhere. With no pipeline, as in a forked child, there is
/// nothing to do; one of the engine's own threads would wait for itself, and does not wait.
fn at_exit() {
    collector::shutdown_or_say(None, allowed());
}

/// Where panics abort, no guard is dropped: the last moment is the panic hook. (`cfg!(panic)` is that of this crate; Cargo
/// builds all crates of a program with the setting of its profile.)
fn watch_panics() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    // Within a panic the hook cannot be changed.
    if thread::panicking() || ASKED.swap(true, Ordering::Relaxed) {
        return;
    }
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        // First, so that its message is there whatever comes.
        previous(panic);
        end_elsewhere();
    }));
}

/// On another thread, because this one may hold any lock, and must not wait longer than it is allowed to. That thread has
/// less time than this one waits, so that it can still say what is lost.
fn end_elsewhere() {
    if collector::is_own_thread() {
        return;
    }
    let allowed = allowed();
    let (done, ended) = mpsc::sync_channel(1);
    let end = move || {
        local::suppress();
        collector::shutdown_or_say(None, allowed.saturating_sub(SAYING.min(allowed / 4)));
        let _ = done.send(());
    };
    if os::thread::spawn("otlp-abort", end).is_ok() {
        let _ = ended.recv_timeout(allowed);
    }
}
