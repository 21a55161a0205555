//! What stderr says at the end, and a stderr that takes nothing: telemetry fails silently then, and the program does not
//! notice.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use otlp::testing::{Collector, Reply};

use crate::port::UnusedPort;
use crate::process::own_process;
use crate::run::{Outcome, PROTOCOLS, Run, Running, each};

/// A run that has much to say.
fn failing(port: &UnusedPort, protocol: otlp::TransportProtocol) -> Run {
    let mut run = Run::new(format!("http://{port}"), protocol);
    (run.flush, run.shutdown) = (Duration::from_millis(200), Duration::from_millis(300));
    run
}

fn check(outcome: &Outcome) {
    assert_eq!((outcome.exported(), outcome.dropped()), (0, 300), "{outcome:?}");
}

#[test]
fn a_full_disk_holds_nobody_up() {
    each(&PROTOCOLS, |&protocol| {
        let port = UnusedPort::reserve();
        let full = File::options().write(true).open("/dev/full").unwrap();
        check(&failing(&port, protocol).start_with(full).outcome());
    });
}

#[test]
fn a_pipe_that_nobody_reads_holds_nobody_up() {
    each(&PROTOCOLS, |&protocol| {
        let port = UnusedPort::reserve();
        let (_unread, mut full) = std::io::pipe().unwrap();
        full.write_all(&[b'.'; 1 << 16]).unwrap();
        check(&failing(&port, protocol).start_with(full).outcome());
    });
}

#[test]
fn a_pipe_whose_reader_has_gone_holds_nobody_up() {
    each(&PROTOCOLS, |&protocol| {
        let port = UnusedPort::reserve();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        check(&failing(&port, protocol).start_with(writer).outcome());
    });
}

/// The standard library ignores SIGPIPE; programs that behave like the tools of Unix set it back.
#[test]
fn a_pipe_whose_reader_has_gone_ends_no_program_that_wants_sigpipe() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = own_process("a_program_with_sigpipe");
    command.env("OTLP_TEST_SIGPIPE", "1").stdout(Stdio::null()).stderr(writer);
    let status = command.status().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
#[allow(unsafe_code)]
fn a_program_with_sigpipe() {
    if std::env::var_os("OTLP_TEST_SIGPIPE").is_none() {
        return;
    }
    // SAFETY: nothing of the test harness writes to a pipe that is closed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let port = UnusedPort::reserve();
    let endpoint = format!("http://{port}");
    let guard = otlp::OtlpConfig::default().with_env(false).with_endpoint(endpoint).init().unwrap();
    drop(otlp::span!("lost"));
    let _ = otlp::shutdown(Duration::from_millis(500));
    drop(guard);
}

/// As daemons are sometimes started.
#[test]
fn a_closed_stderr_holds_nobody_up() {
    each(&PROTOCOLS, |&protocol| {
        let port = UnusedPort::reserve();
        let run = failing(&port, protocol);
        let program = own_process("the_program");
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 2>&-"]).arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.env("OTLP_TEST_RUN", run.words()).stdout(Stdio::piped()).stderr(Stdio::null());
        check(&Running::new(shell.spawn().unwrap(), run).outcome());
    });
}

/// The first loss is told at once, and its kind is silent for a while then: the end comes within it, and tells the total.
#[test]
fn the_total_of_a_loss_is_told_at_the_end() {
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        let absurd = Reply::Grpc { code: 8, message: String::new(), retry_info: Some(Duration::from_secs(4_000_000)) };
        collector.reply_always(absurd.clone().after(Duration::from_millis(100)));
        collector.script([absurd]);
        let outcome = Run::new(collector.endpoint(), protocol).outcome();
        assert_eq!(outcome.count("retry_exhausted"), 300, "{outcome:?}");
        outcome.says(&["300 records for", "dropped (retry_exhausted)"]);
    });
}
