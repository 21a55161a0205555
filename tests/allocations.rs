//! Recording allocates nothing in steady state (design.md 8): the allocator of this program counts.
#![allow(unsafe_code, clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

use otlp::testing::Collector;
use otlp::{Context, FutureExt as _, OtlpConfig, OtlpGuard, Span, StatusCode, traced};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[traced]
fn none() {}

#[traced(fields(order, name))]
fn two(order: u64, name: &str) {
    black_box((order, name));
}

#[traced(fields(a, b, c, d, e = text, f = text, g = text, h = text))]
fn eight(a: u64, b: i32, c: f64, d: bool, text: &str) {
    black_box((a, b, c, d, text));
}

#[traced(fields(%order, ?name))]
fn formatted(order: u64, name: &str) {
    black_box((order, name));
}

#[traced]
fn nested(depth: u32) {
    if depth > 0 {
        nested(depth - 1);
    }
}

#[traced]
fn updated() {
    let span = Span::current();
    span.set_attribute("lines", 17);
    span.set_attribute("name", "a text of some length");
    span.set_status(StatusCode::Ok, "");
}

#[traced]
fn eventful() {
    Span::current().add_event("retried", [("attempt", 2)]);
}

#[traced(fields(number))]
async fn asynchronous(number: u64) -> u64 {
    std::future::ready(number).await
}

#[traced]
fn failing() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

/// Polls a future that is ready at once.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("not ready"),
    }
}

/// What recording allocates on this thread in 100 calls, once it is warm.
fn allocations(f: impl Fn()) -> u64 {
    for _ in 0..1000 {
        f();
    }
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        f();
    }
    ALLOCATIONS.get() - before
}

fn all() -> Vec<(&'static str, u64)> {
    let context = Context::current();
    vec![
        ("no attributes", allocations(none)),
        ("two attributes", allocations(|| two(7, "Ada Lovelace"))),
        ("eight attributes", allocations(|| eight(1, 2, 3.0, true, "text"))),
        ("formatted attributes", allocations(|| formatted(7, "Ada Lovelace"))),
        ("nested", allocations(|| nested(5))),
        ("updated", allocations(updated)),
        ("an event", allocations(eventful)),
        ("async", allocations(|| assert_eq!(ready(asynchronous(3)), 3))),
        ("a span by hand", allocations(|| drop(otlp::span!("by hand", n = 1).entered()))),
        ("in a span", allocations(|| ready(async {}.in_span(otlp::span!("future"))))),
        ("in a context", allocations(|| context.run(none))),
        ("an error", allocations(|| assert!(failing().is_err()))),
    ]
}

fn init(config: OtlpConfig) -> OtlpGuard {
    config.with_env(false).init().unwrap()
}

#[test]
fn recording_allocates_nothing_in_steady_state() {
    let nothing: Vec<_> = all().into_iter().map(|(what, _)| (what, 0)).collect();
    assert_eq!(all(), nothing, "before init");
    let collector = Collector::start().unwrap();
    let guard = init(OtlpConfig::default().with_endpoint(collector.endpoint()));
    // Segments come from the allocator until the pool holds as many as the program needs. Flushing in between keeps the
    // collector from falling behind.
    for _ in 0..20 {
        all();
        otlp::flush(Duration::from_secs(30)).unwrap();
    }
    let mut counted = all();
    for _ in 0..10 {
        otlp::flush(Duration::from_secs(30)).unwrap();
        // The least of several: a segment may still be new now and then.
        for (least, now) in counted.iter_mut().zip(all()) {
            least.1 = least.1.min(now.1);
        }
    }
    assert_eq!(counted, nothing);
    drop(guard);
    assert_eq!(otlp::status().traces.dropped_total(), 0);
    assert_eq!(collector.span_count(), otlp::status().traces.recorded);
}
