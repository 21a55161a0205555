//! What is reached without a proxy: the list that `NO_PROXY` holds.

use std::net::IpAddr;

use super::parse::shown;
use crate::error::without_secrets;

/// A list of hosts, as Go's `httpproxy` and curl read it; where they differ, whatever either takes is taken.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    entries: Vec<Exception>,
    /// What is wrong with the entries that are left out.
    pub(super) problems: Vec<String>,
}

#[derive(Debug)]
struct Exception {
    hosts: Hosts,
    /// `None`: every port.
    port: Option<u16>,
}

#[derive(Debug)]
enum Hosts {
    All,
    Address(IpAddr),
    /// The addresses that have this many leading bits in common with one.
    Block(IpAddr, u32),
    /// A domain in lower case with all below it, and whether it is meant itself.
    Domain(String, bool),
}

impl Exceptions {
    /// Entries with commas or spaces between: `*`, a domain, an address, a block of addresses.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        let mut exceptions = Self::default();
        let members = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|member| !member.is_empty());
        for member in members {
            match Exception::parse(member) {
                Some(exception) => exceptions.entries.push(exception),
                None => {
                    let problem =
                        format!("{:?} is no host, address or block; it is left out", shown(&without_secrets(member)));
                    exceptions.problems.push(problem);
                }
            }
        }
        Ok(exceptions)
    }

    /// Whether `host` (an IPv6 address without brackets) is named.
    pub(super) fn excepts(&self, host: &str, port: u16) -> bool {
        let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        let host = normal(host);
        self.entries.iter().any(|entry| {
            entry.port.is_none_or(|only| only == port)
                && match &entry.hosts {
                    Hosts::All => true,
                    Hosts::Address(named) => address == Some(*named),
                    Hosts::Block(first, bits) => {
                        address.is_some_and(|address| in_common(address, *first) >= Some(*bits))
                    }
                    Hosts::Domain(domain, itself) => address.is_none() && is_in(&host, domain, *itself),
                }
        })
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let everywhere = |hosts| Some(Self { hosts, port: None });
        if entry == "*" {
            return everywhere(Hosts::All);
        }
        if let Some((first, bits)) = entry.split_once('/') {
            return everywhere(block(first.parse().ok()?, number(bits)?)?);
        }
        // Without brackets the colons of an address say nothing of a port.
        if let Ok(address) = entry.parse::<IpAddr>() {
            return everywhere(Hosts::Address(address.to_canonical()));
        }
        if let Some(rest) = entry.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address: IpAddr = address.parse().ok()?;
            return Some(Self { hosts: Hosts::Address(address.to_canonical()), port: only(port)? });
        }
        let (host, port) = entry.split_at(entry.find(':').unwrap_or(entry.len()));
        let hosts = match host.parse::<IpAddr>() {
            Ok(address) => Hosts::Address(address),
            Err(_) => domain(host)?,
        };
        Some(Self { hosts, port: only(port)? })
    }
}

/// What stands behind a host: nothing, or `:` and a port, which may be empty. `None`: neither.
#[allow(clippy::option_option, reason = "wrong, every port, one port")]
fn only(port: &str) -> Option<Option<u16>> {
    match port {
        "" | ":" => Some(None),
        port => Some(Some(number(port.strip_prefix(':')?)?)),
    }
}

/// Digits alone: the standard library's parser takes a sign too.
fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// An IPv4 address that is written as IPv6 is an IPv4 address, and so is a block of them.
fn block(first: IpAddr, bits: u32) -> Option<Hosts> {
    let canonical = first.to_canonical();
    let (first, bits) = match bits.checked_sub(96) {
        Some(rest) if first.is_ipv6() && canonical.is_ipv4() => (canonical, rest),
        _ => (first, bits),
    };
    (bits <= if first.is_ipv4() { 32 } else { 128 }).then_some(Hosts::Block(first, bits))
}

/// How many leading bits two addresses of one kind have in common.
fn in_common(one: IpAddr, other: IpAddr) -> Option<u32> {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => Some((u32::from(one) ^ u32::from(other)).leading_zeros()),
        (IpAddr::V6(one), IpAddr::V6(other)) => Some((u128::from(one) ^ u128::from(other)).leading_zeros()),
        _ => None,
    }
}

fn domain(name: &str) -> Option<Hosts> {
    let (name, itself) = match name.strip_prefix("*.") {
        Some(name) => (name, false),
        None => (name.strip_prefix('.').unwrap_or(name), true),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let name = normal(name);
    (!name.is_empty() && !name.starts_with('.') && name.chars().all(fits)).then_some(Hosts::Domain(name, itself))
}

/// In lower case, and without the dot that ends a full name.
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn is_in(host: &str, domain: &str, itself: bool) -> bool {
    match host.strip_suffix(domain) {
        Some("") => itself,
        Some(before) => before.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
#[path = "no_proxy_tests.rs"]
mod tests;
