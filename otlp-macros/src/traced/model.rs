//! What the expansion needs to know, and nothing that it has to check again.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, LitStr, Type};

use super::future::AsyncTail;
use super::options::Ret;
use crate::fields::Fields;
use crate::function::Function;

/// A function that is going to be traced.
pub(super) struct Traced {
    /// The path of `__private`.
    pub(super) private: TokenStream,
    pub(super) name: LitStr,
    /// The function's own name, without `r#`.
    pub(super) function_name: String,
    pub(super) kind: &'static str,
    pub(super) level: &'static str,
    pub(super) root: bool,
    pub(super) sample: Option<f64>,
    /// The parent, if it is not the current span.
    pub(super) parent: Option<Expr>,
    pub(super) links: Option<Expr>,
    pub(super) fields: Fields,
    /// What the work gives: for a future, its output.
    pub(super) returns: Returns,
    /// Whether the returned value is looked at for an error.
    pub(super) inspect: bool,
    /// Where to ask whether the returned value is a future, if its type does not tell.
    pub(super) ask: Option<Span>,
    /// Whether an error makes an event.
    pub(super) event: bool,
    /// What is recorded of the returned value.
    pub(super) ret: Option<Ret>,
    pub(super) shape: Shape,
    /// Whether the function sees its caller.
    pub(super) tracks_caller: bool,
    pub(super) function: Function,
}

impl Traced {
    /// Whether `#[async_trait]` made the function of an `async fn`, whose span begins at the first poll: its block owns all
    /// arguments.
    pub(super) fn is_of_async_trait(&self) -> bool {
        self.function.signature.generics.lifetimes().any(|lifetime| lifetime.lifetime.ident == "async_trait")
    }

    /// Whether something of the user's is evaluated when the span starts.
    pub(super) fn evaluates(&self) -> bool {
        !self.fields.is_empty() || self.parent.is_some() || self.links.is_some()
    }
}

/// Where the work is done.
pub(super) enum Shape {
    /// In the call.
    Sync,
    /// In the future of an `async fn`.
    Async,
    /// In the `async` block that the body ends with.
    Returned(AsyncTail),
    /// In a future that the body makes: an `impl Future`, or held by a type that has a name.
    Made { held: bool },
}

/// The return type, as far as a block inside the function can repeat it.
pub(super) enum Returns {
    /// `()`, written or not.
    Unit,
    /// `!`.
    Never,
    /// A type that can be written again, with `_` where it was `impl Trait`.
    Type(Box<Type>),
    /// `impl Trait`: the body alone says what it is.
    Opaque,
}
