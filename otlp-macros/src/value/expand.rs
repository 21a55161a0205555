//! The model to tokens.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use super::model::{Content, Inner, Shape, Value, Variant};
use crate::derive::{Here, within_option};
use crate::fields::Form;

pub(super) fn expand(value: &Value) -> TokenStream {
    let Value { frame, shape } = value;
    let private = &frame.private;
    let site = Span::mixed_site();
    let (record, plain) = match shape {
        Shape::Text(form, at) => {
            let at = site.located_at(*at);
            let text = form.method(at);
            (quote_spanned!(at=> __otlp_writer.#text(&self);), None)
        }
        Shape::Newtype(inner) => {
            let field = Here::of(&inner.ty).of_self(&inner.member);
            (inner.record(private, &field), inner.is_plain(private, &field))
        }
        Shape::Enum(variants) if variants.is_empty() => {
            (quote_spanned!(site=> let _ = __otlp_writer; match *self {}), None)
        }
        Shape::Enum(variants) => {
            let arms = variants.iter().map(|variant| variant.record(private));
            let plain = variants.iter().map(|variant| variant.is_plain(private));
            let plain = if variants.iter().all(|variant| matches!(variant.content, Content::Text(_))) {
                quote_spanned!(site=> true)
            } else {
                quote_spanned!(site=> match self { #(#plain)* })
            };
            (quote_spanned!(site=> match self { #(#arms)* }), Some(plain))
        }
    };
    let plain = plain.map(|plain| {
        quote_spanned! {site=>
            #[inline]
            fn is_plain(&self) -> ::core::primitive::bool {
                #plain
            }
        }
    });
    frame.expand(&record, &plain.unwrap_or_default())
}

impl Inner {
    fn record(&self, private: &TokenStream, field: &TokenStream) -> TokenStream {
        let (private, here) = (Here::of(&self.ty).path(private), Here::of(&self.ty).start);
        match self.form {
            Form::Value => quote_spanned! {here=>
                #private::inner(#field, ::core::option::Option::Some(__otlp_writer));
            },
            form if within_option(&self.ty).is_some() => {
                let text = form.method(here);
                quote_spanned! {here=>
                    if let ::core::option::Option::Some(__otlp_text) = #field {
                        __otlp_writer.#text(&__otlp_text);
                    }
                }
            }
            form => {
                let text = form.method(here);
                quote_spanned!(here=> __otlp_writer.#text(&#field);)
            }
        }
    }

    /// Whether it is plain, which text is not.
    fn is_plain(&self, private: &TokenStream, field: &TokenStream) -> Option<TokenStream> {
        let (private, here) = (Here::of(&self.ty).path(private), Here::of(&self.ty).start);
        (self.form == Form::Value).then(|| quote_spanned!(here=> #private::inner(#field, ::core::option::Option::None)))
    }
}

impl Variant {
    fn record(&self, private: &TokenStream) -> TokenStream {
        let site = Span::mixed_site();
        let (ident, value) = (&self.ident, Ident::new("__otlp_value", site));
        match &self.content {
            Content::Text(text) => quote_spanned!(site=> Self::#ident { .. } => __otlp_writer.str(#text),),
            Content::Inner(inner) => {
                let member = &inner.member;
                let record = inner.record(private, &Here::of(&inner.ty).of_variable(&value));
                quote_spanned!(site=> Self::#ident { #member: #value, .. } => { #record })
            }
        }
    }

    fn is_plain(&self, private: &TokenStream) -> TokenStream {
        let site = Span::mixed_site();
        let (ident, value) = (&self.ident, Ident::new("__otlp_value", site));
        let Content::Inner(inner) = &self.content else {
            return quote_spanned!(site=> Self::#ident { .. } => true,);
        };
        let member = &inner.member;
        match inner.is_plain(private, &Here::of(&inner.ty).of_variable(&value)) {
            Some(plain) => quote_spanned!(site=> Self::#ident { #member: #value, .. } => { #plain }),
            None => quote_spanned!(site=> Self::#ident { .. } => false,),
        }
    }
}
