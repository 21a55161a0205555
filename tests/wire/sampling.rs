//! Samplers, as the receiver sees them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use otlp::testing::{Captured, Collector, capture};
use otlp::{Context, FutureExt as _, OtlpConfig, Sampler, Span, SpanId, TraceFlags, TraceId, traced};

/// There is one global pipeline, so one test at a time.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What arrives of what `f` records with this sampler; the accounts know of no other span.
pub(super) fn sampled<R>(sampler: impl Into<Sampler>, f: impl FnOnce() -> R) -> (R, Captured) {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let config = OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint()).with_sampler(sampler);
    let guard = config.init().unwrap();
    let returned = f();
    otlp::shutdown(Duration::from_secs(30)).unwrap();
    drop(guard);
    let counts = otlp::status().traces;
    assert!(counts.balanced(), "{counts:?}");
    assert_eq!((counts.recorded, counts.exported), (collector.span_count(), collector.span_count()));
    (returned, collector.captured())
}

#[traced(root)]
fn background() {}

#[traced(fields(n = expensive()))]
fn work() {
    otlp::span!("child", n = expensive()).in_scope(|| drop(otlp::span!("grandchild")));
}

std::thread_local! {
    static EVALUATED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

fn expensive() -> u32 {
    EVALUATED.set(EVALUATED.get() + 1);
    EVALUATED.get()
}

pub(super) fn remote(flags: TraceFlags) -> Context {
    let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    Context::remote(trace, SpanId::from_hex("00f067aa0ba902b7").unwrap(), flags)
}

#[test]
fn smp1_always_on_records_whatever_the_caller_decided() {
    let (_, captured) = sampled(Sampler::always_on(), || {
        work();
        remote(TraceFlags::SAMPLED).run(background);
        remote(TraceFlags::NONE).run(|| drop(otlp::span!("unsampled there")));
    });
    assert_eq!(captured.spans().len(), 5);
    assert_eq!(captured.one("unsampled there").flags, 0x301);
}

#[test]
fn smp1_trc12_always_off_records_nothing_and_evaluates_no_field() {
    let (_, captured) = sampled(Sampler::always_off(), || {
        EVALUATED.set(0);
        (0..100).for_each(|_| work());
        remote(TraceFlags::SAMPLED).run(work);
        background();
        assert_eq!(EVALUATED.get(), 0);
        // A capture samples everything, whatever runs beside it.
        assert_eq!(capture(work).1.spans().len(), 3);
    });
    assert!(captured.spans().is_empty());
}

/// TRC10, TRC13: a span that is not sampled has ids all the same, and its descendants are not recorded wherever they run.
#[test]
fn trc10_trc13_unsampled_spans_propagate_their_ids() {
    let (_, captured) = sampled(Sampler::always_off(), || {
        let span = otlp::span!("dropped");
        let (trace, id) = (span.trace_id(), span.span_id());
        assert!(trace.is_valid() && id.is_valid() && !span.is_recording());
        assert_eq!(span.trace_flags(), TraceFlags::RANDOM);
        span.set_attribute("a", 1);
        span.add_event("e", ());
        let context = span.context();
        let _entered = span.entered();
        let seen = || (Span::current().trace_id(), Span::current().span_id());
        assert_eq!(seen(), (trace, id));
        otlp::span!("child").in_scope(|| assert_eq!(seen(), (trace, id)));
        std::thread::scope(|scope| {
            scope.spawn(|| context.run(|| assert_eq!(otlp::span!("thread").in_scope(seen), (trace, id))));
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let task = async {
            tokio::task::yield_now().await;
            work();
            seen()
        };
        assert_eq!(runtime.block_on(task.in_context(context.clone())), (trace, id));
        let owned = otlp::span!("future");
        assert_eq!(runtime.block_on(async { seen() }.in_span(owned)), (trace, id));
        // A trace of its own is decided anew, and has ids of its own.
        let other = Context::root().run(|| otlp::span!("other").trace_id());
        assert!(other.is_valid() && other != trace);
        // The remote caller's trace goes on through an unsampled server.
        remote(TraceFlags::SAMPLED).run(|| {
            let server = otlp::span!("server");
            assert_eq!(server.trace_id(), remote(TraceFlags::NONE).span().trace_id());
            assert_ne!(server.span_id(), remote(TraceFlags::NONE).span().span_id());
            assert!(!server.trace_flags().is_sampled());
        });
    });
    assert!(captured.spans().is_empty());
}

#[test]
fn smp4_parent_based_does_what_the_remote_parent_did() {
    for root in [Sampler::always_on(), Sampler::always_off()] {
        let records_roots = root == Sampler::always_on();
        let (_, captured) = sampled(Sampler::parent_based(root), || {
            remote(TraceFlags::SAMPLED).run(|| otlp::span!("sampled").in_scope(work));
            remote(TraceFlags::NONE).run(|| otlp::span!("unsampled").in_scope(work));
            otlp::span!("root").in_scope(|| drop(otlp::span!("local")));
        });
        assert_eq!(captured.children_of(captured.one("sampled")).len(), 1);
        assert_eq!(captured.named("unsampled").count(), 0);
        let expected = usize::from(records_roots);
        assert_eq!((captured.named("root").count(), captured.named("local").count()), (expected, expected));
        assert_eq!(captured.spans().len(), 4 + 2 * expected);
    }
}

#[test]
fn smp3_a_ratio_takes_whole_traces_by_their_ids_alone() {
    const TRACES: usize = 4000;
    let made = |sampler| {
        sampled(sampler, || {
            let ids = (0..TRACES).map(|_| {
                let span = otlp::span!("root");
                let id = span.trace_id();
                span.in_scope(|| drop(otlp::span!("child")));
                id
            });
            ids.collect::<Vec<_>>()
        })
    };
    for (ratio, parent_based) in [(0.25, false), (0.25, true), (0.75, false), (0.0, false), (1.0, true)] {
        let sampler = Sampler::trace_id_ratio(ratio);
        let (ids, captured) = made(if parent_based { Sampler::parent_based(sampler) } else { sampler });
        let threshold = ((1.0 - ratio) * (1_u64 << 56) as f64) as u64;
        let expected: Vec<_> = ids
            .into_iter()
            .filter(|id| u64::from_be_bytes(id.to_bytes()[8..].try_into().unwrap()) & ((1 << 56) - 1) >= threshold)
            .collect();
        let roots: Vec<_> = captured.named("root").map(|span| span.trace_id).collect();
        assert_eq!(roots, expected);
        let children: Vec<_> = captured.named("child").map(|span| span.trace_id).collect();
        assert_eq!(children, expected);
        let share = expected.len() as f64 / TRACES as f64;
        assert!((share - ratio).abs() < 0.06, "{share} of {ratio}");
    }
}
