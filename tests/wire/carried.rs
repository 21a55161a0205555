//! Streams, tasks and threads that carry a span or a context along.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context as Task, Poll, Waker};

use futures_core::Stream;
use otlp::testing::capture_async;
use otlp::{Context, FutureExt as _, Sampler, Span, StatusCode, StreamExt as _, traced};

use super::sampling::sampled;
use super::spans_of;

#[traced]
fn work() {}

/// Records a span when it is dropped.
struct Last;

impl Drop for Last {
    fn drop(&mut self) {
        drop(otlp::span!("dropped"));
    }
}

/// Every other poll is pending; each records a span. It panics at `panics`.
struct Rows {
    polls: u32,
    rows: u32,
    panics: u32,
    _last: Last,
}

fn rows(rows: u32) -> Rows {
    Rows { polls: 0, rows, panics: u32::MAX, _last: Last }
}

impl Stream for Rows {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<u32>> {
        work();
        self.polls += 1;
        assert!(self.polls < self.panics, "scripted");
        if self.polls % 2 == 1 {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let row = self.polls / 2;
        Poll::Ready((row <= self.rows).then_some(row))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.rows as usize))
    }
}

fn poll<S: Stream<Item = u32>>(stream: Pin<&mut S>) -> Poll<Option<u32>> {
    stream.poll_next(&mut Task::from_waker(Waker::noop()))
}

/// Everything that the stream yields.
fn all<S: Stream<Item = u32>>(mut stream: Pin<&mut S>) -> Vec<u32> {
    let mut found = Vec::new();
    loop {
        match poll(stream.as_mut()) {
            Poll::Ready(Some(row)) => found.push(row),
            Poll::Ready(None) => return found,
            Poll::Pending => {}
        }
        assert!(!Span::current().span_id().is_valid(), "it is current during a poll alone");
    }
}

#[test]
fn a_stream_is_polled_within_its_span_which_ends_with_it() {
    let captured = spans_of(|| {
        let span = otlp::span!("rows");
        let reference = *span;
        let mut stream = pin!(rows(3).in_span(span));
        assert_eq!(stream.size_hint(), (0, Some(3)));
        assert_eq!(all(stream.as_mut()), [1, 2, 3]);
        assert!(!reference.is_recording(), "it has ended although the stream is still there");
        drop(otlp::span!("between"));
        assert_eq!(poll(stream), Poll::Pending);
    });
    let span = captured.one("rows");
    let (inside, outside): (Vec<_>, Vec<_>) =
        captured.named("work").partition(|work| work.parent_span_id == Some(span.span_id));
    assert_eq!((inside.len(), outside.len()), (8, 1));
    assert!(span.end_unix_nanos <= captured.one("between").start_unix_nanos);
    assert!(inside.iter().all(|work| work.end_unix_nanos <= span.end_unix_nanos));
    assert_eq!(span.status, StatusCode::Unset);
}

#[test]
fn a_stream_that_is_given_up_ends_its_span_and_drops_what_it_holds_within_it() {
    let captured = spans_of(|| {
        let mut stream = Box::pin(rows(9).in_span(otlp::span!("rows")));
        assert_eq!((poll(stream.as_mut()), poll(stream.as_mut())), (Poll::Pending, Poll::Ready(Some(1))));
        drop(stream);
        drop(rows(1).in_span(otlp::span!("never polled")));
    });
    let span = captured.one("rows");
    assert_eq!(span.status, StatusCode::Unset);
    let parents: Vec<_> = captured.named("dropped").map(|dropped| dropped.parent_span_id).collect();
    assert_eq!(parents, [Some(span.span_id), Some(captured.one("never polled").span_id)]);
}

#[test]
fn a_stream_that_panics_ends_its_span_with_an_error() {
    let captured = spans_of(|| {
        let mut stream = Box::pin(Rows { panics: 2, ..rows(9) }.in_span(otlp::span!("rows")));
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| all(stream.as_mut())));
        assert!(polled.is_err() && !Span::current().span_id().is_valid());
    });
    assert_eq!(captured.one("rows").status, StatusCode::Error);
}

#[test]
fn streams_and_futures_carry_a_context_until_they_are_dropped() {
    let captured = spans_of(|| {
        let span = otlp::span!("outer");
        assert_eq!(all(pin!(rows(1).in_context(span.context()))), [1]);
        let mut future = Box::pin(
            async {
                let _last = Last;
                work();
                std::future::pending::<()>().await;
            }
            .in_context(span.context()),
        );
        assert!(future.as_mut().poll(&mut Task::from_waker(Waker::noop())).is_pending());
        drop(future);
    });
    let outer = captured.one("outer").span_id;
    let inside = captured.spans().iter().filter(|span| span.parent_span_id == Some(outer)).count();
    assert_eq!((inside, captured.spans().len()), (7, 8));
}

#[test]
fn threads_belong_to_the_span_that_started_them() {
    let captured = spans_of(|| {
        let outer = otlp::span!("outer").entered();
        let thread = otlp::thread::spawn(|| {
            work();
            Span::current().set_attribute("from", "a thread");
            otlp::thread::spawn(|| drop(otlp::span!("nested"))).join().unwrap();
            42
        });
        assert_eq!(thread.join().unwrap(), 42);
        // The span may be over before the thread has begun.
        let late = otlp::thread::spawn({
            let (go, wait) = std::sync::mpsc::channel::<()>();
            drop((outer, go));
            move || {
                let _ = wait.recv();
                drop(otlp::span!("late"));
            }
        });
        late.join().unwrap();
    });
    let outer = captured.one("outer");
    assert_eq!(outer.string("from"), Some("a thread"));
    for name in ["work", "nested"] {
        assert_eq!(captured.one(name).parent_span_id, Some(outer.span_id), "{name}");
    }
    assert_eq!(captured.one("late").parent_span_id, None, "nothing was current any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_belong_to_the_span_that_spawned_them() {
    let ((), captured) = capture_async(
        async {
            let nested = otlp::task::spawn(async {
                work();
                tokio::task::yield_now().await;
                let blocking = otlp::task::spawn_blocking(|| {
                    drop(otlp::span!("blocking"));
                    42
                });
                blocking.await.unwrap()
            });
            assert_eq!(nested.await.unwrap(), 42);
            let aborted = otlp::task::spawn(async {
                let _last = Last;
                std::future::pending::<()>().await;
            });
            tokio::task::yield_now().await;
            while !aborted.is_finished() {
                aborted.abort();
                tokio::task::yield_now().await;
            }
        }
        .in_context(Context::current()),
    )
    .await;
    assert!(captured.spans().iter().all(|span| span.parent_span_id.is_none()));

    let ((), captured) = capture_async(async {
        let span = otlp::span!("outer");
        let task =
            async { otlp::task::spawn(async { otlp::task::spawn_blocking(work).await.unwrap() }).await.unwrap() };
        task.in_span(span).await;
    })
    .await;
    assert_eq!(captured.one("work").parent_span_id, Some(captured.one("outer").span_id));
}

#[test]
fn trc12_what_runs_within_a_span_that_is_not_recorded_starts_no_trace_elsewhere() {
    let ((), captured) = sampled(Sampler::parent_based(Sampler::always_on()), || {
        let remote = Context::remote(
            otlp::TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
            otlp::SpanId::from_hex("00f067aa0ba902b7").unwrap(),
            otlp::TraceFlags::NONE,
        );
        remote.run(|| {
            let root = otlp::span!("unsampled").entered();
            let future = async { work() }.in_span(otlp::span!("child"));
            let stream = rows(1).in_span(Span::builder("child").parent(&root).start());
            let other = std::thread::spawn(move || {
                let mut future = pin!(future);
                let _ = future.as_mut().poll(&mut Task::from_waker(Waker::noop()));
                all(Box::pin(stream).as_mut())
            });
            assert_eq!(other.join().unwrap(), [1]);
        });
    });
    assert!(captured.spans().is_empty(), "{:?}", captured.spans());
}

#[tokio::test]
async fn a_stream_in_a_task_wakes_it() {
    let (found, captured) = capture_async(async {
        let mut stream = pin!(rows(2).in_span(otlp::span!("rows")));
        let mut found = Vec::new();
        while let Some(row) = poll_fn(|task| stream.as_mut().poll_next(task)).await {
            found.push(row);
        }
        found
    })
    .await;
    assert_eq!((found, captured.one("rows").parent_span_id), (vec![1, 2], None));
}
