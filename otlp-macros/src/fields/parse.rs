//! Tokens to fields.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitStr, Member, Result, Token, braced, token};

use super::{Field, Fields, Form, Key, validate};

impl Parse for Fields {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let fields = Punctuated::<Field, Token![,]>::parse_terminated(input)?.into_iter().collect();
        validate::check(&fields)?;
        Ok(Self(fields))
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![..]) {
            input.parse::<Token![..]>()?;
            return Ok(Self::Spread(input.parse()?));
        }
        match explicit_key(input)? {
            Some(key) => {
                let equals: Token![=] = input.parse()?;
                if input.is_empty() || input.peek(Token![,]) {
                    return Err(Error::new(equals.span, "this key has no value; write `key = value`"));
                }
                let form = Form::parse(input)?;
                Ok(Self::Attribute { key, form, value: input.parse()? })
            }
            None => {
                let form = Form::parse(input)?;
                let value = named_by_itself(input, form)?;
                Ok(Self::Attribute { key: key_of(&value, form)?, form, value })
            }
        }
    }
}

impl Form {
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.parse::<Option<Token![%]>>()?.is_some() {
            return Ok(Self::Display);
        }
        Ok(if input.parse::<Option<Token![?]>>()?.is_some() { Self::Debug } else { Self::Value })
    }

    fn sigil(self) -> &'static str {
        match self {
            Self::Value => "",
            Self::Display => "%",
            Self::Debug => "?",
        }
    }
}

/// The key, if one is written: what stands before a `=`. Then the `=` is next in `input`.
fn explicit_key(input: ParseStream<'_>) -> Result<Option<Key>> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        if followed_by_equals(input) {
            return Ok(Some(Key::Text { text: text.value(), written: text.into_token_stream() }));
        }
        let message = format!("this key has no value; write `{} = value`", text.token());
        return Err(Error::new(text.span(), message));
    }
    if input.peek(token::Brace) {
        let content;
        let braces = braced!(content in input);
        let constant: Expr = content.parse()?;
        if content.is_empty() && followed_by_equals(input) {
            return Ok(Some(Key::Const(constant)));
        }
        return Err(Error::new(
            braces.span.join(),
            "a key in braces is one constant and has a value: `{CONST} = value`",
        ));
    }
    let ahead = input.fork();
    let Some((text, written)) = dotted_key(&ahead, &['.']) else { return Ok(None) };
    if !followed_by_equals(&ahead) {
        return Ok(None);
    }
    input.advance_to(&ahead);
    Ok(Some(Key::Text { text, written }))
}

fn followed_by_equals(input: ParseStream<'_>) -> bool {
    input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>])
}

/// Segments with one of `separators` between them, where a keyword is as good as an identifier.
fn dotted_key(input: ParseStream<'_>, separators: &[char]) -> Option<(String, TokenStream)> {
    let first = input.call(Ident::parse_any).ok()?;
    let mut text = first.unraw().to_string();
    let mut written = first.into_token_stream();
    while let Some((separator, after)) = input.cursor().punct()
        && separators.contains(&separator.as_char())
        && let Some((segment, _)) = after.ident()
    {
        text.push(separator.as_char());
        text.push_str(&segment.unraw().to_string());
        written.extend([TokenTree::from(separator), segment.into()]);
        input.parse::<TokenTree>().ok()?;
        input.parse::<TokenTree>().ok()?;
    }
    Some((text, written))
}

/// An expression without a key; most of what is wrong ends here.
fn named_by_itself(input: ParseStream<'_>, form: Form) -> Result<Expr> {
    let start = input.fork();
    match input.parse::<Expr>() {
        Ok(Expr::Assign(_)) | Err(_) => Err(misspelt(&start, form)),
        Ok(value) if input.is_empty() || input.peek(Token![,]) => Ok(value),
        Ok(_) => Err(misspelt(&start, form)),
    }
}

/// Says what was probably meant.
fn misspelt(input: ParseStream<'_>, form: Form) -> Error {
    let sigil = form.sigil();
    let Some((text, written)) = dotted_key(input, &['.', '-']) else {
        return Error::new(input.span(), "expected a field: `key = value`, `value` or `..attributes`");
    };
    if input.is_empty() || input.peek(Token![,]) {
        let message = format!("`{text}` is no value; as a key it needs one: `{text} = {sigil}value`");
        return Error::new_spanned(written, message);
    }
    if followed_by_equals(input) {
        return Error::new_spanned(written, format!("a key with other signs is written in quotes: `\"{text}\" = ...`"));
    }
    if input.peek(Token![::]) {
        return Error::new(input.span(), "the segments of a key are separated by `.`");
    }
    if input.peek(Token![:]) || input.peek(Token![=>]) {
        return Error::new(input.span(), format!("a field is written with `=`: `{text} = {sigil}value`"));
    }
    Error::new(input.span(), "expected `,` or the end of the fields")
}

/// The key that an expression gives itself: its text, without `r#` and a leading `self.`.
fn key_of(value: &Expr, form: Form) -> Result<Key> {
    let mut text = String::new();
    if !path_text(value, &mut text) {
        let sigil = form.sigil();
        return Err(Error::new_spanned(value, format!("this expression needs a key: `key = {sigil}...`")));
    }
    let text = text.strip_prefix("self.").unwrap_or(&text);
    Ok(Key::Text { text: text.to_owned(), written: value.to_token_stream() })
}

/// Writes the path as a key; `false` if it is any other expression.
fn path_text(value: &Expr, text: &mut String) -> bool {
    match value {
        Expr::Path(path) if path.attrs.is_empty() => match path.path.get_ident() {
            Some(ident) => text.push_str(&ident.unraw().to_string()),
            None => return false,
        },
        Expr::Field(field) if field.attrs.is_empty() => {
            if !path_text(&field.base, text) {
                return false;
            }
            text.push('.');
            match &field.member {
                Member::Named(ident) => text.push_str(&ident.unraw().to_string()),
                Member::Unnamed(index) => text.push_str(&index.index.to_string()),
            }
        }
        Expr::Group(group) => return path_text(&group.expr, text),
        _ => return false,
    }
    true
}
