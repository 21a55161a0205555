//! Fields to the closure that records them.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Expr, LitInt, LitStr};

use super::{Field, Fields, Form, Key};

/// What an expansion needs of a field list.
pub(crate) struct Recorder {
    /// The elements of `Metadata::keys`.
    pub(crate) keys: TokenStream,
    /// The closure for `enter`, `start` and `span`.
    pub(crate) closure: TokenStream,
}

impl Fields {
    /// Each key goes into the callsite, each value into the closure, which borrows and evaluates in the order written.
    pub(crate) fn recorder(&self, private: &TokenStream, links: Option<&Expr>) -> Recorder {
        let site = Span::mixed_site();
        if self.0.is_empty() && links.is_none() {
            return Recorder { keys: TokenStream::new(), closure: quote_spanned!(site=> |_| {}) };
        }
        let (mut keys, mut statements) = (TokenStream::new(), TokenStream::new());
        let mut index = 0_usize;
        for field in &self.0 {
            match field {
                Field::Attribute { key, form, value } => {
                    let at = LitInt::new(&format!("{index}u16"), site);
                    index += 1;
                    keys.extend(quote_spanned!(site=> #key,));
                    statements.extend(form.record(&at, value));
                }
                Field::Argument { name, cfgs } => {
                    let at = LitInt::new(&format!("{index}u16"), site);
                    index += 1;
                    let key = LitStr::new(&name.unraw().to_string(), site);
                    keys.extend(quote_spanned!(site=> #key,));
                    statements.extend(quote_spanned! {site=>
                        #(#cfgs)*
                        (&#private::Argument(&#name)).otlp_argument(__otlp_fields, #at);
                    });
                }
                Field::Spread(value) => {
                    let (here, borrow) = borrow(value);
                    statements.extend(quote_spanned!(here=> __otlp_fields.spread(#borrow);));
                }
            }
        }
        let uses = self
            .0
            .iter()
            .any(|field| matches!(field, Field::Argument { .. }))
            .then(|| quote_spanned!(site=> use #private::RecordArgument as _;));
        let links = links.map(|links| {
            let (here, links) = located(links);
            quote_spanned!(here=> __otlp_fields.links(#links);)
        });
        let closure = quote_spanned!(site=> |__otlp_fields: &mut #private::Fields<'_>| { #uses #statements #links });
        Recorder { keys, closure }
    }
}

impl Form {
    fn record(self, index: &LitInt, value: &Expr) -> TokenStream {
        let (here, borrow) = borrow(value);
        match self {
            Self::Value => quote_spanned!(here=> __otlp_fields.value(#index, #borrow);),
            Self::Display => quote_spanned!(here=> __otlp_fields.display(#index, #borrow);),
            Self::Debug => quote_spanned!(here=> __otlp_fields.debug(#index, #borrow);),
        }
    }
}

/// `&(value)`, and the place where it begins.
fn borrow(value: &Expr) -> (Span, TokenStream) {
    let (start, value) = located(value);
    (start, quote_spanned!(start=> &#value))
}

/// `(value)`, which reaches from the value's first token to its last, and the place where it begins.
fn located(value: &Expr) -> (Span, Group) {
    let tokens = value.to_token_stream();
    let site = Span::mixed_site();
    let start = tokens.clone().into_iter().next().map_or(site, |token| match token {
        TokenTree::Group(group) => group.span_open(),
        token => token.span(),
    });
    let end = tokens.clone().into_iter().last().map_or(site, |token| match token {
        TokenTree::Group(group) => group.span_close(),
        token => token.span(),
    });
    let (start, end) = (site.located_at(start), site.located_at(end));
    let mut value = Group::new(Delimiter::Parenthesis, tokens);
    value.set_span(end);
    (start, value)
}

impl ToTokens for Key {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text { text, .. } => LitStr::new(text, Span::mixed_site()).to_tokens(tokens),
            Self::Const(constant) => constant.to_tokens(tokens),
        }
    }
}
