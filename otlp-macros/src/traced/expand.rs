//! The model to tokens: the same function with a callsite and a recording body.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::quote_spanned;

use super::body::{self, Opening};
use super::future::AsyncTail;
use super::model::{Shape, Traced};
use crate::callsite::Callsite;
use crate::fields::Recorder;

pub(super) fn expand(traced: &Traced) -> TokenStream {
    let function = &traced.function;
    let (attributes, visibility, signature) = (&function.attributes, &function.visibility, &function.signature);
    let inner_attributes = &function.body.attributes;
    let Recorder { keys, closure: fields } = traced.fields.recorder(&traced.private, traced.links.as_ref());
    let callsite = Callsite {
        private: &traced.private,
        name: &traced.name,
        within: Some(&traced.function_name),
        level: traced.level,
        kind: traced.kind,
        keys: &keys,
        root: traced.root,
        sample: traced.sample,
    }
    .expand();
    let opening = Opening { callsite, fields };
    let site = Span::mixed_site();
    let moved = quote_spanned!(site=> async move);
    let body = match &traced.shape {
        Shape::Sync => body::synchronous(traced, &opening),
        Shape::Async => body::asynchronous(traced, &opening, &moved, &traced.function.body.block),
        Shape::Made { held } => body::made(traced, &opening, *held),
        Shape::Returned(tail) => {
            let AsyncTail { before, keywords, block, boxed } = tail;
            // Values are taken with the call: the statements before the block may consume them, or give their names to
            // others, and the block need not own them.
            let (start, future) = if traced.evaluates() && !traced.is_of_async_trait() {
                (body::start(traced, &opening), body::instrumented(traced, keywords, block))
            } else {
                let body = body::asynchronous(traced, &opening, keywords, block);
                (TokenStream::new(), quote_spanned!(site=> #keywords { #body }))
            };
            let tail = if *boxed { quote_spanned!(site=> (#future)) } else { future };
            quote_spanned!(site=> #start #before #tail)
        }
    };
    // The braces are the user's, so that the function is: lints about it point at it.
    let mut braces = Group::new(Delimiter::Brace, quote_spanned!(site=> #(#inner_attributes)* #body));
    braces.set_span(function.body.braces);
    quote_spanned! {site=>
        #(#attributes)*
        #visibility #signature #braces
    }
}
