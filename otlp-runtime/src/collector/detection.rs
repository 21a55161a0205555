//! The resource, part of which is still being found out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::own;
use crate::config::ResourceDetectors;
use crate::data::Resource;
use crate::detect::{self, Root};
use crate::error::OtlpError;
use crate::os;
use crate::record::doze;

/// How long a batch that has room waits at most for the detectors, from the first record on.
const PATIENCE: Duration = Duration::from_secs(2);
/// The thread's name.
const THREAD: &str = "otlp-detect";

/// Finds something out.
type Detect = Box<dyn FnOnce() -> Resource + Send>;

/// A pipeline's resource until it is known what the detectors have to say. Whoever asks never waits.
pub(super) struct Detection {
    /// What is to be done; `None` once it has been started.
    detect: Option<Detect>,
    /// What is known without the detectors, and wins over them.
    known: Resource,
    /// From when on nobody waits any more; `None` until the first record.
    deadline: Option<Instant>,
    found: Arc<Found>,
}

/// Locked for a moment only.
#[derive(Default)]
struct Found(Mutex<State>);

#[derive(Default)]
struct State {
    is_over: bool,
    resource: Option<Resource>,
}

impl Found {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has come of it.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// The whole resource, and what is to be said if it follows no single schema.
    Found(Resource, Option<String>),
    /// What was known has to do.
    Failed,
    /// It goes on.
    Waiting,
}

impl Detection {
    pub(super) fn new(detectors: ResourceDetectors, known: Resource) -> Self {
        Self::by(known, move || detect::detect(detectors, &Root::system()))
    }

    /// One that finds out what `detect` does.
    pub(super) fn by(known: Resource, detect: impl FnOnce() -> Resource + Send + 'static) -> Self {
        Self { detect: Some(Box::new(detect)), known, deadline: None, found: Arc::default() }
    }

    /// Starts it, with the pipeline's first record.
    pub(super) fn start(&mut self, now: Instant) {
        let Some(detect) = self.detect.take() else { return };
        self.deadline = Some(now + PATIENCE);
        let over = SetOnDrop(Arc::clone(&self.found));
        let work = move || {
            own::mark();
            let found = detect();
            over.0.state().resource = Some(found);
            drop(over);
        };
        // Without a thread, `work` is dropped, and it is over.
        let _ = os::thread::spawn(THREAD, work);
    }

    /// Until when an open batch may wait for it, if it goes on.
    pub(super) fn pending(&self) -> Option<Instant> {
        self.deadline.filter(|_| !self.found.state().is_over)
    }

    /// What has come of it by `now`.
    pub(super) fn outcome(&self, now: Instant) -> Outcome {
        let mut state = self.found.state();
        match state.resource.take() {
            Some(found) => self.over(found),
            None if state.is_over || self.deadline.is_some_and(|deadline| deadline <= now) => Outcome::Failed,
            None => Outcome::Waiting,
        }
    }

    /// What is known, laid over what was found (spec-checklist RES3, RES4); an empty value wins too.
    fn over(&self, mut resource: Resource) -> Outcome {
        let conflict = resource.merge(self.known.clone()).err();
        Outcome::Found(resource, conflict.map(conflict_line))
    }

    /// Why nothing has come of it: it goes on, or it is over, because it panicked or no thread could be started.
    pub(super) fn failure(&self) -> &'static str {
        match self.pending() {
            Some(_) => "could not be detected within 2 s",
            None => "could not be detected: that failed, or the system had no thread for it",
        }
    }
}

/// What stderr says of schemas that do not agree (spec-checklist RES5).
fn conflict_line(error: OtlpError) -> String {
    let OtlpError::SchemaConflict { old, updating } = error else { return error.to_string() };
    format!(
        "resource: the detected attributes follow the schema {old}, and those set in code {updating}; all are sent, without a \
         schema URL: write `with_schema_url(otlp::SCHEMA_URL)` or none, or leave the detectors out \
         (`with_resource_detectors`, OTLP_RESOURCE_DETECTORS)"
    )
}

/// Says that the detectors are done, however they ended.
struct SetOnDrop(Arc<Found>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        // A batch that waits may go.
        doze::wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SCHEMA_URL;

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
        let mut detection = Detection::by(known(), detect);
        assert_eq!(detection.pending(), None);
        detection.start(Instant::now());
        detection
    }

    fn until_over(detection: &Detection) {
        while detection.pending().is_some() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn res3_what_is_known_wins_over_what_is_found_also_if_it_is_empty() {
        let detection = started(|| {
            let mut found = Resource::new();
            found.set("host.name", "web");
            found.set("host.id", "7");
            found
        });
        let mut expected = Resource::new();
        for (key, value) in [("host.name", ""), ("host.id", "7"), ("service.name", "shop")] {
            expected.set(key, value);
        }
        until_over(&detection);
        assert_eq!(detection.outcome(Instant::now()), Outcome::Found(expected, None));
    }

    /// RES3, RES5: nothing is lost but the URL, and the line says what to do.
    #[test]
    fn res5_schemas_that_do_not_agree_are_a_line_that_names_both() {
        const OWN: &str = "https://example.com/schemas/1.0.0";
        for (known_url, found_url, expected) in [
            (None, None, Ok(None)),
            (Some(OWN), None, Ok(Some(OWN))),
            (None, Some(SCHEMA_URL), Ok(Some(SCHEMA_URL))),
            (Some(SCHEMA_URL), Some(SCHEMA_URL), Ok(Some(SCHEMA_URL))),
            (Some(OWN), Some(SCHEMA_URL), Err([OWN, SCHEMA_URL, "otlp::SCHEMA_URL", "OTLP_RESOURCE_DETECTORS"])),
        ] {
            let of = |url: Option<&str>, resource: Resource| match url {
                Some(url) => resource.with_schema_url(url),
                None => resource,
            };
            let mut found = of(found_url, Resource::new());
            found.set("host.id", "7");
            let detection = Detection::by(of(known_url, known()), Resource::new);
            let Outcome::Found(resource, line) = detection.over(found) else { panic!() };
            assert_eq!(resource.iter().count(), 3, "{resource:?}");
            assert_eq!(resource.schema_url(), expected.unwrap_or_default());
            match (line, expected) {
                (None, Ok(_)) => {}
                (Some(line), Err(parts)) => assert!(parts.iter().all(|part| line.contains(part)), "{line}"),
                (line, _) => panic!("{line:?}"),
            }
        }
    }

    #[test]
    fn detectors_that_hang_or_panic_are_gone_without() {
        let (release, hangs) = std::sync::mpsc::channel::<()>();
        let start = Instant::now();
        let detection = started(move || {
            let _ = hangs.recv();
            Resource::new()
        });
        assert_eq!(detection.outcome(start), Outcome::Waiting);
        assert!(detection.pending().is_some());
        assert_eq!(detection.outcome(Instant::now() + PATIENCE), Outcome::Failed);
        drop(release);

        let detection = started(|| panic!("on purpose"));
        until_over(&detection);
        assert_eq!(detection.outcome(start), Outcome::Failed);
    }
}
