//! What the environment says, as a program sees it: each test is a process of its own.
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use otlp::testing::Collector;
use otlp::{OtlpConfig, traced};
use process::*;

#[traced]
fn work() {}

/// Records some spans with what the environment says, and gives how many there were and how many arrived.
fn run() -> (u64, u64) {
    let collector = Collector::start().unwrap();
    let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).init().unwrap();
    (0..1000).for_each(|_| work());
    drop(guard);
    (balanced().recorded, collector.span_count())
}

/// `test` is run as a child with each of the variables, where it records `expected` spans; gives the child's stderr.
fn child(test: &str, variables: &[(&str, &str)], expected: &str) -> String {
    in_own_process(test, &[variables, &[("EXPECTED", expected)]].concat())
}

/// Whether the number of spans is what the parent expects: a number, or `some`.
fn assert_expected((recorded, arrived): (u64, u64)) {
    let expected = std::env::var("EXPECTED").unwrap();
    assert_eq!(recorded, arrived);
    match expected.as_str() {
        "some" => assert!((150..350).contains(&recorded), "{recorded}"),
        number => assert_eq!(recorded.to_string(), number),
    }
}

/// U44: telemetry is switched off without a build, and without a line. U43: what is set is what happens.
#[test]
fn u44_exporters_and_samplers_of_the_environment() {
    const NAME: &str = "u44_exporters_and_samplers_of_the_environment";
    if is_child(NAME) {
        return assert_expected(run());
    }
    let sampler = |name| ("OTEL_TRACES_SAMPLER", name);
    for (variables, expected) in [
        (&[][..], "1000"),
        (&[("OTEL_SDK_DISABLED", "true")], "0"),
        (&[("OTEL_TRACES_EXPORTER", "none")], "0"),
        (&[("OTEL_TRACES_EXPORTER", "otlp")], "1000"),
        (&[sampler("always_off")], "0"),
        (&[sampler("parentbased_always_off")], "0"),
        (&[sampler("traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")], "some"),
        (&[sampler("parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")], "some"),
        (&[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7"), ("OTEL_BSP_SCHEDULE_DELAY", "1")], "1000"),
    ] {
        let stderr = child(NAME, variables, expected);
        assert!(!stderr.contains("otlp: "), "{variables:?}: {stderr}");
    }
    let stderr = child(NAME, &[sampler("xray"), ("OTEL_TRACES_EXPORTER", "zipkin")], "1000");
    assert!(stderr.contains("otlp: OTEL_TRACES_SAMPLER: \"xray\""), "{stderr}");
    assert!(stderr.contains("otlp: OTEL_TRACES_EXPORTER: \"zipkin\""), "{stderr}");
}

/// Something is set wrongly, and something is lost: which of it is told.
#[test]
fn log_level_says_which_lines_appear() {
    const NAME: &str = "log_level_says_which_lines_appear";
    if is_child(NAME) {
        let guard = OtlpConfig::default().with_endpoint("http://127.0.0.1:1").init().unwrap();
        work();
        drop(guard);
        return;
    }
    let lines = |level: &str| {
        let stderr = in_own_process(NAME, &[("OTEL_LOG_LEVEL", level), ("OTEL_SDK_DISABLED", "perhaps")]);
        let has = |text: &str| stderr.contains(text);
        (has("otlp: OTEL_SDK_DISABLED"), has("dropped (retry_exhausted)"), has("otlp: "))
    };
    assert_eq!(lines(""), (true, true, true));
    assert_eq!(lines("warn"), (true, true, true));
    assert_eq!(lines("ERROR"), (false, true, true));
    assert_eq!(lines("none"), (false, false, false));
}
