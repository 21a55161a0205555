//! The struct and its options together, checked against each other.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{Error, LitStr, Result};

use super::model::{Attributes, Content, Field};
use super::parse::{self, Input};
use crate::derive::{self, ATTRIBUTES, Bounds, Frame, Options};
use crate::fields::Form;

pub(super) fn validate(input: Input) -> Result<Attributes> {
    let Input { input, options, fields } = input;
    derive::not_packed(&input.attrs, ATTRIBUTES)?;
    let frame = Frame::new(&input, options.krate.as_ref(), ATTRIBUTES);
    let mut bounds = Bounds::of(&input);
    let prefix = prefix(options.prefix.as_ref())?;
    let mut keys = HashSet::new();
    let mut recorded = Vec::new();
    for parse::Field { ident, ty, options } in fields {
        combined(&options)?;
        if options.skip.is_some() {
            continue;
        }
        let content = if options.flatten.is_some() {
            bounds.require(&ty, &frame.bound());
            Content::Flatten
        } else {
            let form = options.form();
            let value = if form == Form::Value { &ty } else { derive::within_option(&ty).unwrap_or(&ty) };
            bounds.require(value, &form.bound(&frame.private));
            let (name, at) = match &options.rename {
                Some(rename) => (rename.value(), rename.span()),
                None => (ident.unraw().to_string(), ident.span()),
            };
            let key = key(&prefix, &name, at)?;
            if !keys.insert(key.clone()) {
                return Err(Error::new(at, format!("the key `{key}` is there twice")));
            }
            Content::Attribute(key, form)
        };
        recorded.push(Field { ident, ty, content });
    }
    Ok(Attributes { frame: frame.bounded(bounds.finish()), fields: recorded })
}

fn prefix(written: Option<&LitStr>) -> Result<String> {
    let Some(written) = written else { return Ok(String::new()) };
    match written.value() {
        text if text.is_empty() => Err(Error::new(written.span(), "an empty prefix changes nothing: remove it")),
        text => Ok(text),
    }
}

fn key(prefix: &str, name: &str, at: Span) -> Result<String> {
    if name.is_empty() {
        return Err(Error::new(at, "a key cannot be empty"));
    }
    Ok(format!("{prefix}{name}"))
}

/// Options that leave nothing for others.
fn combined(options: &Options) -> Result<()> {
    let form = options.form.map(|(_, at)| at);
    let others = [options.rename.as_ref().map(LitStr::span), form];
    if let Some(at) = options.skip
        && (options.flatten.is_some() || others.iter().any(Option::is_some))
    {
        return Err(Error::new(at, "a field that is left out has no other option: remove `skip`, or the rest"));
    }
    if options.flatten.is_some()
        && let Some(at) = others.into_iter().flatten().next()
    {
        let message = "`flatten` records the field's own attributes, under their own keys: remove this, or `flatten`";
        return Err(Error::new(at, message));
    }
    Ok(())
}
