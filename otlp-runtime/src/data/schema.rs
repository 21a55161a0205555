//! Which version of which names a resource follows.

use std::fmt;

use crate::error::{OtlpError, without_secrets};

/// The schema of the attributes that otlp itself gives to a [`Resource`](super::Resource): the version of OpenTelemetry's
/// semantic conventions whose names they have.
///
/// [`Resource::with_schema_url`](super::Resource::with_schema_url) with this one never conflicts with what otlp finds out.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.42.0";

/// Far beyond any schema's, which every request carries.
const LONGEST: usize = 1024;

/// The schema that attributes follow.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Nobody has said.
    #[default]
    Unknown,
    /// The one of this URL; an empty one says nothing.
    Url(String),
    /// Several, so that none describes them all; it stays so whatever is merged in later.
    Several,
}

impl Schema {
    /// The URL, if one describes all attributes.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Url(url) if !url.is_empty() => Some(url),
            _ => None,
        }
    }

    /// This one, or `default` if nobody has said.
    pub(crate) fn or(self, default: &str) -> Self {
        match self {
            Self::Unknown => Self::Url(default.to_owned()),
            known => known,
        }
    }

    /// The rule for merged resources (spec-checklist RES3).
    ///
    /// # Errors
    /// [`OtlpError::SchemaConflict`] if both are known and differ; it is [`Several`](Self::Several) then.
    pub(crate) fn merge(&mut self, updating: Self) -> Result<(), OtlpError> {
        match (self.url(), updating.url()) {
            _ if *self == Self::Several => {}
            _ if updating == Self::Several => *self = Self::Several,
            (_, None) => {}
            (None, Some(_)) => *self = updating,
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => {
                let [old, updating] = [old, new].map(without_secrets);
                *self = Self::Several;
                return Err(OtlpError::SchemaConflict { old, updating });
            }
        }
        Ok(())
    }

    /// Whether a URL that was set in code can be one: `http[s]://server[:port]/path/version`, as the specification has it.
    ///
    /// # Errors
    /// [`OtlpError::InvalidConfig`] for the setting `schema_url`.
    pub(crate) fn validate(&self) -> Result<(), OtlpError> {
        let Self::Url(url) = self else { return Ok(()) };
        let (problem, remedy) = if url.is_empty() {
            ("is empty", "write the schema's URL, or do not set it")
        } else if url.len() > LONGEST {
            ("is longer than 1024 bytes", "write the URL by which the schema is published")
        } else if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            ("has a space or a control character in it", "write a URL")
        } else if !["http://", "https://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(is_place)) {
            ("is no URL of a schema", "write one as `https://opentelemetry.io/schemas/1.42.0`")
        } else if url.contains(['@', '?', '#']) {
            ("has user information, a query or a fragment, which every receiver would see", "leave that out")
        } else {
            return Ok(());
        };
        Err(OtlpError::InvalidConfig { setting: "schema_url", value: without_secrets(url), problem, remedy })
    }
}

/// The URL without user information and query, which it should not have.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("Unknown"),
            Self::Url(url) => f.debug_tuple("Url").field(&without_secrets(url)).finish(),
            Self::Several => f.write_str("Several"),
        }
    }
}

/// Whether a server stands before the path.
fn is_place(rest: &str) -> bool {
    !rest.is_empty() && !rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_can_be_a_schemas_url() {
        for good in [SCHEMA_URL, "http://h:8080/s/1", "https://example.com/schemas/2.0-beta", "https://ü.example/1"] {
            Schema::Url(good.to_owned()).validate().unwrap();
        }
        Schema::Unknown.validate().unwrap();
        let long = format!("https://h/{}", "x".repeat(LONGEST));
        for bad in [
            "",
            "1.42.0",
            "opentelemetry.io/schemas/1.42.0",
            "ftp://h/1",
            "https://",
            "https:///1",
            " https://h/1",
            "https://h/1\n",
            "https://h/\u{7f}1",
            "https://user:hunter2@h/1",
            "https://h/1?key=hunter2",
            "https://h/1#hunter2",
            &long,
        ] {
            let error = Schema::Url(bad.to_owned()).validate().unwrap_err();
            assert!(matches!(error, OtlpError::InvalidConfig { setting: "schema_url", .. }), "{bad}: {error:?}");
            assert!(!error.to_string().contains("hunter2") && error.to_string().len() < 500, "{error}");
        }
    }

    #[test]
    fn a_conflict_shows_no_secret_and_is_not_endless() {
        let url = |text: &str| Schema::Url(text.to_owned());
        let mut schema = url("https://user:hunter2@h/1");
        let error = schema.merge(url(&format!("https://h/{}?hunter2", "x".repeat(9000)))).unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", url("https://user:hunter2@h/1")).contains("hunter2"), "{error}");
        assert!(error.to_string().len() < 1000, "{error}");
    }
}
