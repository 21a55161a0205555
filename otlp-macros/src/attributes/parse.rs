//! The struct as written, with the options at each place.

use proc_macro2::{Ident, TokenStream};
use syn::{Data, DeriveInput, Error, Fields, Result, Type};

use crate::derive::{self, Options, Place};

const STRUCT: Place = Place {
    attribute: "attributes",
    options: &["prefix", "crate"],
    elsewhere: &[
        (
            "#[attribute]",
            "the options of the struct are written `#[attributes(...)]`; `#[attribute(...)]` stands on a field",
        ),
        ("rename", "`rename` stands on a field: `#[attribute(rename = \"...\")]`"),
        ("rename_all", "a key is the field's name; `#[attribute(rename = \"...\")]` on the field gives it another"),
    ],
};

const FIELD: Place = Place {
    attribute: "attribute",
    options: &["rename", "skip", "flatten", "display", "debug"],
    elsewhere: &[
        (
            "#[attributes]",
            "the options of a field are written `#[attribute(...)]`; `#[attributes(...)]` stands on the struct",
        ),
        ("prefix", "`prefix` stands on the struct: `#[attributes(prefix = \"...\")]`"),
        ("crate", "`crate` stands on the struct: `#[attributes(crate = path)]`"),
        ("key", "write `rename = \"...\"`"),
        ("name", "write `rename = \"...\"`"),
        ("skip_serializing_if", "an `Option` that is `None` is left out: remove this"),
    ],
};

/// A struct and its options.
pub(super) struct Input {
    pub(super) input: DeriveInput,
    pub(super) options: Options,
    pub(super) fields: Vec<Field>,
}

/// A field that holds something.
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) options: Options,
}

pub(super) fn parse(input: TokenStream) -> Result<Input> {
    const WANTED: &str = "attributes are the named fields of a struct, `struct Name { key: Type }`";
    let input: DeriveInput = syn::parse2(input)?;
    let options = Options::parse(&input.attrs, &STRUCT)?;
    let Data::Struct(data) = &input.data else {
        return Err(match &input.data {
            Data::Enum(data) => {
                let message = format!("{WANTED}; for an enum that is the value of one, derive `otlp::Value`");
                Error::new(data.enum_token.span, message)
            }
            Data::Union(data) => Error::new(data.union_token.span, WANTED),
            Data::Struct(_) => Error::new(input.ident.span(), WANTED),
        });
    };
    let Fields::Named(named) = &data.fields else {
        let message = format!("{WANTED}; for a struct that is the value of one, derive `otlp::Value`");
        return Err(Error::new(input.ident.span(), message));
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let options = Options::parse(&field.attrs, &FIELD)?;
        if !derive::is_phantom(&field.ty) {
            fields.push(Field { ident: ident.clone(), ty: field.ty.clone(), options });
        }
    }
    Ok(Input { options, fields, input })
}
