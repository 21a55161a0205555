//! What the expansion needs to know, and nothing that it has to check again.

use proc_macro2::Ident;
use syn::Type;

use crate::derive::Frame;
use crate::fields::Form;

/// A struct that becomes attributes.
pub(super) struct Attributes {
    pub(super) frame: Frame,
    pub(super) fields: Vec<Field>,
}

/// A field that is recorded.
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) content: Content,
}

/// What a field is.
pub(super) enum Content {
    /// One attribute, under this key.
    Attribute(String, Form),
    /// Attributes of its own.
    Flatten,
}
