//! What the implementations that are derived share.

use crate::record::value::{Value, ValueWriter};

/// Records the value that another consists of. Without a writer, says whether it is plain.
///
/// Both methods of a derived `Value` come here with the same tokens: so a field that is no value is one error, for the
/// compiler says the same thing only once.
#[inline(always)]
pub fn inner<V: Value + ?Sized>(value: &V, writer: Option<&mut ValueWriter<'_>>) -> bool {
    match writer {
        Some(writer) => {
            value.record(writer);
            true
        }
        None => value.is_plain(),
    }
}
