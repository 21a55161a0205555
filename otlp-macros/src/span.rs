//! `otlp::span!("name", fields...)`, as the facade hands it over: `[path of otlp] "name", fields...`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Path, Result, Token, bracketed};

use crate::callsite::{self, Callsite};
use crate::fields::{Fields, Recorder};
use crate::keyword::{KIND, LEVEL};

struct Input {
    krate: Path,
    name: LitStr,
    fields: Fields,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let content;
        bracketed!(content in input);
        let krate = content.call(Path::parse_mod_style)?;
        let name = name(input)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self { krate, name, fields: input.parse()? })
    }
}

fn name(input: ParseStream<'_>) -> Result<LitStr> {
    const EXPECTED: &str = "a span begins with its name, a string literal that is the same every time: \
                            `span!(\"name\", key = value)`";
    if input.is_empty() {
        return Err(Error::new(Span::call_site(), EXPECTED));
    }
    let Ok(name) = input.parse::<LitStr>() else { return Err(Error::new(input.span(), EXPECTED)) };
    if name.value().is_empty() {
        return Err(Error::new(name.span(), "a span's name cannot be empty"));
    }
    Ok(name)
}

pub(crate) fn span(input: TokenStream) -> TokenStream {
    match syn::parse2::<Input>(input) {
        Ok(input) => expand(&input),
        Err(error) => error.to_compile_error(),
    }
}

fn expand(input: &Input) -> TokenStream {
    let site = Span::mixed_site();
    let private = callsite::private(Some(&input.krate));
    let Recorder { keys, closure } = input.fields.recorder(&private, None);
    let callsite = Callsite {
        private: &private,
        name: &input.name,
        within: None,
        level: LEVEL.default,
        kind: KIND.default,
        keys: &keys,
        root: false,
        sample: None,
    }
    .expand();
    quote_spanned! {site=> {
        let __otlp_callsite = #callsite;
        #private::span(__otlp_callsite, #closure)
    }}
}
