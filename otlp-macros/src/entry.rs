//! `#[otlp::main]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Path, Result, Token};

use crate::callsite;
use crate::function::Function;

/// What stands in the parentheses.
#[derive(Default)]
struct Options {
    config: Option<Expr>,
    krate: Option<Path>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        const EXPECTED: &str = "`#[otlp::main]` has the options `config = OtlpConfig::default()...` and `crate = path`";
        let mut options = Self::default();
        while !input.is_empty() {
            let word = input.call(syn::Ident::parse_any).map_err(|error| Error::new(error.span(), EXPECTED))?;
            let known = word == "config" || word == "crate";
            if !known || input.parse::<Token![=]>().is_err() {
                return Err(Error::new(word.span(), EXPECTED));
            }
            let twice = if word == "config" {
                options.config.replace(input.parse()?).is_some()
            } else {
                options.krate.replace(input.call(Path::parse_mod_style)?).is_some()
            };
            if twice {
                return Err(Error::new(word.span(), format!("the option `{word}` is there twice")));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>().map_err(|error| Error::new(error.span(), "expected `,` between options"))?;
            }
        }
        Ok(options)
    }
}

/// The function with telemetry around its body, or one diagnostic and the item as it was.
pub(crate) fn entry(options: TokenStream, item: TokenStream) -> TokenStream {
    let parsed = syn::parse2::<Options>(options).and_then(|options| Ok((options, function(item.clone())?)));
    match parsed {
        Ok((options, function)) => expand(&options, &function),
        Err(error) => crate::fallback::fallback(&error, item),
    }
}

fn function(item: TokenStream) -> Result<Function> {
    const EXPECTED: &str =
        "`#[otlp::main]` stands on the program's `fn main`; elsewhere call `otlp::init()`, and keep its guard";
    let function: Function = syn::parse2(item).map_err(|error| Error::new(error.span(), EXPECTED))?;
    if let Some(token) = &function.signature.constness {
        return Err(Error::new(token.span, "`main` cannot be a `const fn` and start telemetry"));
    }
    let name = &function.signature.ident;
    if name == "main" { Ok(function) } else { Err(Error::new(name.span(), EXPECTED)) }
}

fn expand(options: &Options, function: &Function) -> TokenStream {
    let private = callsite::private(options.krate.as_ref());
    let site = Span::mixed_site();
    let config = match &options.config {
        Some(config) => quote_spanned!(site=> #config),
        None => quote_spanned!(site=> ::core::default::Default::default()),
    };
    let (attributes, visibility, signature) = (&function.attributes, &function.visibility, &function.signature);
    let (inner, block) = (&function.body.attributes, &function.body.block);
    let body = quote_spanned! {site=>
        let __otlp_guard = #private::init_or_say(#config);
        #block
    };
    quote! {
        #(#attributes)* #visibility #signature {
            #(#inner)*
            #body
        }
    }
}
