//! `#[otlp::traced]` on functions and methods.

mod arguments;
mod body;
mod expand;
mod fallback;
mod function;
mod future;
mod model;
mod options;
mod returns;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::TokenStream;

use function::Function;
use model::Traced;
use options::Options;

/// The annotated function with its recording inside, or one diagnostic and the item as it was.
pub(crate) fn traced(options: TokenStream, item: TokenStream) -> TokenStream {
    match model(options, item.clone()) {
        Ok(traced) => expand::expand(&traced),
        Err(error) => fallback::fallback(&error, item),
    }
}

fn model(options: TokenStream, item: TokenStream) -> syn::Result<Traced> {
    let options: Options = syn::parse2(options)?;
    let function: Function = syn::parse2(item)?;
    validate::validate(options, function)
}
