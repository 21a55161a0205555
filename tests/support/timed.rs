//! How long a call took, and how much of it is this machine's doing: a promise about time can be checked on one that has other
//! things to do.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What is promised beyond a deadline (design, budgets).
const PROMISED: Duration = Duration::from_millis(50);
/// What is granted where the system does not tell for how long threads had to wait.
const UNTOLD: Duration = Duration::from_millis(500);

/// A call that has returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    pub(crate) took: Duration,
    /// For how long it may return after its deadline: what is promised, and for as long as threads of this process could run
    /// and had no core.
    pub(crate) slack: Duration,
}

/// Runs `call`, and looks at the clock right around it.
pub(crate) fn timed<R>(call: impl FnOnce() -> R) -> (R, Timed) {
    let before = waits();
    let start = Instant::now();
    let returned = call();
    let took = start.elapsed();
    let slack = match (before, waits()) {
        (Some(before), Some(after)) => PROMISED + starved(&before, &after),
        _ => UNTOLD,
    };
    (returned, Timed { took, slack })
}

/// A thread that has ended in between took its numbers along: then less is granted, never more.
fn starved(before: &HashMap<String, u64>, after: &HashMap<String, u64>) -> Duration {
    let waited = |(thread, ns): (&String, &u64)| ns.saturating_sub(before.get(thread).copied().unwrap_or(0));
    Duration::from_nanos(after.iter().map(waited).sum())
}

/// For how long each thread of this process could run and waited for a core, in ns (Linux's Documentation/scheduler/sched-stats).
fn waits() -> Option<HashMap<String, u64>> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let wait = |thread: std::io::Result<std::fs::DirEntry>| {
        let thread = thread.ok()?;
        let stat = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let ns = stat.split_whitespace().nth(1)?.parse().ok()?;
        Some((thread.file_name().to_string_lossy().into_owned(), ns))
    };
    // One that ends just now has no file any more; a system without the files gives none at all.
    Some(threads.filter_map(wait).collect::<HashMap<_, _>>()).filter(|waits| !waits.is_empty())
}
