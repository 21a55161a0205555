//! `uuid`: the hyphenated text.

use ::uuid::Uuid;
use ::uuid::fmt::Hyphenated;

use crate::record::value::{Value, ValueWriter};

plain! {
    Uuid => |v, w| w.str(v.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]));
}
