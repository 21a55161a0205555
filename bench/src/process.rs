//! The machine, this process, and others of the same binary.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Where the threads that record run, when they are alone there.
pub(crate) const CALLER: usize = 0;
/// Where everything else runs: the library's own threads, and the sink.
pub(crate) const OTHERS: usize = 1;

/// Keeps the calling thread, and those that it starts, on one core. Where that is refused, it runs where it may.
pub(crate) fn pin(core: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the set is plain data, and is passed with its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = core;
}

/// Processor time of the whole process so far, in user mode and in the kernel.
pub(crate) fn cpu_time() -> Duration {
    // SAFETY: the structure is plain data, and is only written.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let duration = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

/// Processor time of the calling thread so far.
pub(crate) fn thread_cpu_time() -> Duration {
    // SAFETY: the structure is plain data, and is only written.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time);
        time
    };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Lets this process have at most so much address space: what would take all memory ends alone.
pub(crate) fn limit_memory(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: the structure is plain data, and is only read.
    unsafe {
        libc::setrlimit(libc::RLIMIT_AS, &raw const limit);
    }
}

/// A field of `/proc/self/status` that is in kB, in MiB: `VmRSS`, `VmHWM`. NaN where there is none.
pub(crate) fn status_mib(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|value| value.trim().trim_end_matches(" kB").parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0)
}

/// One line on the machine and the compiler.
pub(crate) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let model = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let number = field("model\t").map_or_else(String::new, |number| format!(" (model {number})"));
    let kind = if info.contains(" hypervisor ") { "virtual" } else { "bare" };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output().ok().and_then(|out| String::from_utf8(out.stdout).ok());
    let rustc = rustc.as_deref().map_or("rustc ?", str::trim).to_owned();
    format!("{model}{number}, {} cores, {kind}; kernel {}; {rustc}", cores(), kernel.trim())
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What this machine lacks for figures that compare with those of others.
pub(crate) fn shortcomings() -> Vec<String> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let clock = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    lacking(&info, clock.as_deref().map_or("unknown", str::trim), cores())
}

fn lacking(cpuinfo: &str, clock: &str, cores: usize) -> Vec<String> {
    let invariant = ["constant_tsc", "nonstop_tsc"].iter().all(|flag| cpuinfo.contains(flag));
    let mut lacks = Vec::new();
    if !invariant || clock != "tsc" {
        lacks.push(format!(
            "no invariant time stamp counter that the kernel keeps time by (its clock: {clock}): libraries that would \
             read it ask the operating system, and the rows of time on the calling thread are slower for that"
        ));
    }
    if cores < 2 {
        lacks.push("one core: caller, library and sink share it, so rows of time hold some of each other".to_owned());
    }
    lacks
}

/// What a process reports: words by name.
pub(crate) type Report = BTreeMap<String, String>;

/// This binary, as another process.
pub(crate) fn itself(arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // No library must find settings that this program did not give it.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("OTEL_") || name.starts_with("OTLP_")) {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Runs a process to its end, at most for `limit`, and reads its lines `name=value`.
///
/// # Errors
/// What went wrong, in words: it could not start, did not end, or failed; with the last that it said.
pub(crate) fn report_of(command: &mut Command, limit: Duration) -> Result<Report, String> {
    let mut child = command.spawn().map_err(|error| format!("did not start: {error}"))?;
    let (said, complaints) = (text_of(child.stdout.take()), text_of(child.stderr.take()));
    let output = said.recv_timeout(limit);
    let ended = if output.is_ok() { child.wait() } else { end(&mut child) };
    let last_words = || {
        let text = complaints.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        // A panic's first line names the place, its second what went wrong.
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("note:")).collect();
        let last: String = lines.last().map_or("", |line| line.trim()).chars().take(200).collect();
        if last.is_empty() { String::new() } else { format!(": {last}") }
    };
    match (output, ended) {
        (Ok(text), Ok(status)) if status.success() => Ok(pairs(&text)),
        (Ok(_), Ok(status)) => Err(format!("{status}{}", last_words())),
        (Ok(_), Err(error)) => Err(error.to_string()),
        (Err(_), _) => Err(format!("did not end within {} s{}", limit.as_secs(), last_words())),
    }
}

fn end(child: &mut Child) -> io::Result<std::process::ExitStatus> {
    child.kill()?;
    child.wait()
}

/// Everything that comes, once it has ended.
fn text_of(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(stream) = stream {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        let _ = sender.send(text);
    });
    receiver
}

/// Lines `name=value`.
pub(crate) fn pairs(text: &str) -> Report {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_machine_that_lacks_something_is_told_from_one_that_does_not() {
        const INFO: &str = "flags : fpu tsc constant_tsc nonstop_tsc";
        assert_eq!(lacking(INFO, "tsc", 2), Vec::<String>::new());
        assert!(lacking(INFO, "hpet", 2).concat().contains("its clock: hpet"));
        assert_eq!(lacking("flags : fpu tsc", "tsc", 2).len(), 1);
        assert_eq!(lacking("", "unknown", 1).len(), 2);
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[test]
    fn a_process_reports_or_its_failure_is_said_in_words() {
        const LONG: Duration = Duration::from_secs(60);
        let report = report_of(&mut shell("echo made=3; echo 'note=a = b'"), LONG);
        assert_eq!(report, Ok(pairs("made=3\nnote=a = b\n")));
        let failure = report_of(&mut shell("echo made=3; echo no port >&2; exit 3"), LONG).unwrap_err();
        assert!(failure.contains("exit status: 3") && failure.contains("no port"), "{failure}");
        let failure = report_of(&mut shell("echo waiting >&2; exec sleep 60"), Duration::from_millis(200)).unwrap_err();
        assert!(failure.contains("did not end"), "{failure}");
        let failure = report_of(&mut Command::new("/nowhere"), LONG).unwrap_err();
        assert!(failure.contains("did not start"), "{failure}");
    }
}
