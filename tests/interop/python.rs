//! Programs in Python that are asked questions, one line each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// What the programs import.
const IMPORTS: &str = "import grpc, opentelemetry.proto.collector.trace.v1.trace_service_pb2, rotel";

/// A Python that has the packages; without one, a line says what is left out, and that is an error where
/// `OTLP_REQUIRE_INTEROP` is set.
fn interpreter() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let python = std::env::var("OTLP_INTEROP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let tried = Command::new(&python).args(["-c", IMPORTS]).stdin(Stdio::null()).output();
        if tried.is_ok_and(|output| output.status.success()) {
            return Some(python);
        }
        let missing = format!("{python} has not the packages of tests/interop/requirements.txt (OTLP_INTEROP_PYTHON)");
        assert!(std::env::var_os("OTLP_REQUIRE_INTEROP").is_none(), "{missing}");
        // Past libtest, which keeps back what a test prints.
        let _ = writeln!(std::io::stderr(), "skipped: {missing}");
        None
    });
    found.as_deref()
}

/// A running program, which ends with its input: at the latest when this is dropped.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    grpc: u64,
    http: u64,
}

impl Program {
    fn start(script: &str, arguments: &[&str]) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(script);
        let mut command = Command::new(interpreter()?);
        command.arg("-B").arg(path).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut program = Self { child, input, output, grpc: 0, http: 0 };
        let ports = program.answer();
        let port = |name: &str| ports[name].as_u64().unwrap();
        (program.grpc, program.http) = (port("grpc"), port("http"));
        Some(program)
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub(crate) fn http_port(&self) -> u16 {
        self.http.try_into().unwrap()
    }

    pub(crate) fn endpoint(&self, protocol: otlp::TransportProtocol) -> String {
        let port = if protocol == otlp::TransportProtocol::Grpc { self.grpc } else { self.http };
        format!("http://127.0.0.1:{port}")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The strict receiver, `sink.py`.
pub(crate) struct Sink(Program);

impl Sink {
    /// `None`: the packages are missing, and a line says so.
    pub(crate) fn start() -> Option<Self> {
        Program::start("sink.py", &[]).map(Self)
    }

    pub(crate) fn ask(&mut self, question: &str) -> Value {
        writeln!(self.0.input.as_mut().unwrap(), "{question}").unwrap();
        self.0.answer()
    }

    pub(crate) fn program(&self) -> &Program {
        &self.0
    }

    /// rotel, which sends on to this receiver.
    pub(crate) fn relay(&self) -> Program {
        Program::start("relay.py", &[&format!("127.0.0.1:{}", self.0.grpc)]).unwrap()
    }

    /// The summary, as soon as so many spans have come.
    pub(crate) fn wait_for(&mut self, spans: u64) -> Value {
        let deadline = std::time::Instant::now() + crate::process::LONG;
        loop {
            let summary = self.ask("summary");
            let enough = summary["spans"].as_u64() >= Some(spans);
            if enough || std::time::Instant::now() > deadline {
                assert!(enough, "{summary}");
                return summary;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}
