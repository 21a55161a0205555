//! Runs workloads: each library in a process of its own, one after the other, in turns, and asks the sink what arrived.

use std::time::{Duration, Instant};

use crate::peers::Contender;
use crate::process::{self, Report};
use crate::sink::{Counts, Sink};
use crate::workload::Workload;

/// For one process; the slowest needs some twenty seconds.
const LIMIT: Duration = Duration::from_secs(90);

/// What came of a workload.
pub(crate) struct Outcome {
    pub(crate) workload: &'static Workload,
    pub(crate) entries: Vec<Entry>,
}

/// What came of one library in it.
pub(crate) struct Entry {
    pub(crate) contender: Contender,
    pub(crate) measured: Vec<Measured>,
    /// What went wrong, in words.
    pub(crate) failures: Vec<String>,
}

/// One process.
#[derive(Debug)]
pub(crate) struct Measured {
    report: Report,
    pub(crate) made: u64,
    pub(crate) arrived: u64,
    pub(crate) note: String,
}

impl Measured {
    #[cfg(test)]
    pub(crate) fn of(report: Report, made: u64, arrived: u64, note: &str) -> Self {
        Self { report, made, arrived, note: note.to_owned() }
    }

    /// A figure that the process reported, or that follows from what arrived.
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        self.report.get(name)?.parse().ok()
    }
}

/// Why there is no figure.
enum Failure {
    /// The library's matter: it would fail again.
    Peer(String),
    /// The sink's.
    Sink(String),
}

/// Keeps a sink running.
#[derive(Default)]
pub(crate) struct Runner {
    sink: Option<Sink>,
}

impl Runner {
    /// Runs one workload in every library that takes part.
    pub(crate) fn outcome(&mut self, workload: &'static Workload, repetitions: usize) -> Outcome {
        let entry = |contender: &Contender| Entry { contender: *contender, measured: Vec::new(), failures: Vec::new() };
        let mut entries: Vec<Entry> = workload.contenders.iter().map(entry).collect();
        let (mut hopeless, start) = (Vec::new(), Instant::now());
        for _ in 0..repetitions {
            for entry in &mut entries {
                if hopeless.contains(&entry.contender) {
                    continue;
                }
                match self.measure(workload, entry.contender) {
                    Ok(measured) => entry.measured.push(measured),
                    Err(Failure::Sink(text)) => entry.failures.push(text),
                    Err(Failure::Peer(text)) => {
                        entry.failures.push(text);
                        hopeless.push(entry.contender);
                    }
                }
            }
        }
        eprintln!("{:<20} {:>3} s", workload.name, start.elapsed().as_secs());
        Outcome { workload, entries }
    }

    fn measure(&mut self, workload: &Workload, contender: Contender) -> Result<Measured, Failure> {
        let sink = self.running_sink()?;
        let endpoint = format!("http://{}", sink.address);
        let measured = measured(sink, workload, contender, &endpoint);
        if let Err(Failure::Sink(_)) = measured {
            self.sink = None;
        }
        measured
    }

    /// The sink, with all counts at 0; another one if it has stopped since.
    fn running_sink(&mut self) -> Result<&Sink, Failure> {
        let sink = match self.sink.take() {
            Some(sink) if sink.reset().is_ok() => sink,
            _ => Sink::start().map_err(|error| Failure::Sink(format!("the sink did not start: {error}")))?,
        };
        Ok(self.sink.insert(sink))
    }
}

fn measured(sink: &Sink, workload: &Workload, contender: Contender, endpoint: &str) -> Result<Measured, Failure> {
    let mut command = process::itself(&["child", workload.name, contender.name(), endpoint])
        .map_err(|error| Failure::Peer(error.to_string()))?;
    let result = process::report_of(&mut command, LIMIT);
    let stopped = |error| Failure::Sink(format!("the sink stopped during the run ({error})"));
    let made = result.as_ref().ok().and_then(|report| report.get("made")?.parse().ok());
    // Without a library nothing is sent.
    let made = if contender.is_library() { made.unwrap_or(0) } else { 0 };
    let counts = sink.settled(made).map_err(stopped)?;
    let mut report = result.map_err(Failure::Peer)?;
    if let Some(text) = report.remove("failed") {
        return Err(Failure::Peer(text));
    }
    if counts.unreadable > 0 {
        return Err(Failure::Peer(format!("{} of its requests were no OTLP", counts.unreadable)));
    }
    let note = report.remove("note").unwrap_or_default();
    add_delivery(&mut report, made, counts);
    Ok(Measured { report, made, arrived: counts.spans, note })
}

/// The figures that follow from what arrived.
fn add_delivery(report: &mut Report, made: u64, counts: Counts) {
    let mut add = |name: &str, figure: f64| report.insert(name.to_owned(), figure.to_string());
    if counts.spans > 0 {
        add("bytes_per_span", counts.bytes as f64 / counts.spans as f64);
    }
    if made > 0 {
        add("lost_percent", made.saturating_sub(counts.spans) as f64 / made as f64 * 100.0);
        add("largest_mib", counts.largest as f64 / f64::from(1 << 20));
    }
    if let Some(seconds) = report.get("seconds").and_then(|seconds| seconds.parse::<f64>().ok()) {
        report.insert("delivered_per_second".to_owned(), (counts.spans as f64 / seconds).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::pairs;

    #[test]
    fn what_arrived_is_set_against_what_was_made() {
        let mut report = pairs("seconds=5");
        let counts = Counts { spans: 250, bytes: 1000, largest: 1 << 19, ..Counts::default() };
        add_delivery(&mut report, 1000, counts);
        let measured = Measured::of(report, 1000, 250, "");
        assert_eq!(measured.figure("lost_percent"), Some(75.0));
        assert_eq!(measured.figure("delivered_per_second"), Some(50.0));
        assert_eq!(measured.figure("bytes_per_span"), Some(4.0));
        assert_eq!(measured.figure("largest_mib"), Some(0.5));
        assert_eq!(measured.figure("nothing"), None);
    }
}
