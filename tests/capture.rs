//! `otlp::testing::capture`: what one test recorded, with nothing global.
#![allow(clippy::unwrap_used)]

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::time::Duration;

use otlp::testing::{Collector, capture, capture_async};
use otlp::{Context, FutureExt as _, OtlpConfig, traced};

#[traced(fields(number))]
fn leaf(number: u64) -> u64 {
    number * 2
}

#[traced(fields(count))]
fn branch(count: u64) -> u64 {
    (0..count).map(leaf).sum()
}

#[traced]
async fn task(number: u64) -> u64 {
    tokio::task::yield_now().await;
    leaf(number)
}

#[test]
fn what_the_closure_records_comes_back_with_what_it_returns() {
    let (sum, captured) = capture(|| branch(3));
    assert_eq!(sum, 6);
    assert_eq!(captured.one("branch").i64("count"), Some(3));
    assert_eq!(captured.children_of(captured.one("branch")).len(), 3);
    assert_eq!(captured.spans().len(), 4);
    let (_, captured) = capture(|| ());
    assert!(captured.spans().is_empty());
}

/// U82: no test needs to wait for another.
#[test]
fn captures_run_in_parallel_and_see_only_their_own() {
    std::thread::scope(|scope| {
        for n in 0..16 {
            scope.spawn(move || {
                for round in 0..20 {
                    let (_, captured) = capture(|| leaf(1000 * n + round));
                    assert_eq!(captured.spans().len(), 1);
                    assert_eq!(captured.one("leaf").i64("number"), Some(1000 * n as i64 + round as i64));
                }
            });
        }
    });
}

#[test]
fn a_capture_travels_with_the_context_and_an_inner_one_keeps_its_own() {
    let ((inner, mine), outer) = capture(|| {
        let context = Context::current();
        std::thread::scope(|scope| {
            scope.spawn(|| context.run(|| leaf(1))).join().unwrap();
            // Without the context it is nobody's.
            scope.spawn(|| leaf(2)).join().unwrap();
        });
        let (_, inner) = capture(|| leaf(3));
        leaf(4);
        (inner, Context::current())
    });
    // A context that outlives its capture leads nowhere.
    mine.run(|| leaf(5));
    let numbers: Vec<_> = outer.named("leaf").map(|span| span.i64("number").unwrap()).collect();
    assert_eq!(numbers, [1, 4]);
    assert_eq!(inner.one("leaf").i64("number"), Some(3));
}

#[test]
fn a_panic_passes_through_and_leaves_nothing_behind() {
    let caught = catch_unwind(|| {
        capture(|| {
            leaf(1);
            std::panic::resume_unwind(Box::new("scripted"));
        })
    });
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "scripted");
    let caught = catch_unwind(AssertUnwindSafe(|| {
        poll_by_hand(pin!(capture_async(async {
            task(1).await;
            std::panic::resume_unwind(Box::new("scripted"));
        })))
    }));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "scripted");
    assert_eq!(capture(|| leaf(2)).1.spans().len(), 1);
}

#[test]
fn an_asynchronous_capture_follows_its_future_from_thread_to_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let tests: Vec<_> = (0..32_u64)
            .map(|n| {
                tokio::spawn(capture_async(async move {
                    let spawned = tokio::spawn(task(100 + n).in_context(Context::current()));
                    task(n).await + spawned.await.unwrap()
                }))
            })
            .collect();
        for (n, test) in tests.into_iter().enumerate() {
            let (sum, captured) = test.await.unwrap();
            assert_eq!(sum, 200 + 4 * n as u64);
            let mut numbers: Vec<_> = captured.named("leaf").map(|span| span.i64("number").unwrap()).collect();
            numbers.sort_unstable();
            assert_eq!((numbers, captured.spans().len()), (vec![n as i64, 100 + n as i64], 4));
        }
    });
}

struct Count(AtomicUsize, std::thread::Thread);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.unpark();
    }
}

/// Without any runtime.
fn poll_by_hand<F: Future>(mut future: std::pin::Pin<&mut F>) -> F::Output {
    let count = Arc::new(Count(AtomicUsize::new(0), std::thread::current()));
    let waker = Waker::from(Arc::clone(&count));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Task::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}

#[test]
fn an_asynchronous_capture_needs_no_runtime_and_is_current_only_while_it_is_polled() {
    let mut halves = 0;
    let two = poll_fn(|cx| {
        halves += 1;
        leaf(halves);
        cx.waker().wake_by_ref();
        if halves == 2 { Poll::Ready(()) } else { Poll::Pending }
    });
    let mut future = pin!(capture_async(two));
    let mut cx = Task::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
    // Between two polls the thread belongs to others.
    leaf(77);
    let (_, captured) = poll_by_hand(future);
    let numbers: Vec<_> = captured.named("leaf").map(|span| span.i64("number").unwrap()).collect();
    assert_eq!(numbers, [1, 2]);
    // A cancelled one leaves nothing behind.
    let mut cancelled = Box::pin(capture_async(std::future::pending::<()>()));
    assert!(cancelled.as_mut().poll(&mut cx).is_pending());
    drop(cancelled);
    assert_eq!(capture(|| leaf(1)).1.spans().len(), 1);
}

#[test]
fn a_capture_beside_the_global_pipeline_keeps_its_spans_from_it() {
    let collector = Collector::start().unwrap();
    let config = OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint());
    let guard = config.init().unwrap();
    // The other tests of this program record on the global pipeline too while it is there.
    leaf(1_000_001);
    let (_, captured) = capture(|| leaf(1_000_002));
    drop(guard);
    assert!(collector.wait_for(1, Duration::from_secs(30)));
    let arrived: Vec<_> = collector.captured().named("leaf").map(|span| span.i64("number").unwrap()).collect();
    assert!(arrived.contains(&1_000_001) && !arrived.contains(&1_000_002), "{arrived:?}");
    assert_eq!(captured.one("leaf").i64("number"), Some(1_000_002));
}

#[test]
fn more_than_a_batch_is_captured_whole() {
    let (_, captured) = capture(|| (0..30_000).map(leaf).sum::<u64>());
    let numbers = captured.named("leaf").map(|span| span.i64("number").unwrap());
    assert!(numbers.eq(0..30_000));
}
