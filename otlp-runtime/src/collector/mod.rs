//! The engine: one thread for the process, `otlp-collect`, which turns finished records into batches.
//!
//! ```text
//! logs → pass → pipeline of the record's route → open batch → by bytes, count or age → outlet
//!                                   ↑ orders: open, flush, shutdown, through the desk
//! ```
//! The thread starts with the first pipeline and never ends; while nothing goes on it is parked. It waits for
//! nothing else, does no I/O but a line on stderr that no pipeline is left to say, and runs nobody else's code but the wakers
//! of [`flush_async`].

mod budget;
mod desk;
mod detection;
mod engine;
mod feed;
mod flush;
mod losses;
mod outlet;
mod own;
mod pace;
mod pipe;
mod pipeline;
mod routes;
mod tee;
#[cfg(test)]
mod tests;
mod ticket;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use flush::Flush;
pub(crate) use outlet::Outlet;
pub(crate) use pipe::Pipe;
pub(crate) use pipeline::BatchLimits;

use crate::account::{Counts, Ledger, Report, Voice};
use crate::config::{Resolved, Source};
#[cfg(feature = "testing")]
use crate::data::Resource;
use crate::error::OtlpError;
use crate::exporter::{Exporter, RetryPolicy, Settings};
use crate::os::{self, fork::PerProcess};
use crate::record::sampling::Own;
use crate::record::text::caught;
use crate::record::{doze, fork, journal, route};
use crate::transport::TransportFactory;
use budget::Budget;
use desk::Desk;
use detection::Detection;
use engine::Engine;
use feed::{Logs, Nap};
use pipeline::Pipeline;
use tee::Tee;
use ticket::Ticket;

/// The thread's name.
const THREAD: &str = "otlp-collect";

/// What the end of a process keeps for saying what is lost.
pub(crate) const SAYING: Duration = Duration::from_millis(100);

/// The desk of the process's engine.
static DESK: PerProcess<OnceLock<Arc<Desk>>> = PerProcess::new(OnceLock::new(), |_| OnceLock::new());

fn desk() -> &'static Arc<Desk> {
    DESK.get().get_or_init(|| {
        // Before anything can be locked.
        fork::watch();
        Arc::new(Desk::new(doze::wake))
    })
}

/// Starts the engine, unless it runs.
fn start() -> Result<(), OtlpError> {
    static RUNS: PerProcess<Mutex<bool>> = PerProcess::new(Mutex::new(false), |_| Mutex::new(false));
    let mut runs = RUNS.get().lock().unwrap_or_else(PoisonError::into_inner);
    if !*runs {
        let work = || {
            own::mark();
            Engine::new(Arc::clone(desk()), Logs::adopt(), Nap, say).run(|| false);
        };
        let thread = os::thread::spawn(THREAD, work);
        thread.map_err(|source| OtlpError::Thread { name: THREAD, source })?;
        *runs = true;
    }
    Ok(())
}

/// Says a line that no pipeline is left to say; each kind has a rate limit.
pub(crate) fn say(kind: &'static str, line: String) {
    static REPORT: PerProcess<Report> = PerProcess::new(Report::new(), |_| Report::new());
    REPORT.get().say(kind, || line);
}

/// Opens the global pipeline and turns recording on; `voice` is that of the process from then on.
pub(crate) fn open_global(
    settings: &Resolved,
    voice: Voice,
    transport: TransportFactory,
) -> Result<Arc<Pipe>, OtlpError> {
    let reservation = desk().reserve()?;
    // Whoever comes second changes nothing of what the first one says.
    voice.adopt();
    let budget = Budget::split(settings.memory_limit, settings.batch_bytes.min(settings.delivery.max_request_bytes));
    let limits = BatchLimits {
        bytes: budget.batch,
        items: u64::try_from(settings.batch_size).unwrap_or(u64::MAX),
        age: settings.schedule_delay,
    };
    let mut exporting = Settings {
        timeout: settings.timeout,
        concurrency: settings.concurrency,
        queue_bytes: budget.queue,
        queue_items: u64::try_from(settings.queue_size).unwrap_or(u64::MAX),
        retry: RetryPolicy { max_elapsed: settings.export_timeout, ..RetryPolicy::default() },
        on_thread_start: own::mark,
    };
    let filter = (settings.filter.clone(), settings.filter_source == Source::Code);
    let ledger = Arc::new(Ledger::default());
    start()?;
    let (mirrored, beside) = (settings.exporters.otlp && settings.exporters.console, exporting.clone());
    if !settings.exporters.otlp {
        exporting = tee::for_console(exporting);
    }
    let exporter = Exporter::start(exporting, transport, Arc::clone(&ledger))?;
    let outlet: Box<dyn Outlet> = if mirrored { Box::new(Tee::new(exporter, beside)?) } else { Box::new(exporter) };
    crate::record::set_memory(budget.segments, budget.slots, budget.heap);
    crate::record::prepare();
    journal::keep(settings.limits.events, settings.limits.links);
    let mut unused = Vec::new();
    let pipe = desk().open_global(reservation, || {
        let (route, samplers) = route::open_global(&settings.sampler, filter);
        unused = samplers;
        let detection = Detection::new(settings.detectors, settings.resource.clone());
        let pipeline = Pipeline::new(route, true, &settings.resource, limits, ledger, outlet);
        pipeline.limited(settings.limits.into(), settings.delivery.max_request_bytes).detecting(detection)
    });
    forget(unused);
    Ok(pipe)
}

/// Drops the program's own samplers; a panic in that is theirs.
fn forget(unused: Vec<Own>) {
    caught(|| drop(unused));
}

/// Opens a pipeline beside the global one. Its route is open until [`close`].
#[cfg(feature = "testing")]
pub(crate) fn open(
    resource: &Resource,
    limits: BatchLimits,
    ledger: Arc<Ledger>,
    outlet: Box<dyn Outlet>,
) -> Result<Arc<Pipe>, OtlpError> {
    start()?;
    crate::record::prepare();
    Ok(desk().open(|| Pipeline::new(route::open_capture(), false, resource, limits, ledger, outlet)))
}

/// Closes what [`open`] opened, once everything recorded before the call is in its outlet; waits at most `allowed`.
#[cfg(feature = "testing")]
pub(crate) fn close(pipe: &Arc<Pipe>, allowed: Duration) -> Result<(), OtlpError> {
    let _closing = Closing;
    wait(&desk().ask_end(pipe, allowed))
}

/// The same without blocking a thread.
#[cfg(feature = "testing")]
pub(crate) async fn close_async(pipe: &Arc<Pipe>, allowed: Duration) -> Result<(), OtlpError> {
    let _closing = Closing;
    Flush::of(Arc::clone(desk()), desk().ask_end(pipe, allowed)).await
}

/// The same without waiting.
#[cfg(feature = "testing")]
pub(crate) fn abandon(pipe: &Arc<Pipe>) {
    let _closing = Closing;
    pipe.forget(&desk().ask_end(pipe, Duration::ZERO));
}

/// Closes the route of a pipeline that is beside the global one.
#[cfg(feature = "testing")]
struct Closing;

#[cfg(feature = "testing")]
impl Drop for Closing {
    fn drop(&mut self) {
        route::close_capture();
    }
}

/// Waits for the fate of everything recorded before the call.
pub(crate) fn flush(allowed: Duration) -> Result<(), OtlpError> {
    desk().ask_flush(allowed).map_or(Ok(()), |ticket| wait(&ticket))
}

/// The same without blocking a thread.
pub(crate) fn flush_async(allowed: Duration) -> Flush {
    Flush::new(Arc::clone(desk()), allowed)
}

/// Ends the global pipeline, or none but `only`.
///
/// `None`: there is none.
pub(crate) fn shutdown(only: Option<&Arc<Pipe>>, allowed: Duration) -> Option<Result<(), OtlpError>> {
    let (ticket, ended) = end(only, allowed)?;
    if let Err(error) = &ended
        && !ticket.is_told(Instant::now())
    {
        desk().keep_unsaid(ticket, error.to_string());
    }
    Some(ended)
}

/// The same for the end of the program, which has nobody to return an error to: what the export thread had no time to say
/// is said here, also if that was at a shutdown before. Whether there was something to end.
pub(crate) fn shutdown_or_say(only: Option<&Arc<Pipe>>, allowed: Duration) -> bool {
    let Some((ticket, ended)) = end(only, allowed) else {
        if only.is_none() {
            say_unsaid(SAYING.min(allowed));
        }
        return false;
    };
    if let Err(error) = ended
        && !ticket.is_told(Instant::now())
    {
        say("shutdown", error.to_string());
    }
    true
}

/// Gives the engine this time to tell what a shutdown has lost, and tells it if that was too short.
fn say_unsaid(limit: Duration) {
    let Some((ticket, loss)) = desk().take_unsaid() else { return };
    if !own::is_marked() && !ticket.is_told(Instant::now() + limit) {
        say("shutdown", loss);
    }
}

fn end(only: Option<&Arc<Pipe>>, allowed: Duration) -> Option<(Arc<Ticket>, Result<(), OtlpError>)> {
    let mut unused = Vec::new();
    let ticket = desk().ask_shutdown(only, allowed, || unused = route::close_global())?;
    forget(unused);
    let ended = wait(&ticket);
    if !own::is_marked() {
        desk().finish(&ticket.pipe);
    }
    Some((ticket, ended))
}

/// The book of the global pipeline, or of the last one.
pub(crate) fn counts() -> Counts {
    desk().ledger().map_or_else(Counts::default, |ledger| ledger.counts())
}

/// Whether the calling thread is one of the engine's.
pub(crate) fn is_own_thread() -> bool {
    own::is_marked()
}

/// Waits until it is over; the engine's own threads leave at once.
fn wait(ticket: &Arc<Ticket>) -> Result<(), OtlpError> {
    let outcome = if own::is_marked() { ticket.outcome() } else { ticket.wait() };
    ticket.pipe.forget(ticket);
    outcome
}
