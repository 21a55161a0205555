//! Panics in the way that its argument names. Built with `panic = "abort"`, nothing of it unwinds.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use otlp::{OtlpConfig, OtlpError, traced};

#[traced]
fn work() {}

/// Its `Display` panics.
struct Loud;

impl fmt::Display for Loud {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in a field")
    }
}

/// Panics on the engine's thread, which wakes it.
struct LoudWaker;

impl Wake for LoudWaker {
    fn wake(self: Arc<Self>) {
        panic!("in a waker")
    }
}

fn main() -> Result<(), OtlpError> {
    let row = std::env::args().nth(1).unwrap_or_default();
    if row == "after a hook of the program" {
        std::panic::set_hook(Box::new(|_| {
            let mut stderr = std::io::stderr();
            let _ = std::io::Write::write_all(&mut stderr, b"the hook of the program\n");
        }));
    }
    if row == "in the hook of the program" {
        std::panic::set_hook(Box::new(|_| panic!("again")));
    }
    let _otlp = OtlpConfig::default().with_schedule_delay(Duration::from_secs(3600)).init()?;
    let _open = otlp::span!("open").entered();
    (0..7).for_each(|_| work());
    match row.as_str() {
        "on another thread" => drop(std::thread::spawn(|| panic!("scripted")).join()),
        "on many threads" => std::thread::scope(|scope| {
            (0..8).for_each(|_| drop(scope.spawn(|| panic!("scripted"))));
        }),
        "in a field" => drop(otlp::span!("loud", loud = %Loud)),
        "on a thread of the engine" => {
            let mut flush = pin!(otlp::flush_async(Duration::from_secs(60)));
            let waker = Waker::from(Arc::new(LoudWaker));
            while flush.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                std::thread::park_timeout(Duration::from_secs(1));
            }
        }
        _ => panic!("scripted"),
    }
    Ok(())
}
