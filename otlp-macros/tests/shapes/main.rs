//! Every shape of function: it compiles as it would without the attribute, and its span is right.
#![forbid(unsafe_op_in_unsafe_fn)]
#![allow(clippy::unwrap_used, missing_docs)]

mod asynchronous;
mod returned_futures;
#[path = "../support/mod.rs"]
mod support;
mod sync;

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use otlp_macros::traced;
use support::__private::{Level, SpanKind, calls, disabled};
use support::Call;

/// The one span that `f` makes.
fn one<R>(f: impl FnOnce() -> R) -> (R, Call) {
    let (result, mut calls) = calls(f);
    assert_eq!(calls.len(), 1, "{calls:?}");
    (result, calls.remove(0))
}

/// The spans of a future that is driven to its end, in order of their end.
fn wait<F: Future>(future: F) -> (F::Output, Vec<Call>) {
    calls(|| tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future))
}

#[derive(Debug)]
struct Broken;
impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}
impl Error for Broken {}

fn broken() -> Option<(String, Option<String>)> {
    Some(("shapes::Broken".to_owned(), Some("broken".to_owned())))
}
