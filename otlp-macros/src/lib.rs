//! Procedural macros of the `otlp` crate. Use them through `otlp`.

use proc_macro::TokenStream;

/// The part of `otlp::span!` that needs a parser.
#[doc(hidden)]
#[proc_macro]
pub fn __span(input: TokenStream) -> TokenStream {
    input
}
