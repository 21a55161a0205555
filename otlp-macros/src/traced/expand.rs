//! The model to tokens: the same function with a callsite and a recording body.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::body;
use super::model::Traced;
use crate::callsite::Callsite;
use crate::fields::Recorder;

pub(super) fn expand(traced: &Traced) -> TokenStream {
    let function = &traced.function;
    let (attributes, visibility, signature) = (&function.attributes, &function.visibility, &function.signature);
    let inner_attributes = &function.body.attributes;
    let Recorder { keys, closure } = traced.fields.recorder(&traced.private);
    let callsite = Callsite {
        private: &traced.private,
        name: &traced.name,
        within: Some(&traced.function_name),
        level: traced.level,
        kind: traced.kind,
        keys: &keys,
        root: traced.root,
    }
    .expand();
    let body = match signature.asyncness {
        Some(_) => body::asynchronous(traced, &closure),
        None => body::synchronous(traced, &closure),
    };
    let site = Span::mixed_site();
    quote_spanned! {site=>
        #(#attributes)*
        #visibility #signature {
            #(#inner_attributes)*
            #callsite
            #body
        }
    }
}
