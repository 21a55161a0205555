//! Fields to the closure that records them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned as _;
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
    pub(crate) fn recorder(&self, private: &TokenStream) -> Recorder {
        let site = Span::mixed_site();
        if self.0.is_empty() {
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
                Field::Spread(value) => {
                    let here = located(value);
                    statements.extend(quote_spanned!(here=> __otlp_fields.spread(&(#value));));
                }
            }
        }
        let closure = quote_spanned!(site=> |__otlp_fields: &mut #private::Fields<'_>| { #statements });
        Recorder { keys, closure }
    }
}

impl Form {
    /// The call carries the value's place, so that "cannot be recorded" points at what the user wrote.
    fn record(self, index: &LitInt, value: &Expr) -> TokenStream {
        let here = located(value);
        match self {
            Self::Value => quote_spanned!(here=> __otlp_fields.value(#index, &(#value));),
            Self::Display => quote_spanned!(here=> __otlp_fields.display(#index, &(#value));),
            Self::Debug => quote_spanned!(here=> __otlp_fields.debug(#index, &(#value));),
        }
    }
}

impl ToTokens for Key {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text { text, .. } => LitStr::new(text, Span::mixed_site()).to_tokens(tokens),
            Self::Const(constant) => constant.to_tokens(tokens),
        }
    }
}

fn located(value: &Expr) -> Span {
    Span::mixed_site().located_at(value.span())
}
