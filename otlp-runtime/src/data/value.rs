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

impl AttributeValue {
    /// About how many bytes it takes, here and on the wire.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Empty | Self::Bool(_) => 1,
            Self::I64(_) | Self::F64(_) => 8,
            Self::String(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Array(values) => values.iter().map(|value| 2 + value.size()).sum(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| 2 + key.len() + value.size()).sum(),
        }
    }
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
