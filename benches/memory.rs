//! What recording costs in memory: in a future, in an idle thread, flat out, and through an outage. See
//! `benches/README.md`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::hint::black_box;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use otlp::testing::Collector;
use otlp::{OtlpConfig, traced};

mod harness;

use harness::table::{self, Budget};
use harness::workload::{self as work, SPANS, TEXT};
use harness::{quantile, system};

#[global_allocator]
static ALLOCATOR: system::Counting = system::Counting;

const LONG: Duration = Duration::from_secs(30);
const THREADS: usize = 500;
/// How long spans are produced.
const PRODUCING: Duration = Duration::from_secs(5);
const MIB: f64 = (1 << 20) as f64;
const RESIDENT: Budget = Budget::new(64.0, 40.0);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("idle"), Some(endpoint)) => idle_threads(&endpoint),
        (Some("busy"), Some(endpoint)) => busy(&endpoint),
        _ => {
            table::title("Memory");
            futures();
            with_collector("idle")?;
            table::note("\nOne thread records as fast as it can for 5 s, with default settings:");
            with_collector("busy")?;
            table::note("\nThe same while the endpoint refuses connections:");
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            child("busy", &format!("http://127.0.0.1:{port}"))
        }
    }
}

/// Runs a part in a process of its own, so that the receiver's memory is not counted.
fn with_collector(part: &str) -> Result<(), Box<dyn Error>> {
    let collector = Collector::start()?;
    collector.count_only();
    child(part, &collector.endpoint())?;
    if part == "busy" {
        table::note(&format!("{} spans arrived", collector.span_count()));
    }
    Ok(())
}

fn child(part: &str, endpoint: &str) -> Result<(), Box<dyn Error>> {
    let status = Command::new(std::env::current_exe()?).args([part, endpoint]).status()?;
    if status.success() { Ok(()) } else { Err(status.to_string().into()) }
}

fn config(endpoint: &str) -> OtlpConfig {
    OtlpConfig::default().with_env(false).with_endpoint(endpoint).with_service("bench", "1")
}

/// What `#[traced]` adds to the size of a future.
fn futures() {
    async fn bare(id: u64, name: &str) -> u64 {
        std::future::ready(name.len() as u64 + id).await
    }
    #[traced(fields(id, name))]
    async fn annotated(id: u64, name: &str) -> u64 {
        std::future::ready(name.len() as u64 + id).await
    }
    async fn bare_large(id: u64) -> u64 {
        let buffer = black_box([id; 128]);
        std::future::ready(()).await;
        buffer.iter().sum()
    }
    async fn bare_by_value(buffer: [u64; 128]) -> u64 {
        std::future::ready(()).await;
        buffer.iter().sum()
    }
    #[traced]
    async fn annotated_by_value(buffer: [u64; 128]) -> u64 {
        std::future::ready(()).await;
        buffer.iter().sum()
    }
    #[traced]
    async fn annotated_large(id: u64) -> u64 {
        let buffer = black_box([id; 128]);
        std::future::ready(()).await;
        buffer.iter().sum()
    }
    let budget = Some(Budget::new(96.0, 32.0));
    let added = |annotated: usize, bare: usize| annotated as f64 - bare as f64;
    let small = added(size_of_val(&annotated(1, TEXT)), size_of_val(&bare(1, TEXT)));
    table::row("added to a future with two arguments", small, " B", budget);
    let by_value = added(size_of_val(&annotated_by_value([0; 128])), size_of_val(&bare_by_value([0; 128])));
    table::row("added to a future with an argument of 1 KiB", by_value, " B", budget);
    let large = added(size_of_val(&annotated_large(1)), size_of_val(&bare_large(1)));
    table::row("added to a future with a variable of 1 KiB", large, " B", budget);
}

/// What a thread holds that has recorded and now waits: a segment of its log, 4 KiB, and some words.
fn idle_threads(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let guard = config(endpoint).init()?;
    work::none();
    otlp::flush(LONG)?;
    let silent = waiting_threads(|| {});
    let recording = waiting_threads(|| work::root_two(1, TEXT));
    let bytes = (recording - silent) as f64 / THREADS as f64;
    table::row("heap of an idle thread that has recorded 11 spans", bytes, " B", None);
    drop(guard);
    Ok(())
}

/// The bytes on the heap that threads add which do `work` and then wait.
fn waiting_threads(work: impl Fn() + Sync) -> i64 {
    let before = system::heap_bytes();
    let (done, end) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                work();
                done.wait();
                end.wait();
            });
        }
        done.wait();
        // What the engine holds for the spans themselves goes; a failure would show as a large figure.
        let _ = otlp::flush(LONG);
        let added = system::heap_bytes() - before;
        end.wait();
        added
    })
}

/// Records flat out.
fn busy(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let guard = config(endpoint).init()?;
    let start = Instant::now();
    let (mut spans, mut sizes) = (0, Vec::new());
    while start.elapsed() < PRODUCING {
        for i in 0..1000 {
            work::root_two(i, black_box(TEXT));
        }
        spans += 1000 * SPANS;
        sizes.push(system::status_bytes("VmRSS") as f64 / MIB);
    }
    table::row("resident, the most", system::status_bytes("VmHWM") as f64 / MIB, " MiB", Some(RESIDENT));
    table::row("resident, the median", quantile(&mut sizes, 0.5), " MiB", None);
    let produced = start.elapsed().as_secs_f64();
    let _ = otlp::shutdown(Duration::from_secs(2));
    drop(guard);
    let counts = otlp::status().traces;
    let exported = counts.exported as f64;
    table::row("spans produced a second", spans as f64 / produced / 1e6, " M", None);
    table::row("spans delivered a second", exported / start.elapsed().as_secs_f64() / 1e6, " M", None);
    table::row("spans delivered of those produced", exported / spans as f64 * 100.0, " %", None);
    table::note(&otlp::status().to_string());
    Ok(())
}
