//! Bad input: each kind has a stated result, and afterwards the accounts agree with what the receiver counted.
#![allow(clippy::unwrap_used)]

#[path = "../otlp-runtime/tests/support/port.rs"]
mod port;
#[path = "support/process.rs"]
mod process;

use std::fmt;
use std::mem::forget;
use std::time::{Duration, Instant};

use otlp::account::{Counts, DropReason};
use otlp::testing::{Captured, Collector, Reply, capture};
use otlp::{
    AttributeWriter, Attributes, Context, OtlpError, Resource, Sampler, Span, TransportProtocol, Value, ValueWriter,
    traced,
};
use port::UnusedPort;
use process::*;

/// What the receiver got of what `f` records: so many spans, all of those that the accounts know of.
fn received(spans: u64, f: impl FnOnce()) -> Captured {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = config(collector.endpoint()).init().unwrap();
    f();
    otlp::flush(LONG).unwrap();
    drop(guard);
    let counts = balanced();
    assert_eq!((counts.recorded, counts.exported), (spans, spans), "{counts:?}");
    assert_eq!((collector.span_count(), collector.refused_count()), (spans, 0));
    collector.captured()
}

#[traced]
fn work() {}

// --- Configuration ---------------------------------------------------------------------------------------------------

/// The threads of this process that are ours, by name.
fn own_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("otlp-")).collect()
}

#[test]
fn a_bad_value_in_code_is_a_typed_error_before_any_thread_starts() {
    let name = "a_bad_value_in_code_is_a_typed_error_before_any_thread_starts";
    if !is_child(name) {
        let said = in_own_process(name, &[]);
        assert!(!said.contains("otlp:"), "an error is enough: {said}");
        return;
    }
    let good = || config("http://127.0.0.1:1");
    let grpc = || good().with_protocol(TransportProtocol::Grpc);
    for (bad, expected) in [
        (config(""), "endpoint"),
        (config("no url"), "endpoint"),
        (config("ftp://host"), "endpoint"),
        (config("http://"), "endpoint"),
        (config("http://host:99999"), "endpoint"),
        (config("http://ho st"), "endpoint"),
        (config("http://host/v1/traces"), "endpoint"),
        (config("http://host/path").with_protocol(TransportProtocol::Grpc), "endpoint"),
        (good().with_traces_endpoint("://"), "traces_endpoint"),
        (good().with_batch_size(0), "batch_size"),
        (grpc().with_batch_bytes(0), "batch_bytes"),
        (good().with_service("a".repeat(65_537), "1"), "resource_attribute"),
        (good().with_resource_attribute("a", vec![0_u8; 65_536]), "resource_attribute"),
        (good().with_memory_limit(0), "memory_limit"),
        (grpc().with_concurrency(0), "concurrency"),
        (good().with_timeout(Duration::ZERO), "timeout"),
        (good().with_schedule_delay(Duration::ZERO), "schedule_delay"),
        (good().with_shutdown_timeout(Duration::ZERO), "shutdown_timeout"),
        (good().with_sampler(Sampler::trace_id_ratio(f64::NAN)), "sampler"),
        (good().with_service("", "1"), "service"),
        (good().with_resource_attribute("", "x"), "resource_attribute"),
        (good().with_resource(Resource::new().with_schema_url("1.42.0")), "schema_url"),
    ] {
        let shown = format!("{bad:?}");
        match bad.init() {
            Err(OtlpError::InvalidConfig { setting, .. }) => assert_eq!(setting, expected, "{shown}"),
            other => panic!("{shown}: {other:?}"),
        }
        assert_eq!(own_threads(), [""; 0], "{shown}");
    }
    assert!("carrier-pigeon".parse::<TransportProtocol>().is_err());
    work();
    assert_eq!(balanced(), Counts::default());
    // The place is still free.
    let guard = good().init().unwrap();
    otlp::shutdown(LONG).unwrap();
    drop(guard);
    if cfg!(target_os = "linux") {
        assert!(own_threads().iter().any(|name| name == "otlp-collect"));
    }
}

#[test]
fn a_bad_variable_is_a_line_and_the_default() {
    let name = "a_bad_variable_is_a_line_and_the_default";
    if is_child(name) {
        let guard = otlp::init().unwrap();
        work();
        otlp::flush(LONG).unwrap();
        drop(guard);
        assert_eq!(balanced().exported, 1);
        return;
    }
    let collector = Collector::start().unwrap();
    let (endpoint, traces) = (collector.endpoint(), collector.http_endpoint());
    for (n, (variable, value)) in [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "no url"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://host"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://host:99999"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/xml"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon"),
        ("OTEL_RESOURCE_ATTRIBUTES", "no equals sign"),
        ("OTEL_SDK_DISABLED", "maybe"),
    ]
    .into_iter()
    .enumerate()
    {
        let said = in_own_process(name, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), (variable, value)]);
        let lines: Vec<_> = said.lines().filter(|line| line.starts_with("otlp:")).collect();
        assert!(lines.len() == 1 && lines[0].starts_with(&format!("otlp: {variable}: ")), "{variable}={value}: {said}");
        assert_eq!(collector.span_count(), n as u64 + 1, "{variable}={value}");
    }
    // An endpoint for all signals that is bad beside a good one for traces: the good one counts.
    let both = [("OTEL_EXPORTER_OTLP_ENDPOINT", ":"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*traces)];
    let before = collector.span_count();
    in_own_process(name, &both);
    assert_eq!(collector.span_count(), before + 1);
}

/// With nothing good beside it, a bad endpoint means the default one, which the line names.
#[test]
fn a_bad_endpoint_in_the_environment_does_not_stop_the_program() {
    let name = "a_bad_endpoint_in_the_environment_does_not_stop_the_program";
    if is_child(name) {
        let guard = otlp::init().unwrap();
        work();
        let _ = otlp::shutdown(Duration::from_millis(200));
        drop(guard);
        assert_eq!(balanced().recorded, 1);
        return;
    }
    for (protocol, default) in [("http/protobuf", "http://localhost:4318"), ("grpc", "http://localhost:4317")] {
        let variables =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@"), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
        let said = in_own_process(name, &variables);
        let line = said.lines().find(|line| line.starts_with("otlp: OTEL_EXPORTER_OTLP_ENDPOINT: ")).unwrap();
        assert!(line.ends_with(&format!("; using {default}")) && !said.contains("hunter2"), "{said}");
    }
}

// --- Values ----------------------------------------------------------------------------------------------------------

#[test]
fn ten_megabytes_of_text_are_left_out_and_counted() {
    let huge = "x".repeat(10 << 20);
    let list = vec![1_u32; 1 << 20];
    let captured = received(1, || {
        let span = otlp::span!("huge", before = 1, text = huge, %huge, shown = ?huge);
        span.set_attribute("set", &huge);
        span.set_attribute(&huge, 1);
        span.set_attribute("bytes", huge.as_bytes());
        span.set_attribute("list", &list);
        span.add_event("event", [("text", &huge)]);
        span.add_event(&huge, [("small", 1)]);
        span.set_attribute("after", 2);
    });
    let span = captured.one("huge");
    assert_eq!((span.i64("before"), span.i64("after"), span.attributes.len()), (Some(1), Some(2), 2));
    assert_eq!(span.dropped_attributes, 8);
    let [event, cut] = &span.events[..] else { panic!("two events") };
    assert_eq!((event.name.as_str(), event.attributes.len()), ("event", 0));
    assert_eq!((cut.name.len(), cut.attributes.len()), (65_535, 1));
}

#[test]
fn ten_megabytes_elsewhere_are_cut_or_left_out() {
    #[traced]
    fn fails(text: &str) -> Result<(), String> {
        Span::current().update_name(text);
        Err(text.to_owned())
    }
    let huge = "ü".repeat(5 << 20);
    let captured = received(2, || {
        fails(&huge).unwrap_err();
        otlp::span!("status").set_status(otlp::StatusCode::Error, &huge);
    });
    let [fails, status] = captured.spans() else { panic!("two spans") };
    assert!(fails.is_error() && fails.name.len() == 65_534, "{} {}", fails.is_error(), fails.name.len());
    assert_eq!(fails.string("error.type"), Some("alloc::string::String"));
    assert!(status.is_error() && status.status_message.len() == 65_536 && huge.starts_with(&status.status_message));
}

/// As many large values as fit the budget are kept; the others are counted, and every span arrives.
#[test]
fn many_large_values_at_once_stay_within_the_budget() {
    let text = "x".repeat(500_000);
    let captured = received(100, || {
        let open: Vec<_> = (0..100).map(|_| otlp::span!("large", text, small = 1)).collect();
        drop(open);
    });
    let kept = captured.named("large").filter(|span| span.string("text").is_some()).count();
    assert!((2..20).contains(&kept), "{kept}");
    for span in captured.named("large") {
        assert_eq!(span.attributes.len() + span.dropped_attributes as usize, 2);
        assert_eq!(span.i64("small"), Some(1));
    }
    // The memory is free again.
    let captured = received(1, || drop(otlp::span!("large", text)));
    assert_eq!(captured.one("large").dropped_attributes, 0);
}

#[test]
fn nan_is_kept() {
    let captured = received(1, || drop(otlp::span!("nan", x = f64::NAN, y = [f32::NAN, 1.0])));
    let span = captured.one("nan");
    assert!(span.f64("x").unwrap().is_nan());
    assert_eq!((span.attributes.len(), span.dropped_attributes), (2, 0));
}

const EMPTY: &str = "";
const TWICE: &str = "twice";

#[test]
fn att1_pro3_empty_keys_are_dropped_and_of_equal_ones_the_last_counts() {
    let captured = received(1, || {
        let span = otlp::span!("keys", { EMPTY } = 1, twice = 1, { TWICE } = 2, ..[("", 3), ("twice", 4)]);
        span.set_attribute("", 5);
        span.set_attribute("thrice", 5);
        span.set_attribute("thrice", "six");
        span.add_event("", [("", 1), ("k", 1), ("k", 2)]);
    });
    let span = captured.one("keys");
    assert_eq!((span.i64("twice"), span.string("thrice"), span.attributes.len()), (Some(4), Some("six"), 2));
    assert_eq!(span.dropped_attributes, 3);
    let event = &span.events[0];
    assert_eq!((event.attributes.len(), event.dropped_attributes), (1, 1));
}

#[test]
fn pro3_equal_keys_in_constants_alone() {
    let captured = received(1, || drop(otlp::span!("keys", twice = 1, other = 0, { TWICE } = 2)));
    let span = captured.one("keys");
    assert_eq!((span.i64("twice"), span.attributes.len(), span.dropped_attributes), (Some(2), 2, 0));
}

#[test]
fn lim1_lim5_more_attributes_than_the_limit_are_counted() {
    let captured = received(2, || {
        let span = otlp::span!("much");
        (0..1000).for_each(|n| span.set_attribute(&format!("k{n}"), n));
        let many: Vec<_> = (0..100_000).map(|n| (format!("k{n}"), n)).collect();
        drop(otlp::span!("spread", ..many));
    });
    let span = captured.one("much");
    assert_eq!((span.attributes.len(), span.dropped_attributes), (128, 872));
    // What does not even fit the memory of one span is dropped as a whole, or one by one.
    let span = captured.one("spread");
    assert_eq!((span.attributes.len(), span.dropped_attributes), (128, 99_872));
}

// --- The user's code -------------------------------------------------------------------------------------------------

/// Panics whatever is asked of it.
#[derive(Clone, Copy)]
struct Bomb;

/// What it panics with panics again.
struct Payload;
impl Drop for Payload {
    fn drop(&mut self) {
        explode("the payload");
    }
}

fn explode(what: &'static str) {
    if !std::thread::panicking() {
        // Without the panic hook, whose output would be long.
        std::panic::resume_unwind(Box::new(what));
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of it")?;
        panic!("scripted: Display");
    }
}
impl fmt::Debug for Bomb {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new(Payload))
    }
}
impl Value for Bomb {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        writer.array([1, 2, 3]);
        explode("value");
    }
}
impl Attributes for Bomb {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        writer.attribute("first", &1);
        explode("attributes");
    }
}
impl std::error::Error for Bomb {}

#[traced(fields(before = 1, %bomb, debug = ?bomb, value = bomb, list = [Some(bomb), None], after = 2, ..bomb))]
fn bombed(bomb: Bomb) -> Result<(), Bomb> {
    work();
    Err(bomb)
}

#[test]
fn user_code_that_panics_costs_its_attribute() {
    let captured = received(3, || {
        assert!(bombed(Bomb).is_err());
        let span = otlp::span!("later");
        span.set_attribute("value", Bomb);
        span.set_attributes(Bomb);
        span.set_attribute("good", 1);
        span.add_event("event", Bomb);
        span.record_error(&Bomb);
        span.add_link(&span.context(), Bomb);
        span.add_event("good", ());
    });
    let span = captured.one("bombed");
    assert_eq!((span.i64("before"), span.i64("after"), span.is_error()), (Some(1), Some(2), true));
    assert_eq!((span.i64("first"), span.dropped_attributes, span.status_message.as_str()), (Some(1), 5, ""));
    assert_eq!(span.string("error.type"), Some("bad_input::Bomb"));
    assert_eq!(captured.one("work").parent_span_id, Some(span.span_id));
    let span = captured.one("later");
    assert_eq!((span.attributes.len(), span.i64("good"), span.dropped_attributes), (2, Some(1), 4));
    let events: Vec<_> = span.events.iter().map(|event| (event.name.as_str(), event.attributes.len())).collect();
    assert_eq!(events, [("event", 1), ("exception", 1), ("good", 0)]);
    assert_eq!((span.links.len(), span.links[0].attributes.len()), (1, 1));
}

// --- Scopes ----------------------------------------------------------------------------------------------------------

#[test]
fn leaked_guards_cost_their_span_alone() {
    let captured = received(4, || {
        let thread = std::thread::spawn(|| {
            let outer = otlp::span!("outer").entered();
            forget(otlp::span!("leaked").entered());
            // It is current still, and has children.
            work();
            drop(outer);
            assert!(!Span::current().span_id().is_valid(), "the outer guard gives the place back");
            forget(otlp::span!("also leaked"));
            forget(Span::current().context().attach());
            drop(otlp::span!("after"));
            forget(otlp::span!("leaked at the end").entered());
        });
        thread.join().unwrap();
        std::thread::spawn(work).join().unwrap();
    });
    assert!(captured.spans().iter().all(|span| !span.name.contains("leaked")));
    let parents: Vec<_> = captured.named("work").map(|span| span.parent_span_id.is_some()).collect();
    assert_eq!(parents, [true, false]);
    assert_eq!(captured.one("after").parent_span_id, None);
}

/// Each leaks a slot. When there is none left, new spans are dropped and counted.
#[test]
fn an_empty_pool_of_spans_is_counted_and_ends_with_the_spans() {
    const SPANS: u64 = 40_000;
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = config(collector.endpoint()).with_memory_limit(8 << 20).init().unwrap();
    let open: Vec<_> = (0..SPANS).map(|_| otlp::span!("open")).collect();
    drop(open);
    otlp::flush(LONG).unwrap_err();
    work();
    drop(guard);
    let counts = balanced();
    let dropped = counts.dropped(DropReason::LiveSpans);
    assert_eq!((counts.recorded, counts.exported + dropped), (SPANS + 1, SPANS + 1), "{counts:?}");
    assert!((SPANS / 2..SPANS).contains(&dropped), "{counts:?}");
    assert_eq!((collector.span_count(), collector.captured().named("work").count()), (counts.exported, 1));
}

/// More spans at once than there is room for: the capture says so, and the pipeline beside it has lost nothing.
#[test]
fn a_capture_that_lost_spans_says_so() {
    const SPANS: usize = 50_000;
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = config(collector.endpoint()).with_memory_limit(1 << 20).init().unwrap();
    let captured = std::panic::catch_unwind(|| {
        capture(|| {
            let context = Context::current();
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| context.run(|| (0..SPANS).for_each(|_| work())));
                }
            });
        })
    });
    match captured {
        Ok(((), captured)) => assert_eq!(captured.spans().len(), 2 * SPANS),
        Err(panic) => {
            let text = panic.downcast::<String>().unwrap();
            assert!(text.contains("the capture is not complete"), "{text}");
        }
    }
    otlp::flush(LONG).unwrap();
    assert_eq!(balanced().recorded, 0);
    drop(guard);
}

#[test]
fn guards_entered_after_one_was_dropped_out_of_order_are_undisturbed() {
    let captured = received(6, || {
        let (a, b) = (otlp::span!("a").entered(), otlp::span!("b"));
        let b = b.entered();
        drop(a);
        let (d, e) = (otlp::span!("d").entered(), otlp::span!("e"));
        let e = e.entered();
        drop(b);
        drop(otlp::span!("in e"));
        drop((e, d));
        drop(otlp::span!("after"));
    });
    assert_eq!(captured.one("in e").parent_span_id, Some(captured.one("e").span_id));
    assert_eq!(captured.one("after").parent_span_id, None);
}

#[test]
fn guards_dropped_out_of_order_leave_the_thread_without_a_span() {
    let captured = received(8, || {
        let (a, b, c) = (otlp::span!("a"), otlp::span!("b"), otlp::span!("c"));
        let (a, b, c) = (a.entered(), b.entered(), c.entered());
        drop(b);
        drop(otlp::span!("1"));
        drop(a);
        drop(otlp::span!("2"));
        drop(c);
        assert!(!Span::current().span_id().is_valid());
        drop(otlp::span!("3"));
        let d = otlp::span!("d").entered();
        let inner = otlp::span!("e").context();
        let attached = inner.attach();
        drop(d);
        drop(attached);
        assert!(!Span::current().span_id().is_valid());
    });
    let parent = |name: &str| captured.one(name).parent_span_id;
    let id = |name: &str| captured.one(name).span_id;
    // The outermost guard that is still there, or none: never a span that has ended.
    assert_eq!((parent("1"), parent("2"), parent("3")), (Some(id("a")), None, None));
}

#[test]
fn a_span_may_end_on_another_thread() {
    let captured = received(1001, || {
        let (send, receive) = std::sync::mpsc::channel::<Span>();
        let ends = std::thread::spawn(move || {
            for span in receive {
                span.set_attribute("there", true);
                drop(span);
            }
        });
        let _outer = otlp::span!("outer").entered();
        for _ in 0..1000 {
            let span = otlp::span!("moved", here = true).entered();
            send.send(span.exit()).unwrap();
        }
        drop(send);
        ends.join().unwrap();
    });
    let outer = captured.one("outer").span_id;
    for span in captured.named("moved") {
        assert_eq!((span.bool("here"), span.bool("there"), span.parent_span_id), (Some(true), Some(true), Some(outer)));
    }
}

#[test]
fn ten_thousand_nested_spans() {
    const DEPTH: u64 = 10_000;
    #[traced(fields(depth))]
    fn nested(depth: u64) {
        if depth > 1 {
            nested(depth - 1);
        }
        Span::current().set_attribute("seen", depth);
    }
    let captured = received(DEPTH, || {
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(|| nested(DEPTH)).unwrap();
        thread.join().unwrap();
    });
    // They ended from the innermost to the outermost; there is more than one batch, and these arrive in any order.
    let mut spans = captured.into_spans();
    spans.sort_by_key(|span| span.i64("depth"));
    for (n, pair) in spans.windows(2).enumerate() {
        let (inner, outer) = (&pair[0], &pair[1]);
        assert_eq!((inner.parent_span_id, inner.trace_id), (Some(outer.span_id), outer.trace_id));
        assert_eq!((inner.i64("depth"), inner.i64("seen")), (Some(n as i64 + 1), Some(n as i64 + 1)));
        assert!(outer.start_unix_nanos <= inner.start_unix_nanos && inner.end_unix_nanos <= outer.end_unix_nanos);
    }
}

#[test]
fn a_hundred_thousand_short_lived_threads() {
    const THREADS: u64 = 100_000;
    const AT_ONCE: u64 = 4;
    let _alone = alone();
    let collector = Collector::start().unwrap();
    collector.count_only();
    let guard = config(collector.endpoint()).init().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| (0..THREADS / AT_ONCE).for_each(|_| std::thread::spawn(work).join().unwrap()));
        }
    });
    otlp::flush(LONG).unwrap();
    drop(guard);
    let counts = balanced();
    assert_eq!((counts.recorded, counts.exported, collector.span_count()), (THREADS, THREADS, THREADS), "{counts:?}");
}

/// Spans in destructors of thread-locals, in whatever order these run, belong to the accounts too.
#[test]
fn a_thread_that_records_while_it_ends() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            let _span = otlp::span!("last", n = 1).entered();
            work();
        }
    }
    std::thread_local! {
        static BEFORE: Last = const { Last };
        static AFTER: Last = const { Last };
    }
    received(5 * 50, || {
        for _ in 0..50 {
            let thread = std::thread::spawn(|| {
                BEFORE.with(|_| ());
                work();
                AFTER.with(|_| ());
            });
            thread.join().unwrap();
        }
    });
}

// --- The network -----------------------------------------------------------------------------------------------------

fn works(count: u64) {
    (0..count).for_each(|_| work());
}

#[test]
fn a_refused_port_costs_its_spans_and_no_time() {
    let _alone = alone();
    for protocol in [TransportProtocol::Grpc, TransportProtocol::HttpProtobuf] {
        let port = UnusedPort::reserve();
        let guard = config(format!("http://{port}")).with_protocol(protocol).init().unwrap();
        let start = Instant::now();
        works(10_000);
        let recording = start.elapsed();
        let ended = otlp::shutdown(LONG);
        assert!(matches!(ended, Err(OtlpError::Lost { lost: 10_000, .. })), "{ended:?}");
        drop(guard);
        let counts = balanced();
        assert_eq!((counts.recorded, counts.dropped_total(), counts.exported), (10_000, 10_000, 0), "{counts:?}");
        assert!(recording < Duration::from_secs(2), "{recording:?}");
    }
}

#[test]
fn a_black_hole_costs_its_spans_and_the_deadline() {
    let _alone = alone();
    for protocol in [TransportProtocol::Grpc, TransportProtocol::HttpProtobuf] {
        let collector = Collector::start().unwrap();
        collector.reply_always(Reply::BlackHole);
        let guard = config(collector.endpoint()).with_protocol(protocol).init().unwrap();
        let start = Instant::now();
        works(10_000);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        let ended = otlp::shutdown(Duration::from_millis(200));
        assert!(matches!(ended, Err(OtlpError::DeadlineExceeded { .. })), "{ended:?}");
        drop(guard);
        let counts = balanced();
        assert_eq!((counts.recorded, counts.dropped_total(), counts.exported), (10_000, 10_000, 0), "{counts:?}");
        assert_eq!((counts.queued, counts.in_flight, collector.span_count()), (0, 0, 0));
    }
}

/// Far more than fits the memory, into a black hole: the memory is bounded, and every span is accounted for.
#[test]
fn more_than_the_memory_into_a_black_hole_is_dropped_by_reason() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    collector.reply_always(Reply::BlackHole);
    let guard = config(collector.endpoint()).with_memory_limit(2 << 20).init().unwrap();
    let text = "x".repeat(200);
    let spans = 50_000;
    (0..spans).for_each(|n| drop(otlp::span!("much", n, text)));
    let _ = otlp::shutdown(Duration::from_millis(200));
    drop(guard);
    let counts = balanced();
    assert_eq!((counts.recorded, counts.dropped_total()), (spans, spans), "{counts:?}");
    assert!(counts.dropped(DropReason::QueueFull) + counts.dropped(DropReason::BufferFull) > 0, "{counts:?}");
}

/// A trace that is not sampled stays so where its work goes on.
#[test]
fn what_belongs_to_an_unsampled_span_is_not_sampled_elsewhere() {
    struct Tidy;
    impl Drop for Tidy {
        fn drop(&mut self) {
            work();
        }
    }
    #[traced]
    async fn later() {}
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let sampler = Sampler::parent_based(Sampler::always_on());
    let guard = config(collector.endpoint()).with_sampler(sampler).init().unwrap();
    let trace = otlp::TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    let parent = otlp::SpanId::from_hex("00f067aa0ba902b7").unwrap();
    Context::remote(trace, parent, otlp::TraceFlags::NONE).run(|| {
        let server = otlp::span!("server").entered();
        assert!(!server.is_recording());
        let cancelled = otlp::FutureExt::in_span(
            async {
                let _tidy = Tidy;
                std::future::pending::<()>().await;
            },
            otlp::span!("cancelled"),
        );
        let (task, thread, context) = (otlp::span!("task"), otlp::span!("thread"), otlp::span!("context").context());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async { tokio::spawn(otlp::FutureExt::in_span(later(), task)).await.unwrap() });
        runtime.block_on(async {
            let task = tokio::spawn(cancelled);
            tokio::task::yield_now().await;
            task.abort();
            task.await.unwrap_err();
        });
        std::thread::scope(|scope| {
            scope.spawn(|| thread.in_scope(work)).join().unwrap();
            scope.spawn(|| context.run(work)).join().unwrap();
            let entered = otlp::span!("entered");
            scope.spawn(move || {
                let _entered = entered.entered();
                work();
            });
        });
    });
    drop(guard);
    assert_eq!((balanced().recorded, collector.span_count()), (0, 0));
}

/// Threads that did something once, and do nothing now, leave the others room.
#[test]
fn idle_threads_leave_slots_to_the_others() {
    const THREADS: usize = 500;
    fn nested(depth: u32) {
        let _span = otlp::span!("nested").entered();
        if depth > 1 {
            nested(depth - 1);
        }
    }
    let _alone = alone();
    let collector = Collector::start().unwrap();
    collector.count_only();
    // Room for some two thousand open spans.
    let guard = config(collector.endpoint()).with_memory_limit(4 << 20).init().unwrap();
    let idle = std::sync::Barrier::new(THREADS + 1);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let work = || {
                nested(8);
                idle.wait();
                idle.wait();
            };
            std::thread::Builder::new().stack_size(128 << 10).spawn_scoped(scope, work).unwrap();
        }
        idle.wait();
        scope.spawn(|| (0..100).for_each(|_| nested(8))).join().unwrap();
        idle.wait();
    });
    drop(guard);
    assert_eq!(balanced().dropped(DropReason::LiveSpans), 0);
}

/// Spans that needed more than their slot give that back.
#[test]
fn a_burst_of_large_spans_leaves_room_for_later_ones() {
    let text = "x".repeat(3000);
    let captured = received(1110, || {
        let open: Vec<_> = (0..1100).map(|_| otlp::span!("burst", text)).collect();
        drop(open);
        otlp::flush(LONG).unwrap();
        let larger = "y".repeat(5000);
        (0..10).for_each(|_| drop(otlp::span!("later", larger)));
    });
    assert!(captured.named("later").all(|span| span.dropped_attributes == 0));
}
