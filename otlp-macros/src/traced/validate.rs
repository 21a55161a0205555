//! Options and function together, checked against each other.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Attribute, Error, LitStr, Meta, Result};

use super::function::Function;
use super::model::{Returns, Traced};
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
    let returns = Returns::of(&signature.output);
    // A closure around the body would become the caller that `#[track_caller]` shows.
    let in_place = signature.asyncness.is_none() && function.attributes.iter().any(is_track_caller);
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
        function,
    })
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
