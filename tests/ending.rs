//! Every way in which a program ends, in a process of its own, with a receiver elsewhere that counts.
//!
//! What stands in the table is what user-needs U1 to U14 name; spec-checklist TRC15 and PRC3.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr)]
#![allow(unsafe_code)]

#[path = "support/process.rs"]
mod process;

use std::future::Future;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use otlp::testing::{Collector, Reply};
use otlp::{OtlpConfig, OtlpGuard, traced};
use process::*;

/// Names the row of a table to the process that runs it.
const ROW: &str = "OTLP_TEST_ROW";
const SPANS: u64 = 7;

#[traced]
fn work() {}

fn works() {
    (0..SPANS).for_each(|_| work());
}

/// Nothing is sent by itself: the batch would be closed in an hour.
fn config_here() -> OtlpConfig {
    OtlpConfig::default().with_schedule_delay(Duration::from_secs(3600))
}

/// The pipeline that the environment of the process asks for.
fn init() -> OtlpGuard {
    config_here().init().unwrap()
}

/// Ends the process on the spot: what has not arrived by now never will.
fn end_at_once() -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) }
}

fn end_after<R>(last: impl FnOnce() -> R) {
    last();
    end_at_once();
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn one_worker() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Runs `f` on a worker of the runtime, to its end.
fn in_task<R: Send + 'static>(runtime: &tokio::runtime::Runtime, f: impl Future<Output = R> + Send + 'static) -> R {
    runtime.block_on(async { tokio::spawn(f).await.unwrap() })
}

fn flush() {
    otlp::flush(LONG).unwrap();
}

fn shutdown() {
    otlp::shutdown(LONG).unwrap();
}

type Row = (&'static str, fn(OtlpGuard));

/// Every row is given a guard, and [`SPANS`] spans are recorded; then it ends.
const ROWS: &[Row] = &[
    ("flush, no runtime", |_guard| end_after(flush)),
    ("flush, current-thread runtime", |_guard| current_thread().block_on(async { end_after(flush) })),
    ("flush, spawn, one worker", |_guard| in_task(&one_worker(), async { end_after(flush) })),
    ("flush, spawn, current-thread runtime", |_guard| in_task(&current_thread(), async { end_after(flush) })),
    ("flush, spawn_blocking", |_guard| {
        one_worker().block_on(async { tokio::task::spawn_blocking(|| end_after(flush)).await.unwrap() })
    }),
    ("flush_async, current-thread runtime", |_guard| {
        current_thread().block_on(async {
            otlp::flush_async(LONG).await.unwrap();
            end_at_once();
        })
    }),
    ("flush_async, spawn, one worker", |_guard| {
        in_task(&one_worker(), async {
            otlp::flush_async(LONG).await.unwrap();
            end_at_once();
        })
    }),
    ("flush, while a runtime is torn down (U4)", |_guard| {
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                end_after(flush);
            }
        }
        let runtime = one_worker();
        // Made here, so that it is dropped with a task that was never polled too.
        let last = Last;
        runtime.spawn(async move {
            let _last = last;
            std::future::pending::<()>().await;
        });
        drop(runtime);
        unreachable!();
    }),
    ("shutdown, no runtime", |_guard| end_after(shutdown)),
    ("shutdown, spawn, one worker", |_guard| in_task(&one_worker(), async { end_after(shutdown) })),
    ("shutdown, spawn_blocking", |_guard| {
        one_worker().block_on(async { tokio::task::spawn_blocking(|| end_after(shutdown)).await.unwrap() })
    }),
    ("guard dropped", |guard| end_after(|| drop(guard))),
    ("guard dropped in a task, current-thread runtime", |guard| {
        in_task(&current_thread(), async move { end_after(|| drop(guard)) });
    }),
    ("guard dropped while unwinding", |guard| {
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let _guard = guard;
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(unwound.is_err());
        end_at_once();
    }),
    ("guard dropped by a destructor of a thread", |guard| {
        thread_local!(static LAST: std::cell::RefCell<Option<OtlpGuard>> = const { std::cell::RefCell::new(None) });
        std::thread::spawn(|| LAST.set(Some(guard))).join().unwrap();
        end_at_once();
    }),
    ("flush in a panic hook", |_guard| {
        std::panic::set_hook(Box::new(|_| end_after(flush)));
        panic!("scripted");
    }),
    ("exit, guard alive", |_guard| std::process::exit(0)),
    ("exit on another thread", |_guard| {
        let _ = std::thread::spawn(|| std::process::exit(0)).join();
    }),
    ("exit in a task, one worker", |_guard| in_task(&one_worker(), async { std::process::exit(0) })),
    ("exit in a task, current-thread runtime", |_guard| in_task(&current_thread(), async { std::process::exit(0) })),
    ("exit while unwinding", |_guard| {
        struct Exits;
        impl Drop for Exits {
            fn drop(&mut self) {
                std::process::exit(0);
            }
        }
        let _exits = Exits;
        std::panic::resume_unwind(Box::new(()));
    }),
    ("exit in a panic hook", |_guard| {
        std::panic::set_hook(Box::new(|_| std::process::exit(0)));
        panic!("scripted");
    }),
    ("main returns, guard in a static", |guard| {
        static GUARD: OnceLock<OtlpGuard> = OnceLock::new();
        GUARD.set(guard).unwrap();
    }),
    ("main returns, guard forgotten", std::mem::forget),
];

fn row() -> Option<String> {
    std::env::var(ROW).ok()
}

/// The process that runs `row` of the test `name`, with this receiver.
fn child(name: &str, row: &str, endpoint: &str, protocol: &str) -> std::process::Command {
    let mut child = own_process(name);
    child.env(ROW, row).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    child
}

const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

/// U1, U4, U7, U9, U10.
#[test]
fn from_every_place_everything_arrives() {
    let name = "from_every_place_everything_arrives";
    if let Some(row) = row() {
        let (_, end) = ROWS.iter().find(|(name, _)| *name == row).unwrap();
        let guard = init();
        works();
        return end(guard);
    }
    for (row, _) in ROWS {
        for protocol in PROTOCOLS {
            let collector = Collector::start().unwrap();
            let end = run(child(name, row, &collector.endpoint(), protocol));
            assert_eq!(end.status.code(), Some(0), "{row}, {protocol}: {:?} {}", end.status, end.stderr);
            assert_eq!(collector.span_count(), SPANS, "{row}, {protocol}: {}", end.stderr);
        }
    }
}

/// Comes after the end of telemetry, as it was asked for before: the last that can be known.
extern "C" fn tell_the_book() {
    let book = otlp::status().traces;
    let left = book.queued + book.in_flight;
    let [exported, rejected, dropped] = [book.exported, book.rejected, book.dropped_total()];
    eprintln!("THE END {} {exported} {rejected} {dropped} {left}", u8::from(book.balanced()));
}

const THREADS: u64 = 4;
/// Of each thread, before the process ends.
const EACH: u64 = 100;

#[traced(fields(thread, n))]
fn numbered(thread: u64, n: u64) {}

/// Ends the process while threads record, with a pause after each span or as fast as they can.
fn exit_while_others_record(pause: Duration) -> ! {
    static RECORDED: [AtomicU64; THREADS as usize] = [const { AtomicU64::new(0) }; THREADS as usize];
    // SAFETY: the function lives as long as the program.
    assert_eq!(unsafe { libc::atexit(tell_the_book) }, 0);
    let _guard = init();
    for (thread, recorded) in RECORDED.iter().enumerate() {
        std::thread::spawn(move || {
            for n in 0.. {
                numbered(thread as u64, n);
                recorded.store(n + 1, Ordering::Relaxed);
                if !pause.is_zero() {
                    std::thread::sleep(pause);
                }
            }
        });
    }
    while RECORDED.iter().any(|recorded| recorded.load(Ordering::Relaxed) < EACH) {
        std::thread::yield_now();
    }
    std::process::exit(0);
}

/// What the book says at the end agrees with the receiver, and with itself.
fn check_the_book(stderr: &str, collector: &Collector) {
    let book = stderr.lines().find_map(|line| line.strip_prefix("THE END ")).unwrap();
    let book: Vec<u64> = book.split(' ').map(|number| number.parse().unwrap()).collect();
    let [balanced, exported, rejected, _, left] = book[..] else { panic!("{stderr}") };
    assert_eq!((balanced, exported, rejected, left), (1, collector.span_count(), 0, 0), "{stderr}");
}

/// The numbers that arrived of each thread, in order.
fn arrived(collector: &Collector) -> Vec<Vec<i64>> {
    let mut arrived = vec![Vec::new(); THREADS as usize];
    for span in collector.spans() {
        arrived[usize::try_from(span.i64("thread").unwrap()).unwrap()].push(span.i64("n").unwrap());
    }
    arrived.iter_mut().for_each(|numbers| numbers.sort_unstable());
    arrived
}

/// What was recorded before the call arrives, and threads that go on recording neither lengthen the end nor break it: of each
/// thread everything arrives up to some moment, and what comes later is counted.
#[test]
fn exit_while_others_record_delivers_what_was_there() {
    let name = "exit_while_others_record_delivers_what_was_there";
    if row().is_some() {
        // Not faster than they can be sent.
        exit_while_others_record(Duration::from_micros(100));
    }
    for protocol in PROTOCOLS {
        let collector = Collector::start().unwrap();
        let end = run(child(name, "", &collector.endpoint(), protocol));
        assert_eq!(end.status.code(), Some(0), "{protocol}: {:?} {}", end.status, end.stderr);
        check_the_book(&end.stderr, &collector);
        for numbers in arrived(&collector) {
            assert!(numbers.len() as u64 >= EACH, "{protocol}: {} {}", numbers.len(), end.stderr);
            assert!(numbers.iter().copied().eq(0..numbers.len() as i64), "{protocol}: one is missing, or there twice");
        }
        assert!(!end.stderr.contains("otlp: "), "{protocol}: {}", end.stderr);
    }
}

/// Faster than anything can be sent: the end is as long as it may be at most, and what is lost is counted and told.
#[test]
fn exit_while_others_record_as_fast_as_they_can_is_bounded_and_counted() {
    let name = "exit_while_others_record_as_fast_as_they_can_is_bounded_and_counted";
    if row().is_some() {
        exit_while_others_record(Duration::ZERO);
    }
    for protocol in PROTOCOLS {
        let collector = Collector::start().unwrap();
        let end = run(child(name, "", &collector.endpoint(), protocol));
        assert_eq!(end.status.code(), Some(0), "{protocol}: {:?} {}", end.status, end.stderr);
        assert!(end.took < Duration::from_secs(20), "{protocol}: {:?}", end.took);
        check_the_book(&end.stderr, &collector);
        for mut numbers in arrived(&collector) {
            assert!(!numbers.is_empty(), "{protocol}: {}", end.stderr);
            let all = numbers.len();
            numbers.dedup();
            assert_eq!(numbers.len(), all, "{protocol}: one is there twice");
        }
    }
}

/// A shutdown that comes to its deadline returns an error and waits for no line: the end of the process sees to it.
#[test]
fn what_a_shutdown_has_lost_is_told_though_the_process_exits_at_once() {
    let name = "what_a_shutdown_has_lost_is_told_though_the_process_exits_at_once";
    if row().is_some() {
        let guard = init();
        works();
        // The export thread has to wait for its turn.
        (0..8).for_each(|_| {
            drop(std::thread::spawn(|| {
                loop {
                    std::hint::spin_loop()
                }
            }))
        });
        let ended = otlp::shutdown(Duration::from_millis(20));
        assert!(ended.is_err());
        drop(guard);
        std::process::exit(0);
    }
    let collector = Collector::start().unwrap();
    collector.reply_always(Reply::BlackHole);
    for protocol in PROTOCOLS {
        for _ in 0..10 {
            let end = run(child(name, "", &collector.endpoint(), protocol));
            assert!(end.status.success(), "{protocol}: {}", end.stderr);
            // By the export thread, or by the one that waits for it in vain.
            let said = end.stderr.contains("7 records") || end.stderr.contains("shutdown did not finish within");
            assert!(said, "{protocol}: {}", end.stderr);
        }
    }
}

/// The end of the process waits for two seconds at most, or for less if the shutdown time-out is less (PRC3); with nothing
/// to send, not at all.
#[test]
fn exit_waits_for_a_bounded_time() {
    let name = "exit_waits_for_a_bounded_time";
    if let Some(row) = row() {
        let millis = row.parse().unwrap();
        let guard = config_here().with_shutdown_timeout(Duration::from_millis(millis)).init().unwrap();
        if millis != 1000 {
            works();
        }
        std::mem::forget(guard);
        std::process::exit(0);
    }
    let collector = Collector::start().unwrap();
    collector.reply_always(Reply::BlackHole);
    for (allowed, least, most) in [("300", 300, 1500), ("60000", 2000, 4000), ("1000", 0, 900)] {
        let end = run(child(name, allowed, &collector.endpoint(), "http/protobuf"));
        assert!(end.status.success(), "{allowed}: {}", end.stderr);
        let took = end.took.as_millis();
        assert!((least..most).contains(&took), "{allowed}: {took} ms");
        // By the export thread, or by the one that waits for it in vain.
        let said = end.stderr.contains("7 records") || end.stderr.contains("7 items");
        assert_eq!(said, allowed != "1000", "{allowed}: {}", end.stderr);
    }
}

extern "C" fn note(_: libc::c_int) {
    NOTED.store(true, Ordering::Relaxed);
}

static NOTED: AtomicBool = AtomicBool::new(false);

/// The handler runs on whatever thread.
fn until_noted() {
    while !NOTED.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
}

fn send(signal: libc::c_int) {
    // SAFETY: a signal for this process.
    unsafe { libc::kill(libc::getpid(), signal) };
}

fn wait_for_the_end() -> ! {
    std::thread::sleep(LONG);
    end_at_once();
}

/// Gives the status of a forked child that does this.
fn status_of_child(program: impl FnOnce()) -> libc::c_int {
    // SAFETY: the child does what Linux's allocator and threads allow for.
    let child = unsafe { libc::fork() };
    if child == 0 {
        program();
        wait_for_the_end();
    }
    let mut status = 0;
    // SAFETY: a valid place; the child ends.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    status
}

fn in_child_that_sigterm_ends(first: impl FnOnce()) {
    let status = status_of_child(|| {
        first();
        send(libc::SIGTERM);
    });
    assert_eq!(libc::WTERMSIG(status), libc::SIGTERM);
}

fn in_child_that_ends(program: impl FnOnce()) {
    let status = status_of_child(program);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status:x}");
}

/// Masks SIGTERM on this thread, sends it to the process, and takes it.
fn wait_for_sigterm() {
    let mut set = std::mem::MaybeUninit::uninit();
    let mut got = 0;
    // SAFETY: the set is filled before it is read; all places are valid.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()), 0);
        send(libc::SIGTERM);
        assert_eq!(libc::sigwait(set.as_ptr(), &raw mut got), 0);
    }
    assert_eq!(got, libc::SIGTERM);
}

/// Each row with its configuration, what the process does, and the signal that ends it.
type SigtermRow = (&'static str, bool, fn(), Option<i32>, u64);
const SIGTERM_ROWS: &[SigtermRow] = &[
    (
        "asked for: delivered, then the signal",
        true,
        || {
            send(libc::SIGTERM);
            wait_for_the_end();
        },
        Some(libc::SIGTERM),
        SPANS,
    ),
    (
        "not asked for: the signal alone",
        false,
        || {
            send(libc::SIGTERM);
            wait_for_the_end();
        },
        Some(libc::SIGTERM),
        0,
    ),
    (
        "again after another init",
        true,
        || {
            otlp::shutdown(LONG).unwrap();
            std::mem::forget(config_here().with_flush_on_sigterm(true).init().unwrap());
            works();
            send(libc::SIGTERM);
            wait_for_the_end();
        },
        Some(libc::SIGTERM),
        2 * SPANS,
    ),
    (
        "a handler that comes later replaces ours",
        true,
        || {
            // SAFETY: the handler stores to an atomic.
            unsafe { libc::signal(libc::SIGTERM, note as extern "C" fn(libc::c_int) as libc::sighandler_t) };
            send(libc::SIGTERM);
            until_noted();
            end_at_once();
        },
        None,
        0,
    ),
    (
        "not asked for: the program's own handler, and a guard that goes",
        false,
        || {
            // SAFETY: the handler stores to an atomic.
            unsafe { libc::signal(libc::SIGTERM, note as extern "C" fn(libc::c_int) as libc::sighandler_t) };
            send(libc::SIGTERM);
            until_noted();
        },
        None,
        SPANS,
    ),
    (
        "not asked for: a program that masks it after `init` and waits for it",
        false,
        || {
            // A test is not the only thread of its process, but a forked child is.
            in_child_that_ends(|| {
                let guard = init();
                works();
                // Our threads run by then.
                flush();
                wait_for_sigterm();
                drop(guard);
                end_at_once();
            });
            end_at_once();
        },
        None,
        SPANS,
    ),
    (
        "a forked child has the signal to itself",
        true,
        || {
            in_child_that_sigterm_ends(|| {});
            // Nothing has been asked of this process.
            end_at_once();
        },
        None,
        0,
    ),
    (
        "a forked child asks for it too",
        true,
        || {
            in_child_that_sigterm_ends(|| {
                std::mem::forget(config_here().with_flush_on_sigterm(true).init().unwrap());
                works();
            });
            end_at_once();
        },
        None,
        SPANS,
    ),
];

#[test]
fn sigterm_waits_for_telemetry_where_that_was_asked_for() {
    let name = "sigterm_waits_for_telemetry_where_that_was_asked_for";
    if let Some(row) = row() {
        let (_, asked, then, ..) = SIGTERM_ROWS.iter().find(|(name, ..)| *name == row).unwrap();
        let _guard = config_here().with_flush_on_sigterm(*asked).init().unwrap();
        works();
        return then();
    }
    for (row, _, _, signal, spans) in SIGTERM_ROWS {
        for protocol in PROTOCOLS {
            let collector = Collector::start().unwrap();
            let end = run(child(name, row, &collector.endpoint(), protocol));
            assert_eq!(end.status.signal(), *signal, "{row}: {}", end.stderr);
            assert_eq!(collector.span_count(), *spans, "{row}, {protocol}: {}", end.stderr);
        }
    }
}

#[test]
fn sigterm_goes_to_the_handler_from_before_once_all_is_delivered() {
    let name = "sigterm_goes_to_the_handler_from_before_once_all_is_delivered";
    if row().is_some() {
        // SAFETY: the handler stores to an atomic.
        unsafe { libc::signal(libc::SIGTERM, note as extern "C" fn(libc::c_int) as libc::sighandler_t) };
        let _guard = config_here().with_flush_on_sigterm(true).init().unwrap();
        works();
        send(libc::SIGTERM);
        until_noted();
        let arrived = otlp::status().traces.exported;
        // Telemetry goes on: the program is about to end in its own way.
        works();
        flush();
        assert_eq!((arrived, otlp::status().traces.exported), (SPANS, 2 * SPANS));
        end_at_once();
    }
    let collector = Collector::start().unwrap();
    let end = run(child(name, "", &collector.endpoint(), "http/protobuf"));
    assert!(end.status.success(), "{}", end.stderr);
    assert_eq!(collector.span_count(), 2 * SPANS);
}

#[test]
fn sigterm_is_held_up_for_no_longer_than_allowed_and_once() {
    let name = "sigterm_is_held_up_for_no_longer_than_allowed_and_once";
    if let Some(row) = row() {
        let (allowed, signals) = row.split_once(' ').unwrap();
        let allowed = Duration::from_millis(allowed.parse().unwrap());
        let config = config_here().with_flush_on_sigterm(true).with_shutdown_timeout(allowed);
        let _guard = config.init().unwrap();
        works();
        send(libc::SIGTERM);
        if signals == "many" {
            loop {
                send(libc::SIGTERM);
                std::thread::yield_now();
            }
        }
        wait_for_the_end();
    }
    let collector = Collector::start().unwrap();
    collector.reply_always(Reply::BlackHole);
    for (row, least, most) in [("500 one", 500, 3000), ("50000 many", 0, 10_000)] {
        let end = run(child(name, row, &collector.endpoint(), "http/protobuf"));
        assert_eq!(end.status.signal(), Some(libc::SIGTERM), "{row}: {}", end.stderr);
        assert!((least..most).contains(&end.took.as_millis()), "{row}: {:?}", end.took);
    }
}

#[test]
fn sigterm_that_is_ignored_stays_so() {
    let name = "sigterm_that_is_ignored_stays_so";
    if row().is_some() {
        // SAFETY: sets a disposition that the system has.
        unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
        let _guard = config_here().with_flush_on_sigterm(true).init().unwrap();
        send(libc::SIGTERM);
        send(libc::SIGTERM);
        end_at_once();
    }
    let collector = Collector::start().unwrap();
    let end = run(child(name, "", &collector.endpoint(), "http/protobuf"));
    assert!(end.status.success(), "{:?} {}", end.status, end.stderr);
}
