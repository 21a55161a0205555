//! Counts the lines, words and bytes of the text files below a directory, and shows the trace of it.
//!
//! ```sh
//! cargo run --example quickstart              # this repository
//! cargo run --example quickstart -- /some/dir
//! ```
//!
//! Files are read in async functions on tokio and counted on plain threads. If `OTEL_EXPORTER_OTLP_ENDPOINT` (or its
//! traces form) is set, the trace goes there. If not, it goes over real gRPC to a collector inside this program, and
//! what arrived there is printed. `examples/data` holds a file that is not UTF-8, so that there is an error to see.
#![allow(clippy::print_stdout)]

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::Utf8Error;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::Context as _;
use otlp::testing::Collector;
use otlp::{Context, FutureExt as _, OtlpConfig, Span, TransportProtocol, traced};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinSet, spawn_blocking};

/// Larger files are an error.
const MAX_BYTES: u64 = 64 << 20;
/// So many files are in work at once.
const MAX_FILES: usize = 16;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let directory = env::args_os().nth(1).unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let directory = PathBuf::from(directory);

    // The telemetry of this program: where it goes ...
    let elsewhere = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|endpoint| !endpoint.is_empty()));
    let collector = if elsewhere.is_none() { Some(Collector::start()?) } else { None };
    let mut config = OtlpConfig::default().with_service("quickstart", env!("CARGO_PKG_VERSION"));
    if let Some(collector) = &collector {
        config = config.with_endpoint(collector.endpoint()).with_protocol(TransportProtocol::Grpc);
    }
    let _otlp = config.init()?;

    let totals = analyse(&directory).await;

    // ... and what became of it.
    let flushed = otlp::flush_async(Duration::from_secs(5)).await;
    match (&collector, &elsewhere) {
        (Some(collector), _) => println!("{}", collector.captured().tree_with_durations().with_max_siblings(10)),
        (None, endpoint) if flushed.is_ok() => {
            println!("The trace went to {}.", endpoint.as_deref().unwrap_or_default())
        }
        _ => println!("The trace did not arrive."),
    }
    let spans = otlp::status().traces;
    println!("\nspans: {} recorded, {} exported, {} dropped", spans.recorded, spans.exported, spans.dropped_total());

    let Counts { files, failed, lines, words, bytes } = totals?;
    println!("files: {files} with {lines} lines, {words} words and {bytes} bytes, and {failed} that failed");
    Ok(flushed?)
}

/// What was counted.
#[derive(Default)]
struct Counts {
    files: u64,
    failed: u64,
    lines: u64,
    words: u64,
    bytes: u64,
}

/// A text on its way to a counting thread, with the span that it belongs to.
struct Job {
    text: Vec<u8>,
    context: Context,
    reply: oneshot::Sender<Result<Counts, Utf8Error>>,
}

/// The whole work: many files at once, and a file that fails does not stop the others.
#[traced(fields(directory = %directory.display()))]
async fn analyse(directory: &Path) -> anyhow::Result<Counts> {
    let files = find_files(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let jobs = start_counting_threads()?;
    let permits = Arc::new(Semaphore::new(MAX_FILES));
    let mut tasks = JoinSet::new();
    for file in files {
        let permit = Arc::clone(&permits).acquire_owned().await?;
        let (directory, jobs) = (directory.to_owned(), jobs.clone());
        let task = async move {
            let _permit = permit;
            analyse_file(&directory, &file, &jobs).await
        };
        tasks.spawn(task.in_context(Context::current()));
    }
    let mut totals = Counts::default();
    while let Some(finished) = tasks.join_next().await {
        match finished? {
            Ok(counts) => {
                totals.files += 1;
                totals.lines += counts.lines;
                totals.words += counts.words;
                totals.bytes += counts.bytes;
            }
            Err(_) => totals.failed += 1,
        }
    }
    Span::current().set_attribute("lines", totals.lines);
    Ok(totals)
}

/// The files below a directory by their paths from there, without hidden ones and what cargo builds.
#[traced]
fn find_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![(directory.to_owned(), fs::read_dir(directory)?)];
    while let Some((path, entries)) = open.pop() {
        for entry in entries {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let path = path.join(&name);
            if name.as_encoded_bytes().starts_with(b".") || name == "target" {
                continue;
            } else if kind.is_dir() {
                match fs::read_dir(&path) {
                    Ok(entries) => open.push((path, entries)),
                    Err(error) => Span::current().record_error(&error),
                }
            } else if kind.is_file() {
                files.push(path.strip_prefix(directory).unwrap_or(&path).to_owned());
            }
        }
    }
    files.sort();
    Span::current().set_attribute("files", files.len());
    Ok(files)
}

/// Reads a file here, and has it counted on another thread.
#[traced(fields(path = %file.display()))]
async fn analyse_file(directory: &Path, file: &Path, jobs: &mpsc::Sender<Job>) -> anyhow::Result<Counts> {
    let text = read(directory.join(file)).await?;
    let (reply, counted) = oneshot::channel();
    jobs.send(Job { text, context: Context::current(), reply })?;
    Ok(counted.await??)
}

#[traced]
async fn read(path: PathBuf) -> io::Result<Vec<u8>> {
    let read = spawn_blocking(move || {
        let mut text = Vec::new();
        fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MAX_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
    });
    let text: io::Result<Vec<u8>> = read.await?;
    let text = text?;
    Span::current().set_attribute("bytes", text.len());
    Ok(text)
}

#[traced]
fn count(text: &[u8]) -> Result<Counts, Utf8Error> {
    let text = std::str::from_utf8(text)?;
    let (lines, words) = (text.lines().count() as u64, text.split_whitespace().count() as u64);
    Span::current().set_attribute("lines", lines);
    Span::current().set_attribute("words", words);
    Ok(Counts { lines, words, bytes: text.len() as u64, ..Counts::default() })
}

/// Plain threads, without tokio; they end when the last sender is gone.
fn start_counting_threads() -> io::Result<mpsc::Sender<Job>> {
    let (sender, receiver) = mpsc::channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    for number in 0..thread::available_parallelism()?.get().min(8) {
        let receiver = Arc::clone(&receiver);
        thread::Builder::new().name(format!("count-{number}")).spawn(move || {
            while let Some(job) = next_job(&receiver) {
                let counts = job.context.run(|| count(&job.text));
                let _ = job.reply.send(counts);
            }
        })?;
    }
    Ok(sender)
}

fn next_job(receiver: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    receiver.lock().ok()?.recv().ok()
}
