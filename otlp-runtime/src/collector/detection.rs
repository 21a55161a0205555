//! The resource, part of which is still being found out.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::own;
use crate::config::ResourceDetectors;
use crate::data::Resource;
use crate::detect::{self, Root};
use crate::record::doze;

/// How long the first batch waits at most for the detectors.
const PATIENCE: Duration = Duration::from_secs(2);
/// The thread's name.
const THREAD: &str = "otlp-detect";

/// A pipeline's resource until its first batch is closed.
pub(super) struct Detection {
    detectors: ResourceDetectors,
    /// What is known without the detectors, and wins over them.
    known: Resource,
    /// From when on nobody waits any more; `None` until the first record.
    deadline: Option<Instant>,
    found: Arc<Found>,
}

#[derive(Default)]
struct Found {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_over: bool,
    resource: Option<Resource>,
}

/// What has come of it.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// The whole resource.
    Found(Resource),
    /// What was known has to do.
    Failed,
    /// It goes on.
    Waiting,
}

impl Detection {
    pub(super) fn new(detectors: ResourceDetectors, known: Resource) -> Self {
        Self { detectors, known, deadline: None, found: Arc::default() }
    }

    /// Starts it, with the pipeline's first record.
    pub(super) fn start(&mut self, now: Instant) {
        let detectors = self.detectors;
        self.start_with(now, move || detect::detect(detectors, &Root::system()));
    }

    fn start_with(&mut self, now: Instant, detect: impl FnOnce() -> Resource + Send + 'static) {
        if self.deadline.is_some() {
            return;
        }
        self.deadline = Some(now + PATIENCE);
        let over = SetOnDrop(Arc::clone(&self.found));
        let work = move || {
            own::mark();
            let found = detect();
            over.0.state.lock().unwrap_or_else(PoisonError::into_inner).resource = Some(found);
            drop(over);
        };
        // Without a thread, `work` is dropped, and it is over.
        let _ = std::thread::Builder::new().name(THREAD.to_owned()).spawn(work);
    }

    /// Until when an open batch may wait for it, if it goes on.
    pub(super) fn pending(&self) -> Option<Instant> {
        let is_over = self.found.state.lock().unwrap_or_else(PoisonError::into_inner).is_over;
        self.deadline.filter(|_| !is_over)
    }

    /// Waits for it, at most until `latest`.
    pub(super) fn wait(&self, latest: Instant) -> Outcome {
        let deadline = self.deadline.unwrap_or(latest);
        let left = deadline.min(latest).saturating_duration_since(Instant::now());
        let state = self.found.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.found.changed.wait_timeout_while(state, left, |state| !state.is_over);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        match state.resource.take() {
            Some(found) => Outcome::Found(self.over(found)),
            None if state.is_over || Instant::now() >= deadline => Outcome::Failed,
            None => Outcome::Waiting,
        }
    }

    /// What is known, laid over what was found (spec-checklist RES3, RES4); an empty value wins too.
    fn over(&self, found: Resource) -> Resource {
        let mut resource = self.known.clone();
        for (key, value) in found.iter().filter(|(key, _)| self.known.get(key).is_none()) {
            resource.set(key, value.clone());
        }
        resource
    }

    /// Why nothing has come of it: it goes on, or it is over, because it panicked or no thread could be started.
    pub(super) fn failure(&self) -> &'static str {
        match self.pending() {
            Some(_) => "could not be detected within 2 s",
            None => "could not be detected: that failed, or the system had no thread for it",
        }
    }
}

/// Says that the detectors are done, however they ended.
struct SetOnDrop(Arc<Found>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.0.changed.notify_all();
        // A batch that waits may go.
        doze::wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a thread it is over at once, as after a panic.
    #[test]
    fn two_seconds_are_blamed_only_if_they_were_waited_for() {
        let (release, hangs) = std::sync::mpsc::channel::<()>();
        let detection = started(move || {
            let _ = hangs.recv();
            Resource::new()
        });
        assert!(detection.failure().contains("within 2 s"), "{}", detection.failure());
        drop(release);
        let detection = started(|| panic!("on purpose"));
        while detection.pending().is_some() {
            std::thread::yield_now();
        }
        assert!(detection.failure().contains("no thread"), "{}", detection.failure());
    }

    fn known() -> Resource {
        let mut known = Resource::new();
        known.set("service.name", "shop");
        known.set("host.name", "");
        known
    }

    fn started(detect: impl FnOnce() -> Resource + Send + 'static) -> Detection {
        let mut detection = Detection::new(ResourceDetectors::ALL, known());
        assert_eq!(detection.pending(), None);
        detection.start_with(Instant::now(), detect);
        detection
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn res3_what_is_known_wins_over_what_is_found_also_if_it_is_empty() {
        let detection = started(|| {
            let mut found = Resource::new();
            found.set("host.name", "web");
            found.set("host.id", "7");
            found
        });
        let mut expected = known();
        expected.set("host.id", "7");
        assert_eq!(detection.wait(far()), Outcome::Found(expected));
        assert_eq!(detection.pending(), None);
    }

    #[test]
    fn detectors_that_hang_or_panic_are_gone_without() {
        let (release, hangs) = std::sync::mpsc::channel::<()>();
        let mut detection = started(move || {
            let _ = hangs.recv();
            Resource::new()
        });
        // Whoever has less time does not wait longer, and the next one may.
        assert_eq!(detection.wait(Instant::now()), Outcome::Waiting);
        assert!(detection.pending().is_some());
        detection.deadline = Some(Instant::now());
        assert_eq!(detection.wait(far()), Outcome::Failed);
        drop(release);

        let detection = started(|| panic!("on purpose"));
        assert_eq!(detection.wait(far()), Outcome::Failed);
    }
}
