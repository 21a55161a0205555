//! Where traces go, by the names of OpenTelemetry.

use std::fmt;

/// One place that traces go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TracesExporter {
    /// The endpoint, in OTLP.
    Otlp,
    /// Readable text on stdout, to look at while developing. Its format is not stable (spec-checklist LOG10).
    Console,
}

impl TracesExporter {
    pub(super) const ALL: [Self; 2] = [Self::Otlp, Self::Console];

    /// Its name in `OTEL_TRACES_EXPORTER`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::Console => "console",
        }
    }
}

/// All the places that traces go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracesExporters {
    /// To the endpoint.
    pub otlp: bool,
    /// To stdout.
    pub console: bool,
}

impl TracesExporters {
    /// Nowhere.
    pub const NONE: Self = Self { otlp: false, console: false };
    /// To the endpoint alone.
    pub const OTLP: Self = Self { otlp: true, console: false };

    pub(super) fn add(&mut self, exporter: TracesExporter) {
        match exporter {
            TracesExporter::Otlp => self.otlp = true,
            TracesExporter::Console => self.console = true,
        }
    }
}

impl FromIterator<TracesExporter> for TracesExporters {
    fn from_iter<I: IntoIterator<Item = TracesExporter>>(exporters: I) -> Self {
        let mut all = Self::NONE;
        exporters.into_iter().for_each(|exporter| all.add(exporter));
        all
    }
}

/// As in `OTEL_TRACES_EXPORTER`.
impl fmt::Display for TracesExporters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.otlp, self.console) {
            (true, true) => "otlp,console",
            (true, false) => "otlp",
            (false, true) => "console",
            (false, false) => "none",
        })
    }
}
