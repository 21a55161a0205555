//! Tasks of tokio that carry the current context along.

use std::future::Future;

use tokio::task::JoinHandle;

use super::{Context, FutureExt as _};

/// `tokio::spawn`, with the current context: spans in the task are children of the span that is current here, however long
/// either of them lives.
///
/// ```
/// # use otlp_runtime::trace as otlp;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
/// # runtime.block_on(async {
/// let task = otlp::task::spawn(async { 6 * 7 });
/// assert_eq!(task.await.ok(), Some(42));
/// # });
/// ```
///
/// # Panics
/// Outside of a tokio runtime, as `tokio::spawn`.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::task::spawn(future.in_context(Context::current()))
}

/// `tokio::task::spawn_blocking`, with the current context.
///
/// # Panics
/// Outside of a tokio runtime, as `tokio::task::spawn_blocking`.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let context = Context::current();
    tokio::task::spawn_blocking(move || context.run(f))
}
