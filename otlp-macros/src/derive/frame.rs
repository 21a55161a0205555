//! The implementation's head, and the method that every derive writes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Data, DeriveInput, Field, Generics, Path, Variant, WherePredicate};

use crate::callsite;

/// A trait that is derived.
pub(crate) struct Trait {
    pub(crate) name: &'static str,
    /// What its method writes to.
    writer: &'static str,
    /// The attribute with the type's own options.
    pub(crate) attribute: &'static str,
}

pub(crate) const VALUE: &Trait = &Trait { name: "Value", writer: "ValueWriter", attribute: "value" };
pub(crate) const ATTRIBUTES: &Trait = &Trait { name: "Attributes", writer: "AttributeWriter", attribute: "attributes" };

/// Everything of an implementation but its bodies.
pub(crate) struct Frame {
    /// The path of `__private`.
    pub(crate) private: TokenStream,
    of: &'static Trait,
    ident: Ident,
    generics: Generics,
    /// The type or a part of it is deprecated: recording it is no use that its author would be warned of.
    deprecated: bool,
}

impl Frame {
    pub(crate) fn new(input: &DeriveInput, krate: Option<&Path>, of: &'static Trait) -> Self {
        let (ident, generics) = (input.ident.clone(), input.generics.clone());
        Self { private: callsite::private(krate), of, ident, generics, deprecated: is_deprecated(input) }
    }

    /// The trait, as a bound.
    pub(crate) fn bound(&self) -> TokenStream {
        let (private, site) = (&self.private, Span::mixed_site());
        let name = Ident::new(self.of.name, site);
        quote_spanned!(site=> #private::#name)
    }

    /// The same for those types alone that keep these bounds.
    pub(crate) fn bounded(mut self, bounds: Vec<WherePredicate>) -> Self {
        if !bounds.is_empty() {
            self.generics.make_where_clause().predicates.extend(bounds);
        }
        self
    }

    /// The implementation; an empty body records nothing. `more` are further methods.
    pub(crate) fn expand(&self, record: &TokenStream, more: &TokenStream) -> TokenStream {
        let Self { private, of, ident, generics, deprecated } = self;
        let site = Span::mixed_site();
        let (name, writer) = (Ident::new(of.name, site), Ident::new(of.writer, site));
        let (parameters, arguments, bounds) = generics.split_for_impl();
        let argument = if record.is_empty() { quote_spanned!(site=> _) } else { quote_spanned!(site=> __otlp_writer) };
        let allow = deprecated.then(|| quote_spanned!(site=> #[allow(deprecated)]));
        quote_spanned! {site=>
            #[automatically_derived]
            #allow
            impl #parameters #private::#name for #ident #arguments #bounds {
                #[inline]
                fn record(&self, #argument: &mut #private::#writer<'_>) {
                    #record
                }
                #more
            }
        }
    }
}

fn is_deprecated(input: &DeriveInput) -> bool {
    let (variants, fields): (Vec<&Variant>, Vec<&Field>) = match &input.data {
        Data::Struct(data) => (Vec::new(), data.fields.iter().collect()),
        Data::Enum(data) => {
            (data.variants.iter().collect(), data.variants.iter().flat_map(|variant| &variant.fields).collect())
        }
        Data::Union(_) => (Vec::new(), Vec::new()),
    };
    let of_variants = variants.iter().flat_map(|variant| &variant.attrs);
    let of_fields = fields.iter().flat_map(|field| &field.attrs);
    input.attrs.iter().chain(of_variants).chain(of_fields).any(|attribute| attribute.path().is_ident("deprecated"))
}
