//! How long `init` and `shutdown` take, each time in a process of its own. See `benches/README.md`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use otlp::OtlpConfig;
use otlp::testing::{Collector, Reply};

mod harness;

use harness::quantile;
use harness::table::{self, Budget};
use harness::workload::{self as work, TEXT};

/// Processes for each figure.
const TIMES: usize = 15;
/// Much more than is needed.
const LONG: Duration = Duration::from_secs(5);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    if let (Some("one"), Some(endpoint), Some(deadline)) =
        (arguments.next().as_deref(), arguments.next(), arguments.next())
    {
        return one(&endpoint, Duration::from_millis(deadline.parse()?));
    }
    table::title("From init to shutdown: the median of 15 processes, 1100 spans each");
    let collector = Collector::start()?;
    collector.count_only();
    let live = runs(&collector.endpoint(), LONG)?;
    table::row("init()", live.init, " ms", Some(Budget::new(1.0, 0.2)));
    table::row("the first span and its ten children", live.first * 1e3, " us", None);
    table::row("shutdown(), live endpoint", live.shutdown, " ms", None);

    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let refused = runs(&format!("http://127.0.0.1:{port}"), LONG)?;
    table::row("shutdown(), refused port", refused.shutdown, " ms", Some(Budget::new(100.0, 20.0)));

    let hole = Collector::start()?;
    hole.count_only().reply_always(Reply::BlackHole);
    for deadline in [0, 100, 500, 2000] {
        let hole = runs(&hole.endpoint(), Duration::from_millis(deadline))?;
        let over = hole.shutdown - deadline as f64;
        let name = format!("shutdown({deadline} ms), black hole, over its deadline");
        table::row(&name, over, " ms", Some(Budget::new(50.0, 10.0)));
    }
    Ok(())
}

/// Milliseconds.
struct Times {
    init: f64,
    first: f64,
    shutdown: f64,
}

/// The medians of several runs.
fn runs(endpoint: &str, deadline: Duration) -> Result<Times, Box<dyn Error>> {
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..TIMES {
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.args(["one", endpoint, &deadline.as_millis().to_string()]).output()?;
        let text = String::from_utf8(output.stdout)?;
        for (times, time) in times.iter_mut().zip(text.split_whitespace()) {
            times.push(time.parse::<f64>()? / 1e6);
        }
    }
    let [init, first, shutdown] = times.map(|mut times| quantile(&mut times, 0.5));
    Ok(Times { init, first, shutdown })
}

/// Prints what `init`, the first spans and `shutdown` took, in nanoseconds.
fn one(endpoint: &str, deadline: Duration) -> Result<(), Box<dyn Error>> {
    let mut at = Instant::now();
    let mut lap = || {
        let time = at.elapsed().as_nanos();
        at = Instant::now();
        time
    };
    let config = OtlpConfig::default().with_env(false).with_endpoint(endpoint).with_service("bench", "1");
    let guard = config.init()?;
    let init = lap();
    work::root_two(0, TEXT);
    let first = lap();
    (1..100).for_each(|i| work::root_two(i, TEXT));
    lap();
    let _ = otlp::shutdown(deadline);
    let shutdown = lap();
    println!("{init} {first} {shutdown}");
    drop(guard);
    Ok(())
}
