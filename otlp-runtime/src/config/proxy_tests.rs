#![allow(clippy::unwrap_used)]
use std::ffi::OsString;

use super::*;
use crate::config::test_support::{new, quiet, reported, resolve};

/// The proxy as `host:port`, where nothing is to be said.
fn chosen(config: &OtlpConfig, variables: &[(&str, &str)]) -> Option<String> {
    quiet(config, variables).delivery.proxy.map(|Proxy { server, .. }| format!("{}:{}", server.host, server.port))
}

fn to(url: &str) -> OtlpConfig {
    new().with_endpoint(url)
}

#[test]
fn u40_p11_the_scheme_chooses_the_variable() {
    let one = [("HTTP_PROXY", "http://p:1"), ("https_proxy", "q:2/")];
    assert_eq!(chosen(&to("http://h"), &one).as_deref(), Some("p:1"));
    if cfg!(feature = "tls") {
        assert_eq!(chosen(&to("https://h"), &one).as_deref(), Some("q:2"));
    }
    let both = [("HTTP_PROXY", "http://p:1"), ("http_proxy", "http://q:2")];
    assert_eq!(chosen(&to("http://h"), &both).as_deref(), Some("p:1"));
    assert_eq!(chosen(&to("http://h"), &[("http_proxy", "http://[fd00::1]")]).as_deref(), Some("fd00::1:80"));
    for local in
        ["http://localhost:1", "http://127.0.0.1", "http://[::1]:1", "http://a.localhost.", "http://[::ffff:127.0.0.1]"]
    {
        assert_eq!(chosen(&to(local), &one), None, "{local}");
    }
    assert_eq!(chosen(&to("http://h"), &[]), None);
    assert_eq!(chosen(&to("http://h").with_env(false), &one), None);
    let resolved = quiet(&to("http://h"), &one);
    assert_eq!(resolved.delivery.proxy.unwrap().to_string(), "the proxy p:1 of HTTP_PROXY");
}

/// CVE-2016-5385.
#[test]
fn what_a_caller_of_a_cgi_program_can_set_is_ignored_and_told() {
    let cgi = ("REQUEST_METHOD", "GET");
    let resolved = reported(&to("http://h"), &[("HTTP_PROXY", "http://p:1"), cgi], &["HTTP_PROXY is ignored"]);
    assert_eq!(resolved.delivery.proxy, None);
    assert_eq!(chosen(&to("http://localhost"), &[("HTTP_PROXY", "http://p:1"), cgi]), None);
    if cfg!(not(windows)) {
        assert_eq!(chosen(&to("http://h"), &[("http_proxy", "http://p:1"), cgi]).as_deref(), Some("p:1"));
    }
}

#[test]
fn u40_p11_exceptions_are_reached_directly() {
    let proxied = |url: &str, exceptions: &str| {
        chosen(&to(url), &[("http_proxy", "http://p:1"), ("no_proxy", exceptions)]).is_some()
    };
    assert!(proxied("http://h:4318", "x,h:4317"));
    assert!(!proxied("http://h:4318", "x,h:4318"));
    // The scheme's port, if the endpoint has none.
    assert!(!proxied("http://h", "h:80"));
    assert!(!proxied("http://[fd00::1]:4318", "[fd00::1]:4318"));
    assert!(!proxied("http://[fd00::1]:4318", "fd00::/8"));
    assert!(!proxied("http://10.1.1.1:4318", "10.0.0.0/8"));
    // The variable that wins is the only one.
    let both = [("http_proxy", "http://p:1"), ("NO_PROXY", "x"), ("no_proxy", "h")];
    assert!(chosen(&to("http://h"), &both).is_some());
    let resolved = reported(
        &to("http://h"),
        &[("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "<local>,h,10.0.0.0/99,http://user:hunter2@x")],
        &["NO_PROXY: \"<local>\"", "10.0.0.0/99", "\"http://***@x\"", "left out"],
    );
    assert_eq!(resolved.delivery.proxy, None);
    // What is of no use here is of no interest.
    assert_eq!(chosen(&to("http://h"), &[("NO_PROXY", "<local>")]), None);
}

#[test]
fn a_proxy_that_cannot_be_used_is_one_line_without_its_password() {
    let bad = [
        "https://user:hunter2@p:1",
        "http://user:hunter2@",
        "user:hunter2@p:x",
        "user:hunter2%@p:1",
        "socks5://hunter2@p",
    ];
    for bad in bad {
        let (resolved, lines) = resolve(&to("http://h"), &[("HTTP_PROXY", bad)]);
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.starts_with("HTTP_PROXY: it ") && line.ends_with("; using no proxy"), "{line}");
        assert!(!line.contains("hunter2") && resolved.unwrap().delivery.proxy.is_none(), "{line}");
        match to("http://h").with_proxy(bad).validate() {
            Err(error @ OtlpError::InvalidConfig { setting: "proxy", .. }) => {
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            }
            other => panic!("{bad}: {other:?}"),
        }
        assert!(!format!("{:?}", new().with_proxy(bad)).contains("hunter2"));
    }
    reported(
        &to("http://h"),
        &[("HTTP_PROXY", "ftp://p"), ("http_proxy", "u:hunter2@q:2")],
        &["HTTP_PROXY: it has a scheme", "using the proxy q:2"],
    );
}

#[cfg(unix)]
#[test]
fn what_is_not_utf8_is_one_line_for_each_variable() {
    use std::os::unix::ffi::OsStringExt as _;
    let mut lines = Vec::new();
    let environment =
        |name: &str| ["HTTP_PROXY", "no_proxy"].contains(&name).then(|| OsString::from_vec(b"hunter2\xff".to_vec()));
    let resolved = to("http://h").resolve_with(&environment, &mut |line| lines.push(line), &|_| true).unwrap();
    assert_eq!(resolved.delivery.proxy, None);
    assert_eq!(
        lines,
        ["no_proxy: it is not UTF-8; going on without it", "HTTP_PROXY: it is not UTF-8; using no proxy"]
    );
}

/// ENV2.
#[test]
fn code_wins_over_the_environment() {
    let environment = [("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "*")];
    let config = to("http://h").with_proxy(" http://user:hunter%402@q:2 ");
    for config in [config.clone(), config.clone().with_env(false), to("http://h").without_proxy().with_proxy("q:2")] {
        assert_eq!(chosen(&config, &environment).as_deref(), Some("q:2"));
    }
    let proxy = quiet(&config, &environment).delivery.proxy.unwrap();
    assert_eq!(proxy.to_string(), "the proxy q:2 of `with_proxy`");
    assert_eq!(proxy.server.credentials.as_ref().unwrap().reveal(), "user:hunter@2");
    assert!(!format!("{proxy:?} {config:?}").contains("hunter"), "{config:?}");
    assert!(format!("{config:?}").contains("http://***@q:2"), "{config:?}");
    assert_eq!(chosen(&config.without_proxy(), &environment[..1]), None);
    // A variable that is not asked is not told of either.
    assert_eq!(chosen(&to("http://h").without_proxy(), &[("HTTP_PROXY", "ftp://p")]), None);
}

#[test]
fn a_proxy_to_this_machine_is_not_used_and_that_is_said() {
    let resolved = reported(&to("http://localhost:1").with_proxy("p:1"), &[], &["with_proxy: ", "connecting directly"]);
    assert_eq!(resolved.delivery.proxy, None);
}
