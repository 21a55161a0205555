//! From the queue to the receiver: one thread that sends what the collector hands over, and answers for all of it.
//!
//! ```text
//! enqueue → queue (bounded in bytes) → permits → time-out → transport
//!              ↖ retry policy: back with `not_before`, permit released ↙
//! ```

mod dispatch;
mod health;
mod queue;
mod retry;
mod settled;
mod shared;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

pub use retry::RetryPolicy;
pub use settled::{Progress, Settled};

use crate::account::{DropReason, Ledger, Report};
use crate::error::OtlpError;
use crate::transport::{Payload, TransportFactory};
use dispatch::Dispatcher;
use health::Line;
use shared::Shared;

/// The thread's name.
const THREAD: &str = "otlp-export";

/// Something to send.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its place in the order of a pipeline's batches: each is one more than the one before.
    pub seq: u64,
    /// The request.
    pub payload: Payload,
}

/// How an exporter works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Time for one attempt, connecting included.
    pub timeout: Duration,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Bytes of batches that wait or are under way.
    pub queue_bytes: usize,
    /// Items of such batches.
    pub queue_items: u64,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Called first on every thread that the exporter starts.
    pub on_thread_start: fn(),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            concurrency: 8,
            queue_bytes: 8 * 1024 * 1024,
            queue_items: u64::MAX,
            retry: RetryPolicy::default(),
            on_thread_start: || {},
        }
    }
}

/// Owns the thread `otlp-export`. Dropped without shutdown, it abandons what is left.
pub struct Exporter {
    shared: Arc<Shared>,
    ended: Arc<Ended>,
    thread: Option<JoinHandle<()>>,
}

impl Exporter {
    /// Starts the thread; `make` runs on it.
    pub fn start(settings: Settings, make: TransportFactory, ledger: Arc<Ledger>) -> Result<Self, OtlpError> {
        let on_thread_start = settings.on_thread_start;
        let failed = |source| OtlpError::Thread { name: THREAD, source };
        let runtime = Io::new(on_thread_start).map_err(failed)?;
        let report = Arc::new(Report::new());
        let say = Box::new({
            let report = Arc::clone(&report);
            move |line: Line| report.say_or_keep(line.kind, line.text)
        });
        let shared = Arc::new(Shared::new(settings, ledger, say));
        let ended = Arc::new(Ended::default());
        let thread = crate::os::thread::spawn(THREAD, {
            let (shared, ended) = (Arc::clone(&shared), SetOnDrop(Arc::clone(&ended)));
            move || {
                let _ended = ended;
                on_thread_start();
                export(&runtime, shared, make);
                report.finish();
            }
        });
        Ok(Self { shared, ended, thread: Some(thread.map_err(failed)?) })
    }

    /// Takes `batch`, whose items the ledger has as queued; if it has no room, they are booked as dropped. Never waits.
    pub fn enqueue(&self, batch: Batch) {
        self.shared.enqueue(batch);
    }

    /// Which batches have their fate.
    pub fn settled(&self) -> &Settled {
        &self.shared.settled
    }

    /// Asks for the end and returns at once. Nothing waits for a retry any more: every batch gets one more attempt and no
    /// second. At `deadline`, what has not been sent is dropped. A second call can only bring the deadline forward.
    pub fn shutdown(&self, deadline: Instant) {
        let mut state = self.shared.state();
        state.ending = Some(state.ending.map_or(deadline, |earlier| earlier.min(deadline)));
        drop(state);
        self.shared.wake.notify_one();
    }

    /// Waits for the thread's work to end, at most until `deadline`; says whether it has.
    pub fn wait_ended(&self, deadline: Instant) -> bool {
        self.ended.wait_until(deadline)
    }

    /// Drops what has no fate yet, from the calling thread and without waiting for the thread's: for who has waited in vain
    /// until the deadline of shutdown. What that thread may still hear of it changes nothing.
    pub fn write_off(&self) {
        self.shutdown(Instant::now());
        self.shared.close(DropReason::Shutdown);
    }

    /// Has the thread say a line on stderr, which may block. Each kind has a rate limit of its own; of lines that wait, only
    /// the latest of a kind is said.
    pub fn say(&self, kind: &'static str, text: String) {
        self.shared.will_say(Line { kind, text });
    }

    /// Waits for the thread to end, at most until `deadline`; says whether it has.
    pub fn join(mut self, deadline: Instant) -> bool {
        let ended = self.wait_ended(deadline);
        if let Some(thread) = self.thread.take().filter(|_| ended) {
            let _ = thread.join();
        }
        ended
    }

    /// The last failure of an attempt, with its endpoint; it says so if one has succeeded since.
    pub fn last_error(&self) -> Option<String> {
        self.shared.state().health.last_error()
    }

    /// What cost items last, if that was the fault of an attempt, and items of the batch `from` or of later ones.
    pub fn loss_error(&self, from: u64) -> Option<String> {
        self.shared.state().health.loss_error(from)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.shutdown(Instant::now());
        }
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("settled", &self.shared.settled).finish_non_exhaustive()
    }
}

/// The runtime of the export thread. It goes without waiting, for a name look-up may hang, and a thread that could not be
/// started leaves it to the thread of a caller, where a runtime may not wait.
struct Io(Option<Runtime>);

impl Io {
    fn new(on_thread_start: fn()) -> io::Result<Self> {
        let build = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .thread_name("otlp-export-io")
                .max_blocking_threads(16)
                // A receiver that never stops sending must not keep the time-outs from being looked at. There are few tasks,
                // so that it costs nothing.
                .event_interval(1)
                .on_thread_start(on_thread_start)
                .build()
        };
        // Where the program has tokio's signals compiled in, it panics if the system refuses a file descriptor.
        let built = catch_unwind(build).unwrap_or_else(|_| Err(io::Error::other("tokio's runtime cannot be made")));
        Ok(Self(Some(built?)))
    }
}

impl Deref for Io {
    type Target = Runtime;

    #[allow(clippy::expect_used)]
    fn deref(&self) -> &Runtime {
        self.0.as_ref().expect("taken by `drop` alone")
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The thread's work. Whatever panics, every batch gets its fate.
fn export(runtime: &Runtime, shared: Arc<Shared>, make: TransportFactory) {
    let transport = {
        let _entered = runtime.enter();
        catch_unwind(AssertUnwindSafe(|| {
            let transport = make();
            let endpoint = transport.endpoint().to_owned();
            (transport, endpoint)
        }))
    };
    let transport = transport.ok().map(|(transport, endpoint)| {
        shared.state().health.set_endpoint(endpoint);
        transport
    });
    let mut dispatcher = Dispatcher::new(shared, transport);
    let ran = catch_unwind(AssertUnwindSafe(|| runtime.block_on(dispatcher.run())));
    dispatcher.close(if ran.is_ok() { DropReason::Shutdown } else { DropReason::Poison });
}

/// Whether the thread has ended.
#[derive(Default)]
struct Ended {
    flag: Mutex<bool>,
    changed: Condvar,
}

impl Ended {
    fn wait_until(&self, deadline: Instant) -> bool {
        let flag = self.flag.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        *self.changed.wait_timeout_while(flag, left, |ended| !*ended).unwrap_or_else(PoisonError::into_inner).0
    }
}

struct SetOnDrop(Arc<Ended>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        *self.0.flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}
