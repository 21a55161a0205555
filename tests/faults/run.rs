//! One program that records and exports, in a process of its own, and what it says at its end.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use otlp::TransportProtocol;
use otlp::TransportProtocol::{Grpc, HttpProtobuf};

use crate::credentials::Credentials;
use crate::process::{LONG, balanced, config, own_process, settled};
use crate::timed::timed;

/// The test that is the program.
const PROGRAM: &str = "the_program";
/// Stands in every URL that may hold a query, and must never be said.
pub(crate) const SECRET: &str = "hunter2";

pub(crate) const PROTOCOLS: [TransportProtocol; 2] = [Grpc, HttpProtobuf];

/// What the program does: records numbered spans, flushes, and shuts down.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) endpoint: String,
    pub(crate) protocol: TransportProtocol,
    pub(crate) spans: u64,
    pub(crate) batch: usize,
    /// Of one attempt.
    pub(crate) timeout: Duration,
    pub(crate) flush: Duration,
    pub(crate) shutdown: Duration,
    /// Whom to trust over TLS, and as whom to appear.
    pub(crate) credentials: Credentials,
}

impl Run {
    /// 300 spans in batches of 100, with all the time in the world but for one attempt.
    pub(crate) fn new(endpoint: String, protocol: TransportProtocol) -> Self {
        let timeout = Duration::from_secs(5);
        let credentials = Credentials::default();
        Self { endpoint, protocol, spans: 300, batch: 100, timeout, flush: LONG, shutdown: LONG, credentials }
    }

    pub(crate) fn words(&self) -> String {
        let Self { endpoint, protocol, spans, batch, timeout, flush, shutdown, credentials: _ } = self;
        let [timeout, flush, shutdown] = [timeout, flush, shutdown].map(Duration::as_millis);
        format!("{endpoint} {} {spans} {batch} {timeout} {flush} {shutdown}", *protocol == Grpc)
    }

    fn from_words(words: &str) -> Self {
        let words: Vec<&str> = words.split(' ').collect();
        let number = |n: usize| words[n].parse::<u64>().unwrap();
        Self {
            endpoint: words[0].to_owned(),
            protocol: if words[1] == "true" { Grpc } else { HttpProtobuf },
            spans: number(2),
            batch: number(3) as usize,
            timeout: Duration::from_millis(number(4)),
            flush: Duration::from_millis(number(5)),
            shutdown: Duration::from_millis(number(6)),
            credentials: Credentials::given(),
        }
    }

    /// Starts the program with this stderr; `Stdio::piped()` is read.
    pub(crate) fn start_with(&self, stderr: impl Into<Stdio>) -> Running {
        let mut command = own_process(PROGRAM);
        command.env("OTLP_TEST_RUN", self.words()).stdout(Stdio::piped()).stderr(stderr);
        self.credentials.give(&mut command);
        Running::new(command.spawn().unwrap(), self.clone())
    }

    pub(crate) fn start(&self) -> Running {
        self.start_with(Stdio::piped())
    }

    /// Runs the program to its end.
    pub(crate) fn outcome(&self) -> Outcome {
        self.start().outcome()
    }
}

/// The program.
pub(crate) fn play() {
    let run = Run::from_words(&std::env::var("OTLP_TEST_RUN").unwrap());
    let config = match run.protocol {
        HttpProtobuf => config("").with_traces_endpoint(format!("{}/v1/traces?key={SECRET}", run.endpoint)),
        _ => config(&run.endpoint),
    };
    let config = config.with_protocol(run.protocol).with_batch_size(run.batch).with_timeout(run.timeout);
    let config = config.with_header("authorization", format!("Bearer {SECRET}"));
    let guard = run.credentials.set(config).init().unwrap();
    for n in 0..run.spans {
        drop(otlp::span!("numbered", n));
        // Memory is not what is tested here.
        if n % 2_000 == 1_999 {
            let _ = otlp::flush(Duration::from_millis(20));
        }
    }
    let (flush_ended, flush) = timed(|| otlp::flush(run.flush));
    let (ended, shutdown) = timed(|| otlp::shutdown(run.shutdown));
    let left = balanced();
    drop(guard);
    let counts = settled();
    let mut said = format!("recorded={} exported={} rejected={}", counts.recorded, counts.exported, counts.rejected);
    for (reason, count) in counts.drops() {
        said.push_str(&format!(" {reason}={count}"));
    }
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let peak = peak.trim().trim_end_matches(" kB");
    println!(
        "\nTHE END flush={} flush_slack={} shutdown_took={} shutdown_slack={} starved={} peak={peak} left={} ok={} {said}",
        flush.took.as_millis(),
        flush.slack.as_millis(),
        shutdown.took.as_millis(),
        shutdown.slack.as_millis(),
        shutdown.starved.as_millis(),
        left.queued + left.in_flight,
        u8::from(flush_ended.is_ok() && ended.is_ok())
    );
}

/// The program while it runs.
pub(crate) struct Running {
    child: Child,
    run: Run,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn new(mut child: Child, run: Run) -> Self {
        let stderr = Arc::new(Mutex::new(String::new()));
        let reader = child.stderr.take().map(|pipe| {
            let stderr = Arc::clone(&stderr);
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines() {
                    let mut stderr = stderr.lock().unwrap();
                    stderr.push_str(&line.unwrap());
                    stderr.push('\n');
                }
            })
        });
        Self { child, run, stderr, reader }
    }

    /// Waits until stderr says this.
    pub(crate) fn wait_for(&self, part: &str) {
        let deadline = Instant::now() + LONG;
        while !self.stderr.lock().unwrap().contains(part) {
            assert!(Instant::now() < deadline, "{part}: {}", self.stderr.lock().unwrap());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What came of it, with everything checked that holds whatever goes wrong.
    #[track_caller]
    pub(crate) fn outcome(mut self) -> Outcome {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        let stderr = self.stderr.lock().unwrap().clone();
        assert!(status.success(), "{status}: {stdout}\n{stderr}");
        let end = stdout.lines().find_map(|line| line.strip_prefix("THE END ")).unwrap();
        let pair = |word: &str| {
            let (name, value) = word.split_once('=').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        let outcome = Outcome { numbers: end.split(' ').map(pair).collect(), stderr };
        outcome.check(&self.run);
        outcome
    }
}

/// What the program said at its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    numbers: HashMap<String, u64>,
    pub(crate) stderr: String,
}

impl Outcome {
    /// A count by its name, or by the reason of a drop.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.numbers.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn exported(&self) -> u64 {
        self.count("exported")
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.count("rejected")
    }

    pub(crate) fn dropped(&self) -> u64 {
        let others = ["flush", "flush_slack", "shutdown_took", "shutdown_slack", "starved", "peak", "ok"];
        let fates = ["recorded", "exported", "rejected"];
        let is_other = |name: &str| others.contains(&name) || fates.contains(&name);
        self.numbers.iter().filter(|(name, _)| !is_other(name)).map(|(_, count)| count).sum()
    }

    /// Law 2, the deadlines, and lines without secrets or repetition.
    #[track_caller]
    fn check(&self, run: &Run) {
        assert_eq!(self.count("recorded"), run.spans, "{self:?}");
        assert_eq!(run.spans, self.exported() + self.rejected() + self.dropped(), "{self:?}");
        for (took, slack, allowed) in
            [("flush", "flush_slack", run.flush), ("shutdown_took", "shutdown_slack", run.shutdown)]
        {
            let (took, slack) = (self.time(took), self.time(slack));
            assert!(took <= allowed + slack, "it took {took:?} of {allowed:?} with a slack of {slack:?}: {self:?}");
        }
        let lost = self.rejected() + self.dropped();
        assert_eq!(self.count("ok") == 1, lost == 0, "what flush and shutdown returned: {self:?}");
        assert!(!self.stderr.contains(SECRET) && !run.credentials.are_in(&self.stderr), "{self:?}");
        let mut lines: Vec<&str> = self.stderr.lines().collect();
        assert!(lines.iter().all(|line| line.starts_with("otlp: ")), "{self:?}");
        lines.sort_unstable();
        assert!(lines.windows(2).all(|pair| pair[0] != pair[1]) && lines.len() <= 8, "{self:?}");
    }

    /// In milliseconds.
    fn time(&self, name: &str) -> Duration {
        Duration::from_millis(self.count(name))
    }

    /// What was left to do at shutdown took no longer than this.
    #[track_caller]
    pub(crate) fn shut_down_within(&self, limit: Duration) {
        let (took, starved) = (self.time("shutdown_took"), self.time("starved"));
        assert!(took <= limit + starved, "it took {took:?} of {limit:?}, {starved:?} without a core: {self:?}");
    }

    /// A line with all of these parts.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) {
        let says = |line: &str| parts.iter().all(|part| line.contains(part));
        assert!(self.stderr.lines().any(says), "{parts:?}: {self:?}");
    }

    #[track_caller]
    pub(crate) fn says_nothing(&self) {
        assert_eq!(self.stderr, "");
    }
}

/// Runs `f` for each item, several at a time: mostly they wait.
pub(crate) fn each<T: Sync>(items: &[T], f: impl Fn(&T) + Sync) {
    for some in items.chunks(8) {
        std::thread::scope(|scope| {
            for item in some {
                scope.spawn(|| f(item));
            }
        });
    }
}
