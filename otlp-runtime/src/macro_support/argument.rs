//! `args`: an argument is recorded if its type can be.
//!
//! The expansion writes `(&Argument(&argument)).otlp_argument(...)`. Method resolution takes the first of these that fits:
//! the one for values, or else, one reference further, the one that does nothing.

use super::Fields;
use crate::record::value::Value;

/// An argument, about to be recorded if it is a value.
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

/// The method that expansions call.
pub trait RecordArgument {
    /// Records the argument under the callsite's key of this number.
    fn otlp_argument(&self, fields: &mut Fields<'_>, key: u16);
}

impl<V: Value + ?Sized> RecordArgument for Argument<'_, V> {
    #[inline(always)]
    fn otlp_argument(&self, fields: &mut Fields<'_>, key: u16) {
        fields.value(key, self.0);
    }
}

impl<T: ?Sized> RecordArgument for &Argument<'_, T> {
    #[inline(always)]
    fn otlp_argument(&self, _: &mut Fields<'_>, _: u16) {}
}
