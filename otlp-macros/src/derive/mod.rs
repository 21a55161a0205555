//! What the derives share: options in attributes, bounds, and the frame of an implementation.

mod bounds;
mod frame;
mod options;
#[cfg(test)]
mod tests;

pub(crate) use bounds::Bounds;
pub(crate) use frame::{ATTRIBUTES, Frame, Trait, VALUE};
pub(crate) use options::{Options, Place};

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Attribute, Error, GenericArgument, Member, PathArguments, Result, Type};

use crate::fields::Form;

impl Form {
    /// What a type must be able to do.
    pub(crate) fn bound(self, private: &TokenStream) -> TokenStream {
        let site = Span::mixed_site();
        match self {
            Self::Value => quote_spanned!(site=> #private::Value),
            Self::Display => quote_spanned!(site=> ::core::fmt::Display),
            Self::Debug => quote_spanned!(site=> ::core::fmt::Debug),
        }
    }

    /// The writer's method for text.
    pub(crate) fn method(self, here: Span) -> Ident {
        Ident::new(if self == Self::Debug { "debug" } else { "display" }, here)
    }
}

/// A field's type, where the errors of the compiler that are about the field shall point.
#[derive(Clone, Copy)]
pub(crate) struct Here {
    pub(crate) start: Span,
    end: Span,
}

impl Here {
    pub(crate) fn of(ty: &Type) -> Self {
        let site = Span::mixed_site();
        let spans: Vec<Span> = ty.to_token_stream().into_iter().map(|token| token.span()).collect();
        let [start, end] = [spans.first(), spans.last()].map(|span| span.map_or(site, |span| site.located_at(*span)));
        Self { start, end }
    }

    /// The path, as if it stood here.
    pub(crate) fn path(self, path: &TokenStream) -> TokenStream {
        let here = |mut token: TokenTree| {
            token.set_span(token.span().located_at(self.start));
            token
        };
        path.clone().into_iter().map(here).collect()
    }

    /// `&self.member`, from the first token of the type to the last.
    pub(crate) fn of_self(self, member: &Member) -> TokenStream {
        let mut member = member.clone();
        match &mut member {
            Member::Named(ident) => ident.set_span(ident.span().located_at(self.end)),
            Member::Unnamed(index) => index.span = self.end,
        }
        quote_spanned!(self.start=> &self.#member)
    }

    /// The same for the variable that a pattern has bound.
    pub(crate) fn of_variable(self, name: &Ident) -> TokenStream {
        let mut name = name.clone();
        name.set_span(self.end);
        quote_spanned!(self.start=> &*#name)
    }
}

/// The type within `Option<...>`: it is known by its name, as the compiler's own derives would.
pub(crate) fn within_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
}

/// `PhantomData<...>`, which holds nothing to record.
pub(crate) fn is_phantom(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}

/// Fields that are packed cannot be borrowed, and a value is recorded from a borrow.
pub(crate) fn not_packed(attributes: &[Attribute], of: &Trait) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        let Ok(list) = attribute.meta.require_list() else { continue };
        if let Some(packed) = list.tokens.clone().into_iter().find(|token| token.to_string() == "packed") {
            let message =
                format!("the fields of a packed type cannot be borrowed; implement `otlp::{}` by hand", of.name);
            return Err(Error::new_spanned(packed, message));
        }
    }
    Ok(())
}

/// The diagnostic, and an implementation that records nothing, so that nothing else fails where the type is used.
pub(crate) fn fallback(error: &Error, input: TokenStream, of: &'static Trait) -> TokenStream {
    let mut tokens = error.to_compile_error();
    if let Ok(input) = syn::parse2::<syn::DeriveInput>(input) {
        let krate = options::crate_path(&input.attrs, of.attribute);
        tokens.extend(Frame::new(&input, krate.as_ref(), of).expand(&TokenStream::new(), &TokenStream::new()));
    }
    tokens
}
