#![forbid(unsafe_code)]
#![deny(warnings, unused, missing_docs, unreachable_pub, deprecated, private_bounds, private_interfaces)]
//! A crate that denies much, and what derives may stand on.
use otlp::{Attributes, Value};

/// Deprecated throughout.
#[deprecated]
#[derive(Value)]
pub struct Old(u8);

/// In parts.
#[derive(Value)]
pub enum Parts<'a, T: 'a + ?Sized> {
    /// One.
    #[deprecated]
    Old,
    /// Another.
    New(&'a T),
    /// Without a name of its own.
    Never(Never),
}

/// Nothing.
#[derive(Value)]
pub enum Never {}

/// A private type within.
#[derive(Attributes)]
pub struct Labels<T = u8> {
    #[deprecated]
    old: u8,
    private: Private,
    generic: Option<Generic<T>>,
    #[attribute(flatten)]
    more: More<T>,
}

#[derive(Value)]
struct Private(u8);

#[derive(Value)]
struct Generic<T>(T);

#[derive(Attributes)]
struct More<T> {
    #[attribute(display)]
    last: T,
}

#[rustfmt::skip]
fn main() {
    #[derive(Attributes)]
    struct Local { n: u8, #[attribute(flatten)] labels: Labels }
    let labels = Labels { #[allow(deprecated)] old: 1, private: Private(1), generic: None, more: More { last: 1 } };
    let new: Parts<'_, str> = Parts::New("x");
    let _ = otlp::span!("s", ..Local { n: 1, labels }, new);
}
