//! A receiver that is away while the program records as fast as it can, as the whole program sees it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../otlp-runtime/tests/support/port.rs"]
mod port;
#[path = "support/process.rs"]
mod process;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use otlp::account::DropReason;
use otlp::testing::Collector;
use otlp::traced;
use port::UnusedPort;
use process::*;

const LIMIT: usize = 8 << 20;

#[traced(fields(text))]
fn work(text: &str) {}

/// The most memory that this process has had, in bytes (proc(5), `VmHWM`).
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

/// Reliability.md 3.6, promises 1 and 3. What ten minutes would add is in simulated time, in the exporter's own tests.
#[test]
fn memory_stays_within_the_limit_and_the_book_adds_up_when_the_receiver_is_back() {
    let name = "memory_stays_within_the_limit_and_the_book_adds_up_when_the_receiver_is_back";
    if !is_child(name) {
        let end = run(own_process(name));
        assert!(end.status.success(), "{}", end.stderr);
        return;
    }
    let port = UnusedPort::reserve();
    let config = config(format!("http://{port}")).with_memory_limit(LIMIT).with_batch_bytes(64 << 10);
    let guard = config.init().unwrap();
    let text = "z".repeat(200);
    let work_for = |time: Duration| {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        work(&text);
                    }
                });
            }
            let until = Instant::now() + time;
            while Instant::now() < until {
                balanced();
                assert!(otlp::status().recording_bytes <= LIMIT);
                std::thread::sleep(Duration::from_millis(1));
            }
            stop.store(true, Ordering::Relaxed);
        });
    };
    let before = peak();
    work_for(Duration::from_secs(2));
    let dropped = balanced().dropped_total();
    assert!(dropped > 0, "the load was too small for this test");
    // What threads, allocator and the engine's own buffers take comes on top.
    let grown = peak() - before;
    assert!(grown < 2 * LIMIT, "{grown} bytes");

    let collector = port.listen(|address| Collector::start_on(address.port()).unwrap());
    collector.count_only();
    let _ = otlp::flush(LONG);
    work(&text);
    otlp::flush(LONG).unwrap();
    drop(guard);
    let counts = settled();
    assert_eq!(counts.exported, collector.span_count(), "{counts:?}");
    assert!(counts.dropped(DropReason::QueueFull) > 0, "{counts:?}");
}
