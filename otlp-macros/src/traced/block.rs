//! `#[traced]` on an `impl` block or a trait: on each of its methods, but for those that are left out.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::{Attribute, Error, ImplItem, ItemImpl, ItemTrait, Meta, Path, Result, TraitItem, parse_quote};

use super::options::Options;
use super::{expand, owner, validate};
use crate::fallback;
use crate::function::Function;

/// A block as written: what stands before its braces, and the members in them.
pub(super) struct Block {
    before: TokenStream,
    is_trait: bool,
    body: Group,
}

/// What stands in a block.
enum Member {
    /// A function with a body.
    Function(Box<Function>),
    /// Anything else.
    Other { attributes: Vec<Attribute>, tokens: TokenStream },
}

impl Block {
    /// Takes `item` for a block if it begins as one and ends with braces.
    pub(super) fn of(item: &TokenStream) -> Option<Self> {
        let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
        let is_trait = match keyword(&tokens)?.to_string().as_str() {
            "impl" => false,
            "trait" => true,
            _ => return None,
        };
        match tokens.pop()? {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                Some(Self { before: tokens.into_iter().collect(), is_trait, body })
            }
            _ => None,
        }
    }

    /// The name of the type or trait, if it has one.
    fn name(&self) -> Result<Option<String>> {
        let before = &self.before;
        if self.is_trait {
            return Ok(Some(syn::parse2::<ItemTrait>(quote!(#before {}))?.ident.unraw().to_string()));
        }
        Ok(owner::name(&syn::parse2::<ItemImpl>(quote!(#before {}))?.self_ty))
    }

    fn members(&self) -> Result<Vec<Member>> {
        let members = |input: ParseStream<'_>| {
            let mut members = Vec::new();
            while !input.is_empty() {
                members.push(self.member(input)?);
            }
            Ok(members)
        };
        // Inner attributes stay the first tokens.
        members.parse2(self.inside().1)
    }

    /// The inner attributes, and what follows them.
    fn inside(&self) -> (TokenStream, TokenStream) {
        let split = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_inner)?;
            Ok((quote!(#(#attributes)*), input.parse::<TokenStream>()?))
        };
        split.parse2(self.body.stream()).unwrap_or_else(|_| (TokenStream::new(), self.body.stream()))
    }

    fn member(&self, input: ParseStream<'_>) -> Result<Member> {
        let ahead = input.fork();
        if let Ok(function) = Function::parse(&ahead) {
            input.advance_to(&ahead);
            return Ok(Member::Function(Box::new(function)));
        }
        let attributes = input.call(Attribute::parse_outer)?;
        let tokens = if self.is_trait {
            input.parse::<TraitItem>()?.to_token_stream()
        } else {
            input.parse::<ImplItem>()?.to_token_stream()
        };
        Ok(Member::Other { attributes, tokens })
    }

    fn with(&self, members: TokenStream) -> TokenStream {
        let mut body = Group::new(Delimiter::Brace, {
            let mut inside = self.inside().0;
            inside.extend(members);
            inside
        });
        body.set_span(self.body.span());
        let mut block = self.before.clone();
        block.extend([TokenTree::Group(body)]);
        block
    }
}

/// The word that says what an item is.
fn keyword(tokens: &[TokenTree]) -> Option<&Ident> {
    let mut tokens = tokens.iter().peekable();
    loop {
        match tokens.next()? {
            TokenTree::Punct(punct) if punct.as_char() == '#' => drop(tokens.next()),
            TokenTree::Ident(word) if word == "pub" => {
                tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Ident(word) if word == "unsafe" || word == "auto" || word == "default" => {}
            TokenTree::Ident(word) => return Some(word),
            _ => return None,
        }
    }
}

/// The block with its methods traced. What is wrong with one of them does not concern the others.
pub(super) fn traced(options: TokenStream, block: &Block) -> TokenStream {
    let parsed = syn::parse2::<Options>(options).and_then(|options| {
        options.check_for_block()?;
        Ok((options, block.name()?, block.members()?))
    });
    let (options, name, members) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return fallback::fallback(&error, untouched(block)),
    };
    let mut output = TokenStream::new();
    for member in members {
        output.extend(member_traced(&options, name.as_deref(), member));
    }
    block.with(output)
}

fn member_traced(options: &Options, owner: Option<&str>, member: Member) -> TokenStream {
    match member {
        Member::Other { mut attributes, tokens } => {
            let mut wrong = TokenStream::new();
            while let Some(Own { attribute, condition }) = Own::take(&mut attributes) {
                if !is_skip(&attribute) {
                    let message = "only a method with a body can be traced: remove this";
                    let error = Error::new_spanned(attribute, message).to_compile_error();
                    let condition = condition.iter();
                    wrong.extend(quote!(#(#[cfg(#condition)])* #error));
                }
            }
            quote!(#(#attributes)* #tokens #wrong)
        }
        Member::Function(mut function) => match Own::take(&mut function.attributes) {
            None if function.signature.constness.is_some() => function.to_token_stream(),
            None => function_traced(options, owner, *function, None, None),
            Some(Own { attribute, condition: None }) => {
                function_traced(options, owner, *function, Some(&attribute), None)
            }
            // Whether it holds is not known here: one function for each case.
            Some(Own { attribute, condition: Some(condition) }) => {
                let mut otherwise = function.clone();
                otherwise.attributes.push(parse_quote!(#[cfg(not(#condition))]));
                let mut output = function_traced(options, owner, *function, Some(&attribute), Some(&condition));
                output.extend(member_traced(options, owner, Member::Function(otherwise)));
                output
            }
        },
    }
}

/// The function with its own options. `condition` is one that it stands under.
fn function_traced(
    options: &Options,
    owner: Option<&str>,
    mut function: Function,
    own: Option<&Attribute>,
    condition: Option<&TokenStream>,
) -> TokenStream {
    let cfg = condition.map(|condition| quote!(#[cfg(#condition)]));
    if condition.is_some() {
        function.attributes.push(parse_quote!(#cfg));
    }
    let written = function.to_token_stream();
    if own.is_some_and(is_skip) {
        return written;
    }
    let traced = own_options(own)
        .map(|own| own.within(options, owner))
        .and_then(|options| validate::validate(options, function));
    match traced {
        Ok(traced) => expand::expand(&traced),
        Err(error) => {
            let error = fallback::fallback(&error, written);
            quote!(#cfg #error)
        }
    }
}

/// A member's own `#[traced]`, taken off it, whatever path it is written with.
struct Own {
    attribute: Attribute,
    /// That of the `cfg_attr` which it stands in.
    condition: Option<TokenStream>,
}

impl Own {
    fn take(attributes: &mut Vec<Attribute>) -> Option<Self> {
        for at in 0..attributes.len() {
            if is_traced(attributes[at].path()) {
                return Some(Self { attribute: attributes.remove(at), condition: None });
            }
            if let Some((condition, own, rest)) = within_cfg_attr(&attributes[at]) {
                let attribute = Attribute { meta: own, ..attributes[at].clone() };
                if rest.is_empty() {
                    attributes.remove(at);
                } else {
                    attributes[at].meta = parse_quote!(cfg_attr(#condition, #(#rest),*));
                }
                return Some(Self { attribute, condition: Some(condition) });
            }
        }
        None
    }
}

fn is_traced(path: &Path) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == "traced")
}

/// The condition of a `cfg_attr`, the first `traced` in it, and what else stands there.
fn within_cfg_attr(attribute: &Attribute) -> Option<(TokenStream, Meta, Vec<TokenStream>)> {
    let Meta::List(list) = &attribute.meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let mut parts = Vec::new();
    let mut part = TokenStream::new();
    for token in list.tokens.clone() {
        if matches!(&token, TokenTree::Punct(comma) if comma.as_char() == ',') {
            parts.push(std::mem::take(&mut part));
        } else {
            part.extend([token]);
        }
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    let condition = parts.remove(0);
    for at in 0..parts.len() {
        let Ok(meta) = syn::parse2::<Meta>(parts[at].clone()) else { continue };
        if is_traced(meta.path()) {
            parts.remove(at);
            return Some((condition, meta, parts));
        }
        // One within another: the rest of it stays under both conditions.
        let inner = Attribute { meta, ..attribute.clone() };
        if let Some((within, own, rest)) = within_cfg_attr(&inner) {
            let left = (!rest.is_empty()).then(|| quote!(cfg_attr(#within, #(#rest),*)));
            parts.splice(at..=at, left);
            return Some((quote!(all(#condition, #within)), own, parts));
        }
    }
    None
}

fn is_skip(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if {
        let mut words = list.tokens.clone().into_iter();
        matches!(words.next(), Some(TokenTree::Ident(word)) if word == "skip")
            && words.next().is_none_or(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',') && words.next().is_none())
    })
}

fn own_options(attribute: Option<&Attribute>) -> Result<Options> {
    match attribute.map(|attribute| &attribute.meta) {
        None | Some(Meta::Path(_)) => Ok(Options::default()),
        Some(Meta::List(list)) => list.parse_args(),
        Some(other) => Err(Error::new_spanned(other, "options stand in parentheses: `#[traced(level = debug)]`")),
    }
}

/// The block without any `#[traced]` in it, so that nothing else fails.
fn untouched(block: &Block) -> TokenStream {
    let Ok(members) = block.members() else { return block.with(block.inside().1) };
    let mut output = TokenStream::new();
    for member in members {
        match member {
            Member::Function(mut function) => {
                while Own::take(&mut function.attributes).is_some() {}
                output.extend(function.to_token_stream());
            }
            Member::Other { mut attributes, tokens } => {
                while Own::take(&mut attributes).is_some() {}
                output.extend(quote!(#(#attributes)* #tokens));
            }
        }
    }
    block.with(output)
}
