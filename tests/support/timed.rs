//! How long a call took, and how much of it is this machine's doing: a promise about time can be checked on one that has other
//! things to do.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is promised beyond a deadline (design, budgets).
const PROMISED: Duration = Duration::from_millis(50);
/// What is granted where the system does not tell for how long threads had to wait.
const UNTOLD: Duration = Duration::from_millis(500);

/// A call that has returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    pub(crate) took: Duration,
    /// For how long it may return after its deadline: what is promised, and for as long as its thread could run and had no core.
    /// No other thread has to get its turn for a call to give up.
    pub(crate) slack: Duration,
    /// For how long all threads of the process could run and had no core: what they do together may take longer by that.
    pub(crate) starved: Duration,
}

/// Runs `call`, and looks at the clock right around it.
pub(crate) fn timed<R>(call: impl FnOnce() -> R) -> (R, Timed) {
    let (all_before, own_before) = (waits_of_all(), waits("/proc/thread-self"));
    let start = Instant::now();
    let returned = call();
    let took = start.elapsed();
    let (own, all) = (waits("/proc/thread-self"), waits_of_all());
    let timed = match own_before.zip(own) {
        Some((before, after)) => {
            let slack = PROMISED + Duration::from_nanos(after - before);
            Timed { took, slack, starved: starved(&all_before, &all) }
        }
        None => Timed { took, slack: UNTOLD, starved: UNTOLD },
    };
    (returned, timed)
}

/// A thread that has ended in between took its number along: then less is granted, never more.
fn starved(before: &HashMap<PathBuf, u64>, after: &HashMap<PathBuf, u64>) -> Duration {
    let waited = |(thread, ns): (&PathBuf, &u64)| ns.saturating_sub(before.get(thread).copied().unwrap_or(0));
    Duration::from_nanos(after.iter().map(waited).sum())
}

/// For how long a thread could run and waited for a core, in ns (Linux's Documentation/scheduler/sched-stats). A system that does
/// not tell has no such file, and neither has a thread that has ended.
fn waits(thread: impl AsRef<Path>) -> Option<u64> {
    let stat = std::fs::read_to_string(thread.as_ref().join("schedstat")).ok()?;
    stat.split_whitespace().nth(1)?.parse().ok()
}

fn waits_of_all() -> HashMap<PathBuf, u64> {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten().map(|thread| thread.path());
    threads.filter_map(|thread| waits(&thread).map(|ns| (thread, ns))).collect()
}
