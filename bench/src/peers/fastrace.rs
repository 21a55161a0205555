//! `fastrace`, with `fastrace-opentelemetry`. Its properties are texts, so numbers are formatted.

use std::borrow::Cow;
use std::cell::Cell;
use std::error::Error;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastrace::collector::Config;
use fastrace::prelude::*;
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;

use super::{Batching, CHILDREN, Eight, Peer, Recording, SERVICE, Setup, Stop, Wait, opentelemetry as sdk};

pub(crate) struct Fastrace;

#[inline(never)]
#[trace(name = "child", properties = { "id": "{id}", "name": "{name}" })]
fn two(id: u64, name: &str) {
    black_box((id, name));
}

#[inline(never)]
#[trace(name = "child")]
fn none() {
    black_box(());
}

#[inline(never)]
#[trace(name = "child", properties = {
    "a": "{a}", "b": "{b}", "c": "{c}", "d": "{d}", "e": "{e}", "f": "{f}", "g": "{g}", "h": "{h}"
})]
#[allow(clippy::many_single_char_names, clippy::too_many_arguments)]
fn eight(a: u64, b: i64, c: f64, d: bool, e: &str, f: &str, g: &str, h: &str) {
    black_box((a, b, c, d, e, f, g, h));
}

#[inline(never)]
#[trace(name = "child", properties = { "id": "{id}", "name": "{name}" })]
async fn waiting(id: u64, name: &str, wait: Wait) {
    black_box((id, name));
    wait.done().await;
}

thread_local! {
    /// Whether roots are sampled: it is the program that says so, at each of them. Set where spans are made.
    static SAMPLED: Cell<bool> = const { Cell::new(true) };
}

fn root() -> Span {
    Span::root("root", SpanContext::random().sampled(SAMPLED.get()))
}

/// What it says when it cannot report; the last of it.
static COMPLAINT: Mutex<String> = Mutex::new(String::new());

struct Complaints;

impl log::Log for Complaints {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        *COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner) = record.args().to_string();
    }

    fn flush(&self) {}
}

impl Peer for Fastrace {
    fn start(setup: &Setup) -> Result<Stop, Box<dyn Error>> {
        match setup.recording {
            Recording::Everything => {}
            Recording::FilteredOut => return Err("has no filter of spans".into()),
            Recording::Unsampled => SAMPLED.set(false),
        }
        log::set_logger(&Complaints).map_err(|error| error.to_string())?;
        log::set_max_level(log::LevelFilter::Error);
        let (exporter, runtime) = sdk::exporter(setup)?;
        let scope = InstrumentationScope::builder(SERVICE).build();
        let reporter = OpenTelemetryReporter::new(exporter, Cow::Owned(sdk::resource()), scope);
        // Over gRPC the exporter needs the timer of tokio, which the reporter's own executor lacks.
        let reporter = match &runtime {
            Some(runtime) => {
                let handle = runtime.handle().clone();
                reporter.with_block_on(move |future| handle.block_on(future))
            }
            None => reporter,
        };
        let config = match setup.batching {
            Batching::Default => Config::default(),
            Batching::Roomy => Config::default().report_interval(Duration::from_millis(100)),
        };
        fastrace::set_reporter(reporter, config);
        Ok(Box::new(move |_| {
            fastrace::flush();
            if let Some(runtime) = runtime {
                runtime.shutdown_background();
            }
            COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }))
    }

    fn two(id: u64, name: &str) {
        two(id, name);
    }

    fn root_none() {
        let root = root();
        let _entered = root.set_local_parent();
        (0..CHILDREN).for_each(|_| none());
    }

    fn root_two(id: u64, name: &str) {
        let root = root();
        let _entered = root.set_local_parent();
        (0..CHILDREN).for_each(|i| two(id + i, name));
    }

    fn root_eight(v: Eight) {
        let root = root();
        let _entered = root.set_local_parent();
        (0..CHILDREN).for_each(|i| eight(v.a + i, v.b, v.c, v.d, v.e, v.f, v.g, v.h));
    }

    async fn root_async(id: u64, name: &str, wait: Wait) {
        let body = async {
            for i in 0..CHILDREN {
                waiting(id + i, name, wait).await;
            }
        };
        body.in_span(root()).await;
    }
}
