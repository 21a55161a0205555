//! `http`: methods, status codes, versions and header names as the semantic conventions want them; URIs without the name
//! and the password of a user; header values that are visible ASCII and not marked as sensitive.

use std::fmt::{self, Display};

use ::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, Version};

use crate::record::value::{Value, ValueWriter};

plain! {
    Method => |v, w| w.str(v.as_str());
    StatusCode => |v, w| w.i64(v.as_u16().into());
    HeaderName => |v, w| w.str(v.as_str());
    Version => |v, w| {
        if let Some(version) = version(*v) {
            w.str(version);
        }
    };
    Uri => |v, w| w.display(&WithoutUser(v));
    HeaderValue => |v, w| {
        if let Some(text) = v.to_str().ok().filter(|_| !v.is_sensitive()) {
            w.str(text);
        }
    };
}

/// As in `network.protocol.version`.
fn version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

struct WithoutUser<'u>(&'u Uri);

impl Display for WithoutUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.0.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        if let Some(authority) = self.0.authority().map(|authority| authority.as_str()) {
            f.write_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host))?;
        }
        f.write_str(self.0.path())?;
        self.0.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}
