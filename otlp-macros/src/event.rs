//! `otlp::event!("name", fields...)`, and `otlp::info!("text {x}", fields...)` with its siblings, as the facade hands them over:
//! `[path of otlp] event "name", fields...` and `[path of otlp] info "text", fields...`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Path, Result, Token, bracketed};

use crate::callsite::{self, Callsite};
use crate::fields::{Fields, Recorder};
use crate::keyword::{KIND, LEVEL};

struct Input {
    krate: Path,
    /// Variant of `Level`; `None`: it is an event with a name.
    level: Option<&'static str>,
    text: LitStr,
    fields: Fields,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let content;
        bracketed!(content in input);
        let krate = content.call(Path::parse_mod_style)?;
        let word: Ident = input.parse()?;
        let level = LEVEL.words.iter().find(|(known, _)| word == known).map(|(_, variant)| *variant);
        let expected = match level {
            Some(_) => format!("a log record begins with its text: `{word}!(\"text {{x}}\", key = value)`"),
            None => "an event begins with its name: `event!(\"name\", key = value)`".to_owned(),
        };
        if input.is_empty() {
            return Err(Error::new(Span::call_site(), expected));
        }
        let Ok(text) = input.parse::<LitStr>() else { return Err(Error::new(input.span(), expected)) };
        if level.is_none() && text.value().is_empty() {
            return Err(Error::new(text.span(), "an event's name cannot be empty"));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self { krate, level, text, fields: input.parse()? })
    }
}

pub(crate) fn event(input: TokenStream) -> TokenStream {
    match syn::parse2::<Input>(input) {
        Ok(input) => expand(&input),
        Err(error) => error.to_compile_error(),
    }
}

fn expand(input: &Input) -> TokenStream {
    let site = Span::mixed_site();
    let private = callsite::private(Some(&input.krate));
    let Recorder { keys, closure } = input.fields.recorder(&private, None);
    let text = &input.text;
    let callsite = Callsite {
        private: &private,
        name: text,
        within: None,
        level: input.level.unwrap_or(LEVEL.default),
        kind: KIND.default,
        keys: &keys,
        root: false,
        sample: None,
    }
    .expand();
    let body = match input.level {
        Some(_) => quote_spanned!(site=> ::core::option::Option::Some(::core::format_args!(#text))),
        None => quote_spanned!(site=> ::core::option::Option::None),
    };
    quote_spanned! {site=> {
        let __otlp_callsite = #callsite;
        if __otlp_callsite.is_enabled() {
            #private::event(__otlp_callsite, #body, #closure);
        }
    }}
}
