//! Every shape of function: it compiles as it would without the attribute, and its span is right.
#![forbid(unsafe_op_in_unsafe_fn)]
#![allow(clippy::unwrap_used, missing_docs)]

mod asynchronous;
mod made_futures;
mod returned_futures;
#[path = "../support/mod.rs"]
mod support;
mod sync;

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use otlp::{Span, SpanKind, StatusCode, span, traced};
use support::{Failure, Seen, attributes, block_on, named, names, one, pause, spans, wait};

/// The span `name`, whose function awaited one [`pause`]: it was current in both polls, and lasted from one to the other.
#[track_caller]
fn paused<'s>(spans: &'s [Seen], name: &str) -> &'s Seen {
    let span = named(spans, name);
    let polls: Vec<_> = spans.iter().filter(|span| span.name == "poll").collect();
    assert_eq!(polls.len(), 2, "{spans:?}");
    for poll in polls {
        assert_eq!(poll.parent(), Some(name));
        assert!(span.start_unix_nanos <= poll.start_unix_nanos && poll.end_unix_nanos <= span.end_unix_nanos);
    }
    span
}

#[derive(Debug)]
struct Broken;
impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}
impl Error for Broken {}

fn broken() -> Option<Failure> {
    Some(("shapes::Broken".to_owned(), Some("broken".to_owned())))
}
