//! Options and function together, checked against each other.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Attribute, Error, LitStr, Meta, Result, ReturnType, parse_quote_spanned};

use super::arguments;
use super::future::{self, AsyncTail};
use super::model::{Returns, Shape, Traced};
use super::options::{Err, IsFuture, Options, Ret};
use super::returns::{has_impl, is_plain};
use crate::callsite;
use crate::function::Function;
use crate::keyword::{KIND, LEVEL};

pub(super) fn validate(options: Options, function: Function) -> Result<Traced> {
    let signature = &function.signature;
    if let Some(token) = &signature.constness {
        let message =
            "a `const fn` cannot be traced, because it may run while compiling; trace the function that calls it";
        return Err(Error::new(token.span, message));
    }
    let method = signature.ident.unraw().to_string();
    let function_name = options.owner.map_or_else(|| method.clone(), |owner| format!("{owner}::{method}"));
    let (shape, returns) = shape(&function, options.future.as_ref())?;
    // A closure around the body would become the caller that `#[track_caller]` shows.
    let tracks_caller = function.attributes.iter().any(is_track_caller);
    let in_place = matches!(shape, Shape::Sync) && tracks_caller;
    // What a future gives is looked at by type, in any case.
    let unknown = matches!((&shape, &returns), (Shape::Returned(_) | Shape::Made { .. }, Returns::Opaque));
    let inspect = options.err != Some(Err::Off) && !in_place && (unknown || returns.may_fail(&signature.generics));
    if let Some(Ret { word, .. }) = &options.ret {
        let problem = match returns {
            Returns::Unit => "the function returns nothing that `ret` could record",
            Returns::Never => "the function does not return, so there is nothing for `ret` to record",
            _ if in_place => "with `#[track_caller]` the returned value cannot be looked at: remove `ret`",
            _ => "",
        };
        if !problem.is_empty() {
            return Err(Error::new(word.span(), problem));
        }
    }
    if let (Some(()), Some(parent)) = (options.root, &options.parent) {
        return Err(Error::new_spanned(
            parent,
            "`root` starts a new trace, so there is no parent: remove one of the two",
        ));
    }
    let mut fields = options.fields.unwrap_or_default();
    match (&options.args, options.skip.as_deref().unwrap_or_default()) {
        (Some(_), skip) => {
            let recorded = arguments::recorded(signature, skip)?;
            recorded.into_iter().for_each(|(name, cfgs)| fields.add_argument(&name, cfgs));
        }
        (None, [first, ..]) => {
            let message = "nothing is recorded but what `fields(...)` or `args` name, so there is nothing to skip: remove \
                           `skip`, or write `args` too";
            return Err(Error::new(first.span(), message));
        }
        (None, []) => {}
    }
    let ask = inspect && matches!(shape, Shape::Sync) && options.future.is_none() && returns.may_be_future();
    let ask = ask.then(|| signature.ident.span());
    Ok(Traced {
        private: callsite::private(options.krate.as_ref()),
        name: options.name.unwrap_or_else(|| LitStr::new(&function_name, Span::mixed_site())),
        function_name,
        kind: options.kind.unwrap_or(KIND.default),
        level: options.level.unwrap_or(LEVEL.default),
        root: options.root.is_some(),
        sample: options.sample,
        parent: options.parent,
        links: options.links,
        fields,
        returns,
        inspect,
        ask,
        event: options.err != Some(Err::Status),
        ret: options.ret,
        shape,
        tracks_caller,
        function,
    })
}

/// Where the function does its work, and what comes of it.
fn shape(function: &Function, said: Option<&IsFuture>) -> Result<(Shape, Returns)> {
    let signature = &function.signature;
    if signature.asyncness.is_some() {
        if let Some(IsFuture { word, .. }) = said {
            return Err(Error::new(word.span(), "an `async fn` needs no `future`: remove it"));
        }
        return Ok((Shape::Async, Returns::of(&signature.output)));
    }
    let output = match (future::output(&signature.output), said) {
        (Some(output), None | Some(IsFuture { yes: true, .. })) => output,
        (None, Some(IsFuture { yes: true, word })) => match &signature.output {
            ReturnType::Default => {
                return Err(Error::new(word.span(), "the function returns nothing, and so no future"));
            }
            ReturnType::Type(_, ty) if is_plain(ty) => {
                return Err(Error::new(word.span(), "what the function returns is no future"));
            }
            ReturnType::Type(..) => None,
        },
        _ => return Ok((Shape::Sync, Returns::of(&signature.output))),
    };
    future::check_bounds(&signature.output)?;
    let held = !future::is_impl(&signature.output);
    let returns = match (output, &signature.output) {
        (Some(output), _) => Returns::of_type(output),
        // What an alias stands for cannot be seen, but the compiler can be asked what it gives.
        (None, ReturnType::Type(_, ty)) if held && !has_impl(ty) => {
            Returns::of_type(&parse_quote_spanned!(Span::mixed_site()=> <#ty as ::core::future::Future>::Output))
        }
        _ => Returns::Opaque,
    };
    let shape = match AsyncTail::of(&function.body.block) {
        Some(tail) if !tail.may_return_before() => Shape::Returned(tail),
        _ => Shape::Made { held },
    };
    Ok((shape, returns))
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
