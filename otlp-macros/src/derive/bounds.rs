//! What the type parameters must be able to do, as the fields ask it.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::visit::{self, Visit};
use syn::{DeriveInput, Path, Type, WherePredicate, parse_quote};

use super::Here;

/// Gathers bounds on the types of fields. Only those that name a type parameter get one: the others hold, or are an error
/// at the field. A field that holds the type itself gets none either, for its bound would ask for itself.
pub(crate) struct Bounds<'i> {
    parameters: HashSet<&'i Ident>,
    own: &'i Ident,
    bounds: Vec<WherePredicate>,
}

impl<'i> Bounds<'i> {
    pub(crate) fn of(input: &'i DeriveInput) -> Self {
        let parameters = input.generics.type_params().map(|parameter| &parameter.ident).collect();
        Self { parameters, own: &input.ident, bounds: Vec::new() }
    }

    /// `ty: bound`.
    pub(crate) fn require(&mut self, ty: &Type, bound: &TokenStream) {
        let mut found = Found { parameters: &self.parameters, own: self.own, parameter: false, itself: false };
        found.visit_type(ty);
        if found.parameter && !found.itself {
            self.push(ty, bound);
        }
    }

    /// `Self: bound`, where that depends on the parameters.
    pub(crate) fn require_of_self(&mut self, bound: &TokenStream) {
        if !self.parameters.is_empty() {
            self.push(&parse_quote!(Self), bound);
        }
    }

    fn push(&mut self, ty: &Type, bound: &TokenStream) {
        let tokens = quote_spanned!(Here::of(ty).start=> #ty: #bound);
        let known = |known: &WherePredicate| known.to_token_stream().to_string() == tokens.to_string();
        if !self.bounds.iter().any(known) {
            self.bounds.push(parse_quote!(#tokens));
        }
    }

    pub(crate) fn finish(self) -> Vec<WherePredicate> {
        self.bounds
    }
}

/// Looks for names in a type.
struct Found<'f> {
    parameters: &'f HashSet<&'f Ident>,
    own: &'f Ident,
    parameter: bool,
    itself: bool,
}

impl Found<'_> {
    fn name(&mut self, name: &Ident) {
        self.parameter |= self.parameters.contains(name);
        self.itself |= name == self.own || name == "Self";
    }

    fn names_within(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) => self.name(&name),
                TokenTree::Group(group) => self.names_within(group.stream()),
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Found<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(first) = path.segments.first().filter(|_| path.leading_colon.is_none()) {
            self.name(&first.ident);
        }
        visit::visit_path(self, path);
    }

    /// What a macro makes of its tokens is not known here.
    fn visit_macro(&mut self, makes_type: &'ast syn::Macro) {
        self.names_within(makes_type.tokens.clone());
    }
}
