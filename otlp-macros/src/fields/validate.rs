//! What must hold for a list of fields as a whole.

use std::collections::HashSet;

use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::{Error, Expr, ExprAsync, ExprAwait, ExprClosure, ExprReturn, ExprTry, Item, Result};

use super::{Field, Key};

/// Keys are not empty and not repeated; values do not leave the function.
pub(super) fn check(fields: &Vec<Field>) -> Result<()> {
    if fields.len() > usize::from(u16::MAX) {
        return Err(Error::new(proc_macro2::Span::call_site(), "there are too many fields"));
    }
    let mut seen = HashSet::new();
    for field in fields {
        let (Field::Attribute { value, .. } | Field::Spread(value)) = field else { continue };
        if let Field::Attribute { key, .. } = field {
            let (text, written) = match key {
                Key::Text { text, written } => (text.clone(), written.clone()),
                Key::Const(constant) => (spelt(constant), constant.to_token_stream()),
            };
            if text.is_empty() {
                return Err(Error::new_spanned(written, "a key cannot be empty"));
            }
            if !seen.insert(text.clone()) {
                return Err(Error::new_spanned(written, format!("the key `{text}` is there twice")));
            }
        }
        if let Field::Attribute { value, .. } = field
            && is_empty_placeholder(value)
        {
            let message = "no placeholder is needed: remove it, and set the attribute when its value is known, \
                           with `otlp::Span::current().set_attribute(...)`";
            return Err(Error::new_spanned(value, message));
        }
        stays(value)?;
    }
    Ok(())
}

/// A constant in its braces, which no other key can look like unless it is in quotes and means to.
fn spelt(constant: &Expr) -> String {
    let text: String = constant.to_token_stream().to_string().split_whitespace().collect();
    format!("{{{text}}}")
}

/// A value is evaluated in a closure of the expansion, out of which nothing leads.
pub(crate) fn stays(value: &Expr) -> Result<()> {
    let mut leaves = Leaves(None);
    leaves.visit_expr(value);
    leaves.0.map_or(Ok(()), Err)
}

/// `tracing::field::Empty` and its shorter forms.
fn is_empty_placeholder(value: &Expr) -> bool {
    let Expr::Path(path) = value else { return false };
    let mut segments = path.path.segments.iter().rev();
    segments.next().is_some_and(|s| s.ident == "Empty") && segments.next().is_some_and(|s| s.ident == "field")
}

/// Finds control flow out of a field's value, which stands in a closure of the expansion.
struct Leaves(Option<Error>);

impl Leaves {
    fn found(&mut self, what: &str, at: impl quote::ToTokens) {
        if self.0.is_none() {
            let message = format!("this value cannot contain {what}; compute it before, in the function");
            self.0 = Some(Error::new_spanned(at, message));
        }
    }
}

impl<'ast> Visit<'ast> for Leaves {
    fn visit_expr_await(&mut self, e: &'ast ExprAwait) {
        self.found("`.await`", e.await_token);
    }
    fn visit_expr_try(&mut self, e: &'ast ExprTry) {
        self.found("`?`", e.question_token);
        visit::visit_expr_try(self, e);
    }
    fn visit_expr_return(&mut self, e: &'ast ExprReturn) {
        self.found("`return`", e.return_token);
    }
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}
