//! The instrumentation scope: which crate made the telemetry.

/// Name and version of the crate that a callsite stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The crate's name.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
}
