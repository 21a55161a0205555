//! Variables of recording and batching, and of the library as a whole.

use std::time::Duration;

use super::super::log_level::LogLevel;
use super::super::{Sampler, parse};
use super::{Row, Variable};

pub(in super::super) const LOG_LEVEL: Variable<LogLevel> = Variable {
    row: Row {
        name: "OTEL_LOG_LEVEL",
        takes: "`none`, `error`, `warn`, `info`",
        default: "`info`",
        code: "`with_log_level`",
        doc: "Which of its own lines otlp writes to stderr: what is lost or fails (`error`), what is set wrongly (`warn`), \
              what works again (`info`). `off` is `none`; `debug` and `trace` are `info`.",
    },
    parse: parse::log_level,
};

pub(in super::super) const TRACES_EXPORTER: Variable<Vec<String>> = Variable {
    row: Row {
        name: "OTEL_TRACES_EXPORTER",
        takes: "`otlp`, `console`, with a comma between; `none`",
        default: "`otlp`",
        code: "`with_traces_exporters`",
        doc: "Where traces go: to the endpoint, as readable text to stdout, to both, or nowhere, and then nothing is recorded.",
    },
    parse: parse::names,
};

pub(in super::super) const TRACES_SAMPLER: Variable<Sampler> = Variable {
    row: Row {
        name: "OTEL_TRACES_SAMPLER",
        takes: "`always_on`, `always_off`, `traceidratio`, `parentbased_always_on`, `parentbased_always_off`, \
                `parentbased_traceidratio`",
        default: "`parentbased_always_on`",
        code: "`with_sampler`",
        doc: "Which traces are recorded.",
    },
    parse: parse::sampler,
};

pub(in super::super) const TRACES_SAMPLER_ARG: Variable<f64> = Variable {
    row: Row {
        name: "OTEL_TRACES_SAMPLER_ARG",
        takes: "0 to 1",
        default: "`1`",
        code: "`Sampler::trace_id_ratio`",
        doc: "The share of traces that a sampler with `traceidratio` in its name records.",
    },
    parse: parse::ratio,
};

pub(in super::super) const BSP_SCHEDULE_DELAY: Variable<Duration> = Variable {
    row: Row {
        name: "OTEL_BSP_SCHEDULE_DELAY",
        takes: "milliseconds",
        default: "`1000`",
        code: "`with_schedule_delay`",
        doc: "How long a span waits at most for its batch to fill.",
    },
    parse: parse::duration,
};

pub(in super::super) const BSP_EXPORT_TIMEOUT: Variable<Duration> = Variable {
    row: Row {
        name: "OTEL_BSP_EXPORT_TIMEOUT",
        takes: "milliseconds",
        default: "`300000`",
        code: "`with_export_timeout`",
        doc: "How long sending a batch may take, all retries included, from its first attempt; 0 means no limit. One attempt \
              is limited by `OTEL_EXPORTER_OTLP_TIMEOUT`.",
    },
    parse: parse::timeout,
};

pub(in super::super) const BSP_MAX_QUEUE_SIZE: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_BSP_MAX_QUEUE_SIZE",
        takes: "a whole number from 1",
        default: "no limit but that in bytes",
        code: "`with_queue_size`",
        doc: "How many spans may wait in closed batches or be under way, beside the limit in bytes (`with_memory_limit`). \
              Batches then hold at most a quarter of it, unless their size is set.",
    },
    parse: parse::positive,
};

pub(in super::super) const BSP_MAX_EXPORT_BATCH_SIZE: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        takes: "a whole number from 1",
        default: "`8192`",
        code: "`with_batch_size`",
        doc: "How many spans a batch holds at most. One larger than the queue is cut to it.",
    },
    parse: parse::positive,
};

pub(in super::super) const RESOURCE_DETECTORS: Variable<Vec<String>> = Variable {
    row: Row {
        name: "OTLP_RESOURCE_DETECTORS",
        takes: "`container`, `host`, `process`, `service`, with commas between; `all`; `none`",
        default: "`all`",
        code: "`with_resource_detectors`",
        doc: "Which attributes of the program are found out.",
    },
    parse: parse::names,
};

pub(in super::super) const EXPERIMENTAL_RESOURCE_DETECTORS: Variable<Vec<String>> = Variable {
    row: Row {
        name: "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
        takes: "as above",
        default: "the variable above",
        code: "`with_resource_detectors`",
        doc: "The same by the name that other SDKs have for it; the variable above wins.",
    },
    parse: parse::names,
};
