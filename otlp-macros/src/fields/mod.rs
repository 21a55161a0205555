//! The one field grammar, for `fields(...)` of `#[traced]` and for the lists of `span!` and its siblings:
//!
//! ```text
//! field := key '=' sigil? expr  |  sigil? path  |  '..' expr
//! key   := segment ('.' segment)*  |  "literal"  |  {CONST}
//! path  := ident ('.' member)*                       sigil := '%' (Display) | '?' (Debug)
//! ```

mod expand;
mod parse;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use expand::Recorder;
pub(crate) use validate::stays;

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Attribute, Expr};

/// A field list, parsed and checked.
#[derive(Default)]
pub(crate) struct Fields(Vec<Field>);

impl Fields {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an argument, unless a field has its name.
    pub(crate) fn add_argument(&mut self, name: &Ident, cfgs: Vec<Attribute>) {
        let key_of = name.unraw().to_string();
        let known =
            |field: &Field| matches!(field, Field::Attribute { key: Key::Text { text, .. }, .. } if *text == key_of);
        if !self.0.iter().any(known) {
            self.0.push(Field::Argument { name: name.clone(), cfgs });
        }
    }
}

/// One field.
enum Field {
    /// A key and its value.
    Attribute { key: Key, form: Form, value: Expr },
    /// `..attributes`: everything that an `Attributes` value holds.
    Spread(Expr),
    /// An argument of the function, recorded if its type can be.
    Argument { name: Ident, cfgs: Vec<Attribute> },
}

/// The left side of a field, or what stands for it.
enum Key {
    /// Known while compiling.
    Text { text: String, written: TokenStream },
    /// `{CONST}`.
    Const(Expr),
}

/// How a value is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is, through `Value`.
    Value,
    /// `%`.
    Display,
    /// `?`.
    Debug,
}
