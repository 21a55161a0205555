//! `#[derive(otlp::Attributes)]` on structs with named fields.

mod expand;
mod model;
mod parse;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::TokenStream;

use crate::derive::{self, ATTRIBUTES};

/// The implementation, or one diagnostic and an implementation that records nothing.
pub(crate) fn attributes(input: TokenStream) -> TokenStream {
    match parse::parse(input.clone()).and_then(validate::validate) {
        Ok(attributes) => expand::expand(&attributes),
        Err(error) => derive::fallback(&error, input, ATTRIBUTES),
    }
}
