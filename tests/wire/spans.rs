//! The span itself: name, kind, ids, times, scope, resource, and who is whose child.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use otlp::testing::Collector;
use otlp::{OtlpConfig, Span, SpanKind, StatusCode, TransportProtocol, traced};

use super::{attributes, spans_of};

#[traced]
fn plain() {}

#[traced(name = "GET /orders/{id}", kind = server, level = debug, fields(id))]
fn handler(id: u32) {
    plain();
}

#[traced(root)]
fn background() {
    plain();
}

mod kinds {
    use otlp::traced;

    #[traced(kind = internal)]
    pub(super) fn internal() {}
    #[traced(kind = server)]
    pub(super) fn server() {}
    #[traced(kind = client)]
    pub(super) fn client() {}
    #[traced(kind = producer)]
    pub(super) fn producer() {}
    #[traced(kind = consumer)]
    pub(super) fn consumer() {}
}

mod levels {
    use otlp::traced;

    #[traced(level = trace)]
    pub(super) fn trace() {}
    #[traced(level = warn)]
    pub(super) fn warn() {}
    #[traced(level = error)]
    pub(super) fn error() {}
}

#[test]
fn name_kind_and_level() {
    let captured = spans_of(|| {
        handler(3);
        kinds::internal();
        kinds::server();
        kinds::client();
        kinds::producer();
        kinds::consumer();
        levels::trace();
        levels::warn();
        levels::error();
    });
    let kind = |name: &str| captured.one(name).kind;
    assert_eq!((kind("plain"), kind("internal")), (SpanKind::Internal, SpanKind::Internal));
    assert_eq!((kind("server"), kind("GET /orders/{id}")), (SpanKind::Server, SpanKind::Server));
    assert_eq!(
        (kind("client"), kind("producer"), kind("consumer")),
        (SpanKind::Client, SpanKind::Producer, SpanKind::Consumer)
    );
    assert_eq!(captured.spans().len(), 10, "every level is recorded");
    let span = captured.one("trace");
    assert!(span.attributes.is_empty() && span.events.is_empty() && span.links.is_empty(), "{span:?}");
    assert_eq!((span.status, span.status_message.as_str(), span.trace_state.as_str()), (StatusCode::Unset, "", ""));
    assert_eq!((span.dropped_attributes, span.dropped_events, span.dropped_links), (0, 0, 0));
}

#[test]
fn pro1_trc5_ids_are_unique_and_children_keep_their_trace() {
    let captured = spans_of(|| {
        for id in 0..100 {
            handler(id);
        }
    });
    let roots = captured.roots();
    assert_eq!(roots.len(), 100);
    let traces: HashSet<_> = roots.iter().map(|root| root.trace_id).collect();
    let spans: HashSet<_> = captured.spans().iter().map(|span| span.span_id).collect();
    assert_eq!((traces.len(), spans.len()), (100, 200));
    for root in roots {
        assert_eq!(root.parent_span_id, None);
        let [child] = captured.children_of(root)[..] else { panic!("one child each") };
        assert_eq!((child.name.as_str(), child.trace_id), ("plain", root.trace_id));
        assert!(root.trace_id.is_valid() && root.span_id.is_valid() && child.span_id != root.span_id);
    }
}

#[test]
fn trc5_root_starts_a_trace_of_its_own_and_gives_the_place_back() {
    let captured = spans_of(|| {
        let _outer = otlp::span!("outer").entered();
        background();
        drop(otlp::span!("sibling"));
    });
    let (outer, background) = (captured.one("outer"), captured.one("background"));
    assert_eq!(background.parent_span_id, None);
    assert_ne!(background.trace_id, outer.trace_id);
    assert_eq!(captured.one("plain").parent_span_id, Some(background.span_id));
    assert_eq!(captured.one("sibling").parent_span_id, Some(outer.span_id));
}

#[test]
fn times_are_of_the_wall_clock_and_children_lie_within_their_parents() {
    let before = SystemTime::now();
    let captured = spans_of(|| (0..100).for_each(handler));
    let after = SystemTime::now();
    let slack = Duration::from_millis(5);
    for span in captured.spans() {
        assert!(span.start_unix_nanos <= span.end_unix_nanos, "{span:?}");
        assert!(span.start() + slack > before && span.end() < after + slack, "{span:?}");
    }
    for root in captured.roots() {
        let child = captured.children_of(root)[0];
        assert!(root.start_unix_nanos <= child.start_unix_nanos && child.end_unix_nanos <= root.end_unix_nanos);
    }
    let starts: Vec<_> = captured.named("plain").map(|span| span.start_unix_nanos).collect();
    assert!(starts.is_sorted(), "one thread's spans follow each other: {starts:?}");
}

#[test]
fn pro2_flags_say_sampled_random_and_that_the_parent_is_local() {
    let captured = spans_of(|| handler(1));
    for span in captured.spans() {
        assert_eq!(span.flags, 0x103, "{}", span.name);
        assert_eq!(span.has_remote_parent(), Some(false));
    }
}

#[test]
fn scope_and_resource_say_who_made_it() {
    let collector = Collector::start().unwrap();
    let _alone = super::sampling::alone();
    for protocol in [TransportProtocol::HttpProtobuf, TransportProtocol::Grpc] {
        let guard = OtlpConfig::default()
            .with_env(false)
            .with_endpoint(collector.endpoint())
            .with_protocol(protocol)
            .with_service("shop", "1.2.3")
            .with_resource_attribute("deployment.environment.name", "test")
            .init()
            .unwrap();
        background();
        drop(guard);
    }
    let spans = collector.spans();
    assert_eq!(spans.len(), 4);
    for span in spans {
        assert_eq!((span.scope.name.as_str(), span.scope.version.as_str()), ("otlp", env!("CARGO_PKG_VERSION")));
        let resource: Vec<_> =
            span.resource.iter().map(|(key, value)| format!("{key}={}", super::shown(value))).collect();
        for expected in [
            "service.name=\"shop\"",
            "service.version=\"1.2.3\"",
            "telemetry.sdk.language=\"rust\"",
            "deployment.environment.name=\"test\"",
        ] {
            assert!(resource.iter().any(|found| found == expected), "{expected} in {resource:?}");
        }
    }
}

#[test]
fn update_name_and_attributes_reach_the_current_span_from_nested_code() {
    fn deep() {
        Span::current().update_name("renamed");
        Span::current().set_attribute("deep", true);
    }
    #[traced(fields(n = 1))]
    fn shallow() {
        deep();
        Span::current().set_attribute("n", 2);
        plain();
    }
    let captured = spans_of(shallow);
    assert_eq!(attributes(captured.one("renamed")), ["n=2", "deep=true"]);
    assert!(captured.one("plain").attributes.is_empty());
}

#[test]
fn trc7_trc9_after_its_end_a_span_keeps_its_ids_and_takes_nothing() {
    let captured = spans_of(|| {
        let span = otlp::span!("ended");
        let reference = *span;
        let (trace, id) = (span.trace_id(), span.span_id());
        assert!(span.is_recording() && reference.is_recording());
        span.end();
        assert!(!reference.is_recording());
        assert_eq!((reference.trace_id(), reference.span_id()), (trace, id));
        reference.set_attribute("late", 1);
        reference.set_attributes([("late", 1)]);
        reference.add_event("late", ());
        reference.set_status(StatusCode::Error, "late");
        reference.update_name("late");
        reference.add_link(&reference.context(), ());
        // Its slot serves another span now, which is not touched either.
        let next = otlp::span!("next");
        reference.set_attribute("late", 2);
        drop(next);
    });
    for name in ["ended", "next"] {
        let span = captured.one(name);
        assert!(span.attributes.is_empty() && span.events.is_empty() && span.links.is_empty(), "{span:?}");
        assert_eq!(span.status, StatusCode::Unset);
    }
}

#[test]
fn without_a_span_everything_does_nothing() {
    let captured = spans_of(|| {
        let none = Span::current();
        assert!(!none.trace_id().is_valid() && !none.span_id().is_valid() && !none.is_recording());
        none.set_attribute("a", 1);
        none.add_event("e", ());
        none.update_name("n");
        none.add_link(&none.context(), [("a", 1)]);
    });
    assert!(captured.spans().is_empty());
}

/// TRC11: one span, many threads; nothing is torn.
#[test]
fn trc11_a_span_takes_updates_from_many_threads() {
    let captured = spans_of(|| {
        let span = otlp::span!("shared");
        let reference = *span;
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for n in 0..16 {
                        let text = format!("{thread}/{n}").repeat(1 + n);
                        reference.set_attribute(&format!("k{thread}.{n}"), text);
                    }
                });
            }
        });
    });
    let span = captured.one("shared");
    // An update that waits too long for its turn is left out, so how many there are depends on the scheduler.
    assert!((4..=64).contains(&span.attributes.len()), "{} attributes", span.attributes.len());
    for (key, value) in &span.attributes {
        let (thread, n) = key.strip_prefix('k').and_then(|key| key.split_once('.')).unwrap();
        let expected = format!("{thread}/{n}").repeat(1 + n.parse::<usize>().unwrap());
        assert_eq!(value, &otlp::AttributeValue::String(expected));
    }
}
