//! The type as written, with the options at each place.

use proc_macro2::{Ident, TokenStream};
use syn::{Data, DeriveInput, Fields, Member, Result, Token, Type};

use crate::derive::{self, Options, Place};

const TYPE: Place = Place {
    attribute: "value",
    options: &["display", "debug", "rename_all", "crate"],
    elsewhere: &[
        ("rename", "`rename` stands on a variant; `rename_all = \"snake_case\"` on the enum renames all"),
        ("transparent", "a struct with one field is recorded as that field: remove `transparent`"),
    ],
};

const VARIANT: Place = Place {
    attribute: "value",
    options: &["rename"],
    elsewhere: &[
        ("rename_all", "`rename_all` stands on the enum"),
        ("display", "`display` stands on the variant's field, `Name(#[value(display)] Type)`, or on the enum"),
        ("debug", "`debug` stands on the variant's field, `Name(#[value(debug)] Type)`, or on the enum"),
        ("crate", "`crate` stands on the enum"),
    ],
};

const FIELD: Place = Place {
    attribute: "value",
    options: &["display", "debug"],
    elsewhere: &[
        ("rename", "a value has no key; that is written where the value is recorded: remove `rename`"),
        ("crate", "`crate` stands on the type"),
    ],
};

/// A type and its options.
pub(super) struct Input {
    pub(super) input: DeriveInput,
    pub(super) options: Options,
    pub(super) body: Body,
}

/// What the type consists of.
pub(super) enum Body {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    Union(Token![union]),
}

/// A variant and its options.
pub(super) struct Variant {
    pub(super) ident: Ident,
    pub(super) options: Options,
    pub(super) fields: Vec<Field>,
}

/// A field that holds something.
pub(super) struct Field {
    pub(super) member: Member,
    pub(super) ty: Type,
    pub(super) options: Options,
}

pub(super) fn parse(input: TokenStream) -> Result<Input> {
    let input: DeriveInput = syn::parse2(input)?;
    let options = Options::parse(&input.attrs, &TYPE)?;
    let body = match &input.data {
        Data::Struct(data) => Body::Struct(fields(&data.fields)?),
        Data::Enum(data) => Body::Enum(data.variants.iter().map(variant).collect::<Result<_>>()?),
        Data::Union(data) => Body::Union(data.union_token),
    };
    Ok(Input { input, options, body })
}

fn variant(variant: &syn::Variant) -> Result<Variant> {
    let options = Options::parse(&variant.attrs, &VARIANT)?;
    Ok(Variant { ident: variant.ident.clone(), options, fields: fields(&variant.fields)? })
}

fn fields(fields: &Fields) -> Result<Vec<Field>> {
    let holding = fields.members().zip(fields).filter(|(_, field)| !derive::is_phantom(&field.ty));
    let parsed = holding.map(|(member, field)| {
        Ok(Field { member, ty: field.ty.clone(), options: Options::parse(&field.attrs, &FIELD)? })
    });
    parsed.collect()
}
