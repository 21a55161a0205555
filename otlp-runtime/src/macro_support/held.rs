//! Functions that return a future in a type with a name.

use std::future::Future;
use std::pin::Pin;

use super::{Outcome, SpanHandle, instrument};

/// A type that can hold another future than it did, one with the same output.
#[diagnostic::on_unimplemented(
    message = "the return type must be able to hold the wrapped future: `impl Future`, `Pin<Box<dyn Future>>`, or an alias of \
               one; use `future = off` to record the call",
    label = "cannot hold the wrapped future"
)]
pub trait HoldsFuture: Sized {
    /// What the future gives.
    type Output;

    /// This future within the span; itself, if there is none.
    fn hold<P>(self, span: SpanHandle, inspect: P) -> Self
    where
        P: Fn(&Outcome<'_>, &Self::Output) + Send + Sync + 'static;
}

macro_rules! holds_future {
    ($($new:path => $held:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a, T: 'a> HoldsFuture for $held {
            type Output = T;

            #[inline]
            fn hold<P>(self, span: SpanHandle, inspect: P) -> Self
            where
                P: Fn(&Outcome<'_>, &T) + Send + Sync + 'static,
            {
                if span.is_none() { self } else { $new(instrument(span, self, inspect)) }
            }
        }
    )*};
}

holds_future! {
    Box::pin => Pin<Box<dyn Future<Output = T> + 'a>>,
    Box::pin => Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    Box::pin => Pin<Box<dyn Future<Output = T> + Sync + 'a>>,
    Box::pin => Pin<Box<dyn Future<Output = T> + Send + Sync + 'a>>,
    Box::new => Box<dyn Future<Output = T> + Unpin + 'a>,
    Box::new => Box<dyn Future<Output = T> + Send + Unpin + 'a>,
    Box::new => Box<dyn Future<Output = T> + Sync + Unpin + 'a>,
    Box::new => Box<dyn Future<Output = T> + Send + Sync + Unpin + 'a>,
}

/// Puts a future within its span.
#[inline]
pub fn hold<H, P>(span: SpanHandle, future: H, inspect: P) -> H
where
    H: HoldsFuture,
    P: Fn(&Outcome<'_>, &H::Output) + Send + Sync + 'static,
{
    future.hold(span, inspect)
}

/// A future, of which the signature says what it gives.
#[inline(always)]
pub fn gives<T, F: Future<Output = T>>(future: F) -> F {
    future
}
