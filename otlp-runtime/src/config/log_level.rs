//! Which of its own lines otlp writes to stderr.

use std::fmt;
use std::str::FromStr;

use super::parse;
use crate::error::OtlpError;

/// Which of its own lines otlp writes to stderr (OTEL_LOG_LEVEL); each level has those before it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// None. `otlp::status()` still tells what was lost.
    Off,
    /// What is lost, and what fails.
    Error,
    /// What is set wrongly or used wrongly, and what is done instead.
    Warn,
    /// What works again.
    #[default]
    Info,
}

impl LogLevel {
    /// Its name in `OTEL_LOG_LEVEL`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "none",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }

    /// Finds a level by its name, of either case (spec-checklist ENV6). There is nothing to say beyond `info`.
    pub(super) fn find(name: &str) -> Option<Self> {
        let levels = [
            (Self::Off, &["none", "off"][..]),
            (Self::Error, &["error", "fatal"]),
            (Self::Warn, &["warn", "warning"]),
            (Self::Info, &["info", "debug", "trace", "verbose", "all"]),
        ];
        levels.into_iter().find(|(_, names)| names.iter().any(|n| n.eq_ignore_ascii_case(name))).map(|(level, _)| level)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Case-insensitive.
impl FromStr for LogLevel {
    type Err = OtlpError;

    fn from_str(name: &str) -> Result<Self, OtlpError> {
        Self::find(name).ok_or_else(|| OtlpError::InvalidConfig {
            setting: "log_level",
            value: parse::shown(name),
            problem: "is not a level",
            remedy: "write `none`, `error`, `warn` or `info`",
        })
    }
}
