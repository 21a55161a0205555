//! Trace and span identifiers (spec-checklist TRC3, PRO1; W3C Trace Context Level 2).

use std::fmt;

/// A trace's 16-byte identifier; all zero is invalid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TraceId([u8; 16]);

/// A span's 8-byte identifier; all zero is invalid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SpanId([u8; 8]);

macro_rules! id {
    ($name:ident, $len:literal, $digits:literal) => {
        impl $name {
            /// The invalid identifier: all bytes zero.
            pub const INVALID: Self = Self([0; $len]);

            /// From bytes in network order.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes in network order.
            pub const fn to_bytes(self) -> [u8; $len] {
                self.0
            }

            /// Whether any bit is set.
            pub fn is_valid(self) -> bool {
                self != Self::INVALID
            }

            #[doc = concat!("Parses exactly ", $digits, " hexadecimal digits of either case; anything else is `None`.")]
            pub fn from_hex(hex: &str) -> Option<Self> {
                if hex.len() != 2 * $len || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return None;
                }
                let mut bytes = [0; $len];
                for (i, byte) in bytes.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
                }
                Some(Self(bytes))
            }
        }

        /// Lowercase hexadecimal.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id!(TraceId, 16, "32");
id!(SpanId, 8, "16");

/// The W3C trace flags of a span's context.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// No flag set.
    pub const NONE: Self = Self(0);
    /// The span is recorded and exported.
    pub const SAMPLED: Self = Self(1);
    /// At least the right-most seven bytes of the trace id are random (W3C Level 2).
    pub const RANDOM: Self = Self(2);

    /// From the flags' octet; unknown bits are cleared (spec-checklist PRP6).
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 3)
    }

    /// The flags' octet.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether the sampled flag is set.
    pub const fn is_sampled(self) -> bool {
        self.0 & 1 != 0
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trc3_hex_is_lowercase_and_strict() {
        let id = TraceId::from_hex("0AF7651916CD43DD8448EB211C80319C").expect("32 digits");
        assert_eq!(id.to_string(), "0af7651916cd43dd8448eb211c80319c");
        for bad in ["", "0af7", "0af7651916cd43dd8448eb211c80319g", "+af7651916cd43dd8448eb211c80319c", "é0af7651916cd43dd8448eb211c8031"] {
            assert_eq!(TraceId::from_hex(bad), None, "{bad}");
        }
        assert!(!SpanId::INVALID.is_valid());
        assert_eq!(SpanId::from_hex("00f067aa0ba902b7").map(|id| id.to_string()).as_deref(), Some("00f067aa0ba902b7"));
    }
}
