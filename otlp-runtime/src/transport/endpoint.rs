//! Where a receiver listens, read from a URL.

use std::fmt;

pub use crate::config::EndpointKind;
use crate::config::TransportProtocol;
use crate::config::endpoint::{self, Url};
use crate::data::Signal;
use crate::error::OtlpError;

/// A checked endpoint without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    secure: bool,
    host: String,
    port: u16,
    authority: String,
    /// Path and query, without a `/` at the end if it is a base.
    path: String,
    kind: EndpointKind,
    display: String,
}

impl Endpoint {
    /// Reads `value`, which `setting` (a name as in [`OtlpError::InvalidConfig`]) was set to.
    ///
    /// HTTP takes `http[s]://host[:port][/path]`, gRPC also `host:port`, which means TLS (spec-checklist EXP3).
    pub fn parse(
        setting: &'static str,
        value: &str,
        protocol: TransportProtocol,
        kind: EndpointKind,
    ) -> Result<Self, OtlpError> {
        let Url { secure, host, port, authority, path } =
            endpoint::parse(value, kind, Some(protocol)).map_err(|problem| problem.into_error(setting, value))?;
        let secure = secure.unwrap_or(true);
        let scheme = if secure { "https" } else { "http" };
        let without_query = path.split('?').next().unwrap_or_default();
        let (path, shown) = match kind {
            EndpointKind::Base => (path.trim_end_matches('/').to_owned(), path.trim_end_matches('/')),
            EndpointKind::Signal if path.starts_with('/') => (path.to_owned(), without_query),
            EndpointKind::Signal => (format!("/{path}"), "/"),
        };
        Ok(Self {
            secure,
            host: host.to_owned(),
            port: port.unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.to_owned(),
            display: format!("{scheme}://{authority}{shown}"),
            path,
            kind,
        })
    }

    /// Whether it is spoken to over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port; if the URL named none, 443 with TLS and 80 without.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, whether the URL named one or not.
    pub fn host_and_port(&self) -> String {
        let brackets = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        format!("{}{}{}:{}", brackets.0, self.host, brackets.1, self.port)
    }

    /// Host and port as the URL had them: the `Host` header and `:authority`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query of an HTTP request for `signal`.
    pub fn path(&self, signal: Signal) -> String {
        match self.kind {
            EndpointKind::Base => format!("{}/v1/{}", self.path, signal.as_str()),
            EndpointKind::Signal => self.path.clone(),
        }
    }
}

/// The URL without its query, which may hold a key.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn http(value: &str, kind: EndpointKind) -> Endpoint {
        Endpoint::parse("endpoint", value, TransportProtocol::HttpProtobuf, kind).unwrap()
    }

    fn grpc(value: &str) -> Endpoint {
        Endpoint::parse("endpoint", value, TransportProtocol::Grpc, EndpointKind::Base).unwrap()
    }

    fn refused(value: &str, protocol: TransportProtocol) -> String {
        Endpoint::parse("endpoint", value, protocol, EndpointKind::Base).unwrap_err().to_string()
    }

    #[test]
    fn exp5_t7_a_base_gets_the_path_of_each_signal_and_a_signal_endpoint_stays_as_it_is() {
        for (value, path) in [
            ("http://h:4318", "/v1/traces"),
            ("http://h:4318/", "/v1/traces"),
            ("http://h/prefix", "/prefix/v1/traces"),
            ("http://h/a/b/", "/a/b/v1/traces"),
            ("HTTP://h/A", "/A/v1/traces"),
        ] {
            assert_eq!(http(value, EndpointKind::Base).path(Signal::Traces), path, "{value}");
        }
        assert_eq!(http("http://h:1", EndpointKind::Base).path(Signal::Metrics), "/v1/metrics");
        assert_eq!(http("http://h:1", EndpointKind::Base).path(Signal::Logs), "/v1/logs");
        for (value, path) in [
            ("http://h:4318", "/"),
            ("http://h:4318/x", "/x"),
            ("http://h:4318/x/", "/x/"),
            ("http://h/x?key=1", "/x?key=1"),
            ("http://h?key=1", "/?key=1"),
        ] {
            assert_eq!(http(value, EndpointKind::Signal).path(Signal::Traces), path, "{value}");
        }
    }

    #[test]
    fn exp5_a_url_without_a_port_means_80_and_with_tls_443() {
        assert_eq!(http("https://collector/x", EndpointKind::Base).port(), 443);
        let endpoint = http("http://collector/x", EndpointKind::Base);
        assert_eq!((endpoint.host(), endpoint.port(), endpoint.authority()), ("collector", 80, "collector"));
    }

    #[test]
    fn exp3_grpc_takes_a_url_or_host_and_port() {
        for (value, secure) in [
            ("http://localhost:4317", false),
            (" http://localhost:4317/ ", false),
            ("https://localhost:4317", true),
            ("localhost:4317", true),
        ] {
            let endpoint = grpc(value);
            assert_eq!(
                (endpoint.host(), endpoint.port(), endpoint.is_secure()),
                ("localhost", 4317, secure),
                "{value}"
            );
            assert_eq!(endpoint.to_string(), if secure { "https://localhost:4317" } else { "http://localhost:4317" });
        }
    }

    #[test]
    fn ipv6_addresses_lose_their_brackets_only_for_connecting() {
        for endpoint in [grpc("http://[::1]:4317"), grpc("[::1]:4317"), http("http://[::1]:4317", EndpointKind::Base)] {
            assert_eq!((endpoint.host(), endpoint.port(), endpoint.authority()), ("::1", 4317, "[::1]:4317"));
        }
        assert_eq!(http("http://[::1]/x", EndpointKind::Base).port(), 80);
    }

    #[test]
    fn what_cannot_be_used_is_a_typed_error_with_a_remedy() {
        use TransportProtocol::{Grpc, HttpProtobuf};
        for (value, protocol, says) in [
            ("", Grpc, "is empty"),
            ("ftp://h", HttpProtobuf, "scheme other than"),
            ("localhost:4318", HttpProtobuf, "has no scheme"),
            ("/v1/traces", HttpProtobuf, "has no scheme"),
            ("localhost", Grpc, "has no port"),
            ("http://h:0", Grpc, "no usable port"),
            ("http://h:70000", HttpProtobuf, "no usable port"),
            ("http://h:4317x", HttpProtobuf, ""),
            ("http://", HttpProtobuf, ""),
            ("http://:4318", HttpProtobuf, ""),
            ("http://h h", HttpProtobuf, "character"),
            ("http://h:4317/v1/traces", Grpc, "has a path"),
            ("http://h:4318/?a=b", HttpProtobuf, "has a query"),
            ("http://[::1", HttpProtobuf, ""),
            ("::1:4317", Grpc, ""),
            ("http://h:+80", HttpProtobuf, "no usable port"),
        ] {
            let error = refused(value, protocol);
            assert!(error.contains(says) && error.contains(';'), "{value}: {error}");
        }
    }

    #[test]
    fn user_info_and_queries_are_never_echoed() {
        for value in [
            "http://user:hunter2@h:4318",
            "https://user:hunter2@h:4318",
            "user:hunter2@h:4317",
            "http://user:hun/hunter2@h",
            "http://hunter2@h",
            "http://a b:hunter2@h",
            "hunter2@http://h",
            "http://h:4318/x?key=hunter2",
            "ftp://h?hunter2",
        ] {
            for protocol in [TransportProtocol::Grpc, TransportProtocol::HttpProtobuf] {
                let error = refused(value, protocol);
                assert!(!error.contains("hunter2"), "{value}: {error}");
            }
        }
        let keyed = http("http://h:4318/x?key=hunter2", EndpointKind::Signal);
        assert_eq!(keyed.to_string(), "http://h:4318/x");
    }
}
