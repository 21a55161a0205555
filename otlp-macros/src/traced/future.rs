//! Functions that are not `async` and return a future all the same: by hand, or because `#[async_trait]` made them so.
//!
//! Their span belongs to the future. That is possible where the body ends with the `async` block itself, bare or in
//! `Box::pin(...)`: then the block records as the body of an `async fn` does.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Error, GenericArgument, PathArguments, PathSegment, Result, ReturnType, Type, TypeParamBound};

use super::returns::strip;
use crate::function::carried;

/// The `async` block that a body ends with.
pub(super) struct AsyncTail {
    /// All before the block, within `wrapper` if there is one: statements, `async`, `move`.
    pub(super) before: TokenStream,
    /// `async` and perhaps `move`.
    pub(super) keywords: TokenStream,
    /// The block's braces.
    pub(super) block: Group,
    /// Whether it stands in the parentheses of `Box::pin(...)`.
    pub(super) boxed: bool,
}

/// What a returned future gives; `None` inside if the type does not say it.
pub(super) fn output(returned: &ReturnType) -> Option<Option<&Type>> {
    let ReturnType::Type(_, ty) = returned else { return None };
    match strip(ty) {
        Type::ImplTrait(ty) => of_bounds(&ty.bounds),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                return Some(Some(argument(last)?));
            }
            let Type::Path(pinned) = strip(if last.ident == "Pin" { argument(last)? } else { return None }) else {
                return None;
            };
            let boxed = pinned.path.segments.last().filter(|segment| segment.ident == "Box")?;
            match strip(argument(boxed)?) {
                Type::TraitObject(object) => of_bounds(&object.bounds),
                Type::ImplTrait(object) => of_bounds(&object.bounds),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether what is returned is an `impl Trait`.
pub(super) fn is_impl(returned: &ReturnType) -> bool {
    matches!(returned, ReturnType::Type(_, ty) if matches!(strip(ty), Type::ImplTrait(_)))
}

/// Traits that no wrapper around a future can have, whatever the future has.
const NEVER_WRAPPED: [&str; 9] =
    ["Clone", "Copy", "Default", "Eq", "FusedFuture", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// Refuses an `impl Future` that promises what the future within the span cannot keep.
pub(super) fn check_bounds(returned: &ReturnType) -> Result<()> {
    let ReturnType::Type(_, ty) = returned else { return Ok(()) };
    let Type::ImplTrait(ty) = strip(ty) else { return Ok(()) };
    for bound in &ty.bounds {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let name = bound.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        if NEVER_WRAPPED.contains(&name.as_str()) {
            let message = format!(
                "the future is wrapped in its span, and that cannot be `{name}`: remove this bound, or write \
                 `future = off` to record the call"
            );
            return Err(Error::new_spanned(bound, message));
        }
    }
    Ok(())
}

fn of_bounds<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Option<&'a Type>> {
    let future = bounds.into_iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().filter(|segment| segment.ident == "Future"),
        _ => None,
    })?;
    let PathArguments::AngleBracketed(arguments) = &future.arguments else { return Some(None) };
    Some(arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
        _ => None,
    }))
}

fn argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

impl AsyncTail {
    /// Whether another future may be returned before the block is reached.
    pub(super) fn may_return_before(&self) -> bool {
        fn has_return(tokens: TokenStream) -> bool {
            tokens.into_iter().any(|token| match token {
                TokenTree::Ident(word) => word == "return",
                TokenTree::Group(group) => has_return(group.stream()),
                _ => false,
            })
        }
        has_return(self.before.clone())
    }

    /// Splits a body that ends with `async { .. }` or `Box::pin(async { .. })`.
    pub(super) fn of(body: &Group) -> Option<Self> {
        let mut before: Vec<TokenTree> = body.stream().into_iter().collect();
        let TokenTree::Group(last) = before.pop()? else { return None };
        if last.delimiter() == Delimiter::Brace {
            return Self::block(before, last, false);
        }
        let is_box_pin = last.delimiter() == Delimiter::Parenthesis
            && before.len() >= 4
            && ["Box", ":", ":", "pin"].iter().eq(before[before.len() - 4..]
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .iter());
        if !is_box_pin {
            return None;
        }
        let mut inside: Vec<TokenTree> = last.stream().into_iter().collect();
        let TokenTree::Group(block) = inside.pop()? else { return None };
        let mut tail = Self::block(inside, block, true)?;
        // In parentheses nothing but the keywords stands before the block.
        if !tail.before.is_empty() {
            return None;
        }
        tail.before = before.into_iter().collect();
        Some(tail)
    }

    fn block(mut before: Vec<TokenTree>, block: Group, boxed: bool) -> Option<Self> {
        let is = |token: Option<&TokenTree>, word: &str| matches!(token, Some(TokenTree::Ident(i)) if i == word);
        let moved = is(before.last(), "move");
        let start = before.len().checked_sub(if moved { 2 } else { 1 })?;
        if block.delimiter() != Delimiter::Brace || !is(before.get(start), "async") {
            return None;
        }
        let keywords = before.split_off(start).into_iter().collect();
        let block = carried(block.stream(), block.span());
        Some(Self { before: before.into_iter().collect(), keywords, block, boxed })
    }
}
