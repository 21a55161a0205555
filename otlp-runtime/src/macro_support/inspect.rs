//! Finds the error in whatever a function returned: by trait, never by the word `Result`, never by `Debug`.
//!
//! An expansion cannot see types, so it writes one expression that is the same for every return type:
//!
//! ```ignore
//! {
//!     use ::otlp::__private::InspectReturn as _;
//!     (&&&&&::otlp::__private::Inspect(&returned)).otlp_inspect(&outcome);
//! }
//! ```
//!
//! Method resolution tries the receiver with its five references first and then takes one away at a time, so the first
//! of these that fits is called (this is known as autoref specialisation):
//!
//! | references | the returned value is | `error.type` | message | source chain |
//! |---|---|---|---|---|
//! | 5 | `Result<_, E>`, `E` a pointer to `dyn Error`: `Box<dyn Error>`, `anyhow::Error`, `Arc<dyn Error>` | `_OTHER` | `Display` | yes |
//! | 4 | `Result<_, E>`, `E: Error` | path of `E` | `Display` | yes |
//! | 3 | `Result<_, E>`, `E: Display`: `String`, `&str` | path of `E` | `Display` | no |
//! | 2 | `Result<_, E>`, any other `E`: `()`, opaque types | path of `E` | none | no |
//! | 1 | anything else | (no error) | | |
//!
//! The type is what counts, so aliases of `Result` work. In a generic function only the bounds in scope count.

use std::error::Error;
use std::fmt::Display;
use std::ops::Deref;

use super::Outcome;
use crate::trace::{Failure, OTHER, error_type};

/// A borrowed return value, about to be inspected.
#[derive(Debug)]
pub struct Inspect<'r, T>(pub &'r T);

/// The one method that expansions call; see the module's documentation for which implementation answers.
pub trait InspectReturn {
    /// Tells `outcome` of the error in the returned value, if there is one.
    fn otlp_inspect(&self, outcome: &Outcome<'_>);
}

/// `dyn Error` and its variants with auto traits.
pub trait ErasedError {
    /// Forgets the auto traits.
    fn as_error(&self) -> &dyn Error;
}

macro_rules! erased_error {
    ($($erased:ty),*) => {$(
        impl<'a> ErasedError for $erased {
            fn as_error(&self) -> &dyn Error {
                self
            }
        }
    )*};
}

erased_error!(dyn Error + 'a, dyn Error + Send + 'a, dyn Error + Sync + 'a, dyn Error + Send + Sync + 'a);

impl<V, E> InspectReturn for &&&&Inspect<'_, Result<V, E>>
where
    E: Deref,
    E::Target: ErasedError,
{
    fn otlp_inspect(&self, outcome: &Outcome<'_>) {
        if let Err(error) = self.0 {
            let error = (**error).as_error();
            outcome.failed(&Failure { error_type: OTHER, message: Some(&error), error: Some(error) });
        }
    }
}

impl<V, E: Error> InspectReturn for &&&Inspect<'_, Result<V, E>> {
    fn otlp_inspect(&self, outcome: &Outcome<'_>) {
        if let Err(error) = self.0 {
            outcome.failed(&Failure { error_type: error_type::<E>(), message: Some(error), error: Some(error) });
        }
    }
}

impl<V, E: Display> InspectReturn for &&Inspect<'_, Result<V, E>> {
    fn otlp_inspect(&self, outcome: &Outcome<'_>) {
        if let Err(error) = self.0 {
            outcome.failed(&Failure { error_type: error_type::<E>(), message: Some(error), error: None });
        }
    }
}

impl<V, E> InspectReturn for &Inspect<'_, Result<V, E>> {
    fn otlp_inspect(&self, outcome: &Outcome<'_>) {
        if self.0.is_err() {
            outcome.failed(&Failure { error_type: error_type::<E>(), message: None, error: None });
        }
    }
}

impl<T> InspectReturn for Inspect<'_, T> {
    fn otlp_inspect(&self, _: &Outcome<'_>) {}
}

/// Asks whether a function that returns a future under another name is meant to end its span with the call.
///
/// `(&Inspect(&returned)).otlp_is_future()` is this method if the value is a future, and else, one reference further, that
/// of [`IsNoFuture`]. No trait can make an error of what a type is, but a method can be deprecated.
pub trait IsFuture {
    /// The warning.
    #[deprecated(
        note = "this function returns a future, and its span ends before that is polled: write `#[traced(future)]`, or \
                `#[traced(future = off)]` if that is meant"
    )]
    fn otlp_is_future(&self) {}
}

impl<F: Future> IsFuture for Inspect<'_, F> {}

/// Everything that is no future.
pub trait IsNoFuture {
    /// Nothing.
    #[inline(always)]
    fn otlp_is_future(&self) {}
}

impl<T> IsNoFuture for &Inspect<'_, T> {}
