//! With `RUSTFLAGS='--cfg otlp_off'`, what is annotated is what it was before, and nothing is recorded. `.ci/run` builds
//! and runs this, with warnings denied.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use otlp::{callsites, set_filter, traced, FutureExt as _, OtlpConfig, Span};

/// A value that nobody may look at.
struct Untouched;

impl otlp::Value for Untouched {
    fn record(&self, _: &mut otlp::ValueWriter<'_>) {
        panic!("recording is compiled out");
    }
}

// Each argument is used by a field and by nothing else: that counts.
#[traced(fields(value, twice = value.len() * 2, %shown, ?list))]
fn plain(value: &str, shown: u32, list: &[u8], unused: Untouched) {
    let _ = unused;
    assert!(!Span::current().is_recording());
}

#[traced(fields(untouched))]
fn fallible(untouched: Untouched) -> Result<u64, std::num::ParseIntError> {
    let number: u64 = "7".parse()?;
    Ok(number)
}

#[traced(fields(untouched), level = error, root)]
async fn later(untouched: Untouched, n: u64) -> Result<u64, String> {
    if n == 0 {
        return Err("none".to_owned());
    }
    std::future::ready(()).await;
    Ok(n)
}

async fn later_alone(untouched: Untouched, n: u64) -> Result<u64, String> {
    let _ = untouched;
    if n == 0 {
        return Err("none".to_owned());
    }
    std::future::ready(()).await;
    Ok(n)
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is ready"),
    }
}

fn main() -> Result<(), otlp::OtlpError> {
    assert_eq!(callsites().count(), 0, "this is to be built with `RUSTFLAGS='--cfg otlp_off'`");
    // Without a transport, and so only because it does nothing.
    let _otlp = otlp::init()?;
    let _second = OtlpConfig::default().with_filter("trace").init()?;
    assert!(OtlpConfig::default().with_filter("inof").init().is_err(), "the code's mistakes are found all the same");
    set_filter("trace")?;

    plain("a", 1, &[2], Untouched);
    assert_eq!(fallible(Untouched), Ok(7));
    assert_eq!(now(later(Untouched, 7)), Ok(7));
    assert_eq!(now(later(Untouched, 0)), Err("none".to_owned()));
    let (annotated, bare) = (size_of_val(&later(Untouched, 7)), size_of_val(&later_alone(Untouched, 7)));
    assert!(annotated <= bare + 16, "a future of {annotated} bytes, which was {bare}");

    let span = otlp::span!("by hand", untouched = Untouched);
    assert!(!span.is_recording() && !span.span_id().is_valid());
    span.set_attribute("untouched", Untouched);
    span.in_scope(|| assert!(!Span::current().span_id().is_valid()));
    assert_eq!(now(async { 7 }.in_span(otlp::span!("future"))), 7);
    drop(span.entered());

    otlp::flush(std::time::Duration::from_secs(1))?;
    assert_eq!(otlp::status().traces.recorded, 0);
    println!("recording is compiled out");
    Ok(())
}
