//! `#[derive(otlp::Value)]` on newtypes and enums.

mod case;
mod expand;
mod model;
mod parse;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::TokenStream;

use crate::derive::{self, VALUE};

/// The implementation, or one diagnostic and an implementation that records nothing.
pub(crate) fn value(input: TokenStream) -> TokenStream {
    match parse::parse(input.clone()).and_then(validate::validate) {
        Ok(value) => expand::expand(&value),
        Err(error) => derive::fallback(&error, input, VALUE),
    }
}
