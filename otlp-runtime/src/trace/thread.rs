//! Threads that carry the current context along.

use std::thread::JoinHandle;

use super::Context;

/// `std::thread::spawn`, with the current context: spans in the thread are children of the span that is current here,
/// however long either of them lives.
///
/// ```
/// # use otlp_runtime::trace as otlp;
/// let thread = otlp::thread::spawn(|| 6 * 7);
/// assert_eq!(thread.join().ok(), Some(42));
/// ```
///
/// # Panics
/// If the system refuses the thread, as `std::thread::spawn`.
#[track_caller]
pub fn spawn<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let context = Context::current();
    std::thread::spawn(move || context.run(f))
}
