//! Every workload, in the order of the table. Budgets are those of the project's design.

use super::{Against, Better, Budget, Kind, Receiver, Row, Shape, Workload};
use crate::peers::Contender::{
    self, Emit, Fastrace, Floor, None, OpenTelemetry, OpenTelemetryExplicit, Otlp, Tracing, TracingLean,
};
use crate::peers::{Protocol, Recording, Wait};
use crate::unit::Unit;

/// Every library in its usual form.
const USUAL: &[Contender] = &[Otlp, OpenTelemetry, Tracing, Fastrace, Emit];
const WITH_LEAN: &[Contender] = &[Otlp, OpenTelemetry, Tracing, TracingLean, Fastrace, Emit];
const ON_THE_CALLER: &[Contender] = &[None, Otlp, OpenTelemetry, Tracing, TracingLean, Fastrace, Emit];
const EVERY_WAY: &[Contender] =
    &[None, Floor, Otlp, OpenTelemetry, OpenTelemetryExplicit, Tracing, TracingLean, Fastrace, Emit];

const WITH_NONE: &[Contender] = &[None, Otlp, OpenTelemetry, Tracing, Fastrace, Emit];

const fn budget(against: Against, must: f64, reach: f64) -> Budget {
    Budget { against, must, reach }
}

const fn row(key: &'static str, title: &'static str, unit: Unit, budgets: &'static [Budget]) -> Row {
    Row { key, title, unit, better: Better::Less, budgets }
}

/// The one row of a workload of bursts.
const fn caller(title: &'static str, budgets: &'static [Budget]) -> Row {
    row("ns", title, Unit::Nanoseconds, budgets)
}

const ADDED: &[Budget] = &[budget(Against::Figure, 1.0, 0.5)];
const CPU: &[Budget] = &[budget(Against::BestPeer, 6.0, 12.0)];

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "sync-0",
        title: "sync, no attributes",
        kind: Kind::Bursts(Shape::NoAttributes, Recording::Everything),
        contenders: ON_THE_CALLER,
        repetitions: 11,
        rows: &[caller("span, no attributes", &[budget(Against::Peer(Fastrace), 2.5, 3.5)])],
    },
    Workload {
        name: "sync-2",
        title: "sync, 2 attributes",
        kind: Kind::Bursts(Shape::TwoAttributes, Recording::Everything),
        contenders: EVERY_WAY,
        repetitions: 11,
        rows: &[caller(
            "span, 2 attributes",
            &[
                budget(Against::Floor, 1.8, 1.4),
                budget(Against::Peer(Fastrace), 6.0, 10.0),
                budget(Against::Peer(OpenTelemetry), 8.0, 12.0),
                budget(Against::Peer(Tracing), 25.0, 45.0),
            ],
        )],
    },
    Workload {
        name: "sync-8",
        title: "sync, 8 attributes",
        kind: Kind::Bursts(Shape::EightAttributes, Recording::Everything),
        contenders: ON_THE_CALLER,
        repetitions: 11,
        rows: &[caller("span, 8 attributes", &[budget(Against::Peer(Fastrace), 8.0, 12.0)])],
    },
    Workload {
        name: "async-ready",
        title: "async, an await that is ready",
        kind: Kind::Bursts(Shape::Async(Wait::Ready), Recording::Everything),
        contenders: ON_THE_CALLER,
        repetitions: 11,
        rows: &[caller("async span, an await that is ready", &[budget(Against::BestPeer, 4.0, 6.0)])],
    },
    Workload {
        name: "async-yield",
        title: "async, a yield to the runtime",
        kind: Kind::Bursts(Shape::Async(Wait::Yield), Recording::Everything),
        contenders: ON_THE_CALLER,
        repetitions: 5,
        rows: &[caller("async span, a yield to the runtime", &[])],
    },
    Workload {
        name: "not-initialised",
        title: "not initialised",
        kind: Kind::Calls(Option::None),
        contenders: USUAL,
        repetitions: 7,
        rows: &[row("added_ns", "not initialised, over the bare call", Unit::AddedNanoseconds, ADDED)],
    },
    Workload {
        name: "filtered-out",
        title: "filtered out",
        kind: Kind::Calls(Some(Recording::FilteredOut)),
        contenders: USUAL,
        repetitions: 7,
        rows: &[row("added_ns", "filtered out, over the bare call", Unit::AddedNanoseconds, ADDED)],
    },
    Workload {
        name: "unsampled",
        title: "not sampled",
        kind: Kind::Bursts(Shape::TwoAttributes, Recording::Unsampled),
        contenders: ON_THE_CALLER,
        repetitions: 5,
        rows: &[caller("span, 2 attributes, not sampled", &[])],
    },
    Workload {
        name: "threads-2",
        title: "2 threads at once",
        kind: Kind::Threads(2),
        contenders: USUAL,
        repetitions: 3,
        rows: &[row("cpu_ns", "2 threads at once, CPU of theirs a span", Unit::Nanoseconds, &[])],
    },
    Workload {
        name: "threads-8",
        title: "8 threads at once",
        kind: Kind::Threads(8),
        contenders: USUAL,
        repetitions: 3,
        rows: &[row("cpu_ns", "8 threads at once, CPU of theirs a span", Unit::Nanoseconds, &[])],
    },
    Workload {
        name: "threads-64",
        title: "64 threads at once",
        kind: Kind::Threads(64),
        contenders: USUAL,
        repetitions: 3,
        rows: &[row("cpu_ns", "64 threads at once, CPU of theirs a span", Unit::Nanoseconds, &[])],
    },
    Workload {
        name: "cpu-grpc",
        title: "whole process, 100,000 spans/s over gRPC",
        kind: Kind::Steady(Protocol::Grpc),
        contenders: WITH_LEAN,
        repetitions: 3,
        rows: &[
            row("cpu_ns", "whole process over gRPC, CPU a span", Unit::Nanoseconds, CPU),
            row("caller_ns", "  of this, the calling thread", Unit::Nanoseconds, &[]),
            row("bytes_per_span", "  sent for a span", Unit::Bytes, &[]),
            row("peak_mib", "  resident, the most", Unit::MiB, &[]),
        ],
    },
    Workload {
        name: "cpu-http",
        title: "whole process, 100,000 spans/s over HTTP",
        kind: Kind::Steady(Protocol::Http),
        contenders: USUAL,
        repetitions: 3,
        rows: &[
            row("cpu_ns", "whole process over HTTP, CPU a span", Unit::Nanoseconds, &[]),
            row("caller_ns", "  of this, the calling thread", Unit::Nanoseconds, &[]),
            row("peak_mib", "  resident, the most", Unit::MiB, &[]),
        ],
    },
    Workload {
        name: "flat-out",
        title: "one thread flat out for 5 s, default settings",
        kind: Kind::FlatOut,
        contenders: WITH_LEAN,
        repetitions: 3,
        rows: &[
            Row {
                key: "made_per_second",
                title: "flat out, spans made",
                unit: Unit::PerSecond,
                better: Better::More,
                budgets: &[],
            },
            Row {
                key: "delivered_per_second",
                title: "  delivered",
                unit: Unit::PerSecond,
                better: Better::More,
                budgets: &[budget(Against::BestPeer, 3.0, 5.0)],
            },
            row("lost_percent", "  dropped", Unit::Percent, &[]),
            row("peak_mib", "  resident, the most", Unit::MiB, &[budget(Against::Figure, 64.0, 40.0)]),
            Row {
                key: "largest_mib",
                title: "  the largest request",
                unit: Unit::MiB,
                better: Better::Neither,
                budgets: &[],
            },
        ],
    },
    Workload {
        name: "idle-threads",
        title: "1,000 threads that recorded once",
        kind: Kind::Idle,
        contenders: WITH_NONE,
        repetitions: 3,
        rows: &[row("kib", "resident for each of 1,000 threads that recorded once", Unit::KiB, &[])],
    },
    Workload {
        name: "start",
        title: "start-up, and shutdown with a live receiver",
        kind: Kind::Lifecycle(Receiver::Live),
        contenders: USUAL,
        repetitions: 9,
        rows: &[
            row("init_ms", "start-up", Unit::Milliseconds, &[budget(Against::Figure, 1.0, 0.2)]),
            row("first_ms", "the first span and its ten children", Unit::Milliseconds, &[]),
            row("shutdown_ms", "shutdown, live receiver", Unit::Milliseconds, &[]),
        ],
    },
    Workload {
        name: "shutdown-refused",
        title: "shutdown (1 s), refused port",
        kind: Kind::Lifecycle(Receiver::Refused),
        contenders: USUAL,
        repetitions: 3,
        rows: &[row(
            "shutdown_ms",
            "shutdown (1 s), refused port",
            Unit::Milliseconds,
            &[budget(Against::Figure, 100.0, 20.0)],
        )],
    },
    Workload {
        name: "shutdown-black-hole",
        title: "shutdown (1 s), a receiver that never answers",
        kind: Kind::Lifecycle(Receiver::BlackHole),
        contenders: USUAL,
        repetitions: 3,
        rows: &[row(
            "shutdown_ms",
            "shutdown (1 s), a receiver that never answers",
            Unit::Milliseconds,
            &[budget(Against::Figure, 1050.0, 1010.0)],
        )],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_budgets_compare_with_what_is_measured() {
        for (at, workload) in WORKLOADS.iter().enumerate() {
            assert!(WORKLOADS[..at].iter().all(|other| other.name != workload.name), "{}", workload.name);
            assert!(workload.contenders.contains(&Otlp) && workload.repetitions >= 3, "{}", workload.name);
            for budget in workload.rows.iter().flat_map(|row| row.budgets) {
                match budget.against {
                    Against::Peer(peer) => assert!(workload.contenders.contains(&peer), "{}", workload.name),
                    Against::Floor => assert!(workload.contenders.contains(&Floor), "{}", workload.name),
                    Against::Figure | Against::BestPeer => {}
                }
            }
        }
    }
}
