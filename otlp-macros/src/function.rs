//! The annotated item. Its body stays the tokens that the user wrote: they are not parsed, only carried.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Result, Signature, Token, Visibility, token};

/// A function as written.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Body,
}

/// The braces and what is inside.
#[derive(Clone)]
pub(crate) struct Body {
    /// `#![...]`, which must stay the first tokens of the function's own braces.
    pub(crate) attributes: Vec<Attribute>,
    /// The braces with everything else; they point at the user's.
    pub(crate) block: Group,
    /// Where the user's braces stand.
    pub(crate) braces: Span,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = match input.fork().parse::<Signature>() {
            Ok(_) => input.parse::<Signature>()?,
            Err(error) => return Err(not_a_function(input, error)),
        };
        let body = if input.peek(token::Brace) {
            input.parse()?
        } else if input.peek(Token![;]) {
            let message = "a method without a body has nothing to trace; annotate the methods that implement it";
            return Err(Error::new_spanned(&signature.ident, message));
        } else {
            return Err(input.error("expected the function's body"));
        };
        Ok(Self { attributes, visibility, signature, body })
    }
}

impl Parse for Body {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let content;
        let braces = syn::braced!(content in input);
        let attributes = content.call(Attribute::parse_inner)?;
        let braces = braces.span.join();
        let block = carried(content.parse()?, braces);
        Ok(Self { attributes, block, braces })
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, visibility, signature, body } = self;
        let (inner, stream) = (&body.attributes, body.block.stream());
        let mut block = Group::new(Delimiter::Brace, quote!(#(#inner)* #stream));
        block.set_span(body.block.span());
        tokens.extend(quote!(#(#attributes)* #visibility #signature #block));
    }
}

/// Braces around the user's tokens, with the span of the user's. Those on one line are the expansion's all the same: else
/// rustc would find them unnecessary, for ours are around them.
pub(crate) fn carried(tokens: TokenStream, at: Span) -> Group {
    let mut block = Group::new(Delimiter::Brace, tokens);
    let long = at.source_text().is_some_and(|text| text.contains('\n'));
    block.set_span(if long { at } else { at.resolved_at(Span::mixed_site()) });
    block
}

/// Names what the attribute stands on instead.
fn not_a_function(input: ParseStream<'_>, error: Error) -> Error {
    let at = input.span();
    let found = match input.parse::<TokenTree>() {
        Ok(TokenTree::Ident(word)) => word.to_string(),
        _ => String::new(),
    };
    let remedy = match found.as_str() {
        "mod" => "; annotate the functions in it",
        "struct" | "enum" | "union" | "static" | "type" | "use" | "macro_rules" | "let" => "",
        _ => return error,
    };
    Error::new(at, format!("`#[traced]` stands on a function or method, not on `{found}`{remedy}"))
}
