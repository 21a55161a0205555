//! The model to tokens.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::Member;

use super::model::{Attributes, Content, Field};
use crate::derive::{Here, within_option};
use crate::fields::Form;

pub(super) fn expand(attributes: &Attributes) -> TokenStream {
    let Attributes { frame, fields } = attributes;
    let record: TokenStream = fields.iter().map(|field| field.record(&frame.private)).collect();
    frame.expand(&record, &TokenStream::new())
}

impl Field {
    fn record(&self, private: &TokenStream) -> TokenStream {
        let Self { ident, ty, content } = self;
        let here = Here::of(ty);
        let field = here.of_self(&Member::Named(ident.clone()));
        match content {
            Content::Flatten => {
                let private = here.path(private);
                quote_spanned!(here.start=> #private::Attributes::record(#field, __otlp_writer);)
            }
            Content::Attribute(key, Form::Value) => quote_spanned!(here.start=> __otlp_writer.attribute(#key, #field);),
            Content::Attribute(key, form) => {
                let text = form.method(here.start);
                if within_option(ty).is_none() {
                    return quote_spanned!(here.start=> __otlp_writer.#text(#key, &#field););
                }
                quote_spanned! {here.start=>
                    if let ::core::option::Option::Some(__otlp_text) = #field {
                        __otlp_writer.#text(#key, &__otlp_text);
                    }
                }
            }
        }
    }
}
