//! From `init` to shutdown, as a program sees it: every state, every kind of thread, and what the receiver counts.
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use otlp::account::DropReason;
use otlp::testing::{Collector, Reply};
use otlp::{OtlpConfig, OtlpError, OtlpGuard, TransportProtocol, traced};
use process::*;

/// On a loaded machine a thread may have to wait for its turn.
const SLACK: Duration = Duration::from_millis(300);

fn init(collector: &Collector) -> OtlpGuard {
    config(collector.endpoint()).init().unwrap()
}

/// A port that nobody listens on.
fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[traced]
fn work() {}

fn works(count: u64) {
    (0..count).for_each(|_| work());
}

fn timed<R>(f: impl FnOnce() -> R) -> (R, Duration) {
    let start = Instant::now();
    (f(), start.elapsed())
}

#[test]
fn what_is_recorded_arrives_over_both_protocols_and_init_may_follow_shutdown() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    for protocol in [TransportProtocol::Grpc, TransportProtocol::HttpProtobuf] {
        let before = collector.span_count();
        let guard = config(collector.endpoint()).with_protocol(protocol).with_service("shop", "1.2").init().unwrap();
        works(1000);
        otlp::flush(LONG).unwrap();
        assert_eq!(collector.span_count() - before, 1000);
        assert_eq!((balanced().recorded, balanced().exported), (1000, 1000));
        works(10);
        drop(guard);
        assert_eq!((collector.span_count() - before, balanced().exported), (1010, 1010));
        assert_eq!(otlp::status().to_string(), "spans: 1010 recorded, 1010 exported, 0 dropped");
        // Nothing runs any more: nothing is recorded.
        works(10);
        otlp::flush(LONG).unwrap();
        otlp::shutdown(LONG).unwrap();
        assert_eq!(balanced().recorded, 1010);
    }
    let span = &collector.spans()[0];
    assert_eq!(span.name, "work");
}

#[test]
fn before_init_and_beside_it() {
    let _alone = alone();
    assert!(otlp::flush(Duration::ZERO).is_ok() && otlp::shutdown(Duration::ZERO).is_ok());
    let inert = config("http://127.0.0.1:1").with_disabled(true).init().unwrap();
    works(1);
    otlp::flush(Duration::ZERO).unwrap();
    let collector = Collector::start().unwrap();
    let guard = init(&collector);
    drop(inert);
    assert!(matches!(config(collector.endpoint()).init(), Err(OtlpError::AlreadyInitialized)));
    let invalid = config("ftp://host").init();
    assert!(matches!(invalid, Err(OtlpError::InvalidConfig { setting: "endpoint", .. })), "{invalid:?}");
    works(1);
    otlp::shutdown(LONG).unwrap();
    // The first guard's pipeline is over; its drop must not touch the next one.
    let next = init(&collector);
    drop(guard);
    works(1);
    otlp::flush(LONG).unwrap();
    assert_eq!(collector.span_count(), 2);
    drop(next);
}

/// U1: no kind of thread or runtime makes flush or shutdown hang.
#[test]
fn flush_and_shutdown_work_from_every_kind_of_thread() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let count = || collector.span_count();
    type Call = fn(Duration) -> Result<(), OtlpError>;
    for call in [otlp::flush as Call, otlp::shutdown as Call] {
        let current = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let one_worker = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let recorded_and_called = || {
            let before = count();
            works(7);
            call(LONG).unwrap();
            assert_eq!(count() - before, 7);
        };
        let guard = init(&collector);
        recorded_and_called();
        drop(guard);
        for runtime in [&current, &one_worker] {
            let guard = init(&collector);
            runtime.block_on(async { recorded_and_called() });
            drop(guard);
        }
        for runtime in [&current, &one_worker] {
            let guard = init(&collector);
            runtime.block_on(async {
                let before = collector.span_count();
                tokio::spawn(async move {
                    works(7);
                    call(LONG).unwrap();
                })
                .await
                .unwrap();
                assert_eq!(count() - before, 7);
                drop(guard);
            });
        }
        let guard = init(&collector);
        current.block_on(async {
            tokio::task::spawn_blocking(move || {
                works(7);
                call(LONG).unwrap();
            })
            .await
            .unwrap();
            otlp::flush_async(LONG).await.unwrap();
        });
        drop(guard);
        let counts = balanced();
        assert_eq!((counts.recorded, counts.exported), (7, 7));
    }
}

#[test]
fn a_guard_that_drops_while_its_thread_unwinds_delivers() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    #[traced]
    fn fails() {
        std::panic::resume_unwind(Box::new("scripted"));
    }
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _guard = init(&collector);
        fails();
    }));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "scripted");
    assert_eq!(collector.captured().one("fails").name, "fails");
}

#[test]
fn a_refused_port_ends_a_shutdown_quickly_and_a_black_hole_at_the_deadline() {
    let _alone = alone();
    for protocol in [TransportProtocol::Grpc, TransportProtocol::HttpProtobuf] {
        let guard = config(refused()).with_protocol(protocol).init().unwrap();
        works(100);
        let (ended, took) = timed(|| otlp::shutdown(LONG));
        assert!(matches!(ended, Err(OtlpError::Lost { lost: 100, .. })), "{ended:?}");
        assert!(took < SLACK, "{took:?}");
        assert_eq!(balanced().dropped(DropReason::RetryExhausted), 100);
        drop(guard);

        let collector = Collector::start().unwrap();
        collector.reply_always(Reply::BlackHole);
        let guard = config(collector.endpoint()).with_protocol(protocol).init().unwrap();
        works(100);
        for (call, allowed) in [(otlp::flush as fn(_) -> _, 30), (otlp::shutdown, 100)] {
            let allowed = Duration::from_millis(allowed);
            let (ended, took) = timed(|| call(allowed));
            assert!(matches!(ended, Err(OtlpError::DeadlineExceeded { pending: 100, .. })), "{ended:?}");
            assert!((allowed..allowed + SLACK).contains(&took), "{took:?}");
        }
        let counts = settled();
        assert_eq!(counts.recorded, 100);
        assert_eq!(counts.dropped(DropReason::UnknownOutcome), 100);
        drop(guard);
    }
}

#[test]
fn a_span_that_ends_after_shutdown_is_counted_as_late() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = init(&collector);
    let open = otlp::span!("open");
    works(3);
    drop(guard);
    assert_eq!((balanced().recorded, balanced().exported), (3, 3));
    drop(open);
    let counts = wait_until(|counts| counts.dropped(DropReason::Shutdown) > 0);
    assert_eq!((counts.recorded, counts.dropped(DropReason::Shutdown)), (4, 1));
}

#[test]
fn init_flush_and_shutdown_at_the_same_time_on_many_threads() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (stop, collector) = (&stop, &collector);
        for _ in 0..2 {
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    work();
                    balanced();
                }
            });
        }
        let callers: Vec<_> = (0..4)
            .map(|n| {
                scope.spawn(move || {
                    let allowed = Duration::from_millis(200);
                    for _ in 0..25 {
                        let (_, took) = timed(|| match n {
                            0 => drop(config(collector.endpoint()).init()),
                            1 => drop(otlp::flush(allowed)),
                            2 => drop(otlp::shutdown(allowed)),
                            _ => match config(collector.endpoint()).init() {
                                Ok(guard) => drop(guard),
                                Err(error) => assert!(matches!(error, OtlpError::AlreadyInitialized), "{error}"),
                            },
                        });
                        assert!(n % 3 == 0 || took < allowed + SLACK, "{took:?}");
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        stop.store(true, Ordering::Relaxed);
    });
    otlp::shutdown(LONG).unwrap();
    let before = collector.span_count();
    let guard = init(&collector);
    works(5);
    drop(guard);
    // One that was late for the last pipeline may have come to this one.
    let counts = balanced();
    assert!((5..=7).contains(&counts.exported), "{counts:?}");
    assert_eq!(collector.span_count() - before, counts.exported);
}

/// Law 2, against the receiver's own count.
#[test]
fn the_accounts_agree_with_the_receiver_whatever_it_answers() {
    let _alone = alone();
    for (replies, allowed) in [
        (vec![Reply::status(503), Reply::status(429)], LONG),
        (vec![Reply::status(400), Reply::partial(3, "no"), Reply::Disconnect], LONG),
        (vec![Reply::Accept, Reply::BlackHole], Duration::from_millis(100)),
    ] {
        let collector = Collector::start().unwrap();
        collector.script(replies);
        let guard = config(collector.endpoint()).with_batch_size(50).init().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| works(500));
            }
            (0..20).for_each(|_| {
                balanced();
            });
        });
        let _ = otlp::shutdown(allowed);
        drop(guard);
        let counts = settled();
        assert_eq!(counts.recorded, 2000, "{counts:?}");
        assert!(collector.wait_until_settled(LONG));
        let unknown = counts.dropped(DropReason::UnknownOutcome);
        let received = collector.span_count();
        assert!((counts.exported..=counts.exported + unknown).contains(&received), "{received} {counts:?}");
    }
}

#[test]
fn a_loss_is_told_once_whenever_it_was() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    collector.reply_always(Reply::status(400));
    let guard = config(collector.endpoint()).with_batch_size(50).init().unwrap();
    for told in [otlp::flush as fn(_) -> _, otlp::shutdown] {
        works(100);
        let rejected = balanced().rejected + 100;
        wait_until(|counts| counts.rejected == rejected);
        assert!(matches!(told(LONG), Err(OtlpError::Lost { lost: 100, .. })));
        otlp::flush(LONG).unwrap();
    }
    drop(guard);
    assert_eq!(balanced().rejected, 200);
}

/// Another thread is writing to the span when it ends, and finishes it.
#[test]
fn a_span_that_ended_before_a_flush_is_in_it() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    collector.count_only();
    let guard = init(&collector);
    let text = "z".repeat(100_000);
    for spans in 1..=100 {
        let span = otlp::span!("shared");
        let shared = *span;
        let started = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                started.store(true, Ordering::Release);
                (0..20).for_each(|_| shared.set_attribute("text", &text));
            });
            while !started.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
            (0..spans * 37 % 2000).for_each(|_| std::hint::spin_loop());
            drop(span);
            otlp::flush(LONG).unwrap();
            assert_eq!(collector.span_count(), spans);
        });
    }
    drop(guard);
}

/// Its log is there before it has made an id (TRC3).
#[test]
fn the_first_thing_a_thread_does_may_be_to_end_the_span_of_another() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = init(&collector);
    let above = otlp::span!("above").entered();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (ended, context) = (otlp::span!("ended"), otlp::Context::current());
            std::thread::spawn(move || {
                drop(ended);
                let _attached = context.attach();
                works(100);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    drop(above);
    otlp::flush(LONG).unwrap();
    let ids: std::collections::HashSet<_> = collector.spans().iter().map(|span| span.span_id).collect();
    assert_eq!(ids.len(), 1 + 8 * 101);
    drop(guard);
}

#[test]
fn what_may_have_arrived_once_is_of_unknown_outcome_for_good() {
    let _alone = alone();
    for protocol in [TransportProtocol::Grpc, TransportProtocol::HttpProtobuf] {
        let collector = Collector::start().unwrap();
        // It takes everything, but does not answer; then it goes away.
        collector.reply_always(Reply::Reset);
        let guard = config(collector.endpoint()).with_protocol(protocol).init().unwrap();
        works(100);
        let _ = otlp::flush(Duration::from_millis(1));
        while collector.span_count() < 100 {
            std::thread::yield_now();
        }
        collector.stop();
        let _ = otlp::shutdown(LONG);
        drop(guard);
        let counts = balanced();
        assert_eq!(counts.exported + counts.dropped(DropReason::UnknownOutcome), 100, "{counts:?}");
    }
}

#[test]
fn spans_of_an_earlier_pipeline_go_where_the_present_one_goes() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = init(&collector);
    let outer = otlp::span!("outer").entered();
    drop(guard);
    let guard = init(&collector);
    works(100);
    drop(outer);
    otlp::flush(LONG).unwrap();
    assert_eq!((balanced().recorded, collector.span_count()), (101, 101));
    let trace = collector.captured().one("outer").trace_id;
    assert!(collector.captured().named("work").all(|span| span.trace_id == trace));
    // Between two pipelines, they are late for the last one.
    let open = otlp::span!("open");
    drop(guard);
    let guard = init(&collector);
    drop(guard);
    drop(open);
    assert_eq!(wait_until(|counts| counts.dropped(DropReason::Shutdown) > 0).recorded, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_stderr_holds_nobody_up() {
    let name = "a_full_stderr_holds_nobody_up";
    if is_child(name) {
        // The variable that is wrong would be a line, and so would be what is lost.
        let collector = Collector::start().unwrap();
        let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).init().unwrap();
        let open = otlp::span!("open");
        works(200_000);
        let _ = otlp::flush(LONG);
        assert!(balanced().exported > 0);
        let _ = otlp::shutdown(LONG);
        drop((guard, open));
        let guard = init(&collector);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        works(1);
        runtime.block_on(otlp::flush_async(LONG)).unwrap();
        drop(guard);
        std::process::exit(0);
    }
    // As much as a pipe holds on Linux; nobody reads it.
    let (_unread, mut stderr) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut stderr, &[b'.'; 1 << 16]).unwrap();
    let mut child = own_process(name).env("OTEL_SDK_DISABLED", "perhaps").stderr(stderr).spawn().unwrap();
    let deadline = Instant::now() + LONG;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                panic!("it waits for its stderr");
            }
            None => std::thread::yield_now(),
        }
    };
    assert!(status.success(), "{status}");
}

#[test]
fn a_guard_that_is_dropped_at_once_prints_how_to_keep_it() {
    let name = "a_guard_that_is_dropped_at_once_prints_how_to_keep_it";
    if is_child(name) {
        let _ = otlp::init().unwrap();
        return;
    }
    let said = in_own_process(name, &[]);
    assert!(said.contains("let _otlp = otlp::init()?;"), "{said}");
    let said = in_own_process(name, &[("OTEL_SDK_DISABLED", "true")]);
    assert!(!said.contains("otlp:"), "{said}");
}

#[test]
fn the_environment_says_where_to_and_a_bad_variable_is_a_line() {
    let name = "the_environment_says_where_to_and_a_bad_variable_is_a_line";
    if is_child(name) {
        let _guard = otlp::init().unwrap();
        works(3);
        return;
    }
    let collector = Collector::start().unwrap();
    let endpoint = collector.endpoint();
    let said = in_own_process(
        name,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_SERVICE_NAME", "child"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "x"),
        ],
    );
    assert!(said.lines().any(|line| line.starts_with("otlp: OTEL_EXPORTER_OTLP_TIMEOUT")), "{said}");
    assert_eq!(collector.span_count(), 3);
}
