//! The libraries that are compared, each used as its documentation recommends, in the same terms.

use std::error::Error;
use std::fmt;
use std::time::Duration;

pub(crate) mod emit;
pub(crate) mod fastrace;
pub(crate) mod none;
pub(crate) mod opentelemetry;
pub(crate) mod otlp;
pub(crate) mod tracing;

/// Spans below one root.
pub(crate) const CHILDREN: u64 = 10;
/// Spans of one root, itself included.
pub(crate) const SPANS: u64 = CHILDREN + 1;
/// The name of the service, and of what else needs one.
pub(crate) const SERVICE: &str = "bench";

/// Eight attributes' worth of arguments: four numbers, four texts.
#[derive(Clone, Copy)]
pub(crate) struct Eight {
    pub(crate) a: u64,
    pub(crate) b: i64,
    pub(crate) c: f64,
    pub(crate) d: bool,
    pub(crate) e: &'static str,
    pub(crate) f: &'static str,
    pub(crate) g: &'static str,
    pub(crate) h: &'static str,
}

/// What a traced future awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A future that is ready.
    Ready,
    /// Once around the scheduler of the runtime.
    Yield,
}

impl Wait {
    #[inline(always)]
    pub(crate) async fn done(self) {
        match self {
            Self::Ready => std::future::ready(()).await,
            Self::Yield => tokio::task::yield_now().await,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    Http,
}

/// What is asked of the batching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batching {
    /// Whatever is the default.
    Default,
    /// Queues and batches large enough for 100,000 spans a second, where the library has such settings.
    Roomy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recording {
    Everything,
    /// The library's filter leaves out every function of the workloads.
    FilteredOut,
    /// The library's sampler records no trace.
    Unsampled,
}

/// How a library is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// `http://host:port`.
    pub(crate) endpoint: String,
    pub(crate) protocol: Protocol,
    pub(crate) batching: Batching,
    pub(crate) recording: Recording,
}

/// Sends what is left, at most for the time given where the library takes one, and ends; what it says to that, or nothing
/// if all is well.
pub(crate) type Stop = Box<dyn FnOnce(Duration) -> String>;

/// What an operation of a library says to `Ok` is not worth a remark, and neither is an empty error.
pub(crate) fn said<T, E: fmt::Debug>(result: &Result<T, E>) -> String {
    result.as_ref().err().map_or_else(String::new, |error| format!("{error:?}"))
}

/// A library, and the functions of the workloads with its instrumentation. A root has no attributes and ten children.
pub(crate) trait Peer {
    /// Starts what exports, as a program would at the start of `main`.
    ///
    /// # Errors
    /// It does not start, or has no such setting.
    fn start(setup: &Setup) -> Result<Stop, Box<dyn Error>>;

    /// A function with two attributes, that of `root_two` wherever the library can do both.
    fn two(id: u64, name: &str);
    fn root_none();
    fn root_two(id: u64, name: &str);
    fn root_eight(values: Eight);
    /// Traced async functions with two attributes, each of which awaits once.
    fn root_async(id: u64, name: &str, wait: Wait) -> impl Future<Output = ()>;
}

/// A library in one way of using it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// No library: what the workload itself costs.
    None,
    /// Two readings of the clock and 128 bytes for a live reader: what any recorder must do.
    Floor,
    Otlp,
    OpenTelemetry,
    /// With explicit parents, where the current context is left alone.
    OpenTelemetryExplicit,
    Tracing,
    /// Without what `tracing-opentelemetry` adds to spans by default.
    TracingLean,
    Fastrace,
    Emit,
}

impl Contender {
    pub(crate) const ALL: [Self; 9] = [
        Self::None,
        Self::Floor,
        Self::Otlp,
        Self::OpenTelemetry,
        Self::OpenTelemetryExplicit,
        Self::Tracing,
        Self::TracingLean,
        Self::Fastrace,
        Self::Emit,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "no library",
            Self::Floor => "floor",
            Self::Otlp => "otlp",
            Self::OpenTelemetry => "opentelemetry",
            Self::OpenTelemetryExplicit => "opentelemetry, explicit parents",
            Self::Tracing => "tracing",
            Self::TracingLean => "tracing, lean",
            Self::Fastrace => "fastrace",
            Self::Emit => "emit",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Whether it sends anything.
    pub(crate) fn is_library(self) -> bool {
        !matches!(self, Self::None | Self::Floor)
    }

    /// Whether `otlp` is compared with it.
    pub(crate) fn is_peer(self) -> bool {
        self.is_library() && self != Self::Otlp
    }
}
