//! Procedural macros of the `otlp` crate. Use them through `otlp`; nothing here is a public promise of its own.
//!
//! Each macro goes the same way: *parse* tokens into what was written, *validate* it into a model, *expand* the model.
//! When something is wrong, the *fallback* gives the one diagnostic and the item as it was written, so that no second
//! error follows. Expansions name nothing but `::otlp::__private` and `::core`.

mod attributes;
mod callsite;
mod derive;
mod entry;
mod event;
mod fallback;
mod fields;
mod function;
mod keyword;
#[cfg(test)]
mod snapshot;
mod span;
mod traced;
mod value;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/traced.md")]
#[proc_macro_attribute]
pub fn traced(options: TokenStream, item: TokenStream) -> TokenStream {
    traced::traced(options.into(), item.into()).into()
}

#[doc = include_str!("../docs/main.md")]
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::entry(options.into(), item.into()).into()
}

#[doc = include_str!("../docs/value.md")]
#[proc_macro_derive(Value, attributes(value))]
pub fn derive_value(input: TokenStream) -> TokenStream {
    value::value(input.into()).into()
}

#[doc = include_str!("../docs/attributes.md")]
#[proc_macro_derive(Attributes, attributes(attributes, attribute))]
pub fn derive_attributes(input: TokenStream) -> TokenStream {
    attributes::attributes(input.into()).into()
}

/// The part of `otlp::event!` and `otlp::info!` that needs a parser: `[path of otlp] info "text", fields...`.
#[doc(hidden)]
#[proc_macro]
pub fn __event(input: TokenStream) -> TokenStream {
    event::event(input.into()).into()
}

/// The part of `otlp::span!` that needs a parser: `[path of otlp] "name", fields...`.
#[doc(hidden)]
#[proc_macro]
pub fn __span(input: TokenStream) -> TokenStream {
    span::span(input.into()).into()
}
