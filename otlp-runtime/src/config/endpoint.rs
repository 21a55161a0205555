//! Where to send to: a URL, who set it, and what is wrong with it.

use std::fmt;

use super::TransportProtocol;
use crate::error::{OtlpError, without_secrets};

/// Whether an endpoint is for all signals or for one; over HTTP the two differ in their paths (spec-checklist T7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    /// For all signals: `v1/traces` and so on is added to the path.
    Base,
    /// For one signal: the path is used as it is.
    Signal,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was set in code.
    Code,
    /// This variable of the environment.
    Environment(&'static str),
    /// Nobody set it.
    Default,
}

/// A URL that telemetry goes to, and where it comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointSetting {
    /// The URL as it was set, which may hold secrets.
    pub url: String,
    /// What its path means.
    pub kind: EndpointKind,
    /// Who set it.
    pub source: Source,
}

/// The URL without user information and query.
impl fmt::Debug for EndpointSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointSetting")
            .field("url", &without_secrets(&self.url))
            .field("kind", &self.kind)
            .field("source", &self.source)
            .finish()
    }
}

/// What is wrong with a URL, and what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
}

impl Problem {
    pub(crate) fn into_error(self, setting: &'static str, url: &str) -> OtlpError {
        OtlpError::InvalidConfig { setting, value: without_secrets(url), problem: self.what, remedy: self.remedy }
    }
}

/// The parts of an endpoint's URL, without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Url<'u> {
    /// What its scheme says; `None`: it has none.
    pub(crate) secure: Option<bool>,
    /// Host name or address, without brackets.
    pub(crate) host: &'u str,
    pub(crate) port: Option<u16>,
    /// Host and port as written.
    pub(crate) authority: &'u str,
    /// Path and query, as written.
    pub(crate) path: &'u str,
}

/// Reads `url` as an endpoint of `protocol`, or of any if that is still open.
///
/// HTTP takes `http[s]://host[:port][/path]`, gRPC also `host:port`.
pub(crate) fn parse(url: &str, kind: EndpointKind, protocol: Option<TransportProtocol>) -> Result<Url<'_>, Problem> {
    let grpc = protocol == Some(TransportProtocol::Grpc);
    let http = protocol == Some(TransportProtocol::HttpProtobuf);
    let example = if grpc { "write `http://host:4317`" } else { "write `http://host:4318`" };
    let problem = |what| Err::<Url<'_>, _>(Problem { what, remedy: example });
    let url = url.trim();
    if url.is_empty() {
        return problem("is empty");
    }
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, url),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(Problem {
            what: "holds a user name or password",
            remedy: "leave out everything before the host up to `@`",
        });
    }
    let odd = |c: char| !c.is_ascii_graphic() || "\"\\<>^`".contains(c);
    if url.contains(odd) || authority.contains('%') {
        return problem("holds a character that a URL cannot");
    }
    let secure = match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => Some(false),
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => Some(true),
        Some(_) => return problem("has a scheme other than `http` and `https`"),
        None if http => return problem("has no scheme"),
        None => None,
    };
    let (host, port) =
        split_authority(authority, scheme.is_some()).map_err(|what| Problem { what, remedy: example })?;
    if grpc && path.len() > 1 {
        return Err(Problem {
            what: "has a path, and gRPC sets its own",
            remedy: "write only scheme, host and port: `http://host:4317`",
        });
    }
    if kind == EndpointKind::Base && path.contains('?') {
        return Err(Problem {
            what: "has a query, and a path is still to follow",
            remedy: "set the endpoint of the signal instead",
        });
    }
    Ok(Url { secure, host, port, authority, path })
}

fn split_authority(authority: &str, has_scheme: bool) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port, allowed) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, ""))) => (host, None, "abcdefABCDEF:."),
        Some(Some((host, rest))) => (host, Some(rest.strip_prefix(':').ok_or("has no usable port")?), "abcdefABCDEF:."),
        Some(None) => return Err("has no `]` after its host"),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port), ""),
            None => (authority, None, ""),
        },
    };
    let is_name = |c: char| allowed.is_empty() && (c.is_ascii_alphabetic() || "-._~".contains(c));
    if host.is_empty() {
        return Err("has no host");
    }
    if !host.chars().all(|c| c.is_ascii_digit() || allowed.contains(c) || is_name(c)) {
        return Err("holds a character that a host cannot");
    }
    match port {
        // The standard library's parser takes a sign, which a URL cannot have.
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => match port.parse() {
            Ok(port) if port > 0 => Ok((host, Some(port))),
            _ => Err("has no usable port (1 to 65535)"),
        },
        Some(_) => Err("has no usable port (1 to 65535)"),
        None if has_scheme => Ok((host, None)),
        None => Err("has no port"),
    }
}

/// TLS without its feature, as an error; `secure` is what a URL's scheme says, and none means TLS (spec-checklist EXP3).
pub(crate) fn require_tls(secure: Option<bool>) -> Result<(), OtlpError> {
    if cfg!(feature = "tls") || secure == Some(false) {
        return Ok(());
    }
    let wanted = match secure {
        Some(_) => "an endpoint with `https://`",
        None => "an endpoint without `http://`, which means TLS,",
    };
    Err(OtlpError::FeatureDisabled { wanted, feature: "tls" })
}

/// Whether a base already ends in a path that will be added to it.
pub(super) fn repeats_signal_path(url: &str) -> bool {
    ["/v1/traces", "/v1/metrics", "/v1/logs"].iter().any(|path| url.trim().trim_end_matches('/').ends_with(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use TransportProtocol::{Grpc, HttpProtobuf};

    #[test]
    fn exp2_exp3_what_a_protocol_takes() {
        for (url, grpc, http) in [
            ("http://localhost:4318", true, true),
            ("HTTP://localhost", true, true),
            (" http://[::1]:4317/ ", true, true),
            ("http://h:4318/prefix", false, true),
            ("localhost:4317", true, false),
            ("localhost", false, false),
            ("", false, false),
            ("http://", false, false),
            ("http:///v1/traces", false, false),
            ("http://:4318", false, false),
            ("http://h:", false, false),
            ("http://h:0", false, false),
            ("http://h:+80", false, false),
            ("http://h|x:1", false, false),
            ("http://[::g]:1", false, false),
            ("::1:4317", false, false),
            ("http://h:65536", false, false),
            ("http://[::1", false, false),
            ("http://[::1]4317", false, false),
            ("http://a b", false, false),
            ("http://h\n", true, true),
            ("http://h\0", false, false),
            ("http://ü", false, false),
            ("http://h%20x", false, false),
            ("http://h\\x", false, false),
            ("http://h/<x>", false, false),
            ("http://h/\"x", false, false),
            ("http://h/#x", true, true),
            ("https://h", true, true),
            ("HTTPS://h:4318", true, true),
            ("ftp://h", false, false),
            ("http://h?key=1", false, false),
        ] {
            assert_eq!(parse(url, EndpointKind::Base, Some(Grpc)).is_ok(), grpc, "grpc {url:?}");
            assert_eq!(parse(url, EndpointKind::Base, Some(HttpProtobuf)).is_ok(), http, "http {url:?}");
            assert_eq!(parse(url, EndpointKind::Base, None).is_ok(), grpc || http, "any {url:?}");
        }
        parse("http://h/x?key=1", EndpointKind::Signal, Some(HttpProtobuf)).unwrap();
        assert!(parse("http://h/x?\"key", EndpointKind::Signal, Some(HttpProtobuf)).is_err());
    }

    #[test]
    fn messages_hold_no_secret() {
        for url in [
            "http://user:hunter2@h:4318",
            "http://user:hun/hunter2@h",
            "hunter2@http://h",
            "http://h:4318/x?key=hunter2",
            "http://h:4318/x#hunter2",
            "https://user:hunter2@h?hunter2",
            "http://h/x?key=@hunter2",
            "http://h/x?hunter2@",
            "http://user:?hunter2@h",
            "http://user:hunter2?@h",
        ] {
            assert!(!without_secrets(url).contains("hunter2"), "{url}");
            let setting = EndpointSetting { url: url.into(), kind: EndpointKind::Base, source: Source::Code };
            assert!(!format!("{setting:?}").contains("hunter2"), "{url}");
        }
        assert_eq!(without_secrets("http://h:4318/x"), "http://h:4318/x");
    }

    #[test]
    fn t7_a_base_that_already_has_the_signals_path_is_recognised() {
        assert!(repeats_signal_path("http://h:4318/v1/traces"));
        assert!(repeats_signal_path("http://h:4318/prefix/v1/logs/ "));
        assert!(!repeats_signal_path("http://h:4318/v1"));
    }
}
