//! An attribute's value as owned data (spec-checklist ATT1: any AnyValue).

/// An owned attribute value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A value that says nothing, as `None` in an array.
    Empty,
    /// Text.
    String(String),
    /// True or false.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// A floating-point number.
    F64(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Several values.
    Array(Vec<AttributeValue>),
    /// Named values.
    Map(Vec<(String, AttributeValue)>),
}

macro_rules! from {
    ($($ty:ty => $variant:ident),*) => {$(
        impl From<$ty> for AttributeValue {
            fn from(value: $ty) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
from!(&str => String, String => String, bool => Bool, i64 => I64, i32 => I64, u32 => I64, f64 => F64, Vec<u8> => Bytes);
