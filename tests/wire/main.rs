//! What arrives: everything that a program can record, as a receiver decodes it.
#![allow(clippy::unwrap_used, clippy::needless_borrows_for_generic_args, clippy::type_complexity)]

mod context;
mod errors;
mod events;
mod fields;
mod futures;
mod sampling;
mod spans;
mod values;

use otlp::AttributeValue;
use otlp::testing::{Captured, CapturedSpan, capture};

/// The spans of `f`.
fn spans_of<R>(f: impl FnOnce() -> R) -> Captured {
    capture(f).1
}

/// The attributes as text, in their order.
fn attributes(span: &CapturedSpan) -> Vec<String> {
    pairs(&span.attributes)
}

fn pairs(attributes: &[(String, AttributeValue)]) -> Vec<String> {
    attributes.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect()
}

fn shown(value: &AttributeValue) -> String {
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
