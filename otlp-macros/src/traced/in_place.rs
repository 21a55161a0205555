//! A body that stays in its function, where a closure would become the caller that `#[track_caller]` shows.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::parse::Parser as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprAsync, ExprBreak, ExprClosure, Item, Label, Lifetime, Token, Type};

use crate::function::carried;

/// The block as an expression of this type, with each `return` made a `break`. One that a macro writes is not seen: it
/// leaves the function with what it returns as it is.
pub(super) fn block(body: &Group, ty: Option<&Type>) -> TokenStream {
    let site = Span::mixed_site();
    let mut returns = Returns { label: Lifetime::new("'__otlp_body", site), found: false };
    let Ok(mut statements) = Block::parse_within.parse2(body.stream()) else { return body.to_token_stream() };
    statements.iter_mut().for_each(|statement| returns.visit_stmt_mut(statement));
    let block = if returns.found {
        let block = carried(statements.iter().map(|statement| statement.to_token_stream()).collect(), body.span());
        let label = Label { name: returns.label, colon_token: Token![:](site) };
        quote_spanned!(site=> #label #block)
    } else {
        body.to_token_stream()
    };
    match ty {
        Some(ty) => quote_spanned!(site=> { let __otlp_made: #ty = #block; __otlp_made }),
        None => block,
    }
}

struct Returns {
    label: Lifetime,
    found: bool,
}

impl VisitMut for Returns {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::Return(written) = expression {
            self.found = true;
            *expression = Expr::Break(ExprBreak {
                attrs: std::mem::take(&mut written.attrs),
                break_token: Token![break](written.return_token.span),
                label: Some(self.label.clone()),
                expr: written.expr.take(),
            });
        }
    }
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
