//! Contexts and scopes by hand: what is current where, and who is whose parent.

use otlp::{Context, Span, SpanId, TraceFlags, TraceId, traced};

use super::spans_of;

#[traced]
fn work() {}

fn trace() -> TraceId {
    TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap()
}

fn parent() -> SpanId {
    SpanId::from_hex("00f067aa0ba902b7").unwrap()
}

#[test]
fn trc5_creation_does_not_activate() {
    let captured = spans_of(|| {
        let span = otlp::span!("created");
        assert!(!Span::current().span_id().is_valid());
        work();
        let entered = span.entered();
        assert_eq!(Span::current().span_id(), entered.span_id());
        let span = entered.exit();
        assert!(!Span::current().span_id().is_valid());
        assert!(span.is_recording());
        span.in_scope(|| drop(otlp::span!("inside")));
    });
    assert_eq!(captured.one("work").parent_span_id, None);
    assert_eq!(captured.one("inside").parent_span_id, Some(captured.one("created").span_id));
}

#[test]
fn trc7_a_context_outlives_its_span_and_has_children_still() {
    let captured = spans_of(|| {
        let span = otlp::span!("early");
        let context = Context::from(&span);
        span.end();
        context.run(work);
        std::thread::spawn(move || context.run(|| drop(otlp::span!("later")))).join().unwrap();
    });
    let early = captured.one("early");
    assert_eq!(captured.children_of(early).len(), 2);
}

#[test]
fn trc9_an_ended_span_stays_current_for_its_children() {
    let captured = spans_of(|| {
        let span = otlp::span!("parent");
        let context = span.context();
        let _attached = context.attach();
        span.end();
        assert!(!Span::current().is_recording());
        work();
    });
    assert_eq!(captured.one("work").parent_span_id, Some(captured.one("parent").span_id));
}

#[test]
fn attached_contexts_restore_what_was_there() {
    let captured = spans_of(|| {
        let outer = otlp::span!("outer");
        let (first, second) = (otlp::span!("first").context(), otlp::span!("second").context());
        let _outer = outer.entered();
        {
            let _first = first.attach();
            drop(otlp::span!("in first"));
            second.run(|| drop(otlp::span!("in second")));
            {
                let _root = Context::root().attach();
                drop(otlp::span!("in none"));
            }
            drop(otlp::span!("in first again"));
        }
        drop(otlp::span!("in outer"));
    });
    for (child, parent) in
        [("in first", "first"), ("in second", "second"), ("in first again", "first"), ("in outer", "outer")]
    {
        assert_eq!(captured.one(child).parent_span_id, Some(captured.one(parent).span_id), "{child}");
    }
    assert_eq!(captured.one("in none").parent_span_id, None);
}

#[test]
fn trc3_pro2_a_remote_parent_is_continued_and_said_to_be_remote() {
    for (flags, expected) in [(TraceFlags::SAMPLED, 0x301), (TraceFlags::SAMPLED.with(TraceFlags::RANDOM), 0x303)] {
        let captured = spans_of(|| {
            let remote = Context::remote(trace(), parent(), flags);
            assert_eq!((remote.span().trace_id(), remote.span().span_id()), (trace(), parent()));
            assert_eq!(remote.span().trace_flags(), flags);
            assert!(!remote.span().is_recording());
            remote.span().set_attribute("nobody", 1);
            remote.run(|| otlp::span!("server").in_scope(work));
        });
        let (server, work) = (captured.one("server"), captured.one("work"));
        assert_eq!((server.trace_id, server.parent_span_id), (trace(), Some(parent())));
        assert_eq!((server.flags, server.has_remote_parent()), (expected, Some(true)));
        assert_eq!((work.parent_span_id, work.flags), (Some(server.span_id), expected & !0x200));
    }
}

#[test]
fn trc10_where_nothing_is_recorded_a_span_still_stands_for_its_parent() {
    let _alone = super::sampling::alone();
    let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    let parent = Context::remote(trace, SpanId::from_hex("00f067aa0ba902b7").unwrap(), TraceFlags::SAMPLED);
    parent.run(|| {
        let span = otlp::span!("client");
        assert_eq!((span.trace_id(), span.span_id()), (trace, parent.span().span_id()));
        assert!(!span.is_recording());
    });
}

#[test]
fn trc3_invalid_ids_are_no_parent() {
    let captured = spans_of(|| {
        for (trace, span) in [(TraceId::INVALID, parent()), (trace(), SpanId::INVALID)] {
            Context::remote(trace, span, TraceFlags::SAMPLED).run(work);
        }
        Context::root().run(work);
    });
    assert_eq!(captured.roots().len(), 3);
    assert!(captured.spans().iter().all(|span| span.parent_span_id.is_none() && span.trace_id != trace()));
}

#[traced(root)]
fn rooted() {}

#[test]
fn trc5_root_ignores_a_remote_parent_too() {
    let captured = spans_of(|| Context::remote(trace(), parent(), TraceFlags::SAMPLED).run(rooted));
    let span = captured.one("rooted");
    assert_eq!((span.parent_span_id, span.flags), (None, 0x103));
    assert_ne!(span.trace_id, trace());
}

#[test]
fn debug_shows_ids_and_nothing_that_was_recorded() {
    let captured = spans_of(|| {
        let span = otlp::span!("s", secret = "hunter2");
        span.set_attribute("token", "hunter2");
        let entered = span.entered();
        let text =
            format!("{:?} {:?} {entered:?} {:?}", Span::current(), Context::current(), entered.context().attach());
        assert!(text.contains(&entered.span_id().to_string()) && !text.contains("hunter2"), "{text}");
    });
    assert_eq!(captured.one("s").string("token"), Some("hunter2"));
}
