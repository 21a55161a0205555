//! The orderly end of the process.

use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static LAST: OnceLock<fn()> = OnceLock::new();

/// Has `last` called when the process ends by `exit` or by returning from `main`; not by `_exit`, `abort` or a signal. The
/// first call counts. A forked child inherits it.
pub(crate) fn at_exit(last: fn()) {
    // Asked first, so that a forked child never waits for a thread that it does not have.
    static ASKED: AtomicBool = AtomicBool::new(false);
    if ASKED.swap(true, Ordering::Relaxed) {
        return;
    }
    let _ = LAST.set(last);
    #[cfg(unix)]
    // SAFETY: the function lives as long as the program; in a library that is unloaded, it is called then.
    let _ = unsafe { libc::atexit(run) };
}

#[cfg_attr(not(unix), allow(dead_code))]
extern "C" fn run() {
    if let Some(last) = LAST.get() {
        let _ = catch_unwind(last);
    }
}
