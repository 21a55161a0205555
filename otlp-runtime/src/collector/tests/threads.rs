//! The engine on its own thread, with the real exporter and a scripted transport.

use std::future::Future as _;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;

use super::record::Kind;
use super::*;
use crate::account::DropReason;
use crate::collector::flush::Flush;
use crate::collector::own;
use crate::error::OtlpError;
use crate::exporter::{Exporter, Settings};
use crate::transport::{Accepted, Attempt, Hop, Payload, SendFuture, Transport, TransportError};

/// Far more than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// How the receiver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiver {
    Accepts,
    /// Refuses connections.
    IsDown,
    /// Refuses three batches for good.
    RefusesThree,
    /// Never answers.
    BlackHole,
    /// Blocks the export thread until it is let go.
    Blocks,
}

struct Scripted {
    receiver: Receiver,
    accepted: Arc<AtomicU64>,
    let_go: Arc<AtomicBool>,
}

impl Transport for Scripted {
    fn send(&self, payload: Payload, _: Attempt) -> SendFuture<'_> {
        Box::pin(async move {
            match self.receiver {
                Receiver::Accepts => {
                    self.accepted.fetch_add(payload.items, SeqCst);
                    Ok(Accepted::default())
                }
                Receiver::IsDown => Err(TransportError::Retryable {
                    cause: "connection refused".to_owned(),
                    after: None,
                    may_have_arrived: false,
                    at: Hop::Receiver,
                }),
                Receiver::RefusesThree if self.accepted.fetch_add(payload.items, SeqCst) < 3 => {
                    Err(TransportError::Permanent { cause: "no".to_owned() })
                }
                Receiver::RefusesThree => Ok(Accepted::default()),
                Receiver::BlackHole => std::future::pending().await,
                Receiver::Blocks => {
                    while !self.let_go.load(SeqCst) {
                        std::thread::park_timeout(Duration::from_millis(1));
                    }
                    Ok(Accepted::default())
                }
            }
        })
    }

    fn endpoint(&self) -> &str {
        "http://scripted"
    }
}

/// A running engine.
struct Running {
    rig: Rig,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    let_go: Arc<AtomicBool>,
}

impl Running {
    fn new() -> Self {
        let rig = Rig::new();
        let stop = Arc::new(AtomicBool::new(false));
        let (desk, tape, bell) = (Arc::clone(&rig.desk), rig.tape.clone(), rig.bell.clone());
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            own::mark();
            Engine::new(desk, tape, bell, |_, _| ()).run(move || stopped.load(SeqCst));
        });
        Self { rig, stop, thread: Some(thread), let_go: Arc::default() }
    }

    /// What `init` does; gives what the receiver counts.
    fn open(&mut self, receiver: Receiver) -> (Arc<Pipe>, Arc<AtomicU64>) {
        let accepted = Arc::new(AtomicU64::new(0));
        let transport = Scripted { receiver, accepted: Arc::clone(&accepted), let_go: Arc::clone(&self.let_go) };
        let settings = Settings { on_thread_start: own::mark, ..Settings::default() };
        let pipe = self.rig.open(LIMITS, |ledger| {
            Box::new(Exporter::start(settings, Box::new(|| Arc::new(transport)), Arc::clone(ledger)).unwrap())
        });
        (pipe, accepted)
    }

    fn record(&self, pipe: &Pipe, count: u64) {
        (0..count).for_each(|_| self.rig.tape.record(Record { route: pipe.route, kind: Kind::Small }));
    }

    fn flush(&self, allowed: Duration) -> Result<(), OtlpError> {
        self.rig.desk.ask_flush(allowed).map_or(Ok(()), |ticket| crate::collector::wait(&ticket))
    }

    fn shutdown(&self, allowed: Duration) -> Result<(), OtlpError> {
        let Some(ticket) = self.rig.desk.ask_shutdown(None, allowed, || ()) else { return Ok(()) };
        let ended = crate::collector::wait(&ticket);
        self.rig.desk.finish(&ticket.pipe);
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.let_go.store(true, SeqCst);
        self.stop.store(true, SeqCst);
        self.rig.bell.ring();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// The time that `f` takes.
fn timed<R>(f: impl FnOnce() -> R) -> (R, Duration) {
    let start = Instant::now();
    (f(), start.elapsed())
}

/// The accounts when nothing is under way any more: at a deadline the export thread needs a moment to write it all off.
fn settled(pipe: &Pipe) -> Counts {
    wait_until(|| pipe.counts().queued + pipe.counts().in_flight == 0);
    balanced(pipe)
}

fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long");
        std::thread::yield_now();
    }
}

/// On a loaded machine a thread may have to wait for its turn.
const SLACK: Duration = Duration::from_millis(300);

#[test]
fn flushes_from_many_threads_see_everything_recorded_before_them() {
    let mut running = Running::new();
    let (pipe, accepted) = running.open(Receiver::Accepts);
    let recorded = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for n in 0..30 {
                    running.record(&pipe, n % 4);
                    let before = recorded.fetch_add(n % 4, SeqCst) + n % 4;
                    running.flush(LONG).unwrap();
                    assert!(accepted.load(SeqCst) >= before);
                    balanced(&pipe);
                }
            });
        }
    });
    running.record(&pipe, 5);
    running.shutdown(LONG).unwrap();
    let counts = balanced(&pipe);
    assert_eq!((counts.recorded, counts.exported), (recorded.load(SeqCst) + 5, accepted.load(SeqCst)));
    assert_eq!(counts.recorded, counts.exported);
}

#[test]
fn without_a_pipeline_there_is_nothing_to_wait_for() {
    let mut running = Running::new();
    running.flush(Duration::ZERO).unwrap();
    running.shutdown(Duration::ZERO).unwrap();
    let _ = running.open(Receiver::Accepts);
    running.shutdown(LONG).unwrap();
    running.shutdown(Duration::ZERO).unwrap();
    running.flush(Duration::ZERO).unwrap();
}

/// What an outage cost is told with its error, once; what comes later for another reason is not.
#[test]
fn a_loss_is_told_with_the_error_that_caused_it() {
    let mut running = Running::new();
    let (pipe, _) = running.open(Receiver::RefusesThree);
    for _ in 0..3 {
        running.record(&pipe, 1);
        let flushed = running.flush(LONG);
        let Err(OtlpError::Lost { lost: 1, last_error: Some(error), .. }) = flushed else { panic!("{flushed:?}") };
        assert_eq!(error, "http://scripted: no");
    }
    running.record(&pipe, 1);
    running.flush(LONG).unwrap();
    running.rig.tape.record(Record { route: pipe.route, kind: Kind::TooLarge });
    running.record(&pipe, 1);
    let flushed = running.flush(LONG);
    let Err(OtlpError::Lost { lost: 1, last_error: None, .. }) = flushed else { panic!("{flushed:?}") };
}

#[test]
fn a_refused_port_ends_a_shutdown_at_once_and_tells_the_loss() {
    let mut running = Running::new();
    let (pipe, _) = running.open(Receiver::IsDown);
    running.record(&pipe, 95);
    let flushed = running.flush(Duration::from_millis(20));
    let Err(OtlpError::DeadlineExceeded { pending: 95, .. }) = flushed else { panic!("{flushed:?}") };
    running.record(&pipe, 5);
    let (ended, took) = timed(|| running.shutdown(LONG));
    let Err(OtlpError::Lost { operation: "shutdown", lost: 100, last_error }) = ended else { panic!("{ended:?}") };
    assert!(last_error.unwrap().contains("connection refused"));
    assert!(took < SLACK, "{took:?}");
    assert_eq!(balanced(&pipe).dropped(DropReason::RetryExhausted), 100);
}

#[test]
fn a_black_hole_costs_a_flush_and_a_shutdown_exactly_their_time() {
    for operation in ["flush", "shutdown"] {
        let mut running = Running::new();
        let (pipe, _) = running.open(Receiver::BlackHole);
        running.record(&pipe, 100);
        let allowed = Duration::from_millis(100);
        let (ended, took) =
            timed(|| if operation == "flush" { running.flush(allowed) } else { running.shutdown(allowed) });
        let Err(OtlpError::DeadlineExceeded { operation: named, pending: 100, deadline, .. }) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!((named, deadline), (operation, allowed));
        assert!((allowed..allowed + SLACK).contains(&took), "{took:?}");
        if operation == "shutdown" {
            let counts = settled(&pipe);
            assert_eq!(counts.dropped(DropReason::UnknownOutcome), 80, "8 batches of 10 were under way");
            assert_eq!(counts.dropped(DropReason::Shutdown), 20);
        }
    }
}

#[test]
fn a_transport_that_blocks_the_export_thread_holds_nobody_up() {
    let mut running = Running::new();
    let (pipe, _) = running.open(Receiver::Blocks);
    running.record(&pipe, 10);
    let allowed = Duration::from_millis(50);
    let (ended, took) = timed(|| running.shutdown(allowed));
    assert!(matches!(ended, Err(OtlpError::DeadlineExceeded { pending: 10, .. })), "{ended:?}");
    assert!(took < allowed + SLACK, "{took:?}");
    let counts = balanced(&pipe);
    assert_eq!((counts.queued, counts.in_flight), (0, 0), "{counts:?}");
    assert_eq!(counts.dropped(DropReason::UnknownOutcome), 10);
    // Its place is free, and its items keep their fate when it lets go.
    let (next, _) = running.open(Receiver::Accepts);
    running.record(&next, 1);
    running.flush(LONG).unwrap();
    running.let_go.store(true, SeqCst);
    assert!(pipe.outlet.wait_ended(Instant::now() + LONG));
    assert_eq!(balanced(&pipe), counts);
}

#[test]
fn two_shutdowns_and_a_flush_at_the_same_time_all_end_in_their_time() {
    for receiver in [Receiver::Accepts, Receiver::IsDown, Receiver::BlackHole] {
        let mut running = Running::new();
        let (pipe, _) = running.open(receiver);
        running.record(&pipe, 50);
        let times = [20, 40, 60].map(Duration::from_millis);
        std::thread::scope(|scope| {
            let running = &running;
            for (i, allowed) in times.into_iter().enumerate() {
                scope.spawn(move || {
                    let (_, took) = timed(|| if i == 1 { running.flush(allowed) } else { running.shutdown(allowed) });
                    assert!(took < allowed + SLACK, "{took:?}");
                });
            }
        });
        assert_eq!(settled(&pipe).recorded, 50, "{receiver:?}");
        running.open(Receiver::Accepts);
    }
}

#[test]
fn the_engines_own_threads_do_not_wait_for_themselves() {
    let mut running = Running::new();
    let (pipe, accepted) = running.open(Receiver::BlackHole);
    running.record(&pipe, 1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            own::mark();
            for end in [false, true] {
                let (outcome, took) = timed(|| if end { running.shutdown(LONG) } else { running.flush(LONG) });
                assert!(matches!(outcome, Err(OtlpError::DeadlineExceeded { .. })), "{outcome:?}");
                assert!(took < SLACK, "{took:?}");
            }
        });
    });
    assert_eq!(accepted.load(SeqCst), 0);
}

/// Wakes a thread that polls.
struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(flush: Flush) -> Result<(), OtlpError> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut flush = pin!(flush);
    loop {
        if let Poll::Ready(outcome) = flush.as_mut().poll(&mut Context::from_waker(&waker)) {
            return outcome;
        }
        // A missed wake-up fails the test instead of hanging it.
        std::thread::park_timeout(LONG);
    }
}

#[test]
fn an_asynchronous_flush_needs_no_runtime_and_keeps_its_deadline() {
    let mut running = Running::new();
    let desk = &running.rig.desk;
    block_on(Flush::new(Arc::clone(desk), LONG)).unwrap();
    let (pipe, accepted) = running.open(Receiver::Accepts);
    let desk = Arc::clone(&running.rig.desk);
    for n in 1..20 {
        running.record(&pipe, 3);
        block_on(Flush::new(Arc::clone(&desk), LONG)).unwrap();
        assert_eq!(accepted.load(SeqCst), 3 * n);
    }
    running.shutdown(LONG).unwrap();
    let (pipe, _) = running.open(Receiver::BlackHole);
    running.record(&pipe, 7);
    let allowed = Duration::from_millis(30);
    let (outcome, took) = timed(|| block_on(Flush::new(Arc::clone(&desk), allowed)));
    assert!(matches!(outcome, Err(OtlpError::DeadlineExceeded { pending: 7, .. })), "{outcome:?}");
    assert!((allowed..allowed + SLACK).contains(&took), "{took:?}");
    assert!(!pipe.has_waiting());
}

#[test]
fn a_flush_that_is_dropped_leaves_nothing_behind_and_a_waker_that_panics_does_no_harm() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("scripted");
        }
    }
    silence_scripted_panics();
    let mut running = Running::new();
    let (pipe, _) = running.open(Receiver::Accepts);
    running.record(&pipe, 1);
    let waker = Waker::from(Arc::new(Panics));
    let mut flush = Flush::new(Arc::clone(&running.rig.desk), LONG);
    let _ = std::pin::Pin::new(&mut flush).poll(&mut Context::from_waker(&waker));
    running.flush(LONG).unwrap();
    drop(flush);
    assert!(!pipe.has_waiting());
    running.record(&pipe, 1);
    running.shutdown(LONG).unwrap();
    assert_eq!(balanced(&pipe).exported, 2);
}

#[test]
fn batches_are_sent_by_count_and_by_age_without_being_asked() {
    let mut running = Running::new();
    let (pipe, accepted) = running.open(Receiver::Accepts);
    running.record(&pipe, 25);
    // The bell stands for the first record after a silence.
    running.rig.bell.ring();
    wait_until(|| accepted.load(SeqCst) >= 20);
    assert_eq!(balanced(&pipe).queued, 5);
    running.shutdown(LONG).unwrap();
    let pipe = running.rig.open(BatchLimits { age: Duration::from_millis(20), ..LIMITS }, |ledger| {
        let transport =
            Scripted { receiver: Receiver::Accepts, accepted: Arc::clone(&accepted), let_go: Arc::default() };
        Box::new(Exporter::start(Settings::default(), Box::new(|| Arc::new(transport)), Arc::clone(ledger)).unwrap())
    });
    running.record(&pipe, 5);
    running.rig.bell.ring();
    wait_until(|| pipe.counts().exported == 5);
}
