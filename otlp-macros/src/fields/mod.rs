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

use proc_macro2::TokenStream;
use syn::Expr;

/// A field list, parsed and checked.
#[derive(Default)]
pub(crate) struct Fields(Vec<Field>);

/// One field.
enum Field {
    /// A key and its value.
    Attribute { key: Key, form: Form, value: Expr },
    /// `..attributes`: everything that an `Attributes` value holds.
    Spread(Expr),
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
