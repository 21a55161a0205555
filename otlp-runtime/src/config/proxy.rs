//! The proxy that stands between, as the environment of most machines names it: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, each in
//! either case.

use std::net::IpAddr;

use super::endpoint::{self, EndpointKind};
use super::reader::Reader;
use super::{Secret, TransportProtocol};

/// An HTTP proxy that connections are made through, by `CONNECT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// For messages: where it is, and which variable says so.
    pub name: String,
    /// Host name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password with a colon between, if it wants them.
    pub credentials: Option<Secret>,
}

/// The proxy for an endpoint; none for this machine itself, nor for what `NO_PROXY` names.
pub(super) fn choose(reader: &mut Reader<'_>, url: &str) -> Option<Proxy> {
    let target = endpoint::parse(url, EndpointKind::Signal, None).ok()?;
    let secure = target.secure.unwrap_or(true);
    let port = target.port.unwrap_or(if secure { 443 } else { 80 });
    let names = if secure { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    // A CGI program's `HTTP_PROXY` is a header of its caller (CVE-2016-5385).
    let trusted = |name: &&str| *name != "HTTP_PROXY" || reader.text("REQUEST_METHOD").is_none();
    let (name, value) = names.into_iter().filter(trusted).find_map(|name| Some((name, reader.text(name)?)))?;
    let exceptions = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| reader.text(name)).unwrap_or_default();
    if is_local(target.host) || exceptions.split(',').any(|exception| excepts(exception.trim(), target.host, port)) {
        return None;
    }
    match parse(&value) {
        Ok(proxy) => {
            let at = if proxy.host.contains(':') { format!("[{}]", proxy.host) } else { proxy.host.clone() };
            Some(Proxy { name: format!("the proxy {at}:{} of {name}", proxy.port), ..proxy })
        }
        Err(problem) => {
            reader.report(format!("{name}: {problem}; connecting directly"));
            None
        }
    }
}

fn is_local(host: &str) -> bool {
    let name = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    name || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `example.com` and `.example.com` mean the domain and all below it, `host:port` that port alone, `*` everything.
fn excepts(exception: &str, host: &str, port: u16) -> bool {
    if exception == "*" {
        return true;
    }
    if let Ok(address) = exception.trim_matches(['[', ']']).parse::<IpAddr>() {
        return host.parse() == Ok(address);
    }
    let (name, only) = match exception.rsplit_once(':') {
        Some((name, only)) => (name, Some(only)),
        None => (exception, None),
    };
    if only.is_some_and(|only| only != port.to_string()) {
        return false;
    }
    let (name, host) =
        (name.trim_start_matches("*").trim_start_matches('.').to_ascii_lowercase(), host.to_ascii_lowercase());
    !name.is_empty() && (host == name || host.strip_suffix(&name).is_some_and(|before| before.ends_with('.')))
}

/// `http://[user:password@]host:port`; no error shows any of it.
fn parse(value: &str) -> Result<Proxy, String> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("only proxies with `http://` are supported, also for `https://` endpoints".to_owned());
    }
    let (user, authority) = rest.rsplit_once('@').map_or((None, rest), |(user, authority)| (Some(user), authority));
    let url = format!("http://{}", authority.trim_end_matches('/'));
    let parsed = endpoint::parse(&url, EndpointKind::Base, Some(TransportProtocol::Grpc));
    let parsed = parsed.map_err(|_| "it is no URL of a proxy; write `http://host:port`".to_owned())?;
    let credentials = match user.map(super::parse::percent_decoded).transpose() {
        Ok(user) => user.map(|user| Secret::new(if user.contains(':') { user } else { format!("{user}:") })),
        Err(problem) => return Err(format!("its user or password {problem}")),
    };
    Ok(Proxy { name: String::new(), host: parsed.host.to_owned(), port: parsed.port.unwrap_or(80), credentials })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::ffi::OsString;

    use super::*;
    use crate::config::OtlpConfig;

    /// The proxy as `host:port`, and the lines that were said.
    fn proxy(url: &str, variables: &[(&str, &str)]) -> (Option<Proxy>, Vec<String>) {
        let mut lines = Vec::new();
        let environment = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(*v));
        let resolved =
            OtlpConfig::default()
                .with_endpoint(url)
                .resolve_with(&environment, &mut |line| lines.push(line), &|_| true);
        (resolved.unwrap().delivery.proxy, lines)
    }

    fn chosen(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let (proxy, lines) = proxy(url, variables);
        assert_eq!(lines, [""; 0]);
        proxy.map(|proxy| format!("{}:{}", proxy.host, proxy.port))
    }

    #[test]
    fn u40_p11_the_scheme_chooses_the_variable_and_no_proxy_the_exceptions() {
        let one = [("HTTP_PROXY", "http://p:1"), ("https_proxy", "q:2/")];
        assert_eq!(chosen("http://h", &one).as_deref(), Some("p:1"));
        if cfg!(feature = "tls") {
            assert_eq!(chosen("https://h", &one).as_deref(), Some("q:2"));
        }
        for local in ["http://localhost:1", "http://127.0.0.1", "http://[::1]:1", "http://a.localhost"] {
            assert_eq!(chosen(local, &one), None, "{local}");
        }
        assert_eq!(chosen("http://h", &[]), None);
        assert_eq!(chosen("http://h", &[("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")]), None);
        for (exceptions, host, direct) in [
            ("h", "h", true),
            ("x, H ,y", "h", true),
            ("example.com", "otlp.example.com", true),
            (".example.com", "otlp.example.com", true),
            ("*.example.com", "otlp.example.com", true),
            ("example.com", "badexample.com", false),
            ("h:4318", "h:4318", true),
            ("h:4318", "h:4317", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("*", "h", true),
            (",", "h", false),
        ] {
            let variables = [("http_proxy", "http://p:1"), ("no_proxy", exceptions)];
            assert_eq!(chosen(&format!("http://{host}"), &variables).is_none(), direct, "{exceptions} {host}");
        }
    }

    #[test]
    fn a_proxys_password_is_never_shown() {
        let (with, _) = proxy("http://h", &[("HTTP_PROXY", "http://user:hunter%402@p:1")]);
        assert_eq!(with.as_ref().unwrap().credentials.as_ref().unwrap().reveal(), "user:hunter@2");
        assert!(!format!("{with:?}").contains("hunter"));
        for bad in ["https://user:hunter2@p:1", "http://user:hunter2@", "user:hunter2@p:x", "user:hunter2%@p:1"] {
            let (none, lines) = proxy("http://h", &[("HTTP_PROXY", bad)]);
            assert_eq!(none, None);
            assert!(
                lines.len() == 1 && lines[0].starts_with("HTTP_PROXY: ") && !lines[0].contains("hunter2"),
                "{lines:?}"
            );
        }
    }
}
