//! How request bodies are made smaller.

use std::fmt;

/// Whether request bodies are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// They are sent as they are.
    #[default]
    None,
    /// With gzip: less to transfer, more to compute, in a background thread.
    Gzip,
}

impl Compression {
    /// The name that variables and headers use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        }
    }

    /// By name, in any case (spec-checklist EXP8, ENV6).
    pub(super) fn find(name: &str) -> Option<Self> {
        [Self::None, Self::Gzip].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
