//! Variables of the way to the endpoint, which most machines' programs share.

use super::super::no_proxy::Exceptions;
use super::super::proxy::{self, ProxyServer};
use super::{Row, Variable};

type Proxy = Variable<Option<ProxyServer>>;

const fn proxy(name: &'static str, default: &'static str, doc: &'static str) -> Proxy {
    let (takes, code) = ("`http://[user:password@]host:port`", "`with_proxy`, `without_proxy`");
    Variable { row: Row { name, takes, default, code, doc }, parse: proxy::variable }
}

pub(in super::super) const HTTPS_PROXY: Proxy = proxy(
    "HTTPS_PROXY",
    "none",
    "The proxy on the way to an `https://` endpoint, which is asked for `CONNECT`. What is on this machine is never behind it.",
);

pub(in super::super) const LOWER_HTTPS_PROXY: Proxy =
    proxy("https_proxy", "none", "The same; the variable above wins.");

pub(in super::super) const HTTP_PROXY: Proxy = proxy(
    "HTTP_PROXY",
    "none",
    "The same for an `http://` endpoint. Ignored where `REQUEST_METHOD` is set: in a CGI program it may be a header of the caller.",
);

pub(in super::super) const LOWER_HTTP_PROXY: Proxy = proxy("http_proxy", "none", "The same; the variable above wins.");

const fn exceptions(name: &'static str, doc: &'static str) -> Variable<Exceptions> {
    let takes = "domains, addresses and blocks of addresses, with commas between; `*`";
    Variable { row: Row { name, takes, default: "none", code: "`without_proxy`", doc }, parse: Exceptions::parse }
}

pub(in super::super) const NO_PROXY: Variable<Exceptions> = exceptions(
    "NO_PROXY",
    "What is reached without the proxy of a variable above: `example.com` or `.example.com` with all below it, `*.example.com` for \
     what is below it, `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`, or `*` for everything; for one port alone `example.com:4318`, \
     `10.0.0.1:4318` and `[fd00::1]:4318`. An entry that cannot be used is left out alone.",
);

pub(in super::super) const LOWER_NO_PROXY: Variable<Exceptions> =
    exceptions("no_proxy", "The same; the variable above wins.");

/// Looked at for whether it is set.
pub(in super::super) const REQUEST_METHOD: Variable<()> = Variable {
    row: Row {
        name: "REQUEST_METHOD",
        takes: "anything",
        default: "none",
        code: "none",
        doc: "Set by web servers for CGI programs: `HTTP_PROXY` is ignored then, and `http_proxy` is not.",
    },
    parse: |_| Ok(()),
};
