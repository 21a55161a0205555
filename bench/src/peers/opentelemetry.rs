//! `opentelemetry`, with `opentelemetry_sdk` and `opentelemetry-otlp`.

use std::error::Error;
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::{FutureExt, Span, SpanBuilder, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::{Builder, Runtime};

use super::{Batching, CHILDREN, Eight, Peer, Protocol, Recording, SERVICE, Setup, Stop, Wait, said};

/// `EXPLICIT`: children are given their parent, and the current context is left alone; the cheapest way that is documented.
pub(crate) struct OpenTelemetry<const EXPLICIT: bool>;

/// The SDK's own type: through `global`, each span is boxed.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

fn tracer() -> &'static SdkTracer {
    static NONE: OnceLock<SdkTracer> = OnceLock::new();
    TRACER.get().unwrap_or_else(|| NONE.get_or_init(|| SdkTracerProvider::builder().build().tracer(SERVICE)))
}

fn two_attributes(id: u64, name: &str) -> Vec<KeyValue> {
    vec![KeyValue::new("id", id as i64), KeyValue::new("name", name.to_owned())]
}

fn child(attributes: Vec<KeyValue>) -> SpanBuilder {
    SpanBuilder::from_name("child").with_attributes(attributes)
}

#[inline(never)]
fn two(id: u64, name: &str) {
    tracer().in_span_with_builder(child(two_attributes(id, name)), |_| {
        black_box((id, name));
    });
}

/// The same before anything is set up.
#[inline(never)]
fn two_without_provider(id: u64, name: &str) {
    static GLOBAL: OnceLock<global::BoxedTracer> = OnceLock::new();
    let tracer = GLOBAL.get_or_init(|| global::tracer(SERVICE));
    tracer.in_span_with_builder(child(two_attributes(id, name)), |_| {
        black_box((id, name));
    });
}

#[inline(never)]
fn two_below(parent: &Context, id: u64, name: &str) {
    let mut span = child(two_attributes(id, name)).start_with_context(tracer(), parent);
    black_box((id, name));
    span.end();
}

#[inline(never)]
fn none() {
    tracer().in_span("child", |_| {
        black_box(());
    });
}

#[inline(never)]
fn eight(v: Eight) {
    let attributes = vec![
        KeyValue::new("a", v.a as i64),
        KeyValue::new("b", v.b),
        KeyValue::new("c", v.c),
        KeyValue::new("d", v.d),
        KeyValue::new("e", v.e.to_owned()),
        KeyValue::new("f", v.f.to_owned()),
        KeyValue::new("g", v.g.to_owned()),
        KeyValue::new("h", v.h.to_owned()),
    ];
    tracer().in_span_with_builder(child(attributes), |_| {
        black_box((v.a, v.b, v.c, v.d, v.e, v.f, v.g, v.h));
    });
}

#[inline(never)]
async fn waiting(id: u64, name: &str, wait: Wait) {
    let span = child(two_attributes(id, name)).start(tracer());
    let body = async {
        black_box((id, name));
        wait.done().await;
    };
    body.with_context(Context::current_with_span(span)).await;
}

/// The exporter, and the runtime that it needs over gRPC.
pub(super) fn exporter(setup: &Setup) -> Result<(SpanExporter, Option<Runtime>), Box<dyn Error>> {
    let Setup { endpoint, protocol, .. } = setup;
    if *protocol == Protocol::Http {
        let exporter = SpanExporter::builder().with_http().with_endpoint(format!("{endpoint}/v1/traces")).build()?;
        return Ok((exporter, None));
    }
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let exporter = {
        let _entered = runtime.enter();
        let result: Result<_, ExporterBuildError> =
            SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
        result?
    };
    Ok((exporter, Some(runtime)))
}

pub(super) fn resource() -> Resource {
    Resource::builder().with_service_name(SERVICE).build()
}

/// The SDK's part of this setup.
pub(super) fn provider(setup: &Setup) -> Result<(SdkTracerProvider, Option<Runtime>), Box<dyn Error>> {
    let (exporter, runtime) = exporter(setup)?;
    let batches = match setup.batching {
        Batching::Default => BatchConfigBuilder::default(),
        Batching::Roomy => BatchConfigBuilder::default()
            .with_max_queue_size(1 << 17)
            .with_max_export_batch_size(8192)
            .with_scheduled_delay(Duration::from_millis(500)),
    };
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource());
    let provider = match setup.recording {
        Recording::Unsampled => provider.with_sampler(Sampler::AlwaysOff),
        Recording::Everything | Recording::FilteredOut => provider,
    };
    Ok((provider.build(), runtime))
}

pub(super) fn stop(provider: SdkTracerProvider, runtime: Option<Runtime>) -> Stop {
    Box::new(move |limit| {
        let result = provider.shutdown_with_timeout(limit);
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
        said(&result)
    })
}

impl<const EXPLICIT: bool> Peer for OpenTelemetry<EXPLICIT> {
    fn start(setup: &Setup) -> Result<Stop, Box<dyn Error>> {
        if setup.recording == Recording::FilteredOut {
            return Err("has no filter of spans".into());
        }
        let (provider, runtime) = provider(setup)?;
        TRACER.get_or_init(|| provider.tracer(SERVICE));
        Ok(stop(provider, runtime))
    }

    fn two(id: u64, name: &str) {
        if TRACER.get().is_some() { two(id, name) } else { two_without_provider(id, name) }
    }

    fn root_none() {
        tracer().in_span("root", |_| (0..CHILDREN).for_each(|_| none()));
    }

    fn root_two(id: u64, name: &str) {
        if EXPLICIT {
            let parent = Context::new().with_span(tracer().start("root"));
            (0..CHILDREN).for_each(|i| two_below(&parent, id + i, name));
        } else {
            tracer().in_span("root", |_| (0..CHILDREN).for_each(|i| two(id + i, name)));
        }
    }

    fn root_eight(v: Eight) {
        tracer().in_span("root", |_| (0..CHILDREN).for_each(|i| eight(Eight { a: v.a + i, ..v })));
    }

    async fn root_async(id: u64, name: &str, wait: Wait) {
        let span = tracer().start("root");
        let body = async {
            for i in 0..CHILDREN {
                waiting(id + i, name, wait).await;
            }
        };
        body.with_context(Context::current_with_span(span)).await;
    }
}
