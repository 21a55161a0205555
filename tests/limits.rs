//! Span limits, as the receiver sees them (spec-checklist LIM1 to LIM5). A process of its own: what `init` sets holds for
//! every span in it.
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use otlp::testing::{Captured, Collector, capture};
use otlp::{AttributeValue, OtlpConfig, OtlpError, Span, SpanLimits, Value, ValueWriter};
use process::*;

/// What arrives of what `f` records within `limits`.
fn limited(limits: SpanLimits, f: impl FnOnce()) -> Captured {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = config(collector.endpoint()).with_span_limits(limits).init().unwrap();
    f();
    drop(guard);
    collector.captured()
}

fn none() -> SpanLimits {
    SpanLimits::default()
}

/// One of everything, several times.
fn much(count: u32) {
    let span = otlp::span!("much", first = "first", second = 2);
    let many: Vec<_> = (0..count).map(|n| (format!("k{n}"), n)).collect();
    span.set_attributes(&many);
    let many = &many[..10];
    for _ in 0..count {
        span.add_event("e", many);
        span.add_link(&span.context(), many);
    }
}

#[test]
fn lim3_lim5_counts_can_be_lower_than_the_defaults_and_what_is_dropped_is_counted() {
    let limits = none().with_attribute_count(3).with_event_count(4).with_link_count(0);
    let captured = limited(limits.with_event_attribute_count(2), || {
        much(10);
        otlp::span!("plain", a = 1, b = 2, c = 3, d = 4, e = 5).end();
    });
    let span = captured.one("much");
    assert_eq!((span.attributes.len(), span.dropped_attributes), (3, 9));
    assert_eq!((span.string("first"), span.i64("second"), span.i64("k0")), (Some("first"), Some(2), Some(0)));
    assert_eq!((span.events.len(), span.dropped_events), (4, 6));
    assert_eq!((span.events[3].attributes.len(), span.events[3].dropped_attributes), (2, 8));
    assert_eq!((span.links.len(), span.dropped_links), (0, 10));
    let plain = captured.one("plain");
    assert_eq!((plain.attributes.len(), plain.dropped_attributes), (3, 2));
}

#[test]
fn lim3_counts_can_be_higher_than_the_defaults_and_captures_keep_theirs() {
    let higher = none().with_event_count(300).with_link_count(200).with_attribute_count(1000);
    let limits = higher.with_event_attribute_count(2).with_link_attribute_count(1);
    let captured = limited(limits, || {
        much(250);
        let span = capture(|| much(250)).1;
        let span = span.one("much");
        assert_eq!(
            (span.events.len(), span.dropped_events, span.links.len(), span.dropped_links),
            (128, 122, 128, 122)
        );
        let mut builder = Span::builder("built");
        for _ in 0..250 {
            builder = builder.link(&otlp::span!("cause").context(), ());
        }
        builder.start().end();
    });
    let span = captured.one("much");
    assert_eq!((span.events.len(), span.dropped_events), (250, 0));
    assert_eq!((span.links.len(), span.dropped_links), (200, 50));
    assert_eq!((span.attributes.len(), span.dropped_attributes), (252, 0));
    assert_eq!((span.links[0].attributes.len(), span.links[0].dropped_attributes), (1, 9));
    assert_eq!((captured.one("built").links.len(), captured.one("built").dropped_links), (200, 50));
    // The next `init` starts from the defaults.
    let span = limited(none(), || much(130));
    assert_eq!((span.one("much").events.len(), span.one("much").dropped_events), (128, 2));
}

#[derive(Clone, Copy)]
struct Deep(u32);

impl Value for Deep {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        match self.0 {
            0 => writer.str("deepest"),
            depth => writer.array([Self(depth - 1)]),
        }
    }
}

#[test]
fn lim2_text_is_cut_by_characters_bytes_by_bytes_and_arrays_within() {
    let text = "h\u{e4}\u{df}lich\u{1f600}";
    let captured = limited(none().with_attribute_value_length(3).with_attribute_value_depth(2), || {
        let span = otlp::span!("cut", text, short = "\u{1f600}\u{1f600}\u{1f600}", bytes = b"12345", number = 123_456);
        span.set_attribute("list", [vec!["abcd", "ab"], vec!["\u{e4}\u{e4}\u{e4}\u{e4}"]]);
        span.set_attribute("two", Deep(2));
        span.set_attribute("three", Deep(3));
        span.add_event("a name is no value", [("event", "abcd")]);
        span.add_link(&span.context(), [("link", "abcd")]);
        span.set_status(otlp::StatusCode::Error, "neither is a description");
    });
    let span = captured.one("cut");
    let string = |text: &str| AttributeValue::String(text.to_owned());
    let list = |values: Vec<AttributeValue>| AttributeValue::Array(values);
    for (key, expected) in [
        ("text", string("h\u{e4}\u{df}")),
        ("short", string("\u{1f600}\u{1f600}\u{1f600}")),
        ("bytes", AttributeValue::Bytes(b"123".to_vec())),
        ("number", AttributeValue::I64(123_456)),
        ("list", list(vec![list(vec![string("abc"), string("ab")]), list(vec![string("\u{e4}\u{e4}\u{e4}")])])),
        ("two", list(vec![list(vec![string("dee")])])),
        ("three", list(vec![list(vec![AttributeValue::Empty])])),
    ] {
        assert_eq!(
            span.attributes.iter().find(|(found, _)| found == key).map(|(_, value)| value),
            Some(&expected),
            "{key}"
        );
    }
    assert_eq!(span.dropped_attributes, 0, "what is cut is not dropped");
    assert_eq!((&*span.events[0].name, &*span.status_message), ("a name is no value", "neither is a description"));
    for attributes in [&span.events[0].attributes, &span.links[0].attributes] {
        assert_eq!(attributes[0].1, string("abc"));
    }
}

#[test]
fn lim6_the_resource_has_no_limits() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let limits = none().with_attribute_count(0).with_attribute_value_length(1);
    let guard = config(collector.endpoint()).with_span_limits(limits).with_service("a long name", "1").init().unwrap();
    otlp::span!("bare", a = 1).end();
    drop(guard);
    let spans = collector.spans();
    assert_eq!((spans[0].attributes.len(), spans[0].dropped_attributes), (0, 1));
    assert_eq!(spans[0].resource.get("service.name"), Some(&AttributeValue::from("a long name")));
}

#[test]
fn lim3_a_limit_beyond_all_reason_is_an_error_before_anything_starts() {
    let limits = none().with_event_count(usize::MAX);
    match OtlpConfig::default().with_env(false).with_span_limits(limits).init() {
        Err(error @ OtlpError::InvalidConfig { setting: "event_count", .. }) => {
            assert!(error.to_string().contains("stay at 10000 or below"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lim4_the_environment_sets_limits_and_one_line_says_that_one_was_met() {
    const NAME: &str = "lim4_the_environment_sets_limits_and_one_line_says_that_one_was_met";
    if is_child(NAME) {
        let collector = Collector::start().unwrap();
        let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).init().unwrap();
        (0..3).for_each(|_| otlp::span!("s", a = "abcdef", b = 2, c = 3).end());
        drop(guard);
        for span in collector.spans() {
            assert_eq!((span.string("a"), span.attributes.len(), span.dropped_attributes), (Some("abcd"), 2, 1));
        }
        return;
    }
    let variables = [("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2"), ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4")];
    let said = in_own_process(NAME, &variables);
    let lines: Vec<_> = said.lines().filter(|line| line.contains("limits allow")).collect();
    assert!(lines.len() == 1 && lines[0].contains("with_span_limits"), "{said}");
    assert!(!said.contains("does not read"), "{said}");
}

/// What found no room while it was recorded is one line too, and so is a name that was cut; a span within all bounds says nothing.
#[test]
fn what_a_span_has_no_room_for_is_one_line() {
    const NAME: &str = "what_a_span_has_no_room_for_is_one_line";
    let large = || "x".repeat(200_000);
    if is_child(NAME) {
        let collector = Collector::start().unwrap();
        let guard = OtlpConfig::default().with_endpoint(collector.endpoint()).init().unwrap();
        let span = otlp::span!("s");
        match std::env::var("SHORT_OF").unwrap().as_str() {
            "a span" => (0..10).for_each(|n| span.set_attribute(&format!("k{n}"), large())),
            "a key" => span.set_attribute(&large(), 1),
            "a name" => span.update_name(&large()),
            "an event's name" => span.add_event(&large(), ()),
            "a built name" => otlp::Span::builder(large()).start().end(),
            "a name that fits" => span.update_name(&"x".repeat(65_535)),
            _ => (0..5).for_each(|n| span.set_attribute(&format!("k{n}"), large())),
        }
        drop(span);
        drop(guard);
        return;
    }
    for short_of in ["a span", "a key", "a name", "an event's name", "a built name", "a name that fits", "nothing"] {
        let said = in_own_process(NAME, &[("SHORT_OF", short_of)]);
        let lines = said.lines().filter(|line| line.contains("1 MiB") && line.contains("65,535")).count();
        assert_eq!(lines, usize::from(short_of != "a name that fits" && short_of != "nothing"), "{short_of}: {said}");
    }
}

/// A span that stays in its slot says what found no room, as one does that grew.
#[test]
fn what_is_too_large_for_a_span_is_counted_where_nothing_else_grew() {
    let huge = "x".repeat((1 << 20) + 1);
    let ((), captured) = capture(|| otlp::span!("small", huge = &huge, other = 2).end());
    let span = captured.one("small");
    assert_eq!((span.attributes.len(), span.i64("other"), span.dropped_attributes), (1, Some(2), 1));
}
