//! What is worth a line on stderr: beginnings and ends, not every failure.

use std::time::Instant;

use crate::account::DropReason;
use crate::data::Signal;
use crate::transport::{Hop, Payload};

/// A line and its kind for the rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// The state of one pipeline's export, as its user sees it.
#[derive(Debug)]
pub(super) struct Health {
    endpoint: String,
    failing: Option<Failing>,
    /// Dropped since the last success, for each reason.
    dropped: [u64; DropReason::COUNT],
    last_note: Option<String>,
    last_error: Option<String>,
    /// No attempt has succeeded since the last failure, so that it may be why records are dropped.
    is_cause: bool,
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    attempts: u64,
}

impl Health {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            failing: None,
            dropped: [0; DropReason::COUNT],
            last_note: None,
            last_error: None,
            is_cause: false,
        }
    }

    /// Where it goes, once that is known.
    pub(super) fn set_endpoint(&mut self, endpoint: String) {
        self.endpoint = endpoint;
    }

    /// The last failure, whether or not an attempt has succeeded since.
    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.clone()
    }

    /// An attempt failed, and may succeed later.
    pub(super) fn failed(&mut self, now: Instant, cause: &str, at: Hop) -> Option<Line> {
        self.note(cause);
        if let Some(failing) = &mut self.failing {
            failing.attempts += 1;
            return None;
        }
        self.failing = Some(Failing { since: now, attempts: 1 });
        let remedy = match at {
            Hop::Proxy => {
                " Check that the proxy is there, allows CONNECT and reaches the endpoint (HTTPS_PROXY, HTTP_PROXY, `with_proxy`), \
                 or do without it (NO_PROXY, `without_proxy`)"
            }
            Hop::Receiver if self.endpoint.contains("://") => {
                " Check that an OTLP receiver listens there (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL)"
            }
            Hop::Receiver => "",
        };
        let text = format!("export to {} fails: {cause}; retrying in the background.{remedy}", self.endpoint);
        Some(Line { kind: "export failing", text })
    }

    /// The receiver refused a batch for good.
    pub(super) fn refused(&mut self, payload: &Payload, cause: &str) -> Line {
        self.note(cause);
        let (items, what) = (payload.items, plural(payload.signal));
        Line {
            kind: "export refused",
            text: format!("{} refused {items} {what}: {cause}; they are lost", self.endpoint),
        }
    }

    /// The receiver accepted a batch, perhaps not all of it.
    pub(super) fn accepted(
        &mut self,
        now: Instant,
        payload: &Payload,
        rejected: u64,
        message: Option<&str>,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        self.is_cause = false;
        if let Some(Failing { since, attempts }) = self.failing.take() {
            let (endpoint, seconds) = (&self.endpoint, now.saturating_duration_since(since).as_secs_f64());
            let text = format!("export to {endpoint} works again after {seconds:.1} s ({attempts} failed attempts)");
            lines.push(Line { kind: "export recovered", text });
        }
        let dropped: u64 = std::mem::take(&mut self.dropped).iter().sum();
        if dropped > 0 {
            let text = format!("records for {} get through again; {dropped} were dropped", self.endpoint);
            lines.push(Line { kind: "dropping ended", text });
        }
        if rejected > 0 {
            let cause = message.unwrap_or("the receiver gave no reason");
            let cause = format!("{rejected} of {} {} rejected: {cause}", payload.items, plural(payload.signal));
            lines.push(Line {
                kind: "export partly rejected",
                text: format!("{}: {cause}; they are lost", self.endpoint),
            });
            self.note(&cause);
        } else if let Some(note) = message.filter(|&note| self.last_note.as_deref() != Some(note)) {
            lines.push(Line { kind: "export warning", text: format!("{}: {note}", self.endpoint) });
            self.last_note = Some(note.to_owned());
        }
        lines
    }

    /// Records were dropped.
    pub(super) fn dropped(&mut self, reason: DropReason, items: u64) -> Line {
        let total = &mut self.dropped[reason as usize];
        *total = total.saturating_add(items);
        let cause = self
            .last_error
            .as_ref()
            .filter(|_| self.is_cause)
            .map_or_else(String::new, |e| format!("; last export error: {e}"));
        let text = format!("{total} records for {} dropped ({reason}): {}{cause}", self.endpoint, reason.remedy());
        // Each reason has its own rate limit, so that the first loss for one does not hide the first for another.
        Line { kind: reason.as_str(), text }
    }

    /// A failure that a line about dropped records will tell.
    pub(super) fn note(&mut self, cause: &str) {
        self.is_cause = true;
        self.last_error = Some(format!("{}: {cause}", self.endpoint));
    }
}

fn plural(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "spans",
        Signal::Metrics => "data points",
        Signal::Logs => "log records",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn payload() -> Payload {
        Payload { signal: Signal::Traces, body: Bytes::new(), gzip: false, items: 10 }
    }

    #[test]
    fn an_outage_is_one_line_at_its_start_and_one_at_its_end() {
        let mut health = Health::new("http://h:1".into());
        let start = Instant::now();
        assert_eq!(health.accepted(start, &payload(), 0, None), []);
        let line = health.failed(start, "connection refused", Hop::Receiver).unwrap().text;
        for part in ["http://h:1", "connection refused", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
            assert!(line.contains(part), "{line}");
        }
        assert_eq!(health.failed(start, "connection refused", Hop::Receiver), None);
        let lines = health.accepted(start + Duration::from_secs(2), &payload(), 0, None);
        assert_eq!(lines[0].text, "export to http://h:1 works again after 2.0 s (2 failed attempts)");
        assert_eq!(health.accepted(start, &payload(), 0, None), []);
        assert_eq!(health.last_error().unwrap(), "http://h:1: connection refused");
    }

    #[test]
    fn a_proxy_that_fails_is_what_there_is_to_check() {
        let mut health = Health::new("http://h:1".into());
        let line =
            health.failed(Instant::now(), "through the proxy p:1 of HTTP_PROXY: it refuses", Hop::Proxy).unwrap().text;
        for part in ["of HTTP_PROXY: it refuses", "HTTPS_PROXY", "NO_PROXY", "without_proxy"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!line.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{line}");
    }

    #[test]
    fn losses_are_told_with_their_totals_and_when_they_end() {
        let mut health = Health::new("http://h:1".into());
        let line = health.dropped(DropReason::QueueFull, 5).text;
        assert!(line.starts_with("5 records for http://h:1 dropped (queue_full)"), "{line}");
        assert!(health.dropped(DropReason::QueueFull, 6).text.starts_with("11 records"));
        health.note("connection refused");
        let line = health.dropped(DropReason::Shutdown, 1).text;
        assert!(line.starts_with("1 records") && line.contains("connection refused"), "{line}");
        let lines = health.accepted(Instant::now(), &payload(), 0, None);
        assert_eq!(lines[0].text, "records for http://h:1 get through again; 12 were dropped");
        assert_eq!(health.accepted(Instant::now(), &payload(), 0, None), []);
        // What was mended is no cause of later losses.
        let line = health.dropped(DropReason::TooLarge, 1).text;
        assert!(!line.contains("connection refused"), "{line}");
    }

    #[test]
    fn a_receivers_warning_is_not_repeated_while_it_stays_the_same() {
        let mut health = Health::new("http://h:1".into());
        let now = Instant::now();
        assert_eq!(health.accepted(now, &payload(), 0, Some("slow down")).len(), 1);
        assert_eq!(health.accepted(now, &payload(), 0, Some("slow down")).len(), 0);
        assert!(health.accepted(now, &payload(), 3, Some("slow down"))[0].text.contains("3 of 10 spans rejected"));
        assert!(health.refused(&payload(), "HTTP 400").text.contains("refused 10 spans: HTTP 400"));
    }
}
