//! Options and function together, checked against each other.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Attribute, Error, LitStr, Meta, Result};

use super::function::Function;
use super::future::{self, AsyncTail};
use super::model::{Returns, Shape, Traced};
use super::options::{Err, Options};
use crate::callsite;
use crate::keyword::{KIND, LEVEL};

pub(super) fn validate(options: Options, function: Function) -> Result<Traced> {
    let signature = &function.signature;
    if let Some(token) = &signature.constness {
        let message =
            "a `const fn` cannot be traced, because it may run while compiling; trace the function that calls it";
        return Err(Error::new(token.span, message));
    }
    let function_name = signature.ident.unraw().to_string();
    let (shape, returns) = shape(&function)?;
    // A closure around the body would become the caller that `#[track_caller]` shows.
    let in_place = matches!(shape, Shape::Sync) && function.attributes.iter().any(is_track_caller);
    let inspect = options.err != Some(Err::Off) && !in_place && returns.may_fail(&signature.generics);
    Ok(Traced {
        private: callsite::private(options.krate.as_ref()),
        name: options.name.unwrap_or_else(|| LitStr::new(&function_name, Span::mixed_site())),
        function_name,
        kind: options.kind.unwrap_or(KIND.default),
        level: options.level.unwrap_or(LEVEL.default),
        root: options.root.is_some(),
        fields: options.fields.unwrap_or_default(),
        returns,
        inspect,
        shape,
        function,
    })
}

/// Where the function does its work, and what comes of it.
fn shape(function: &Function) -> Result<(Shape, Returns)> {
    let signature = &function.signature;
    if signature.asyncness.is_some() {
        return Ok((Shape::Async, Returns::of(&signature.output)));
    }
    let Some(output) = future::output(&signature.output) else {
        return Ok((Shape::Sync, Returns::of(&signature.output)));
    };
    let Some(tail) = AsyncTail::of(&function.body.block) else {
        let message = "the span of this function would end before the future that it returns is polled; write it as an \
                       `async fn`, or end its body with `async move { ... }` or `Box::pin(async move { ... })`";
        return Err(Error::new_spanned(&signature.ident, message));
    };
    Ok((Shape::Returned(tail), output.map_or(Returns::Opaque, Returns::of_type)))
}

/// Also within `cfg_attr`, whose condition is not known here.
fn is_track_caller(attribute: &Attribute) -> bool {
    let path = attribute.path();
    path.is_ident("track_caller")
        || path.is_ident("cfg_attr")
            && matches!(&attribute.meta, Meta::List(list) if list.tokens.to_token_stream().into_iter().any(|token| {
                matches!(token, proc_macro2::TokenTree::Ident(word) if word == "track_caller")
            }))
}
