//! What arrives: everything that a program can record, as a receiver decodes it.
#![allow(clippy::unwrap_used, clippy::needless_borrows_for_generic_args, clippy::type_complexity)]

mod builder;
mod carried;
mod context;
mod errors;
mod events;
mod fields;
mod futures;
mod samplers;
mod sampling;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod values;

use otlp::testing::{Captured, capture};
use support::{attributes, pairs, shown};

/// The spans of `f`.
fn spans_of<R>(f: impl FnOnce() -> R) -> Captured {
    capture(f).1
}
