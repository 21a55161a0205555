//! `#[traced]` on an `impl` block or a trait: on each of its methods, but for those that are left out.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::{Attribute, Error, ImplItem, ItemImpl, ItemTrait, Meta, Result, TraitItem, Type};

use super::options::Options;
use super::returns::strip;
use super::{expand, validate};
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

    /// The name of the type or trait, as it stands before the `::` of a span's name.
    fn name(&self) -> Result<String> {
        let before = &self.before;
        if self.is_trait {
            return Ok(syn::parse2::<ItemTrait>(quote!(#before {}))?.ident.unraw().to_string());
        }
        let block: ItemImpl = syn::parse2(quote!(#before {}))?;
        Ok(match strip(&block.self_ty) {
            Type::Path(path) => {
                path.path.segments.last().map_or_else(String::new, |segment| segment.ident.unraw().to_string())
            }
            other => other.to_token_stream().to_string(),
        })
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
        output.extend(member_traced(&options, &name, member));
    }
    block.with(output)
}

fn member_traced(options: &Options, block: &str, member: Member) -> TokenStream {
    match member {
        Member::Other { mut attributes, tokens } => {
            let own = take_own(&mut attributes);
            let mut output = quote!(#(#attributes)* #tokens);
            if let Some(own) = own.filter(|own| !is_skip(own)) {
                let message = "only a method with a body can be traced: remove this";
                output.extend(Error::new_spanned(own, message).to_compile_error());
            }
            output
        }
        Member::Function(mut function) => {
            let own = take_own(&mut function.attributes);
            let written = function.to_token_stream();
            let leave_out =
                own.as_ref().is_some_and(is_skip) || own.is_none() && function.signature.constness.is_some();
            if leave_out {
                return written;
            }
            let traced = own_options(own.as_ref())
                .map(|own| own.within(options, block))
                .and_then(|options| validate::validate(options, *function));
            match traced {
                Ok(traced) => expand::expand(&traced),
                Err(error) => fallback::fallback(&error, written),
            }
        }
    }
}

/// Takes the `#[traced]` off a member, whatever path it is written with.
fn take_own(attributes: &mut Vec<Attribute>) -> Option<Attribute> {
    let at = attributes
        .iter()
        .position(|attribute| attribute.path().segments.last().is_some_and(|segment| segment.ident == "traced"))?;
    Some(attributes.remove(at))
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
                take_own(&mut function.attributes);
                output.extend(function.to_token_stream());
            }
            Member::Other { mut attributes, tokens } => {
                take_own(&mut attributes);
                output.extend(quote!(#(#attributes)* #tokens));
            }
        }
    }
    block.with(output)
}
