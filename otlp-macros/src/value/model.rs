//! What the expansion needs to know, and nothing that it has to check again.

use proc_macro2::{Ident, Span};
use syn::{Member, Type};

use crate::derive::Frame;
use crate::fields::Form;

/// A type that becomes a value.
pub(super) struct Value {
    pub(super) frame: Frame,
    pub(super) shape: Shape,
}

/// What is recorded.
pub(super) enum Shape {
    /// The text of the whole, by its own `Display` or `Debug`; asked for here.
    Text(Form, Span),
    /// A struct's only field.
    Newtype(Box<Inner>),
    /// What the variant says.
    Enum(Vec<Variant>),
}

/// The one field that is recorded.
pub(super) struct Inner {
    pub(super) member: Member,
    pub(super) ty: Type,
    pub(super) form: Form,
}

/// A variant.
pub(super) struct Variant {
    pub(super) ident: Ident,
    pub(super) content: Content,
}

/// What a variant is recorded as.
pub(super) enum Content {
    Text(String),
    Inner(Box<Inner>),
}
