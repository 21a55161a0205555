//! What threads cost that recorded something and then do nothing.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use otlp::OtlpConfig;
use otlp::testing::Collector;

#[otlp::traced]
fn work() {}

/// design.md 8: idle threads hold at most one segment of 4 KiB; here they give that back too.
#[test]
fn idle_threads_give_their_memory_back_and_go_on_recording() {
    const THREADS: usize = 300;
    let collector = Collector::start().unwrap();
    let guard = OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint()).init().unwrap();
    let (recorded, go_on) = (Arc::new(Barrier::new(THREADS + 1)), Arc::new(Barrier::new(THREADS + 1)));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (recorded, go_on) = (Arc::clone(&recorded), Arc::clone(&go_on));
            thread::spawn(move || {
                work();
                recorded.wait();
                go_on.wait();
                work();
            })
        })
        .collect();
    recorded.wait();
    if cfg!(target_os = "linux") {
        // Slots stay with their threads, a few hundred bytes each.
        let patience = Instant::now() + Duration::from_secs(30);
        while otlp::status().recording_bytes > THREADS * 1024 {
            assert!(Instant::now() < patience, "{} bytes are still held", otlp::status().recording_bytes);
            thread::yield_now();
        }
    }
    go_on.wait();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    otlp::flush(Duration::from_secs(30)).unwrap();
    assert_eq!(collector.span_count(), 2 * THREADS as u64);
    drop(guard);
}
