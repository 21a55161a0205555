//! The static description of a place that records, which every expansion begins with.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote_spanned;
use syn::{LitStr, Path};

/// What goes into `Metadata`.
pub(crate) struct Callsite<'a> {
    /// `::otlp::__private`, or wherever it is.
    pub(crate) private: &'a TokenStream,
    /// The span's name.
    pub(crate) name: &'a LitStr,
    /// What stands behind the module in the path.
    pub(crate) within: Option<&'a str>,
    /// Variant of `Level`.
    pub(crate) level: &'a str,
    /// Variant of `SpanKind`.
    pub(crate) kind: &'a str,
    /// Elements of the key list.
    pub(crate) keys: &'a TokenStream,
    /// Starts a trace of its own.
    pub(crate) root: bool,
    /// The share of its traces that is sampled.
    pub(crate) sample: Option<f64>,
}

impl Callsite<'_> {
    /// A block that gives the static callsite, which is registered. The static stands inside, and what the user wrote outside:
    /// items have no hygiene, and a user may have an item or a variable of any name.
    pub(crate) fn expand(&self) -> TokenStream {
        let Self { private, name, keys, root, .. } = self;
        let site = Span::mixed_site();
        let level = Ident::new(self.level, site);
        let kind = Ident::new(self.kind, site);
        let sample = match self.sample {
            Some(ratio) => {
                let ratio = Literal::f64_suffixed(ratio);
                quote_spanned!(site=> ::core::option::Option::Some(#ratio))
            }
            None => quote_spanned!(site=> ::core::option::Option::None),
        };
        let path = match self.within {
            Some(function) => quote_spanned!(site=> ::core::concat!(::core::module_path!(), "::", #function)),
            None => quote_spanned!(site=> ::core::module_path!()),
        };
        quote_spanned! {site=> {
            static __OTLP_CALLSITE: #private::Callsite = #private::Callsite::new(#private::Metadata {
                name: #name,
                path: #path,
                file: ::core::file!(),
                line: ::core::line!(),
                level: #private::Level::#level,
                kind: #private::SpanKind::#kind,
                keys: &[#keys],
                scope: #private::Scope {
                    name: ::core::env!("CARGO_PKG_NAME"),
                    version: ::core::env!("CARGO_PKG_VERSION"),
                },
                root: #root,
                sample: #sample,
            });
            #private::register! { __OTLP_CALLSITE }
            &__OTLP_CALLSITE
        }}
    }
}

/// The path of everything that expansions name.
pub(crate) fn private(krate: Option<&Path>) -> TokenStream {
    let site = Span::mixed_site();
    match krate {
        Some(path) => quote_spanned!(site=> #path::__private),
        None => quote_spanned!(site=> ::otlp::__private),
    }
}
