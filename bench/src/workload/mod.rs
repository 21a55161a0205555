//! What is measured: the catalogue of workloads, their rows in the table and the budgets of `otlp`.

use std::error::Error;
use std::time::Duration;

use crate::peers::emit::Emit;
use crate::peers::fastrace::Fastrace;
use crate::peers::none::{Bare, Floor};
use crate::peers::opentelemetry::OpenTelemetry;
use crate::peers::otlp::Otlp;
use crate::peers::tracing::Tracing;
use crate::peers::{Batching, Contender, Eight, Peer, Protocol, Recording, Setup, Stop, Wait};
use crate::unit::Unit;

mod bursts;
mod calls;
mod catalogue;
mod flat_out;
mod idle;
mod lifecycle;
mod steady;
mod threads;

pub(crate) use catalogue::WORKLOADS;

/// The text of an attribute.
const TEXT: &str = "sixteen-byte-str";
/// For what is sent after the measurement.
const LONG: Duration = Duration::from_secs(30);

/// Something to measure in every library, each time in a process of its own.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    pub(crate) contenders: &'static [Contender],
    /// How often each contender has its turn.
    pub(crate) repetitions: usize,
    pub(crate) rows: &'static [Row],
}

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Bursts on one thread, alone on its core.
    Bursts(Shape, Recording),
    /// Calls of a function whose span is not recorded; `None`: nothing is set up.
    Calls(Option<Recording>),
    /// Spans at a fixed rate.
    Steady(Protocol),
    /// Spans as fast as they can be made.
    FlatOut,
    /// Start, some spans, end.
    Lifecycle(Receiver),
    /// Bursts on so many threads at once.
    Threads(usize),
    /// Many threads that have recorded and wait.
    Idle,
}

/// What a burst is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    NoAttributes,
    TwoAttributes,
    EightAttributes,
    Async(Wait),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    Live,
    /// Nothing listens on the port.
    Refused,
    /// Connections are accepted, and nothing is ever answered.
    BlackHole,
}

/// One figure of a workload.
pub(crate) struct Row {
    /// Its name in the report of the process.
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) better: Better,
    pub(crate) budgets: &'static [Budget],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
    /// It is what it is.
    Neither,
}

/// What `otlp` must keep, and should reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) against: Against,
    pub(crate) must: f64,
    pub(crate) reach: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// The figure itself, at most so much.
    Figure,
    /// At most so many times this one's figure.
    Floor,
    /// At least so many times better.
    Peer(Contender),
    BestPeer,
}

/// What a process found out: figures by name, how many spans it made, and what the library said at its end.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) figures: Vec<(&'static str, f64)>,
    pub(crate) made: u64,
    pub(crate) note: String,
}

/// Runs the part of a child process and prints its findings.
///
/// # Errors
/// The library does not start, or has no such setting.
pub(crate) fn run(kind: Kind, contender: Contender, endpoint: &str) -> Result<(), Box<dyn Error>> {
    let findings = match contender {
        Contender::None => kind.run::<Bare>(endpoint),
        Contender::Floor => kind.run::<Floor>(endpoint),
        Contender::Otlp => kind.run::<Otlp>(endpoint),
        Contender::OpenTelemetry => kind.run::<OpenTelemetry<false>>(endpoint),
        Contender::OpenTelemetryExplicit => kind.run::<OpenTelemetry<true>>(endpoint),
        Contender::Tracing => kind.run::<Tracing<false>>(endpoint),
        Contender::TracingLean => kind.run::<Tracing<true>>(endpoint),
        Contender::Fastrace => kind.run::<Fastrace>(endpoint),
        Contender::Emit => kind.run::<Emit>(endpoint),
    }?;
    findings.figures.iter().for_each(|(name, figure)| println!("{name}={figure}"));
    println!("made={}\nnote={}", findings.made, findings.note.replace('\n', " "));
    Ok(())
}

impl Workload {
    /// What a figure is called where it stands alone.
    pub(crate) fn title_of(&self, row: &Row) -> String {
        match row.title.strip_prefix("  ") {
            Some(part) => format!("{}: {part}", self.title),
            None => row.title.to_owned(),
        }
    }
}

impl Kind {
    /// Whether a figure is worth less if spans were dropped: they are not meant to be.
    pub(crate) fn keeps_everything(self) -> bool {
        matches!(self, Self::Bursts(..) | Self::Steady(_) | Self::Threads(_) | Self::Idle)
    }

    fn run<P: Peer>(self, endpoint: &str) -> Result<Findings, Box<dyn Error>> {
        match self {
            Self::Bursts(shape, recording) => bursts::run::<P>(shape, recording, endpoint),
            Self::Calls(recording) => calls::run::<P>(recording, endpoint),
            Self::Steady(protocol) => steady::run::<P>(protocol, endpoint),
            Self::FlatOut => flat_out::run::<P>(endpoint),
            Self::Lifecycle(receiver) => lifecycle::run::<P>(receiver, endpoint),
            Self::Threads(threads) => threads::run::<P>(threads, endpoint),
            Self::Idle => idle::run::<P>(endpoint),
        }
    }
}

/// Starts a library, over gRPC.
fn start<P: Peer>(endpoint: &str, batching: Batching, recording: Recording) -> Result<Stop, Box<dyn Error>> {
    P::start(&Setup { endpoint: endpoint.to_owned(), protocol: Protocol::Grpc, batching, recording })
}

impl Eight {
    fn new(i: u64) -> Self {
        let [e, f, g, h] = std::hint::black_box([TEXT, "another-16-bytes", "and-a-third-one!", "the-fourth-value"]);
        Self { a: i, b: -(i as i64), c: i as f64 * 0.5, d: i & 1 == 0, e, f, g, h }
    }
}
