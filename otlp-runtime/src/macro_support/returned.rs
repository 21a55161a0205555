//! `ret`: what of a returned value is recorded.
//!
//! The expansion writes `(&Returned(&returned)).otlp_value()`, which gives the value inside an `Ok`, and everything that is
//! no `Result` as it is: method resolution takes the first of these that fits, which is the one for `Result`s.

/// A borrowed return value.
#[derive(Debug)]
pub struct Returned<'r, T>(pub &'r T);

/// The method that expansions call.
pub trait ReturnedValue<'r> {
    /// What `ret` records.
    type Value;
    /// Gives it; `None` for an error.
    fn otlp_value(&self) -> Option<&'r Self::Value>;
}

impl<'r, V, E> ReturnedValue<'r> for Returned<'r, Result<V, E>> {
    type Value = V;
    fn otlp_value(&self) -> Option<&'r V> {
        self.0.as_ref().ok()
    }
}

impl<'r, T> ReturnedValue<'r> for &Returned<'r, T> {
    type Value = T;
    fn otlp_value(&self) -> Option<&'r T> {
        Some(self.0)
    }
}
