//! What the environment says, as a program sees it: each test is a process of its own.
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use std::time::Duration;

use otlp::account::DropReason;
use otlp::testing::{Collector, Reply};
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

/// U40, P11: what fails at the proxy is not the endpoint's fault.
#[test]
fn a_proxy_that_is_not_there_is_what_stderr_says_to_check() {
    const NAME: &str = "a_proxy_that_is_not_there_is_what_stderr_says_to_check";
    if is_child(NAME) {
        let guard = OtlpConfig::default().with_endpoint("http://collector.test:4318").init().unwrap();
        work();
        drop(guard);
        return;
    }
    let stderr = in_own_process(NAME, &[("HTTP_PROXY", "http://user:hunter2@127.0.0.1:1")]);
    let line = stderr.lines().find(|line| line.contains("export to http://collector.test:4318 fails: ")).unwrap();
    for part in ["through the proxy 127.0.0.1:1 of HTTP_PROXY: ", "HTTPS_PROXY", "NO_PROXY"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !stderr.contains("hunter2"), "{stderr}");
}

/// A second `init` has its own level, and leaves that of the pipeline that runs alone.
#[test]
fn a_second_init_does_not_silence_the_first() {
    const NAME: &str = "a_second_init_does_not_silence_the_first";
    if is_child(NAME) {
        let guard = OtlpConfig::default().with_endpoint("http://127.0.0.1:1").init().unwrap();
        let quiet = OtlpConfig::default().with_log_level(otlp::LogLevel::Off);
        drop(quiet.clone().with_disabled(true).init().unwrap());
        assert!(quiet.init().is_err());
        work();
        drop(guard);
        return;
    }
    let stderr = in_own_process(NAME, &[("OTEL_SDK_DISABLED", "perhaps")]);
    assert_eq!(stderr.matches("otlp: OTEL_SDK_DISABLED").count(), 1, "{stderr}");
    assert!(stderr.contains("dropped (retry_exhausted)"), "{stderr}");
}

/// LOG10: readable text on stdout, alone or beside the endpoint, whose book is the only one then.
#[test]
fn log10_the_console_prints_each_span_once() {
    const NAME: &str = "log10_the_console_prints_each_span_once";
    if is_child(NAME) {
        let collector = Collector::start().unwrap();
        let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).with_service("shop", "1").init().unwrap();
        otlp::span!("place", order = 7, text = "a\nb").in_scope(|| {
            work();
            otlp::Span::current().add_event("packed", ());
        });
        drop(guard);
        let both = std::env::var("OTEL_TRACES_EXPORTER").unwrap().contains("otlp");
        assert_eq!(collector.span_count(), if both { 2 } else { 0 });
        assert_eq!((balanced().recorded, balanced().exported), (2, 2));
        return;
    }
    for exporters in ["console", "otlp,console", "CONSOLE, otlp"] {
        let output = own_process(NAME).env("OTEL_TRACES_EXPORTER", exporters).output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success() && !err.contains("otlp: "), "{exporters}: {err}");
        for text in ["\nspan place ", "\nspan work ", "\n  order=7\n", "\n  text=\"a\\nb\"\n", "\n  event packed +"] {
            assert_eq!(out.matches(text).count(), 1, "{text:?} in {out}");
        }
        assert!(out.contains(" internal trace=") && out.contains(" parent=") && out.contains(" scope=otlp "), "{out}");
    }
}

/// Until it is dropped, stdout is a pipe that takes no more.
#[cfg(unix)]
struct Swapped {
    kept: std::os::fd::OwnedFd,
    _reader: Option<std::io::PipeReader>,
}

#[cfg(unix)]
impl Swapped {
    #[allow(unsafe_code)]
    fn new(is_open: bool) -> Self {
        use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
        let (reader, writer) = std::io::pipe().unwrap();
        // SAFETY: both descriptors are open; the new one belongs to nobody else.
        let kept = unsafe {
            let kept = libc::dup(1);
            assert!(kept >= 0 && libc::dup2(writer.as_raw_fd(), 1) == 1);
            OwnedFd::from_raw_fd(kept)
        };
        Self { kept, _reader: is_open.then_some(reader) }
    }
}

#[cfg(unix)]
impl Drop for Swapped {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        use std::os::fd::AsRawFd as _;
        // SAFETY: both descriptors are open.
        unsafe { libc::dup2(self.kept.as_raw_fd(), 1) };
    }
}

/// A stdout that is closed, or that nobody reads, harms neither the program nor the other exporter.
#[cfg(unix)]
#[test]
fn a_stdout_that_takes_nothing_is_told_of_and_counted() {
    const NAME: &str = "a_stdout_that_takes_nothing_is_told_of_and_counted";
    const SPANS: u64 = 5000;
    if is_child(NAME) {
        let collector = Collector::start().unwrap();
        let _swapped = Swapped::new(std::env::var("STDOUT").unwrap() == "full");
        let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).init().unwrap();
        (0..SPANS).for_each(|_| work());
        let shutdown = otlp::shutdown(LONG);
        drop(guard);
        let counts = settled();
        if std::env::var("OTEL_TRACES_EXPORTER").unwrap() == "console" {
            assert!(shutdown.is_err());
            assert_eq!((counts.recorded, counts.exported + counts.rejected + counts.dropped_total()), (SPANS, SPANS));
            assert!(counts.exported < SPANS, "{counts:?}");
        } else {
            shutdown.unwrap();
            assert_eq!((counts.exported, collector.span_count()), (SPANS, SPANS));
        }
        return;
    }
    for exporters in ["console", "otlp,console"] {
        for (stdout, said) in [("closed", "it is closed"), ("full", "nobody reads what is written")] {
            let stderr = in_own_process(NAME, &[("OTEL_TRACES_EXPORTER", exporters), ("STDOUT", stdout)]);
            assert!(stderr.contains("stdout") && stderr.contains(said), "{exporters} {stdout}: {stderr}");
        }
    }
}

/// A reader who pauses, as a pager does, finds every span once and whole.
#[cfg(unix)]
#[test]
fn a_stdout_that_is_read_late_has_every_span_once() {
    use std::io::{BufRead as _, BufReader, Read as _};
    const NAME: &str = "a_stdout_that_is_read_late_has_every_span_once";
    const SPANS: u64 = 3000;
    if is_child(NAME) {
        let guard = otlp::init().unwrap();
        for n in 0..SPANS {
            drop(otlp::span!("numbered", n));
        }
        otlp::flush(LONG).unwrap();
        assert_eq!(balanced().exported, SPANS);
        drop(guard);
        return;
    }
    let mut child = own_process(NAME);
    let (out, err) = (std::process::Stdio::piped(), std::process::Stdio::piped());
    let mut child = child.env("OTEL_TRACES_EXPORTER", "console").stdout(out).stderr(err).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("nobody reads what is written") {
        assert!(err.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let rest = std::thread::spawn(move || err.read_to_string(&mut said).map(|_| said).unwrap());
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let said = rest.join().unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("export to stdout works again"), "{said}");
    let lines: Vec<&str> = out.lines().collect();
    let spans = lines.iter().filter(|line| line.starts_with("span numbered ") && line.contains(" scope=")).count();
    assert_eq!(spans as u64, SPANS);
    assert_eq!(out.matches("span numbered ").count() as u64, SPANS, "none is begun twice");
    for n in 0..SPANS {
        let line = format!("  n={n}");
        assert_eq!(lines.iter().filter(|&&other| other == line).count(), 1, "{n}");
    }
}

/// The same in code.
#[test]
fn the_protocol_stdout_is_the_console() {
    const NAME: &str = "the_protocol_stdout_is_the_console";
    if is_child(NAME) {
        let guard = OtlpConfig::default().with_protocol(otlp::TransportProtocol::Stdout).init().unwrap();
        work();
        drop(guard);
        assert_eq!(balanced().exported, 1);
        return;
    }
    let output = own_process(NAME).env("OTEL_TRACES_EXPORTER", "otlp").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && out.contains("\nspan work "), "{out}");
}

/// RES1 to RES6, U46: who made the telemetry, as the receiver sees it. The first batch waits for what is being found out,
/// also that of a program that is over at once.
#[test]
fn u46_the_first_batch_says_where_it_was_made() {
    const NAME: &str = "u46_the_first_batch_says_where_it_was_made";
    if is_child(NAME) {
        let collector = Collector::start().unwrap();
        let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).with_service("shop", "1").init().unwrap();
        work();
        drop(guard);
        let resource = collector.spans()[0].resource.clone();
        let lines: Vec<_> = resource.iter().map(|(key, value)| format!("{key}={value:?}\n")).collect();
        return std::io::Write::write_all(&mut std::io::stderr(), lines.concat().as_bytes()).unwrap();
    }
    let attributes = |variables: &[(&str, &str)]| in_own_process(NAME, variables);
    let all = attributes(&[("OTEL_RESOURCE_ATTRIBUTES", "host.name=,os.type=mine,team=a")]);
    for line in [
        "service.name=String(\"shop\")",
        "service.version=String(\"1\")",
        "telemetry.sdk.name=String(\"otlp\")",
        "process.pid=I64(",
        "process.executable.name=String(\"environment-",
        // RES3: what the environment says wins over what is found, also if it is empty.
        "host.name=String(\"\")",
        "os.type=String(\"mine\")",
        "team=String(\"a\")",
        "host.arch=String(",
        "service.instance.id=String(",
    ] {
        assert_eq!(all.lines().filter(|other| other.starts_with(line)).count(), 1, "{line} in {all}");
    }
    assert!(!all.contains("command"), "{all}");
    let none = attributes(&[("OTLP_RESOURCE_DETECTORS", "none")]);
    assert!(!["process.", "host.", "os.", "container.", "instance"].iter().any(|key| none.contains(key)), "{none}");
}

/// What the BSP variables bound: the spans that wait, and the time of a batch with its retries.
#[test]
fn bsp_variables_bound_the_queue_in_spans_and_a_batch_in_time() {
    const NAME: &str = "bsp_variables_bound_the_queue_in_spans_and_a_batch_in_time";
    if is_child(NAME) {
        let collector = Collector::start().unwrap();
        collector.reply_always(Reply::status(503).after(Duration::from_millis(100)));
        let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).init().unwrap();
        (0..1000).for_each(|_| work());
        // Without the variables it would be retried for five minutes.
        let flushed = otlp::flush(LONG);
        assert!(matches!(flushed, Err(otlp::OtlpError::Lost { lost: 1000, .. })), "{flushed:?}");
        let counts = balanced();
        assert_eq!(counts.dropped(DropReason::QueueFull) + counts.dropped(DropReason::RetryExhausted), 1000);
        assert!(counts.dropped(DropReason::QueueFull) >= 500, "{counts:?}");
        drop(guard);
        return;
    }
    let variables = [("OTEL_BSP_MAX_QUEUE_SIZE", "64"), ("OTEL_BSP_EXPORT_TIMEOUT", "300")];
    let stderr = in_own_process(NAME, &variables);
    assert!(stderr.contains("dropped (queue_full)") && stderr.contains("dropped (retry_exhausted)"), "{stderr}");
}
