//! `tracing`, with `tracing-opentelemetry` over the SDK of OpenTelemetry.

use std::error::Error;
use std::hint::black_box;

use opentelemetry::trace::TracerProvider;
use tracing::instrument;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{CHILDREN, Eight, Peer, Recording, SERVICE, Setup, Stop, Wait, opentelemetry as sdk};

/// `LEAN`: without location, threads, target, inactivity tracking and context activation, all of which are on by default.
pub(crate) struct Tracing<const LEAN: bool>;

#[inline(never)]
#[instrument(name = "child")]
fn two(id: u64, name: &str) {
    black_box((id, name));
}

#[inline(never)]
#[instrument(name = "child")]
fn none() {
    black_box(());
}

#[inline(never)]
#[instrument(name = "child")]
#[allow(clippy::many_single_char_names, clippy::too_many_arguments)]
fn eight(a: u64, b: i64, c: f64, d: bool, e: &str, f: &str, g: &str, h: &str) {
    black_box((a, b, c, d, e, f, g, h));
}

#[inline(never)]
#[instrument(name = "child", skip(wait))]
async fn waiting(id: u64, name: &str, wait: Wait) {
    black_box((id, name));
    wait.done().await;
}

impl<const LEAN: bool> Peer for Tracing<LEAN> {
    fn start(setup: &Setup) -> Result<Stop, Box<dyn Error>> {
        let (provider, runtime) = sdk::provider(setup)?;
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE));
        let layer = if LEAN {
            layer
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_context_activation(false)
        } else {
            layer
        };
        // `INFO`, so that what the transport itself traces is not recorded.
        let filter = Targets::new().with_default(LevelFilter::INFO);
        let filter = match setup.recording {
            Recording::FilteredOut => filter.with_target(module_path!(), LevelFilter::OFF),
            Recording::Everything | Recording::Unsampled => filter,
        };
        tracing_subscriber::registry().with(layer).with(filter).try_init()?;
        Ok(sdk::stop(provider, runtime))
    }

    fn two(id: u64, name: &str) {
        two(id, name);
    }

    #[instrument(name = "root", skip_all)]
    fn root_none() {
        (0..CHILDREN).for_each(|_| none());
    }

    #[instrument(name = "root", skip_all)]
    fn root_two(id: u64, name: &str) {
        (0..CHILDREN).for_each(|i| two(id + i, name));
    }

    #[instrument(name = "root", skip_all)]
    fn root_eight(v: Eight) {
        (0..CHILDREN).for_each(|i| eight(v.a + i, v.b, v.c, v.d, v.e, v.f, v.g, v.h));
    }

    #[instrument(name = "root", skip_all)]
    async fn root_async(id: u64, name: &str, wait: Wait) {
        for i in 0..CHILDREN {
            waiting(id + i, name, wait).await;
        }
    }
}
