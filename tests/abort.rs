//! Programs whose panics abort (user-needs U10): the panic hook is their last moment.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Command;

use otlp::testing::{Collector, Reply};
use process::*;

/// The program `otlp-abort`, built with `panic = "abort"` in a folder of its own.
fn program() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("abort");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "-p", "otlp-abort", "--manifest-path", env!("CARGO_MANIFEST_PATH")]);
    build.env("CARGO_TARGET_DIR", &target).env("CARGO_PROFILE_DEV_PANIC", "abort");
    assert!(build.status().unwrap().success());
    target.join("debug/otlp-abort")
}

fn run_row(program: &PathBuf, row: &str, collector: &Collector) -> End {
    let mut process = Command::new(program);
    process.arg(row).env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
    let end = run(process);
    assert_eq!(end.status.signal(), Some(libc::SIGABRT), "{row}: {:?} {}", end.status, end.stderr);
    end
}

#[test]
#[ignore = "compiles the crate a second time; .ci/run asks for it"]
fn a_panic_that_aborts_delivers_what_was_recorded() {
    let program = program();
    for (row, delivered, said) in [
        ("on the main thread", true, "scripted"),
        ("on another thread", true, "scripted"),
        ("on many threads", true, "scripted"),
        ("in a field", true, "in a field"),
        ("after a hook of the program", true, "the hook of the program"),
        // The standard library aborts before ours has its turn.
        ("in the hook of the program", false, "again"),
    ] {
        let collector = Collector::start().unwrap();
        let end = run_row(&program, row, &collector);
        assert!(end.stderr.contains(said), "{row}: {}", end.stderr);
        // The span that was open is lost with its thread.
        assert_eq!(collector.span_count(), if delivered { 7 } else { 0 }, "{row}: {}", end.stderr);
    }
    // The engine cannot wait for itself: what it had sent before has arrived.
    let collector = Collector::start().unwrap();
    let end = run_row(&program, "on a thread of the engine", &collector);
    assert!(end.took.as_millis() < 1500, "{:?}", end.took);

    let collector = Collector::start().unwrap();
    collector.reply_always(Reply::BlackHole);
    let end = run_row(&program, "on the main thread", &collector);
    assert!((1800..4000).contains(&end.took.as_millis()), "{:?}", end.took);
    // What is lost is said, before the process is gone.
    assert!(end.stderr.contains("otlp: 7 records for") || end.stderr.contains("otlp: shutdown"), "{}", end.stderr);
}
