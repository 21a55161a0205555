//! The one error type of the crate: what was wrong, where, and what to do.

use std::time::Duration;

/// Everything that a call into `otlp` can fail with.
///
/// Recording never fails; only configuring, starting, flushing and shutting down do. No variant carries a
/// header value or the user information of a URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// A value that was set in code cannot be used.
    #[error("{setting}: {value:?} {problem}; {remedy}")]
    InvalidConfig {
        /// The setting, by the name of its builder method without `with_` (`endpoint`, `batch_size`).
        setting: &'static str,
        /// The value as it was given; secrets are replaced before they get here.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A certificate or a key cannot be used.
    #[error("{setting}: {file}: {cause}")]
    Certificate {
        /// The setting: the name of its builder method without `with_` (`ca_certificate`), or a variable of the environment.
        setting: &'static str,
        /// Where it stands.
        file: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Resources were merged that follow different schemas; what came of it has the attributes of both, and no schema URL.
    #[error(
        "resources with different schema URLs were merged, {old:?} and {updating:?}: all attributes are kept, without a \
         schema URL; give both the same one, or leave it out of one of them"
    )]
    SchemaConflict {
        /// The schema URL of the resource that was updated.
        old: String,
        /// The schema URL of the one that was merged into it.
        updating: String,
    },
    /// What was asked for is compiled out.
    #[error(
        "{wanted} needs the cargo feature `{feature}` of the crate `otlp`: add it to the `features` of the dependency"
    )]
    FeatureDisabled {
        /// What the configuration asked for.
        wanted: &'static str,
        /// The feature that provides it.
        feature: &'static str,
    },
    /// `init` was called while an earlier pipeline is still running.
    #[error(
        "otlp is already initialised in this process: call `otlp::shutdown` (or drop the guard) before a second `init`"
    )]
    AlreadyInitialized,
    /// The deadline passed before everything that was recorded had been settled.
    #[error("{operation} did not finish within {deadline:?}: {pending} items are not delivered yet{}", detail(.last_error))]
    DeadlineExceeded {
        /// `flush` or `shutdown`.
        operation: &'static str,
        /// The time that was allowed.
        deadline: Duration,
        /// Items recorded before the call that have neither arrived nor been dropped.
        pending: u64,
        /// The last failure of an export, if there was one; it says so if an export has succeeded since.
        last_error: Option<String>,
    },
    /// Flush or shutdown ended in time, but some of the items were lost.
    #[error("{operation}: {lost} items recorded before the call were not delivered{}", detail(.last_error))]
    Lost {
        /// `flush` or `shutdown`.
        operation: &'static str,
        /// Items that were dropped or rejected, and that no call has told of before.
        lost: u64,
        /// The failure of an export that cost some of them, if one did: the last one. What is lost for another reason, say
        /// because it is too large, has none; stderr names the reason.
        last_error: Option<String>,
    },
    /// The operating system refused a thread.
    #[error("cannot start the thread `{name}`: {source}; raise the process's limits of threads and of open files")]
    Thread {
        /// Name of the thread.
        name: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
}

impl OtlpError {
    /// Whether the same call may succeed later with nothing changed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::DeadlineExceeded { .. } | Self::Thread { .. })
    }
}

fn detail(last_error: &Option<String>) -> String {
    last_error.as_ref().map_or_else(String::new, |e| format!(" (last export error: {e})"))
}

/// `url` for a message: no user information, no query, not endless. A malformed URL is cut generously: a password may
/// hold a `/`, so everything before the last `@` goes; where a `?` stands in front of that, nothing but the scheme is left.
pub(crate) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => (scheme, rest),
        _ => ("", url),
    };
    let colon = if scheme.is_empty() { "" } else { "://" };
    if let (Some(query), Some(at)) = (rest.find(['?', '#']), rest.rfind('@'))
        && query < at
    {
        return format!("{scheme}{colon}***");
    }
    let (hidden, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("***@", rest));
    let (rest, query) = rest.split_once(['?', '#']).map_or((rest, ""), |(rest, _)| (rest, "?***"));
    let shown: String = rest.chars().take(200).collect();
    format!("{scheme}{colon}{hidden}{shown}{query}")
}
