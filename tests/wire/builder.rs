//! Spans that are built at run time, ended at a given time, or discarded.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otlp::{Context, Level, Sampler, Span, SpanId, SpanKind, StatusCode, TraceFlags, TraceId, traced};

use super::sampling::sampled;
use super::{attributes, pairs, spans_of};

#[traced]
fn work() {}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn remote(flags: TraceFlags) -> Context {
    let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    Context::remote(trace, SpanId::from_hex("00f067aa0ba902b7").unwrap(), flags)
}

#[test]
fn trc6_name_kind_scope_attributes_and_links_are_given_at_creation() {
    let kinds = [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    let captured = spans_of(|| {
        let cause = otlp::span!("cause");
        for (n, kind) in kinds.into_iter().enumerate() {
            let span = Span::builder(format!("GET /{n}"))
                .kind(kind)
                .scope("shop", "1.2.3")
                .attribute("n", n)
                .attributes((("text", "a"), ("n", 7)))
                .link(&cause.context(), [("why", "batch")])
                .link(&Context::root(), ())
                .start();
            assert!(span.is_recording());
            span.set_attribute("later", true);
            span.add_event("e", ());
        }
        drop(Span::builder("plain").start());
        drop(Span::builder("half").scope("shop", "").start());
    });
    let cause = captured.one("cause");
    for (n, kind) in kinds.into_iter().enumerate() {
        let span = captured.one(&format!("GET /{n}"));
        assert_eq!((span.kind, &*span.scope.name, &*span.scope.version), (kind, "shop", "1.2.3"));
        assert_eq!(attributes(span), ["n=7", "text=\"a\"", "later=true"]);
        let [link] = &span.links[..] else { panic!("{:?}", span.links) };
        assert_eq!((link.span_id, pairs(&link.attributes)), (cause.span_id, vec!["why=\"batch\"".to_owned()]));
        assert_eq!((span.events.len(), span.dropped_attributes, span.parent_span_id), (1, 0, None));
    }
    let plain = captured.one("plain");
    assert_eq!((plain.kind, &*plain.scope.name, &*plain.scope.version), (SpanKind::Internal, "otlp", "0.1.0"));
    assert!(plain.attributes.is_empty() && plain.links.is_empty() && plain.status == StatusCode::Unset);
    assert_eq!((&*captured.one("half").scope.name, &*captured.one("half").scope.version), ("shop", ""));
}

#[test]
fn trc5_the_parent_is_the_current_span_a_given_one_or_none() {
    let captured = spans_of(|| {
        let outer = otlp::span!("outer").entered();
        let other = otlp::span!("other");
        let built = Span::builder("built").start();
        assert_eq!(Span::current().span_id(), outer.span_id(), "creation does not activate");
        built.in_scope(work);
        drop(Span::builder("under a span").parent(&other).start());
        drop(Span::builder("under a reference").parent(*other).start());
        drop(Span::builder("under a context").parent(other.context()).start());
        drop(Span::builder("under a guard").parent(&outer).start());
        drop(Span::builder("alone").root().start());
        drop(Span::builder("last word").parent(&other).root().start());
        drop(Span::builder("continued").parent(remote(TraceFlags::SAMPLED)).start());
    });
    let parent = |name: &str| captured.one(name).parent_span_id;
    let id = |name: &str| Some(captured.one(name).span_id);
    assert_eq!((parent("built"), parent("work"), parent("under a guard")), (id("outer"), id("built"), id("outer")));
    for name in ["under a span", "under a reference", "under a context"] {
        assert_eq!(parent(name), id("other"), "{name}");
    }
    for name in ["alone", "last word"] {
        assert_eq!(parent(name), None, "{name}");
        assert_ne!(captured.one(name).trace_id, captured.one("outer").trace_id);
    }
    let continued = captured.one("continued");
    assert_eq!((continued.parent_span_id.unwrap().to_string().as_str(), continued.flags), ("00f067aa0ba902b7", 0x301));
}

#[test]
fn trc6_trc9_explicit_times_are_exported_to_the_nanosecond_and_end_is_never_before_start() {
    let nanos = Duration::from_nanos(123_456_789);
    let before = SystemTime::now();
    let captured = spans_of(|| {
        Span::builder("both").start_time(at(100) + nanos).start().end_at(at(107) + nanos);
        Span::builder("reversed").start_time(at(107)).start().end_at(at(100));
        Span::builder("start").start_time(at(100)).start().end();
        Span::builder("end").start().end_at(before + Duration::from_secs(3600));
        otlp::span!("early end").end_at(at(5));
        Span::builder("before 1970").start_time(UNIX_EPOCH - nanos).start().end_at(at(1));
        Span::builder("far").start_time(at(1)).start().end_at(at(1 << 40));
        let shared = otlp::span!("updated");
        let reference = *shared;
        shared.end_at(before + Duration::from_secs(60));
        reference.set_attribute("late", 1);
        // An open span ends with its own clock again: nothing sticks to its slot.
        drop(otlp::span!("next"));
    });
    let span = |name: &str| captured.one(name);
    assert_eq!((span("both").start(), span("both").end()), (at(100) + nanos, at(107) + nanos));
    assert_eq!((span("reversed").start(), span("reversed").end()), (at(107), at(107)));
    assert!(span("start").start() == at(100) && span("start").end() >= before - Duration::from_millis(5));
    assert_eq!(span("end").end(), before + Duration::from_secs(3600));
    assert_eq!(span("early end").start(), span("early end").end());
    assert_eq!((span("before 1970").start(), span("before 1970").end()), (UNIX_EPOCH, at(1)));
    assert_eq!(span("far").end_unix_nanos, i64::MAX as u64);
    assert_eq!(span("updated").end(), before + Duration::from_secs(60));
    assert!(span("updated").attributes.is_empty());
    let next = span("next");
    assert!(
        next.end() < before + Duration::from_secs(50) && next.start() > before - Duration::from_secs(1),
        "{next:?}"
    );
}

#[test]
fn a_discarded_span_is_not_exported_and_its_children_keep_it_as_their_parent() {
    let captured = spans_of(|| {
        let span = otlp::span!("forgotten", n = 1);
        let (id, context, reference) = (span.span_id(), span.context(), *span);
        span.in_scope(work);
        assert!(span.is_recording());
        span.discard();
        assert!(!reference.is_recording());
        reference.set_attribute("late", 1);
        context.run(|| drop(otlp::span!("later")));
        drop(otlp::span!("next"));
        id
    });
    let names: Vec<_> = captured.spans().iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["work", "later", "next"]);
    assert!(captured.one("work").parent_span_id.is_some());
    assert_eq!(captured.one("work").parent_span_id, captured.one("later").parent_span_id);
}

#[test]
fn a_discarded_span_is_not_counted() {
    let (status, captured) = sampled(Sampler::always_on(), || {
        otlp::span!("forgotten").discard();
        Span::builder("forgotten").attribute("a", 1).start().discard();
        work();
        otlp::flush(Duration::from_secs(30)).unwrap();
        otlp::status().traces.recorded
    });
    assert_eq!((status, captured.spans().len()), (1, 1));
}

#[test]
fn names_and_values_of_any_length_arrive_whole() {
    let long = "x".repeat(40_000);
    let captured = spans_of(|| {
        let mut builder = Span::builder(long.as_str());
        for n in 0..50 {
            builder = builder.attribute(&format!("k{n}"), "v".repeat(n));
        }
        let span = builder.kind(SpanKind::Client).scope("a scope with a long name", "2").start();
        for n in 0..10_000 {
            span.set_attribute("again", n);
        }
    });
    let span = captured.one(&long);
    assert_eq!((span.attributes.len(), span.i64("again")), (51, Some(9_999)));
    assert_eq!((span.kind, &*span.scope.name), (SpanKind::Client, "a scope with a long name"));
    assert!((0..50).all(|n| span.string(&format!("k{n}")) == Some("v".repeat(n).as_str())));
}

#[test]
fn trc10_a_span_that_is_not_recorded_passes_its_parent_on_and_leaves_it_alone() {
    let (unsampled, captured) = sampled(Sampler::parent_based(Sampler::always_on()), || {
        let parent = remote(TraceFlags::NONE);
        let root = Span::builder("unsampled").parent(&parent).attribute("a", 1).start();
        assert!(!root.is_recording() && root.trace_id() == parent.span().trace_id());
        for child in [Span::builder("child").parent(&root).start(), root.in_scope(|| otlp::span!("child"))] {
            assert_eq!((child.is_recording(), child.span_id()), (false, root.span_id()));
            child.set_attribute("nobody", 1);
            child.in_scope(|| assert_eq!(Span::current().span_id(), root.span_id()));
            let context = child.context();
            // What runs there later belongs to the trace that is left out, and starts none of its own.
            context.run(work);
            let entered = child.entered();
            assert_eq!(Span::current().span_id(), root.span_id());
            entered.exit().discard();
        }
        root.is_recording()
    });
    assert!(!unsampled && captured.spans().is_empty(), "{:?}", captured.spans());
}

#[test]
fn trc2_enabled_says_whether_a_span_would_be_recorded_here() {
    let all = || otlp::enabled!() && otlp::enabled!(debug) && otlp::enabled!(Level::Error);
    spans_of(|| {
        assert!(all() && otlp::enabled!(trace) && otlp::enabled!(warn));
        otlp::span!("outer").in_scope(|| assert!(all()));
        remote(TraceFlags::NONE).run(|| assert!(all(), "a capture records everything"));
    });
    sampled(Sampler::always_off(), || assert!(!all()));
    sampled(Sampler::parent_based(Sampler::always_off()), || {
        assert!(!all());
        remote(TraceFlags::SAMPLED).run(|| assert!(all()));
        remote(TraceFlags::NONE).run(|| assert!(!all()));
    });
    sampled(Sampler::trace_id_ratio(0.01), || {
        assert!(all(), "a trace that starts here may be recorded");
        remote(TraceFlags::SAMPLED.with(TraceFlags::RANDOM)).run(|| assert!(!all()));
    });
}

#[test]
fn debug_shows_no_value() {
    spans_of(|| {
        let text = format!("{:?}", Span::builder("named").attribute("token", "hunter2"));
        assert!(text.contains("named") && !text.contains("hunter2"), "{text}");
    });
}
