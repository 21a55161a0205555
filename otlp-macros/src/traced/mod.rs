//! `#[otlp::traced]` on functions, methods, and blocks of methods.

mod arguments;
mod block;
mod body;
mod expand;
mod future;
mod in_place;
mod model;
mod options;
mod owner;
mod returns;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::{Span, TokenStream};

use crate::fallback;
use crate::function::Function;
use block::Block;
use model::Traced;
use options::Options;

/// The annotated function with its recording inside, or one diagnostic and the item as it was.
pub(crate) fn traced(options: TokenStream, item: TokenStream) -> TokenStream {
    if is_key_value() {
        return item;
    }
    if let Some(block) = Block::of(&item) {
        return block::traced(options, &block);
    }
    match model(options, item.clone()) {
        Ok(traced) => expand::expand(&traced),
        Err(error) => fallback::fallback(&error, item),
    }
}

/// Whether the attribute is written `#[traced = "..."]`, of which rustc itself says that it cannot be. The tokens of the value
/// are all that it hands over, so the text has to tell.
fn is_key_value() -> bool {
    Span::call_site().source_text().is_some_and(|text| {
        text.trim_start_matches(['#', '!', '[', ' ']).chars().find(|c| "=([{".contains(*c)) == Some('=')
    })
}

fn model(options: TokenStream, item: TokenStream) -> syn::Result<Traced> {
    let options: Options = syn::parse2(options)?;
    let function: Function = syn::parse2(item)?;
    validate::validate(options, function)
}
