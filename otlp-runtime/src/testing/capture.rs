//! What one piece of code records, without a receiver and without anything global.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::captured::Captured;
use crate::account::Ledger;
use crate::collector::{self, BatchLimits, Outlet, Pipe};
use crate::data::Resource;
use crate::error::OtlpError;
use crate::exporter::{Batch, Progress};
use crate::trace::{Context, FutureExt as _};

/// The collector thread answers in milliseconds; if it takes this long, something is badly wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `f`, and gives what it recorded beside what it returned.
///
/// Everything is sampled, and nothing is exported: spans that start here, and their children wherever these run, go
/// nowhere else. Spans that are still open at the end are not seen. Captures do not see each other, so tests can run in
/// parallel; one within another takes its spans for itself. `init` is not needed.
///
/// # Panics
/// If `f` does, if the system refuses the collector its thread, or if spans were lost because more were made at once than
/// the buffers hold (some ten thousands).
pub fn capture<R>(f: impl FnOnce() -> R) -> (R, Captured) {
    let capture = Capture::open();
    let returned = capture.context.run(f);
    (returned, capture.close())
}

/// The same for a future: its spans are captured on whatever threads it is polled.
///
/// Tasks that it spawns belong to it if they carry its [`Context`] along.
///
/// # Panics
/// As [`capture`].
pub async fn capture_async<F: Future>(future: F) -> (F::Output, Captured) {
    let capture = Capture::open();
    let returned = future.in_context(capture.context.clone()).await;
    (returned, capture.close_async().await)
}

/// A route of its own; dropped early, because its code panicked or its future was cancelled, it is closed too.
struct Capture {
    context: Context,
    /// Until it is closed.
    pipe: Option<Arc<Pipe>>,
    kept: Arc<Kept>,
}

impl Capture {
    fn open() -> Self {
        let kept = Arc::new(Kept::default());
        let limits = BatchLimits { bytes: 1 << 20, items: u64::MAX, age: PATIENCE };
        let outlet = Box::new(Arc::clone(&kept));
        match collector::open(&Resource::new(), limits, Arc::clone(&kept.ledger), outlet) {
            Ok(pipe) => Self { context: Context::on_route(pipe.route()), pipe: Some(pipe), kept },
            Err(error) => panic!("cannot capture: {error}"),
        }
    }

    fn close(mut self) -> Captured {
        let closed = self.pipe.take().map_or(Ok(()), |pipe| collector::close(&pipe, PATIENCE));
        self.captured(closed)
    }

    async fn close_async(mut self) -> Captured {
        let closed = match self.pipe.take() {
            Some(pipe) => collector::close_async(&pipe, PATIENCE).await,
            None => Ok(()),
        };
        self.captured(closed)
    }

    fn captured(&self, closed: Result<(), OtlpError>) -> Captured {
        if let Err(error) = closed {
            panic!("the capture is not complete: {error}");
        }
        let lost = self.kept.ledger.counts().dropped_total();
        assert!(lost == 0, "the capture is not complete: {lost} spans were made faster than they could be collected");
        match Captured::from_requests(self.kept.requests()) {
            Ok(captured) => captured,
            Err(error) => panic!("the collector made a request that cannot be read: {error}"),
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            collector::abandon(&pipe);
        }
    }
}

/// Keeps the requests.
#[derive(Default)]
struct Kept {
    ledger: Arc<Ledger>,
    requests: Mutex<Vec<Bytes>>,
}

impl Kept {
    fn requests(&self) -> Vec<Bytes> {
        std::mem::take(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Outlet for Arc<Kept> {
    fn take(&self, batch: Batch) {
        self.ledger.dispatched(batch.payload.items);
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(batch.payload.body);
        self.ledger.answered(batch.payload.items, 0);
    }

    fn progress(&self, _below: u64) -> Progress {
        Progress { settled: true, ..Progress::default() }
    }

    /// There is no news: every batch is kept at once.
    fn subscribe(&self, _news: Box<dyn Fn() + Send>) {}

    fn end(&self, _deadline: Instant) {}

    fn wait_ended(&self, _deadline: Instant) -> bool {
        true
    }

    fn write_off(&self) {}

    fn last_error(&self) -> Option<String> {
        None
    }

    fn loss_error(&self, _from: u64) -> Option<String> {
        None
    }

    /// A test sees what is missing.
    fn say(&self, _kind: &'static str, _text: String) {}
}
