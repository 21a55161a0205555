//! How important a span or log record is.

use std::fmt;
use std::str::FromStr;

/// The importance of a callsite, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Very fine steps.
    Trace = 1,
    /// For the developer.
    Debug = 2,
    /// The normal course of things; the default of `#[traced]`.
    Info = 3,
    /// Unexpected, but handled.
    Warn = 4,
    /// Something failed.
    Error = 5,
}

impl Level {
    /// The name in filters: `info`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Case-insensitive.
impl FromStr for Level {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error]
            .into_iter()
            .find(|l| l.as_str().eq_ignore_ascii_case(s))
            .ok_or(())
    }
}
