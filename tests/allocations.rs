//! Recording allocates nothing on the calling thread, once its log and its slots are warm (law 1), and what the collector
//! allocates does not grow with the number of spans.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use otlp::testing::Collector;
use otlp::{Context, FutureExt as _, OtlpConfig, Sampler, Span, SpanKind, StatusCode, traced};

/// The system's allocator, which counts for each thread what it is asked for.
struct Counting;

std::thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    /// Where its calls are counted for others to see.
    static PLACE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The calls of each thread, and its number at the system: those of the engine start before anybody can ask them.
static THREADS: [(AtomicI32, AtomicU64); 64] = [const { (AtomicI32::new(0), AtomicU64::new(0)) }; 64];
static KNOWN: AtomicUsize = AtomicUsize::new(0);

fn count() {
    CALLS.set(CALLS.get() + 1);
    if PLACE.get() == usize::MAX {
        PLACE.set(KNOWN.fetch_add(1, Ordering::Relaxed));
        // SAFETY: asks for a number.
        let number = unsafe { libc::gettid() };
        THREADS.get(PLACE.get()).inspect(|(thread, _)| thread.store(number, Ordering::Relaxed));
    }
    THREADS.get(PLACE.get()).inspect(|(_, calls)| _ = calls.fetch_add(1, Ordering::Relaxed));
}

/// Calls of the allocator so far on the thread of this name.
#[cfg(target_os = "linux")]
fn calls_of(name: &str) -> u64 {
    let is_it = |number: i32| {
        std::fs::read_to_string(format!("/proc/self/task/{number}/comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let thread = THREADS.iter().find(|(number, _)| is_it(number.load(Ordering::Relaxed))).unwrap();
    thread.1.load(Ordering::Relaxed)
}

// SAFETY: every call is handed to the system's allocator as it is; the counter is constant, has no destructor, and
// allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: by the caller's contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls of the allocator on this thread while `f` runs.
fn calls(f: impl FnOnce()) -> u64 {
    let before = CALLS.get();
    f();
    CALLS.get() - before
}

/// Spans of one round; a round fits the log of a thread whatever the collector is doing.
const SPANS: u32 = 200;
const ROUNDS: u32 = 20;

/// `span` makes one span (or a few) and must not allocate; the first rounds are for warming up.
#[track_caller]
fn allocates_nothing(what: &str, mut span: impl FnMut(u32)) {
    let mut last = 0;
    for round in 0..ROUNDS {
        let calls = calls(|| (0..SPANS).for_each(&mut span));
        // So the log never has to grow because its reader had no time.
        otlp::flush(Duration::from_secs(60)).unwrap();
        if round >= ROUNDS / 2 {
            last += calls;
        }
    }
    assert_eq!(last, 0, "{what}: calls of the allocator in {} spans", SPANS * ROUNDS / 2);
}

/// A batch of 8,000 spans takes no more calls than one of 500, but for the segments of the log that are given back.
#[cfg(target_os = "linux")]
fn the_collector_allocates_by_the_batch(mut span: impl FnMut(u32)) {
    let mut round = |spans: u32| {
        let before = calls_of("otlp-collect");
        (0..spans).for_each(&mut span);
        otlp::flush(Duration::from_secs(60)).unwrap();
        calls_of("otlp-collect") - before
    };
    let mut least = |spans| (0..20).map(|_| round(spans)).min().unwrap();
    let (few, many) = (least(500), least(8_000));
    assert!(few > 0 && many <= few + 8, "{few} for 500 spans, {many} for 8,000");
}

#[traced]
fn none() {}

#[traced(fields(number, text))]
fn two(number: u32, text: &str) {}

#[traced(fields(a, b = a + 1, c = f64::from(a), d = true, e = text, f = &text[..5], g = "g", h = 'h'))]
fn eight(a: u32, text: &str) {}

#[traced(fields(list, bytes, %shown, option = Some(1), debug = ?option, big = u64::MAX))]
fn others(list: &[i64], bytes: &[u8], shown: &dyn fmt::Display, option: Option<&str>) {}

#[derive(otlp::Value)]
enum State {
    Waiting,
    Retried(u32),
}

#[derive(otlp::Attributes)]
#[attributes(prefix = "job.")]
struct Job<'a> {
    name: &'a str,
    state: State,
    #[attribute(display)]
    left: Option<u32>,
}

#[traced(fields(..job, state = State::Waiting))]
fn derived(job: &Job<'_>) {}

#[traced]
fn nested(depth: u32) {
    if depth > 1 {
        nested(depth - 1);
    }
}

#[traced(fields(n))]
fn updated(n: u32) {
    let span = Span::current();
    span.set_attribute("n", n + 1);
    span.set_attribute("text", "some text");
    span.add_event("event", [("n", n)]);
    span.set_status(StatusCode::Error, "why");
    none();
}

#[traced]
fn fails(text: &'static str) -> Result<(), &'static str> {
    Err(text)
}

/// More than a slot holds itself: it keeps a block for its next span.
#[traced(fields(text))]
fn long(text: &str) {
    Span::current().set_attribute("again", text);
}

#[traced(fields(n))]
async fn ready(n: u32) -> u32 {
    n
}

#[traced(fields(n))]
async fn waits(n: u32) -> u32 {
    let mut polled = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    ready(n).await
}

fn finish<F: Future>(future: F) {
    let mut future = pin!(future);
    while future.as_mut().poll(&mut Task::from_waker(Waker::noop())).is_pending() {}
}

/// One test: its threads would count for each other's warmth, and there is one global pipeline.
#[test]
fn law_1_no_allocation_on_the_calling_thread_in_steady_state() {
    // Switched off first: nothing was ever warm.
    let text = "a text of a usual length";
    let everything = || {
        none();
        two(1, text);
        eight(1, text);
        finish(waits(1));
        nested(3);
        updated(1);
        drop(otlp::span!("owned", text).entered());
        Context::current().run(none);
        drop(Span::builder("built").attribute("text", text).start());
        assert!(!otlp::enabled!());
    };
    assert_eq!(calls(everything), 0, "not initialised");

    let collector = Collector::start().unwrap();
    collector.count_only();
    let config = || OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint());

    let guard = config().with_sampler(Sampler::always_off()).init().unwrap();
    allocates_nothing("unsampled", |_| everything());
    drop(guard);
    assert_eq!(collector.span_count(), 0);

    let guard = config().init().unwrap();
    allocates_nothing("0 attributes", |_| none());
    allocates_nothing("2 attributes", |n| two(n, text));
    allocates_nothing("8 attributes", |n| eight(n, text));
    allocates_nothing("other values", |n| others(&[1, 2, n.into()], b"bytes", &n, Some(text)));
    allocates_nothing("derived values and attributes", |n| {
        derived(&Job { name: text, state: State::Retried(n), left: Some(n) });
    });
    allocates_nothing("nested", |_| nested(5));
    allocates_nothing("updates of the current span", updated);
    allocates_nothing("errors", |_| assert!(fails("cannot connect to 127.0.0.1:4317: Connection refused").is_err()));
    let long_text = "x".repeat(1000);
    allocates_nothing("long values", |_| long(&long_text));
    allocates_nothing("async, ready at once", |n| finish(ready(n)));
    allocates_nothing("async, nested, with a wait", |n| finish(waits(n)));
    allocates_nothing("span!, entered", |n| drop(otlp::span!("owned", n, text).entered()));
    allocates_nothing("span!, in_scope", |n| otlp::span!("owned", n).in_scope(none));
    allocates_nothing("in_span", |n| finish(ready(n).in_span(otlp::span!("owned"))));
    allocates_nothing("in_context", |n| finish(ready(n).in_context(Context::current())));
    allocates_nothing("built spans", |n| {
        let span = Span::builder("built").kind(SpanKind::Client).attribute("n", n).attribute("text", text).start();
        span.end_at(std::time::SystemTime::now());
        Span::builder(text).scope("shop", "1").root().start().discard();
    });
    allocates_nothing("contexts", |_| Context::current().run(none));
    #[cfg(target_os = "linux")]
    the_collector_allocates_by_the_batch(|n| two(n, text));
    drop(guard);
    let counts = otlp::status().traces;
    assert!(counts.balanced() && counts.dropped_total() == 0, "{counts:?}");
    assert_eq!((counts.exported, collector.span_count()), (counts.recorded, counts.recorded));
    assert_eq!(calls(everything), 0, "after shutdown");
}
