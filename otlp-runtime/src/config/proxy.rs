//! The proxy that stands between: set in code, or named by the environment as for most programs of a machine.

use std::fmt;
use std::net::IpAddr;

use super::endpoint::{self, EndpointKind, Problem};
use super::reader::Reader;
use super::variables::{self as v, Variable};
use super::{OtlpConfig, Secret, Source, TransportProtocol};
use crate::error::{OtlpError, without_secrets};

/// An HTTP proxy that connections are made through, by `CONNECT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyServer {
    /// Host name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password with a colon between, if it wants them.
    pub credentials: Option<Secret>,
}

/// Where it is, without credentials.
impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "the proxy {open}{}{close}:{}", self.host, self.port)
    }
}

/// A proxy, and who set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The proxy.
    pub server: ProxyServer,
    /// Who set it.
    pub source: Source,
}

/// For messages: where it is, and which setting says so.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.source {
            Source::Environment(name) => name,
            Source::Code | Source::Default => "`with_proxy`",
        };
        write!(f, "{} of {name}", self.server)
    }
}

/// What is set in code.
#[derive(Clone)]
pub(super) enum ProxySetting {
    Direct,
    Through {
        /// For messages.
        url: String,
        server: Result<ProxyServer, Problem>,
    },
}

/// The URL without user information.
impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("none"),
            Self::Through { url, .. } => fmt::Debug::fmt(url, f),
        }
    }
}

impl OtlpConfig {
    /// The HTTP proxy that connections to the endpoint are made through, by `CONNECT`, over gRPC too:
    /// `http://[user:password@]host:port`, with `%` and two hexadecimal digits for `@`, `:` and `%` in user and password.
    /// `Debug` and messages never show these.
    ///
    /// It takes the place of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. What is on this machine (`localhost`, `127.0.0.1`) is
    /// never behind a proxy. Default: the environment's, and then none.
    ///
    /// ```
    /// # use otlp_runtime::config::OtlpConfig;
    /// let config = OtlpConfig::default()
    ///     .with_endpoint("http://collector.example:4318")
    ///     .with_proxy("http://shop:hunter2@proxy.example:3128");
    /// config.validate()?;
    /// assert!(!format!("{config:?}").contains("hunter2"));
    /// # Ok::<(), otlp_runtime::error::OtlpError>(())
    /// ```
    pub fn with_proxy(mut self, url: impl AsRef<str>) -> Self {
        let url = url.as_ref().trim();
        self.delivery.proxy = Some(ProxySetting::Through { url: without_secrets(url), server: parse(url) });
        self
    }

    /// Connects to the endpoint directly, whatever `HTTPS_PROXY` and `HTTP_PROXY` say.
    ///
    /// ```
    /// # use otlp_runtime::config::OtlpConfig;
    /// let config = OtlpConfig::default().with_endpoint("http://collector.internal:4318").without_proxy();
    /// ```
    pub fn without_proxy(mut self) -> Self {
        self.delivery.proxy = Some(ProxySetting::Direct);
        self
    }
}

impl ProxySetting {
    /// Looks at what was set in code.
    pub(super) fn check(&self) -> Result<(), OtlpError> {
        match self {
            Self::Through { url, server: Err(problem) } => Err(problem.into_error("proxy", url)),
            Self::Through { .. } | Self::Direct => Ok(()),
        }
    }

    fn server(&self) -> Option<ProxyServer> {
        match self {
            Self::Direct => None,
            Self::Through { server, .. } => server.as_ref().ok().cloned(),
        }
    }
}

/// The proxy for an endpoint; none for this machine itself, nor for what `NO_PROXY` names.
pub(super) fn choose(reader: &mut Reader<'_>, setting: Option<&ProxySetting>, url: &str) -> Option<Proxy> {
    let target = endpoint::parse(url, EndpointKind::Signal, None).ok()?;
    let secure = target.secure.unwrap_or(true);
    let port = target.port.unwrap_or(if secure { 443 } else { 80 });
    if is_local(target.host) {
        if let Some(ProxySetting::Through { .. }) = setting {
            let line =
                "with_proxy: the endpoint is on this machine, which is never behind a proxy; connecting directly";
            reader.report(line.to_owned());
        }
        return None;
    }
    let variables = match setting {
        Some(_) => &[][..],
        None => variables(reader, secure, target.host, port),
    };
    let code = setting.map(ProxySetting::server);
    let shown = |server: &Option<ProxyServer>| server.as_ref().map_or("no proxy".to_owned(), ToString::to_string);
    let (server, source) = reader.choose(code, variables, None, |_| Ok(()), shown);
    server.map(|server| Proxy { server, source })
}

type Variables = &'static [&'static Variable<Option<ProxyServer>>];

/// The variables that name the proxy for an endpoint: none if it is an exception.
fn variables(reader: &mut Reader<'_>, secure: bool, host: &str, port: u16) -> Variables {
    let (variables, ignored): (Variables, Variables) = if secure {
        (&[&v::HTTPS_PROXY, &v::LOWER_HTTPS_PROXY], &[])
    } else if !reader.is_set(&v::REQUEST_METHOD) {
        (&[&v::HTTP_PROXY, &v::LOWER_HTTP_PROXY], &[])
    } else if cfg!(windows) {
        // A CGI program's `HTTP_PROXY` is a header of its caller (CVE-2016-5385), and there the two are one.
        (&[], &[&v::HTTP_PROXY])
    } else {
        (&[&v::LOWER_HTTP_PROXY], &[&v::HTTP_PROXY])
    };
    let is_set = |reader: &Reader<'_>, variables: Variables| variables.iter().any(|variable| reader.is_set(variable));
    if !is_set(reader, variables) && !is_set(reader, ignored) {
        return &[];
    }
    if let Some((exceptions, name)) = reader.first(&[&v::NO_PROXY, &v::LOWER_NO_PROXY]) {
        reader.report_entries(name, &exceptions.problems);
        if exceptions.excepts(host, port) {
            return &[];
        }
    }
    if is_set(reader, ignored) {
        let line =
            "HTTP_PROXY is ignored: REQUEST_METHOD is set, and a caller of a CGI program can choose it; set http_proxy";
        reader.report(line.to_owned());
    }
    variables
}

fn is_local(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    name == "localhost" || name.ends_with(".localhost") || address.is_some_and(|address| address.is_loopback())
}

/// The value of a variable.
pub(super) fn variable(value: &str) -> Result<Option<ProxyServer>, String> {
    parse(value).map(Some).map_err(|problem| format!("it {}; {}", problem.what, problem.remedy))
}

/// `http://[user:password@]host:port`; without a port it is 80. No problem shows any of it.
fn parse(value: &str) -> Result<ProxyServer, Problem> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    if !scheme.eq_ignore_ascii_case("http") {
        let what = "has a scheme other than `http`";
        return Err(Problem { what, remedy: "write `http://host:port`, also where the endpoint has `https://`" });
    }
    let (user, authority) = rest.rsplit_once('@').map_or((None, rest), |(user, authority)| (Some(user), authority));
    let url = format!("http://{}", authority.strip_suffix('/').unwrap_or(authority));
    let parsed = endpoint::parse(&url, EndpointKind::Base, Some(TransportProtocol::Grpc))
        .map_err(|_| Problem { what: "is no URL of a proxy", remedy: "write `http://host:port`" })?;
    let user = user
        .map(super::parse::percent_decoded)
        .transpose()
        .map_err(|what| Problem { what, remedy: "write a `%` of the user or password as `%25`" })?;
    let credentials = user.map(|user| Secret::new(if user.contains(':') { user } else { format!("{user}:") }));
    Ok(ProxyServer { host: parsed.host.to_owned(), port: parsed.port.unwrap_or(80), credentials })
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
