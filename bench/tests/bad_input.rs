//! What goes wrong is said in the table, and the run goes on.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otlp-bench"));
    command.args(arguments).stdout(Stdio::piped());
    command
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A process below `parent` whose arguments hold `word`.
fn process_below(parent: u32, word: &str) -> u32 {
    let start = Instant::now();
    while start.elapsed() < LONG {
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        for child in children.split_whitespace() {
            let arguments = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if arguments.split('\0').any(|argument| argument == word) {
                return child.parse().unwrap();
            }
        }
        std::thread::yield_now();
    }
    panic!("no process {word}");
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

fn finished(mut bench: Child) -> String {
    let mut text = String::new();
    bench.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(bench.wait().unwrap().success());
    text
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "finds processes in /proc")]
fn a_sink_that_stops_is_said_and_replaced() {
    let bench = bench(&["sync-0", "--repetitions", "1"]).spawn().unwrap();
    // Once a library runs, so does the sink.
    process_below(bench.id(), "otlp");
    kill(process_below(bench.id(), "sink"));
    let text = finished(bench);
    assert!(text.contains("the sink stopped during the run"), "{text}");
    assert!(text.contains("all of 52,800"), "the others have a sink again\n{text}");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "finds processes in /proc")]
fn a_library_that_dies_is_said_and_the_others_go_on() {
    let bench = bench(&["sync-0", "--repetitions", "2"]).spawn().unwrap();
    kill(process_below(bench.id(), "otlp"));
    let text = finished(bench);
    assert!(text.contains("sync, no attributes, otlp: signal: 9"), "{text}");
    assert!(text.contains("all of 105,600"), "{text}");
}

#[test]
fn a_library_that_does_not_start_says_why() {
    let text = text(bench(&["filtered-out", "--repetitions", "1"]).output().unwrap());
    assert!(text.contains("- filtered out, opentelemetry: has no filter of spans"), "{text}");
}

#[test]
fn a_wrong_name_is_an_error() {
    let output = bench(&["sinc-2"]).stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no workload sinc-2"));
}
