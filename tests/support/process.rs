//! The one pipeline of the process, and processes of their own.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use otlp::OtlpConfig;
use otlp::account::Counts;

/// Far more than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// There is one global pipeline, so one test at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn config(endpoint: impl Into<String>) -> OtlpConfig {
    OtlpConfig::default().with_env(false).with_endpoint(endpoint)
}

/// The accounts, which always add up (law 2).
pub(crate) fn balanced() -> Counts {
    let counts = otlp::status().traces;
    assert!(counts.balanced(), "{counts:?}");
    counts
}

/// The accounts when nothing is under way any more: at a deadline the export thread needs a moment to write it all off.
pub(crate) fn settled() -> Counts {
    wait_until(|counts| counts.queued + counts.in_flight == 0)
}

/// The accounts as soon as they are as `done` wants them.
#[track_caller]
pub(crate) fn wait_until(done: impl Fn(&Counts) -> bool) -> Counts {
    let deadline = Instant::now() + LONG;
    loop {
        let counts = balanced();
        if done(&counts) {
            return counts;
        }
        assert!(Instant::now() < deadline, "{counts:?}");
        std::thread::yield_now();
    }
}

/// Whether otlp reads the variable: its own, and those of `otlp_runtime`'s table that it shares with other programs.
fn is_read(name: &str) -> bool {
    let shared = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "REQUEST_METHOD", "SSL_CERT_FILE", "SSL_CERT_DIR"];
    name.starts_with("OT") || shared.iter().any(|shared| name.eq_ignore_ascii_case(shared))
}

/// This test program, about to run the test `name` alone and with nothing of what is set where the tests run.
pub(crate) fn own_process(name: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture"]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_read(&name.to_string_lossy())) {
        child.env_remove(name);
    }
    child.env("OTLP_TEST_CHILD", name);
    child
}

/// Runs the test `name` in a process of its own with these variables; gives its stderr.
pub(crate) fn in_own_process(name: &str, variables: &[(&str, &str)]) -> String {
    let output = own_process(name).envs(variables.iter().copied()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    stderr
}

/// Whether this is the process of the test `name`.
pub(crate) fn is_child(name: &str) -> bool {
    std::env::var("OTLP_TEST_CHILD").is_ok_and(|child| child == name)
}

/// How a process of its own has ended.
pub(crate) struct End {
    pub(crate) status: std::process::ExitStatus,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// Runs `command` to its end; one that has none is killed, and fails the test.
#[track_caller]
pub(crate) fn run(mut command: Command) -> End {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stderr, &mut said);
        String::from_utf8_lossy(&said).into_owned()
    });
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let took = start.elapsed();
            return End { status, stderr: said.join().unwrap(), took };
        }
        if start.elapsed() > LONG {
            child.kill().unwrap();
            panic!("it did not end: {}", said.join().unwrap());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
