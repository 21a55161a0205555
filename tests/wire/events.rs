//! Events, links and the status.

use otlp::{Context, SpanId, StatusCode, TraceFlags, TraceId};

use super::{pairs, spans_of};

#[test]
fn trc7_events_keep_their_order_time_and_attributes() {
    let captured = spans_of(|| {
        let span = otlp::span!("work");
        span.add_event("first", ());
        span.add_event("second", (("n", 1), ("text", "two"), ("none", None::<u8>)));
        span.add_event("", [("k", vec![1, 2])]);
        span.add_event("first", [("again", true)]);
    });
    let span = captured.one("work");
    let events: Vec<_> = span.events.iter().map(|e| format!("{} {}", e.name, pairs(&e.attributes).join(" "))).collect();
    assert_eq!(events, ["first ", "second n=1 text=\"two\"", " k=[1, 2]", "first again=true"]);
    let times: Vec<_> = span.events.iter().map(|event| event.unix_nanos).collect();
    assert!(times.is_sorted() && span.start_unix_nanos <= times[0] && times[3] <= span.end_unix_nanos, "{span:?}");
}

#[test]
fn lim3_lim5_events_links_and_attributes_beyond_their_limits_are_counted() {
    let captured = spans_of(|| {
        let span = otlp::span!("much");
        for n in 0..130 {
            span.add_event("e", [("n", n)]);
            span.add_link(&span.context(), ());
            span.set_attribute(&format!("k{n}"), n);
        }
        let many: Vec<_> = (0..131).map(|n| (format!("k{n}"), n)).collect();
        let other = otlp::span!("other");
        other.add_event("e", &many);
        other.add_link(&span.context(), &many);
        // Of a key that is there already the value changes, however many there are.
        span.set_attribute("k0", "new");
    });
    let span = captured.one("much");
    assert_eq!((span.events.len(), span.dropped_events), (128, 2));
    assert_eq!((span.links.len(), span.dropped_links), (128, 2));
    assert_eq!((span.attributes.len(), span.dropped_attributes), (128, 2));
    assert_eq!((span.string("k0"), span.i64("k127"), span.i64("k128")), (Some("new"), Some(127), None));
    let other = captured.one("other");
    let (event, link) = (&other.events[0], &other.links[0]);
    assert_eq!((event.attributes.len(), event.dropped_attributes), (128, 3));
    assert_eq!((link.attributes.len(), link.dropped_attributes), (128, 3));
}

#[test]
fn a_span_may_be_written_to_as_often_as_it_likes() {
    const TIMES: u32 = 200_000;
    let captured = spans_of(|| {
        let span = otlp::span!("loop", start = 1);
        for n in 0..TIMES {
            span.set_attribute("progress", n);
            span.update_name(if n % 2 == 0 { "even" } else { "odd" });
            span.set_status(StatusCode::Error, if n % 3 == 0 { "third" } else { "other" });
            span.add_event("step", [("n", n)]);
            span.add_link(&span.context(), ());
        }
        span.set_attribute("end", 2);
    });
    let span = captured.one("odd");
    assert_eq!(super::attributes(span), ["start=1", &format!("progress={}", TIMES - 1), "end=2"]);
    assert_eq!((span.status, &*span.status_message), (StatusCode::Error, "other"));
    assert_eq!(span.dropped_attributes, 0);
    assert_eq!((span.events.len(), span.dropped_events), (128, TIMES - 128));
    // The count of links stops earlier.
    assert_eq!((span.links.len(), span.dropped_links), (128, 4095));
}

#[test]
fn trc7_pro2_links_name_the_other_span_and_whether_it_is_remote() {
    let remote = |flags| {
        let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
        Context::remote(trace, SpanId::from_hex("00f067aa0ba902b7").unwrap(), flags)
    };
    let captured = spans_of(|| {
        let cause = otlp::span!("cause");
        let span = otlp::span!("effect");
        span.add_link(&cause.context(), [("why", "batch")]);
        span.add_link(&remote(TraceFlags::SAMPLED.with(TraceFlags::RANDOM)), ());
        span.add_link(&remote(TraceFlags::NONE), ());
        span.add_link(&Context::root(), [("ignored", 1)]);
    });
    let (cause, span) = (captured.one("cause"), captured.one("effect"));
    let [local, sampled, unsampled] = &span.links[..] else { panic!("{:?}", span.links) };
    assert_eq!((local.trace_id, local.span_id, local.flags), (cause.trace_id, cause.span_id, 0x103));
    assert_eq!(pairs(&local.attributes), ["why=\"batch\""]);
    assert_eq!(sampled.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(sampled.span_id.to_string(), "00f067aa0ba902b7");
    assert_eq!((sampled.flags, unsampled.flags), (0x303, 0x300));
    assert_ne!(cause.trace_id, span.trace_id, "a link makes no parent");
}

#[test]
fn trc8_ok_is_final_error_beats_unset_and_only_errors_have_a_description() {
    use StatusCode::{Error, Ok, Unset};
    let cases: [(&[(StatusCode, &str)], StatusCode, &str); 9] = [
        (&[], Unset, ""),
        (&[(Unset, "text")], Unset, ""),
        (&[(Ok, "text")], Ok, ""),
        (&[(Error, "why")], Error, "why"),
        (&[(Error, "why"), (Unset, "")], Error, "why"),
        (&[(Error, "first"), (Error, "second")], Error, "second"),
        (&[(Error, "why"), (Ok, "")], Ok, ""),
        (&[(Ok, ""), (Error, "why")], Ok, ""),
        (&[(Ok, ""), (Unset, "")], Ok, ""),
    ];
    for (calls, code, message) in cases {
        let captured = spans_of(|| {
            let span = otlp::span!("work");
            calls.iter().for_each(|(code, message)| span.set_status(*code, message));
        });
        let span = captured.one("work");
        assert_eq!((span.status, span.status_message.as_str()), (code, message), "{calls:?}");
    }
}

#[test]
fn trc16_record_error_adds_an_event_and_leaves_the_status() {
    let captured = spans_of(|| {
        let span = otlp::span!("work");
        span.record_error(&std::fmt::Error);
        let parsed: Box<dyn std::error::Error> = "x".parse::<u8>().unwrap_err().into();
        span.record_error(&*parsed);
    });
    let span = captured.one("work");
    assert_eq!((span.status, span.attributes.len(), span.events.len()), (StatusCode::Unset, 0, 2));
    let said: Vec<_> = span.events.iter().map(|event| (event.name.as_str(), pairs(&event.attributes))).collect();
    assert_eq!(said[0].0, "exception");
    assert_eq!(said[0].1[0], "exception.type=\"core::fmt::Error\"");
    assert_eq!(said[1].1, ["exception.message=\"invalid digit found in string\""]);
}
