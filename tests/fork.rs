//! Programs that fork: the parent goes on as if nothing had happened, and a child starts anew (user-needs U13).
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]
#![allow(unsafe_code)]

#[path = "support/process.rs"]
mod process;

use std::cell::RefCell;
use std::collections::HashSet;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use otlp::testing::{CapturedSpan, Collector};
use otlp::{OtlpConfig, OtlpGuard, Span, traced};
use process::*;

#[traced]
fn work() {}

fn works(count: u64) {
    (0..count).for_each(|_| work());
}

/// The pipeline that the environment of the process asks for. Nothing is sent before somebody asks for it.
fn init() -> OtlpGuard {
    OtlpConfig::default().with_schedule_delay(Duration::from_secs(3600)).init().unwrap()
}

/// Runs `f` in a forked child, and waits for that.
fn in_child(f: impl FnOnce()) {
    // SAFETY: the child has what it needs: the allocator survives a fork on Linux, and nothing else is shared.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let done = catch_unwind(AssertUnwindSafe(f)).is_ok();
        // SAFETY: ends the process.
        unsafe { libc::_exit(if done { 0 } else { 1 }) };
    }
    assert!(child > 0);
    let deadline = Instant::now() + LONG;
    let mut status = 0;
    // SAFETY: a valid place, and a child of this process.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > deadline {
            // SAFETY: the child is there; it was not waited for.
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("the child did not end");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status:x}");
}

/// Runs `program` as the only thread of a process of its own, over both protocols; gives what the receiver got.
#[track_caller]
fn received(name: &str, program: impl FnOnce()) -> Vec<CapturedSpan> {
    if is_child(name) {
        program();
        std::process::exit(0);
    }
    let mut all = Vec::new();
    for protocol in ["http/protobuf", "grpc"] {
        let collector = Collector::start().unwrap();
        let mut process = own_process(name);
        process.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
        process.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let end = run(process);
        assert!(end.status.success(), "{protocol}: {:?} {}", end.status, end.stderr);
        let spans = collector.spans();
        assert!(all.is_empty() || all == names(&spans), "{protocol}: {} and {}", all.len(), spans.len());
        all = names(&spans);
        if protocol == "grpc" {
            return spans;
        }
    }
    unreachable!()
}

fn names(spans: &[CapturedSpan]) -> Vec<String> {
    let mut names: Vec<String> = spans.iter().map(|span| span.name.clone()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_child_records_nothing_and_its_parent_goes_on() {
    let spans = received("a_child_records_nothing_and_its_parent_goes_on", || {
        let guard = init();
        works(3);
        let mut guard = Some(guard);
        in_child(|| {
            assert!(!otlp::enabled!());
            works(5);
            let start = Instant::now();
            otlp::flush(LONG).unwrap();
            otlp::shutdown(LONG).unwrap();
            drop(guard.take());
            assert!(start.elapsed() < Duration::from_secs(1));
            assert_eq!(otlp::status().traces.recorded, 0);
        });
        works(4);
        otlp::flush(LONG).unwrap();
        assert_eq!((balanced().recorded, balanced().exported), (7, 7));
        drop(guard);
    });
    assert_eq!(spans.len(), 7);
}

#[test]
fn a_child_that_calls_init_has_a_pipeline_of_its_own() {
    let spans = received("a_child_that_calls_init_has_a_pipeline_of_its_own", || {
        let guard = init();
        works(3);
        in_child(|| {
            let own = init();
            assert!(otlp::enabled!());
            works(5);
            // Far more than one log holds.
            std::thread::scope(|scope| {
                (0..4).for_each(|_| drop(scope.spawn(|| works(1000))));
            });
            otlp::flush(LONG).unwrap();
            assert_eq!((balanced().recorded, balanced().exported), (4005, 4005));
            // And a child of the child, and its child.
            in_child(|| {
                works(1);
                in_child(|| {
                    let own = init();
                    works(2);
                    in_child(|| {
                        let own = init();
                        works(10);
                        drop(own);
                    });
                    drop(own);
                });
            });
            works(1);
            drop(own);
            let again = init();
            works(1);
            drop(again);
        });
        works(4);
        drop(guard);
        assert_eq!(balanced().exported, 7);
    });
    assert_eq!(spans.len(), 7 + 4007 + 2 + 10);
    let ids: HashSet<_> = spans.iter().map(|span| span.span_id).collect();
    let traces: HashSet<_> = spans.iter().map(|span| span.trace_id).collect();
    assert_eq!((ids.len(), traces.len()), (spans.len(), spans.len()), "ids are not drawn twice");
}

/// RES2: one for each process that was forked, also where their parent had no pipeline; and one for a whole process.
#[test]
fn every_process_has_an_instance_id_of_its_own() {
    let spans = received("every_process_has_an_instance_id_of_its_own", || {
        drop(OtlpConfig::default().with_disabled(true).init().unwrap());
        for _ in 0..2 {
            in_child(|| {
                for _ in 0..2 {
                    let own = init();
                    works(1);
                    drop(own);
                }
            });
        }
        let guard = init();
        works(1);
        drop(guard);
    });
    let id = |span: &CapturedSpan| format!("{:?}", span.resource.get("service.instance.id").unwrap());
    let ids: Vec<String> = spans.iter().map(id).collect();
    let distinct: HashSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (5, 3), "{ids:?}");
}

/// What was open at the fork is the parent's; what the child records belongs to the same trace.
#[test]
fn spans_that_are_open_at_a_fork_are_exported_once() {
    let spans = received("spans_that_are_open_at_a_fork_are_exported_once", || {
        let guard = init();
        let outer = otlp::span!("outer").entered();
        let inner = otlp::span!("inner").entered();
        let context = otlp::Context::current();
        let children = RefCell::new(Some((outer, inner)));
        in_child(|| {
            // Before `init` too, these do no harm.
            Span::current().set_attribute("lost", true);
            let own = init();
            drop(otlp::span!("under inner"));
            let (outer, inner) = children.take().unwrap();
            drop(inner);
            drop(otlp::span!("under outer"));
            drop(outer);
            drop(otlp::span!("alone"));
            context.run(|| drop(otlp::span!("in context")));
            otlp::flush(LONG).unwrap();
            assert_eq!((balanced().recorded, balanced().exported), (4, 4));
            drop(own);
        });
        drop(children);
        drop(guard);
    });
    let one = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(names(&spans), ["alone", "in context", "inner", "outer", "under inner", "under outer"]);
    assert_eq!(one("under inner").parent_span_id, Some(one("inner").span_id));
    assert_eq!(one("in context").parent_span_id, Some(one("inner").span_id));
    assert_eq!(one("under outer").parent_span_id, Some(one("outer").span_id));
    assert_eq!(one("under outer").trace_id, one("outer").trace_id);
    assert_eq!(one("under outer").has_remote_parent(), Some(true));
    assert_eq!(one("alone").parent_span_id, None);
    assert_ne!(one("alone").trace_id, one("outer").trace_id);
    assert!(one("inner").attributes.is_empty());
}

/// Whatever the parent's threads hold at the fork, the child waits for none of it.
#[test]
fn a_child_waits_for_nothing_that_its_parent_held() {
    let spans = received("a_child_waits_for_nothing_that_its_parent_held", || {
        // The parent's own spans go nowhere.
        let _guard = OtlpConfig::default().with_endpoint("http://127.0.0.1:1").init().unwrap();
        let stop = AtomicBool::new(false);
        let shared = otlp::span!("shared");
        let reference = *shared;
        let work: [&(dyn Fn() + Sync); 6] = [
            &|| works(100),
            &|| otlp::set_filter("info").unwrap(),
            &|| drop(otlp::flush(Duration::from_millis(1))),
            &|| assert!(otlp::status().traces.balanced()),
            &|| drop(otlp::init()),
            &|| reference.add_event("event", ()),
        ];
        std::thread::scope(|scope| {
            for work in work {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        work();
                    }
                });
            }
            for _ in 0..60 {
                in_child(|| {
                    otlp::flush(LONG).unwrap();
                    otlp::set_filter("").unwrap();
                    works(1);
                    reference.set_attribute("key", 1);
                    let own = init();
                    reference.set_attribute("key", 1);
                    drop(otlp::span!("child"));
                    otlp::flush(LONG).unwrap();
                    assert_eq!(balanced().exported, 1);
                    drop(own);
                });
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
    assert_eq!(names(&spans), ["child"; 60]);
}

#[test]
fn exec_after_fork_leaves_the_parent_alone() {
    let spans = received("exec_after_fork_leaves_the_parent_alone", || {
        let guard = init();
        works(3);
        let mut true_ = Command::new("true");
        assert!(true_.status().unwrap().success());
        // With something to do before, `std` forks.
        // SAFETY: records, which needs no more than memory.
        unsafe {
            true_.pre_exec(|| {
                works(10);
                Ok(())
            })
        };
        assert!(true_.status().unwrap().success());
        works(4);
        drop(guard);
        assert_eq!(balanced().exported, 7);
    });
    assert_eq!(spans.len(), 7);
}

/// `exit` in a child runs the handlers that it has inherited.
#[test]
fn a_child_that_exits_ends_at_once_or_delivers_its_own() {
    let spans = received("a_child_that_exits_ends_at_once_or_delivers_its_own", || {
        let _guard = init();
        works(3);
        in_child(|| std::process::exit(0));
        in_child(|| {
            std::mem::forget(init());
            works(5);
            std::process::exit(0);
        });
        otlp::flush(LONG).unwrap();
    });
    assert_eq!(spans.len(), 8);
}

/// A future that was begun before the fork is over in the child, and begins nothing there.
#[test]
fn a_flush_that_was_under_way_is_over_in_the_child() {
    let spans = received("a_flush_that_was_under_way_is_over_in_the_child", || {
        let _guard = init();
        works(3);
        let mut flush = otlp::flush_async(LONG);
        let unpolled = otlp::flush_async(LONG);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let polled = std::pin::Pin::new(&mut flush).poll(&mut context);
        let flushes = RefCell::new(Some((flush, unpolled)));
        in_child(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (flush, unpolled) = flushes.take().unwrap();
            if polled.is_pending() {
                runtime.block_on(flush).unwrap();
            }
            runtime.block_on(unpolled).unwrap();
        });
        drop(flushes);
        otlp::flush(LONG).unwrap();
    });
    assert_eq!(spans.len(), 3);
}
