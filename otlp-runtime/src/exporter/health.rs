//! What is worth a line on stderr: beginnings and ends, not every failure.

use std::time::Instant;

use crate::account::DropReason;
use crate::data::Signal;
use crate::exporter::Batch;
use crate::transport::Hop;

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
    /// What cost records last, and the latest batch that anything has cost.
    loss: Option<(u64, String)>,
}

/// The time between two successes, with a failure in it.
#[derive(Debug)]
struct Failing {
    since: Instant,
    attempts: u64,
    /// Items that the receiver refused for good.
    refused: u64,
    /// It was said that attempts fail, and are made again.
    is_told: bool,
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
            loss: None,
        }
    }

    /// Where it goes, once that is known.
    pub(super) fn set_endpoint(&mut self, endpoint: String) {
        self.endpoint = endpoint;
    }

    /// The last failure of an attempt; it says so if one has succeeded since.
    pub(super) fn last_error(&self) -> Option<String> {
        let since = if self.is_cause { "" } else { "; an export has succeeded since" };
        self.last_error.as_ref().map(|error| format!("{error}{since}"))
    }

    /// What cost records last, if it was what an attempt ended with, and records of the batch `from` or of later ones.
    pub(super) fn loss_error(&self, from: u64) -> Option<String> {
        self.loss.as_ref().filter(|(seq, _)| *seq >= from).map(|(_, error)| error.clone())
    }

    fn lost(&mut self, seq: u64, error: String) {
        let latest = self.loss.as_ref().map_or(seq, |(latest, _)| seq.max(*latest));
        self.loss = Some((latest, error));
    }

    /// An attempt failed, and may succeed later.
    pub(super) fn failed(&mut self, now: Instant, cause: &str, at: Hop) -> Option<Line> {
        self.note(cause);
        if std::mem::replace(&mut self.failing(now).is_told, true) {
            return None;
        }
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

    /// One more attempt failed.
    fn failing(&mut self, now: Instant) -> &mut Failing {
        let failing = self.failing.get_or_insert(Failing { since: now, attempts: 0, refused: 0, is_told: false });
        failing.attempts += 1;
        failing
    }

    /// The receiver refused a batch for good. The line tells the total since it accepted one.
    pub(super) fn refused(&mut self, now: Instant, batch: &Batch, cause: &str) -> Line {
        let Batch { seq, payload } = batch;
        self.note(cause);
        self.lost(*seq, self.told(cause));
        let refused = &mut self.failing(now).refused;
        *refused = refused.saturating_add(payload.items);
        let text = format!("refused {refused} {}: {cause}; they are lost", plural(payload.signal));
        Line { kind: "export refused", text: format!("{} {text}", self.endpoint) }
    }

    /// The receiver accepted a batch, perhaps not all of it.
    pub(super) fn accepted(&mut self, now: Instant, batch: &Batch, rejected: u64, message: Option<&str>) -> Vec<Line> {
        let Batch { seq, payload } = batch;
        let mut lines = Vec::new();
        self.is_cause = false;
        if let Some(Failing { since, attempts, refused, .. }) = self.failing.take() {
            let (endpoint, seconds) = (&self.endpoint, now.saturating_duration_since(since).as_secs_f64());
            let lost = if refused > 0 { format!(", {refused} records refused") } else { String::new() };
            let text =
                format!("export to {endpoint} works again after {seconds:.1} s ({attempts} failed attempts{lost})");
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
            self.lost(*seq, self.told(&cause));
        } else if let Some(note) = message.filter(|&note| self.last_note.as_deref() != Some(note)) {
            lines.push(Line { kind: "export warning", text: format!("{}: {note}", self.endpoint) });
            self.last_note = Some(note.to_owned());
        }
        lines
    }

    /// Records were dropped.
    pub(super) fn dropped(&mut self, reason: DropReason, batch: &Batch) -> Line {
        let error = self.last_error.clone().filter(|_| self.is_cause && may_follow_from_failures(reason));
        let cause = error.as_ref().map_or_else(String::new, |e| format!("; last export error: {e}"));
        if let Some(error) = error {
            self.lost(batch.seq, error);
        }
        let total = &mut self.dropped[reason as usize];
        *total = total.saturating_add(batch.payload.items);
        let text = format!("{total} records for {} dropped ({reason}): {}{cause}", self.endpoint, reason.remedy());
        // Each reason has its own rate limit, so that the first loss for one does not hide the first for another.
        Line { kind: reason.as_str(), text }
    }

    /// A failure that a line about dropped records will tell.
    pub(super) fn note(&mut self, cause: &str) {
        self.is_cause = true;
        self.last_error = Some(self.told(cause));
    }

    fn told(&self, cause: &str) -> String {
        format!("{}: {cause}", self.endpoint)
    }
}

/// Whether records would not have been dropped for this reason if exports worked.
const fn may_follow_from_failures(reason: DropReason) -> bool {
    !matches!(reason, DropReason::TooLarge | DropReason::BufferFull | DropReason::LiveSpans)
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
    use crate::transport::Payload;

    fn batch() -> Batch {
        batch_of(0, 10)
    }

    fn batch_of(seq: u64, items: u64) -> Batch {
        Batch { seq, payload: Payload { signal: Signal::Traces, body: Bytes::new(), gzip: false, items } }
    }

    #[test]
    fn an_outage_is_one_line_at_its_start_and_one_at_its_end() {
        let mut health = Health::new("http://h:1".into());
        let start = Instant::now();
        assert_eq!(health.accepted(start, &batch(), 0, None), []);
        let line = health.failed(start, "connection refused", Hop::Receiver).unwrap().text;
        for part in ["http://h:1", "connection refused", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
            assert!(line.contains(part), "{line}");
        }
        assert_eq!(health.failed(start, "connection refused", Hop::Receiver), None);
        let lines = health.accepted(start + Duration::from_secs(2), &batch(), 0, None);
        assert_eq!(lines[0].text, "export to http://h:1 works again after 2.0 s (2 failed attempts)");
        assert_eq!(health.accepted(start, &batch(), 0, None), []);
        assert_eq!(health.last_error().unwrap(), "http://h:1: connection refused; an export has succeeded since");
        assert_eq!(health.loss_error(0), None, "it cost nothing");
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
        let line = health.dropped(DropReason::QueueFull, &batch_of(0, 5)).text;
        assert!(line.starts_with("5 records for http://h:1 dropped (queue_full)"), "{line}");
        assert!(health.dropped(DropReason::QueueFull, &batch_of(1, 6)).text.starts_with("11 records"));
        health.note("connection refused");
        let line = health.dropped(DropReason::Shutdown, &batch_of(2, 1)).text;
        assert!(line.starts_with("1 records") && line.contains("connection refused"), "{line}");
        let lines = health.accepted(Instant::now(), &batch(), 0, None);
        assert_eq!(lines[0].text, "records for http://h:1 get through again; 12 were dropped");
        assert_eq!(health.accepted(Instant::now(), &batch(), 0, None), []);
        // What was mended is no cause of later losses.
        let line = health.dropped(DropReason::QueueFull, &batch_of(3, 1)).text;
        assert!(!line.contains("connection refused"), "{line}");
        assert_eq!(health.loss_error(2).unwrap(), "http://h:1: connection refused");
        assert_eq!(health.loss_error(3), None);
    }

    #[test]
    fn a_loss_is_told_with_what_caused_it_alone() {
        let mut health = Health::new("http://h:1".into());
        health.note("connection refused");
        // What is too large is so whether or not exports work.
        let line = health.dropped(DropReason::TooLarge, &batch_of(0, 1)).text;
        assert!(!line.contains("connection refused"), "{line}");
        assert_eq!(health.loss_error(0), None);
        // A full queue is the fault of the outage; a batch that ends later may be an earlier one.
        assert!(health.dropped(DropReason::QueueFull, &batch_of(7, 1)).text.contains("connection refused"));
        health.note("HTTP 503");
        assert!(health.dropped(DropReason::RetryExhausted, &batch_of(1, 1)).text.contains("HTTP 503"));
        assert_eq!(health.loss_error(7).unwrap(), "http://h:1: HTTP 503");
        // A receiver that takes a part of a batch works: that explains nothing else.
        health.accepted(Instant::now(), &batch_of(8, 10), 3, Some("too old"));
        assert_eq!(health.loss_error(8).unwrap(), "http://h:1: 3 of 10 spans rejected: too old");
        assert!(!health.dropped(DropReason::QueueFull, &batch_of(9, 1)).text.contains("too old"));
        assert_eq!(health.loss_error(9), None);
    }

    #[test]
    fn a_receivers_warning_is_not_repeated_while_it_stays_the_same() {
        let mut health = Health::new("http://h:1".into());
        let now = Instant::now();
        assert_eq!(health.accepted(now, &batch(), 0, Some("slow down")).len(), 1);
        assert_eq!(health.accepted(now, &batch(), 0, Some("slow down")).len(), 0);
        assert!(health.accepted(now, &batch(), 3, Some("slow down"))[0].text.contains("3 of 10 spans rejected"));
    }

    /// What is refused for an hour has a beginning and an end, like any other outage.
    #[test]
    fn refusals_are_an_outage_that_ends_with_one_line() {
        let mut health = Health::new("http://h:1".into());
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for (second, total) in [(0, 10), (1, 20), (2, 30)] {
            let line = health.refused(after(second), &batch(), "HTTP 401 (check OTEL_EXPORTER_OTLP_HEADERS)").text;
            let expected = "HTTP 401 (check OTEL_EXPORTER_OTLP_HEADERS); they are lost";
            assert_eq!(line, format!("http://h:1 refused {total} spans: {expected}"));
        }
        // A failure of another kind is news, once.
        assert!(
            health
                .failed(after(4), "connection refused", Hop::Receiver)
                .unwrap()
                .text
                .contains("connection refused; retrying")
        );
        assert_eq!(health.failed(after(5), "connection refused", Hop::Receiver), None);
        let lines = health.accepted(after(3600), &batch(), 0, None);
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let text = "export to http://h:1 works again after 3600.0 s (5 failed attempts, 30 records refused)";
        assert_eq!((line.kind, line.text.as_str()), ("export recovered", text));
        assert_eq!(health.accepted(after(3601), &batch(), 0, None), []);
        assert!(health.refused(after(3602), &batch(), "HTTP 400").text.contains("refused 10 spans"));
    }
}
