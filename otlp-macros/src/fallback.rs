//! What is left when something is wrong: the diagnostic, and the item untouched, so that nothing else fails.

use proc_macro2::TokenStream;

pub(crate) fn fallback(error: &syn::Error, item: TokenStream) -> TokenStream {
    let mut tokens = error.to_compile_error();
    tokens.extend(item);
    tokens
}
