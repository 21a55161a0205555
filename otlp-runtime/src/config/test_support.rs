//! Settings resolved in an environment of a test's own.
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;

use super::{OtlpConfig, Resolved};
use crate::error::OtlpError;

pub(super) fn new() -> OtlpConfig {
    OtlpConfig::default()
}

/// Resolves as if every feature were on, and gives the lines that were reported.
pub(super) fn resolve(config: &OtlpConfig, variables: &[(&str, &str)]) -> (Result<Resolved, OtlpError>, Vec<String>) {
    let mut lines = Vec::new();
    let environment = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(*v));
    let resolved = config.resolve_with(&environment, &mut |line| lines.push(line), &|_| true);
    (resolved, lines)
}

/// The same where nothing may be wrong.
pub(super) fn quiet(config: &OtlpConfig, variables: &[(&str, &str)]) -> Resolved {
    let (resolved, lines) = resolve(config, variables);
    assert_eq!(lines, [""; 0], "{variables:?}");
    resolved.unwrap()
}

/// The same where one line has to say all of `parts`.
pub(super) fn reported(config: &OtlpConfig, variables: &[(&str, &str)], parts: &[&str]) -> Resolved {
    let (resolved, lines) = resolve(config, variables);
    let [line] = &lines[..] else { panic!("one line was expected: {lines:?}") };
    for part in parts {
        assert!(line.contains(part), "{part:?} in {line:?}");
    }
    assert!(!line.contains('\n'), "{line:?}");
    resolved.unwrap()
}
