//! What a piece of code recorded, span by span.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::future::Future;
use std::ops::Deref;

use otlp::testing::{Captured, CapturedSpan, capture, capture_async};
use otlp::{AttributeValue, StatusCode};

/// A span that arrived; everything that it says of itself is there by `Deref`.
#[derive(Debug)]
pub(crate) struct Seen {
    span: CapturedSpan,
    parent: Option<String>,
}

impl Deref for Seen {
    type Target = CapturedSpan;

    fn deref(&self) -> &CapturedSpan {
        &self.span
    }
}

/// `error.type` and message.
pub(crate) type Failure = (String, Option<String>);

impl Seen {
    /// The name of the span above it.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// What its function returned, if that was an error: all that the span says of it, which must agree.
    #[track_caller]
    pub(crate) fn error(&self) -> Option<Failure> {
        let event = self.event("exception");
        let Some(error_type) = self.string("error.type") else {
            assert!(event.is_none() && (!self.is_error() || self.panicked()), "{self:?}");
            return None;
        };
        let message = Some(&self.status_message).filter(|message| !message.is_empty());
        assert_eq!(self.status, StatusCode::Error, "{self:?}");
        // There is none if the same error was told of a span below.
        if let Some(event) = event {
            let event = (event.string("exception.type"), event.string("exception.message"));
            let known = (error_type != "_OTHER").then_some(error_type);
            assert_eq!(event, (known, message.map(String::as_str)), "{self:?}");
        }
        Some((error_type.to_owned(), message.cloned()))
    }

    /// Whether its function panicked.
    pub(crate) fn panicked(&self) -> bool {
        self.is_error() && self.status_message == "panicked" && self.string("error.type").is_none()
    }
}

fn seen(captured: Captured) -> Vec<Seen> {
    let spans = captured.into_spans();
    let name = |id| spans.iter().find(|span| span.span_id == id).map(|span| span.name.clone());
    let parent = |span: &CapturedSpan| {
        let id = span.parent_span_id.filter(|_| span.has_remote_parent() != Some(true))?;
        Some(name(id).expect("the parent has ended too"))
    };
    let parents: Vec<_> = spans.iter().map(parent).collect();
    spans.into_iter().zip(parents).map(|(span, parent)| Seen { span, parent }).collect()
}

/// The spans that `f` makes, in order of their end.
pub(crate) fn spans<R>(f: impl FnOnce() -> R) -> (R, Vec<Seen>) {
    let (returned, captured) = capture(f);
    (returned, seen(captured))
}

/// The one span that `f` makes.
#[track_caller]
pub(crate) fn one<R>(f: impl FnOnce() -> R) -> (R, Seen) {
    let (returned, mut spans) = spans(f);
    assert_eq!(spans.len(), 1, "{spans:?}");
    (returned, spans.remove(0))
}

/// The spans of a future that is driven to its end, in order of their end.
pub(crate) fn wait<F: Future>(future: F) -> (F::Output, Vec<Seen>) {
    let (returned, captured) = block_on(capture_async(future));
    (returned, seen(captured))
}

/// Drives a future to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The one span of this name.
#[track_caller]
pub(crate) fn named<'s>(spans: &'s [Seen], name: &str) -> &'s Seen {
    let named: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    let [span] = named[..] else { panic!("not exactly one `{name}` in {spans:?}") };
    span
}

/// The names, in order of their end.
pub(crate) fn names(spans: &[Seen]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

/// The attributes as `key=value`, in their order.
pub(crate) fn attributes(span: &CapturedSpan) -> Vec<String> {
    pairs(&span.attributes)
}

/// Attributes as `key=value`.
pub(crate) fn pairs(attributes: &[(String, AttributeValue)]) -> Vec<String> {
    attributes.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect()
}

/// A value as text, from which its type can be told.
pub(crate) fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::String(text) => format!("{text:?}"),
        AttributeValue::Bool(value) => value.to_string(),
        AttributeValue::I64(value) => value.to_string(),
        AttributeValue::F64(value) => format!("{value:?}"),
        AttributeValue::Bytes(bytes) => format!("b{bytes:?}"),
        AttributeValue::Array(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

/// Pends once, with a span in each of its two polls.
pub(crate) async fn pause() {
    drop(otlp::span!("poll"));
    tokio::task::yield_now().await;
    drop(otlp::span!("poll"));
}
