//! The type and its options together, checked against each other.

use syn::ext::IdentExt as _;
use syn::{DeriveInput, Error, Result};

use super::case::Case;
use super::model::{Content, Inner, Shape, Value, Variant};
use super::parse::{self, Body, Field, Input};
use crate::derive::{self, Bounds, Frame, VALUE};
use crate::fields::Form;

pub(super) fn validate(input: Input) -> Result<Value> {
    let Input { input, options, body } = input;
    let mut rules = Rules { frame: Frame::new(&input, options.krate.as_ref(), VALUE), bounds: Bounds::of(&input) };
    if let Some(written) = &options.rename_all {
        let message = match (&body, &options.form) {
            (Body::Enum(_), None) => None,
            (Body::Enum(_), Some(_)) => Some("the enum is recorded as its text, so no variant has a name: remove this"),
            _ => Some("`rename_all` is for enums, whose variants have names: remove it"),
        };
        if let Some(message) = message {
            return Err(Error::new(written.span(), message));
        }
    }
    let shape = match (body, options.form) {
        (Body::Union(union), _) => {
            return Err(Error::new(union.span, "a union does not know what it holds; implement `otlp::Value` by hand"));
        }
        (body, Some((form, at))) => {
            nothing_within(&body)?;
            rules.bounds.require_of_self(&form.bound(&rules.frame.private));
            Shape::Text(form, at)
        }
        (Body::Struct(fields), None) => Shape::Newtype(rules.newtype(&input, fields)?),
        (Body::Enum(variants), None) => {
            let case = options.rename_all.as_ref().map_or(Ok(Case::Pascal), Case::parse)?;
            Shape::Enum(variants.into_iter().map(|variant| rules.variant(variant, case)).collect::<Result<_>>()?)
        }
    };
    Ok(Value { frame: rules.frame.bounded(rules.bounds.finish()), shape })
}

/// The text of the whole leaves nothing for options of its parts.
fn nothing_within(body: &Body) -> Result<()> {
    const MESSAGE: &str = "the whole is recorded as its text, by the option on the type: remove one of the two";
    let (fields, variants): (Vec<&Field>, Vec<&parse::Variant>) = match body {
        Body::Struct(fields) => (fields.iter().collect(), Vec::new()),
        Body::Enum(variants) => (variants.iter().flat_map(|v| &v.fields).collect(), variants.iter().collect()),
        Body::Union(_) => (Vec::new(), Vec::new()),
    };
    if let Some((_, at)) = fields.iter().find_map(|field| field.options.form) {
        return Err(Error::new(at, MESSAGE));
    }
    let renamed = variants.iter().find_map(|variant| variant.options.rename.as_ref());
    renamed.map_or(Ok(()), |rename| Err(Error::new(rename.span(), MESSAGE)))
}

struct Rules<'i> {
    frame: Frame,
    bounds: Bounds<'i>,
}

impl Rules<'_> {
    fn newtype(&mut self, input: &DeriveInput, fields: Vec<Field>) -> Result<Box<Inner>> {
        derive::not_packed(&input.attrs, VALUE)?;
        let message = if fields.is_empty() {
            "a struct without fields has no value; write `#[value(display)]` on the struct to record its `Display` text"
        } else {
            "a struct that is one value has one field; write `#[value(display)]` on the struct to record its `Display` \
             text, or derive `otlp::Attributes` to record each field"
        };
        let Ok([field]) = <[Field; 1]>::try_from(fields) else { return Err(Error::new(input.ident.span(), message)) };
        Ok(self.inner(field))
    }

    fn variant(&mut self, variant: parse::Variant, case: Case) -> Result<Variant> {
        let parse::Variant { ident, options, mut fields } = variant;
        if fields.len() > 1 {
            let message = "a variant that is one value has at most one field; write `#[value(display)]` on the enum to \
                           record its `Display` text";
            return Err(Error::new(ident.span(), message));
        }
        let content = match (fields.pop(), options.rename) {
            (Some(_), Some(rename)) => {
                let message = "this variant is recorded as its field, not by its name: remove `rename`";
                return Err(Error::new(rename.span(), message));
            }
            (Some(field), None) => Content::Inner(self.inner(field)),
            (None, Some(rename)) => Content::Text(rename.value()),
            (None, None) => Content::Text(case.apply(&ident.unraw().to_string())),
        };
        Ok(Variant { ident, content })
    }

    fn inner(&mut self, field: Field) -> Box<Inner> {
        let form = field.options.form();
        let ty = if form == Form::Value { &field.ty } else { derive::within_option(&field.ty).unwrap_or(&field.ty) };
        self.bounds.require(ty, &form.bound(&self.frame.private));
        Box::new(Inner { member: field.member, ty: field.ty, form })
    }
}
