//! Flush and shutdown while others are at work, and against receivers that never answer: everything is counted, and every
//! call returns within what it was given (spec-checklist TRC15, PRC3, ERR3; user-needs U5, U14).
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;
#[path = "support/timed.rs"]
mod timed;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use otlp::testing::{Collector, Reply};
use otlp::{OtlpConfig, OtlpError, OtlpGuard, TransportProtocol, traced};
use process::*;
use timed::{Timed, timed};

const PROTOCOLS: [TransportProtocol; 2] = [TransportProtocol::HttpProtobuf, TransportProtocol::Grpc];

/// What a thread may wait for its turn on a machine that has other things to do.
const TURN: Duration = Duration::from_secs(2);

#[traced]
fn work() {}

fn works(count: u64) {
    (0..count).for_each(|_| work());
}

/// Threads that need little.
fn small() -> std::thread::Builder {
    std::thread::Builder::new().stack_size(128 << 10)
}

#[test]
fn of_inits_at_the_same_time_one_wins() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    for _ in 0..10 {
        let start = Barrier::new(32);
        let guards: Vec<_> = std::thread::scope(|scope| {
            let inits: Vec<_> = (0..32)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        config(collector.endpoint()).init()
                    })
                })
                .collect();
            inits.into_iter().map(|init| init.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = guards.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|init| matches!(init, Err(OtlpError::AlreadyInitialized))));
        let before = collector.span_count();
        works(3);
        drop(won);
        // What was late for the pipeline of an earlier test may have come to this one.
        let counts = balanced();
        assert_eq!(collector.span_count() - before, counts.exported);
        assert!(counts.exported >= 3, "{counts:?}");
    }
}

/// Law 2: what 64 threads record while the pipeline ends is exported, or counted as dropped.
#[test]
fn nothing_is_lost_uncounted_while_shutdown_runs() {
    let _alone = alone();
    for protocol in PROTOCOLS {
        let collector = Collector::start().unwrap();
        let guard = config(collector.endpoint()).with_protocol(protocol).init().unwrap();
        let (stop, started) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    started.fetch_add(1, Ordering::Relaxed);
                    while !stop.load(Ordering::Relaxed) {
                        let open = otlp::span!("open");
                        works(10);
                        std::thread::yield_now();
                        drop(open);
                    }
                });
            }
            while started.load(Ordering::Relaxed) < 64 || collector.span_count() == 0 {
                let _ = otlp::flush(Duration::from_millis(20));
                balanced();
            }
            let ended = otlp::shutdown(LONG);
            // Only the log may have been too small for so many threads on so few processors.
            assert!(matches!(ended, Ok(()) | Err(OtlpError::Lost { .. })), "{ended:?}");
            let exported = balanced().exported;
            assert_eq!(exported, collector.span_count());
            (0..100).for_each(|_| {
                balanced();
            });
            stop.store(true, Ordering::Relaxed);
        });
        drop(guard);
        let counts = settled();
        assert_eq!((counts.exported, counts.rejected), (collector.span_count(), 0), "{counts:?}");
    }
}

#[test]
fn a_guard_that_is_dropped_while_others_flush_ends_their_wait_too() {
    let _alone = alone();
    for protocol in PROTOCOLS {
        let collector = Collector::start().unwrap();
        let guard = config(collector.endpoint()).with_protocol(protocol).init().unwrap();
        let start = Barrier::new(9);
        std::thread::scope(|scope| {
            let flushes: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        works(10);
                        start.wait();
                        otlp::flush(LONG)
                    })
                })
                .collect();
            start.wait();
            drop(guard);
            flushes.into_iter().for_each(|flush| flush.join().unwrap().unwrap());
        });
        assert_eq!((collector.span_count(), balanced().exported), (80, 80));
    }
}

/// A thousand calls, from threads and from tasks.
fn flushes(allowed: Duration) -> Vec<(Result<(), OtlpError>, Duration)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let threads: Vec<_> = (0..500)
        .map(|_| {
            let call = move || {
                work();
                let start = Instant::now();
                (otlp::flush(allowed), start.elapsed())
            };
            small().spawn(call).unwrap()
        })
        .collect();
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            runtime.spawn(async move {
                work();
                let start = Instant::now();
                (otlp::flush_async(allowed).await, start.elapsed())
            })
        })
        .collect();
    let mut all: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    all.extend(tasks.into_iter().map(|task| runtime.block_on(task).unwrap()));
    all
}

#[test]
fn a_thousand_flushes_at_once() {
    let _alone = alone();
    for protocol in PROTOCOLS {
        let collector = Collector::start().unwrap();
        let guard = config(collector.endpoint()).with_protocol(protocol).init().unwrap();
        for (ended, _) in flushes(LONG) {
            ended.unwrap();
        }
        assert_eq!((collector.span_count(), balanced().exported), (1000, 1000));
        drop(guard);

        collector.reply_always(Reply::BlackHole);
        let config = config(collector.endpoint()).with_shutdown_timeout(Duration::from_millis(1));
        let guard = config.with_protocol(protocol).init().unwrap();
        let allowed = Duration::from_millis(300);
        for (ended, took) in flushes(allowed) {
            assert!(matches!(ended, Err(OtlpError::DeadlineExceeded { .. })), "{ended:?}");
            assert!((allowed..allowed + TURN).contains(&took), "{took:?}");
        }
        drop(guard);
    }
}

/// What takes requests and says nothing, in two ways.
enum Silent {
    /// It accepts, reads, and does not answer.
    Accepts(Collector),
    /// Its backlog is full, so that a connection is not even made.
    Full(TcpListener, Vec<TcpStream>),
}

impl Silent {
    fn accepts() -> Self {
        let collector = Collector::start().unwrap();
        collector.reply_always(Reply::BlackHole);
        Self::Accepts(collector)
    }

    fn full() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        // Far more than any system keeps.
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            waiting.push(stream);
            assert!(waiting.len() < 20_000);
        }
        Self::Full(listener, waiting)
    }

    fn endpoint(&self) -> String {
        let address: SocketAddr = match self {
            Self::Accepts(collector) => return collector.endpoint(),
            Self::Full(listener, waiting) => {
                assert!(!waiting.is_empty());
                listener.local_addr().unwrap()
            }
        };
        format!("http://{address}")
    }
}

/// What is given a time.
#[derive(Clone, Copy, Debug)]
enum Call {
    Flush,
    FlushAsync,
    Shutdown,
    Guard,
}

impl Call {
    /// Makes the call with this time; the pipeline is over afterwards.
    fn make(self, config: OtlpConfig, allowed: Duration) -> Timed {
        let guard: OtlpGuard = config.with_shutdown_timeout(allowed.max(Duration::from_millis(1))).init().unwrap();
        works(100);
        let (ended, timed) = match self {
            Self::Flush => timed(|| otlp::flush(allowed)),
            Self::FlushAsync => {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                timed(|| runtime.block_on(otlp::flush_async(allowed)))
            }
            Self::Shutdown => timed(|| otlp::shutdown(allowed)),
            Self::Guard => return timed(|| drop(guard)).1,
        };
        assert!(matches!(ended, Err(OtlpError::DeadlineExceeded { .. })), "{self:?}: {ended:?}");
        let _ = otlp::shutdown(Duration::ZERO);
        timed
    }
}

/// Within 50 ms after the deadline, whatever the other side does.
#[test]
fn every_call_ends_within_its_deadline() {
    let _alone = alone();
    for silent in [Silent::accepts(), Silent::full()] {
        for protocol in PROTOCOLS {
            for call in [Call::Flush, Call::FlushAsync, Call::Shutdown, Call::Guard] {
                for allowed in [0, 30, 250].map(Duration::from_millis) {
                    let config = config(silent.endpoint()).with_protocol(protocol);
                    let Timed { took, slack, .. } = call.make(config, allowed);
                    assert!(
                        (allowed..=allowed + slack).contains(&took),
                        "{call:?}, {protocol:?}: {took:?} of {allowed:?} with a slack of {slack:?}"
                    );
                    // The engine may not have seen them yet when the call gives up.
                    wait_until(|counts| (counts.recorded, counts.dropped_total()) == (100, 100));
                }
            }
        }
    }
}
