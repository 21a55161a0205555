//! Async functions, tasks and threads, and futures that are never finished.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context as Task, Poll, Waker};

use otlp::testing::{Captured, capture, capture_async};
use otlp::{Context, FutureExt as _, Span, StatusCode, traced};
use tokio::task::yield_now;

#[traced(fields(n))]
async fn leaf(n: u32) -> u32 {
    yield_now().await;
    Span::current().set_attribute("resumed", true);
    n
}

#[traced]
async fn branch(n: u32) -> u32 {
    let mut sum = 0;
    for i in 0..n {
        sum += leaf(i).await;
    }
    sync();
    sum
}

#[traced]
fn sync() {}

fn threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

#[track_caller]
fn is_child(captured: &Captured, child: &str, parent: &str) {
    let (child, parent) = (captured.one(child), captured.one(parent));
    assert_eq!((child.trace_id, child.parent_span_id), (parent.trace_id, Some(parent.span_id)));
}

#[test]
fn async_functions_nest_as_sync_ones_do() {
    let (sum, captured) = threads().block_on(async { tokio::spawn(capture_async(branch(3))).await.unwrap() });
    assert_eq!(sum, 3);
    let branch = captured.one("branch");
    let children: Vec<_> =
        captured.children_of(branch).iter().map(|span| (span.name.as_str(), span.i64("n"))).collect();
    assert_eq!(children, [("leaf", Some(0)), ("leaf", Some(1)), ("leaf", Some(2)), ("sync", None)]);
    assert!(captured.named("leaf").all(|span| span.bool("resumed") == Some(true)));
}

#[test]
fn interleaved_futures_keep_their_own_spans() {
    #[traced]
    async fn both() {
        tokio::join!(leaf(1).in_span(otlp::span!("left")), leaf(2).in_span(otlp::span!("right")));
    }
    let (_, captured) = threads().block_on(capture_async(both()));
    for (name, n) in [("left", 1), ("right", 2)] {
        is_child(&captured, name, "both");
        let [leaf] = captured.children_of(captured.one(name))[..] else { panic!("{captured}") };
        assert_eq!((leaf.i64("n"), leaf.bool("resumed")), (Some(n), Some(true)));
    }
}

#[test]
fn tasks_and_threads_belong_to_whoever_hands_them_the_context() {
    #[traced]
    async fn spawns() {
        let context = Context::current();
        let task = tokio::spawn(leaf(1).in_context(context.clone()));
        let with_span = tokio::spawn(async { sync() }.in_span(otlp::span!("task")));
        let alone = tokio::spawn(async { Span::current().trace_id().is_valid() });
        let thread = std::thread::spawn({
            let context = context.clone();
            move || context.run(|| otlp::span!("thread").in_scope(|| Span::current().span_id()))
        });
        let attached = tokio::task::spawn_blocking(move || {
            let _context = context.attach();
            drop(otlp::span!("blocking"));
        });
        task.await.unwrap();
        with_span.await.unwrap();
        attached.await.unwrap();
        assert!(!alone.await.unwrap(), "a task starts without a context");
        assert!(thread.join().unwrap().is_valid());
    }
    let (_, captured) = threads().block_on(capture_async(spawns()));
    for child in ["leaf", "task", "thread", "blocking"] {
        is_child(&captured, child, "spawns");
    }
    is_child(&captured, "sync", "task");
    assert_eq!(captured.spans().len(), 6);
}

#[test]
fn a_span_reference_works_from_any_thread_and_across_await() {
    #[traced]
    async fn counted() {
        let span = Span::current();
        yield_now().await;
        span.set_attribute("after", 1);
        tokio::spawn(async move { span.set_attribute("elsewhere", 2) }).await.unwrap();
        std::thread::spawn(move || span.add_event("thread", ())).join().unwrap();
    }
    let (_, captured) = threads().block_on(capture_async(counted()));
    let span = captured.one("counted");
    assert_eq!((span.i64("after"), span.i64("elsewhere"), span.events.len()), (Some(1), Some(2), 1));
}

/// Polls once.
fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Task::from_waker(Waker::noop()))
}

#[test]
fn an_async_span_starts_at_the_first_poll_and_is_current_only_while_it_is_polled() {
    let (_, captured) = capture(|| {
        drop(leaf(1));
        let mut future = pin!(leaf(2));
        assert!(poll(future.as_mut()).is_pending());
        assert!(!Span::current().span_id().is_valid());
        sync();
        assert!(poll(future.as_mut()).is_ready());
        assert!(!Span::current().span_id().is_valid());
    });
    assert_eq!(captured.one("leaf").i64("n"), Some(2));
    assert_eq!(captured.one("sync").parent_span_id, None);
}

/// Drops record within the span that they belong to.
struct Tidy(&'static str);
impl Drop for Tidy {
    fn drop(&mut self) {
        Span::current().set_attribute(self.0, true);
        sync();
    }
}

#[test]
fn a_cancelled_future_ends_its_span_within_which_its_content_is_dropped() {
    #[traced]
    async fn waits(argument: Tidy) {
        let _variable = (&argument, Tidy("variable"));
        std::future::pending::<()>().await;
    }
    let (_, captured) = capture(|| {
        let mut future = Box::pin(waits(Tidy("argument")));
        assert!(poll(future.as_mut()).is_pending());
        drop(future);
        let mut scoped = Box::pin(
            async {
                let _variable = Tidy("variable");
                std::future::pending::<()>().await
            }
            .in_span(otlp::span!("scoped")),
        );
        assert!(poll(scoped.as_mut()).is_pending());
        drop(scoped);
        // Never polled, so what it holds was never within it; the span has begun all the same.
        drop(std::future::pending::<()>().in_span(otlp::span!("unpolled")));
    });
    let span = captured.one("waits");
    assert_eq!(
        (span.status, span.bool("variable"), span.bool("argument")),
        (StatusCode::Unset, Some(true), Some(true))
    );
    assert_eq!(captured.children_of(span).len(), 2);
    assert_eq!(captured.one("scoped").bool("variable"), Some(true));
    assert_eq!(captured.children_of(captured.one("scoped")).len(), 1);
    assert_eq!(captured.one("unpolled").status, StatusCode::Unset);
    assert_eq!(captured.spans().len(), 6);
}

/// Drops and polls futures while its thread unwinds.
struct Cleanup<F: Future>(Option<std::pin::Pin<Box<F>>>);
impl<F: Future> Drop for Cleanup<F> {
    fn drop(&mut self) {
        if let Some(mut future) = self.0.take() {
            while poll(future.as_mut()).is_pending() {}
        }
    }
}

#[test]
fn a_panic_elsewhere_is_none_of_a_future() {
    #[traced]
    async fn waits() {
        std::future::pending::<()>().await;
    }
    #[traced]
    fn fails() {
        let mut waiting = Box::pin(waits());
        assert!(poll(waiting.as_mut()).is_pending());
        let mut scoped = Box::pin(std::future::pending::<()>().in_span(otlp::span!("scoped")));
        assert!(poll(scoped.as_mut()).is_pending());
        let _cleanup = Cleanup(Some(Box::pin(branch(2))));
        let _cleanup = Cleanup(Some(Box::pin(leaf(7).in_span(otlp::span!("outside")))));
        std::panic::resume_unwind(Box::new("fails"));
    }
    let (_, captured) = capture(|| std::panic::catch_unwind(fails).unwrap_err());
    assert_eq!(captured.one("fails").status, StatusCode::Error);
    for span in captured.spans().iter().filter(|span| span.name != "fails") {
        assert_eq!(span.status, StatusCode::Unset, "{span:?}");
    }
    // Polled several times while unwinding, they still are within their spans at the last.
    assert_eq!(captured.children_of(captured.one("branch")).len(), 3);
    is_child(&captured, "outside", "fails");
    assert_eq!(captured.named("leaf").filter(|span| span.bool("resumed") == Some(true)).count(), 3);
    assert_eq!(captured.children_of(captured.one("outside")).len(), 1);
}

#[test]
fn what_a_cancelled_future_holds_goes_within_its_context() {
    let waits = || async {
        let _variable = Tidy("variable");
        std::future::pending::<()>().await;
    };
    let (_, captured) = capture(|| {
        let outer = otlp::span!("outer");
        let mut future = Box::pin(waits().in_context(outer.context()));
        assert!(poll(future.as_mut()).is_pending());
        drop(future);
    });
    let outer = captured.one("outer");
    assert_eq!((captured.children_of(outer).len(), outer.bool("variable")), (1, Some(true)));
}

#[test]
fn a_finished_future_drops_its_arguments_within_its_span() {
    #[traced]
    async fn takes(argument: Tidy) -> u8 {
        let _variable = (&argument, Tidy("variable"));
        5
    }
    let (_, captured) = threads().block_on(capture_async(takes(Tidy("argument"))));
    let span = captured.one("takes");
    assert_eq!((span.bool("variable"), span.bool("argument")), (Some(true), Some(true)));
    assert_eq!(captured.children_of(span).len(), 2);
}

#[test]
fn a_future_that_is_polled_after_its_end_does_no_harm() {
    let (_, captured) = capture(|| {
        let mut polls = 0;
        let mut future = pin!(
            poll_fn(|_| {
                polls += 1;
                Poll::Ready(polls)
            })
            .in_span(otlp::span!("once"))
        );
        assert_eq!(poll(future.as_mut()), Poll::Ready(1));
        assert_eq!(poll(future.as_mut()), Poll::Ready(2), "what it does then is its own affair");
    });
    assert_eq!(captured.spans().len(), 1);
}
