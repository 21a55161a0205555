//! Failures visible without any set-up: one rate-limited line on stderr for each kind of event.
//!
//! Each line has a level, and OTEL_LOG_LEVEL says which levels appear.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::os::stderr;

/// At most one line for each kind in this time.
const INTERVAL: Duration = Duration::from_secs(10);

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Severity {
    /// Something is lost, or fails.
    Error = 1,
    /// Something is set or used wrongly.
    Warn = 2,
    /// Something works again.
    Info = 3,
}

impl Severity {
    /// That of a kind of lines; what no list has is an error.
    fn of(kind: &str) -> Self {
        match kind {
            "export recovered" | "dropping ended" | "loss ended" => Self::Info,
            "export warning" | "guard dropped at once" | "span limits" => Self::Warn,
            _ => Self::Error,
        }
    }
}

/// The highest severity that appears, as a number; 0: none does.
static VERBOSITY: AtomicU8 = AtomicU8::new(Severity::Info as u8);

fn is_heard(severity: Severity) -> bool {
    severity as u8 <= VERBOSITY.load(Ordering::Relaxed)
}

/// Which lines appear about one configuration, which may not be the one that the process runs with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice(u8);

impl Voice {
    /// Lines up to `most`; `None`: none.
    pub(crate) fn up_to(most: Option<Severity>) -> Self {
        Self(most.map_or(0, |most| most as u8))
    }

    /// What the process runs with.
    pub(crate) fn of_process() -> Self {
        Self(VERBOSITY.load(Ordering::Relaxed))
    }

    /// From now on this is what the process runs with.
    #[cfg(feature = "export")]
    pub(crate) fn adopt(self) {
        VERBOSITY.store(self.0, Ordering::Relaxed);
    }

    /// Says a line that no rate limit holds back.
    pub(crate) fn say(self, severity: Severity, line: &str) {
        if severity as u8 <= self.0 {
            write(line);
        }
    }
}

/// A rate-limited writer of lines to stderr; lines kept back are counted in the next that appears.
#[derive(Debug, Default)]
pub struct Report(Mutex<Vec<Kind>>);

#[derive(Debug)]
struct Kind {
    name: &'static str,
    last: Instant,
    kept_back: u64,
    /// The latest line kept back that is to be said at the end.
    later: Option<String>,
}

impl Report {
    /// A writer that has said nothing yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Says `line` unless `kind` spoke less than ten seconds ago.
    pub fn say(&self, kind: &'static str, line: impl FnOnce() -> String) {
        let severity = Severity::of(kind);
        if !is_heard(severity) {
            return;
        }
        if let Some(kept_back) = self.admit(kind, Instant::now()) {
            say_after(severity, &line(), kept_back);
        }
    }

    /// The same for a line that [`finish`](Self::finish) says if it is the latest of its kind that was kept back: it may hold
    /// the total.
    pub fn say_or_keep(&self, kind: &'static str, line: String) {
        let severity = Severity::of(kind);
        if !is_heard(severity) {
            return;
        }
        match self.admit(kind, Instant::now()) {
            Some(kept_back) => say_after(severity, &line, kept_back),
            None => self.kinds().iter_mut().filter(|k| k.name == kind).for_each(|k| k.later = Some(line.clone())),
        }
    }

    /// Says what was kept: no more lines are to come.
    pub fn finish(&self) {
        for kind in self.kinds().iter_mut() {
            let kept_back = std::mem::take(&mut kind.kept_back);
            if let Some(line) = kind.later.take() {
                say_after(Severity::of(kind.name), &line, kept_back.saturating_sub(1));
            }
        }
    }

    fn kinds(&self) -> MutexGuard<'_, Vec<Kind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Some(lines kept back since the last)` if a line of `kind` may appear at `now`.
    fn admit(&self, kind: &'static str, now: Instant) -> Option<u64> {
        let mut kinds = self.kinds();
        match kinds.iter_mut().find(|k| k.name == kind) {
            Some(k) if now.saturating_duration_since(k.last) < INTERVAL => {
                k.kept_back += 1;
                None
            }
            Some(k) => {
                k.last = now;
                k.later = None;
                Some(std::mem::take(&mut k.kept_back))
            }
            None => {
                kinds.push(Kind { name: kind, last: now, kept_back: 0, later: None });
                Some(0)
            }
        }
    }
}

fn say_after(severity: Severity, line: &str, kept_back: u64) {
    match kept_back {
        0 => say_at(severity, line),
        1 => say_at(severity, &format!("{line} (1 similar line kept back)")),
        _ => say_at(severity, &format!("{line} ({kept_back} similar lines kept back)")),
    }
}

/// Says one line that no rate limit holds back.
fn say_at(severity: Severity, line: &str) {
    if is_heard(severity) {
        write(line);
    }
}

/// It is one `write`, so that lines of several processes do not mix. A closed or full stderr loses the line, and nobody
/// waits for it.
fn write(line: &str) {
    if !stderr::is_ready() {
        return;
    }
    let mut text = format!("otlp: {line}");
    if text.len() >= stderr::LINE {
        let end = (0..=stderr::LINE - 4).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or_default());
        text.push_str("...");
    }
    text.push('\n');
    stderr::write(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_speaks_once_an_interval_and_counts_what_it_kept_back() {
        let report = Report::new();
        let start = Instant::now();
        assert_eq!(report.admit("a", start), Some(0));
        assert_eq!(report.admit("a", start + Duration::from_secs(1)), None);
        assert_eq!(report.admit("b", start + Duration::from_secs(1)), Some(0));
        assert_eq!(report.admit("a", start + Duration::from_secs(2)), None);
        assert_eq!(report.admit("a", start + INTERVAL), Some(2));
    }
}
