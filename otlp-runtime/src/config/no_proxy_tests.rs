#![allow(clippy::unwrap_used)]
use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

/// Whether a list that holds nothing wrong names a host.
fn names(list: &str, host: &str, port: u16) -> bool {
    let exceptions = Exceptions::parse(list).unwrap();
    assert_eq!(exceptions.problems, [""; 0], "{list}");
    exceptions.excepts(host, port)
}

#[test]
fn p11_what_an_entry_names() {
    for (list, host, expected) in [
        ("h", "h", true),
        ("x, H ,y", "h", true),
        ("x H y", "h", true),
        ("example.com", "example.com", true),
        ("example.com", "otlp.Example.com", true),
        ("example.com.", "otlp.example.com", true),
        ("example.com", "otlp.example.com.", true),
        ("example.com", "badexample.com", false),
        ("example.com", "com", false),
        (".example.com", "otlp.example.com", true),
        (".example.com", "example.com", true),
        (".example.com", "badexample.com", false),
        ("*.example.com", "a.otlp.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "badexample.com", false),
        ("h:4318", "h", true),
        ("h:4317", "h", false),
        ("h:", "h", true),
        ("*.example.com:4318", "otlp.example.com", true),
        (".example.com:4317", "otlp.example.com", false),
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "10.0.0.2", false),
        ("10.0.0.1:4318", "10.0.0.1", true),
        ("10.0.0.1:4317", "10.0.0.1", false),
        // An address is no domain.
        ("0.0.1", "10.0.0.1", false),
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3/8", "10.255.0.1", true),
        ("10.0.0.0/8", "10.example.com", false),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "fd00::1", false),
        ("::/0", "8.8.8.8", false),
        ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fe00::1", false),
        ("fd00::1", "FD00:0::1", true),
        ("[fd00::1]", "fd00::1", true),
        ("[fd00::1]:4318", "fd00::1", true),
        ("[fd00::1]:4317", "fd00::1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("::ffff:10.0.0.1", "10.0.0.1", true),
        ("::ffff:10.0.0.0/104", "10.1.1.1", true),
        ("::ffff:10.0.0.0/104", "11.1.1.1", false),
        ("*", "h", true),
        ("x,*", "10.0.0.1", true),
        (",", "h", false),
        ("", "h", false),
    ] {
        assert_eq!(names(list, host, 4318), expected, "{list} {host}");
    }
}

#[test]
fn an_entry_that_cannot_be_used_is_left_out_alone_and_told() {
    for bad in [
        "10.0.0.0/33",
        "fd00::/129",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0.0/8:80",
        "h/8",
        "h:x",
        "h:65536",
        "h:+80",
        "a:b:c",
        "[fd00::1",
        "[h]:80",
        "[fd00::1]80",
        "<local>",
        "192.168.*",
        "*example.com",
        ".",
        "..example.com",
        "\u{fc}.de",
    ] {
        let exceptions = Exceptions::parse(&format!("first,{bad},last")).unwrap();
        assert!(exceptions.excepts("first", 1) && exceptions.excepts("last", 1), "{bad}");
        let [problem] = &exceptions.problems[..] else { panic!("{bad}: {exceptions:?}") };
        assert!(problem.contains(bad) && problem.contains("left out"), "{problem}");
    }
}

/// The leading `bits` bits as digits: another way to the same.
fn leading(bytes: &[u8], bits: usize) -> String {
    bytes.iter().map(|byte| format!("{byte:08b}")).collect::<String>().chars().take(bits).collect()
}

proptest! {
    #[test]
    fn p11_a_block_names_what_begins_with_its_bits(first: u32, other: u32, keep in 0_u32..=32, bits in 0_usize..=32) {
        // Mostly they share some bits.
        let other = if keep == 0 { other } else { first ^ (other.checked_shr(keep).unwrap_or(0)) };
        let (first, other) = (Ipv4Addr::from(first), Ipv4Addr::from(other));
        let expected = leading(&first.octets(), bits) == leading(&other.octets(), bits);
        prop_assert_eq!(names(&format!("{first}/{bits}"), &other.to_string(), 1), expected);
    }

    #[test]
    fn p11_a_block_of_ipv6_does_too(first: u128, other: u128, keep in 0_u32..=128, bits in 0_usize..=128) {
        let first = Ipv6Addr::from(first | 1 << 127);
        let other = Ipv6Addr::from(u128::from(first) ^ (other.checked_shr(keep).unwrap_or(0)));
        let expected = leading(&first.octets(), bits) == leading(&other.octets(), bits);
        prop_assert_eq!(names(&format!("{first}/{bits}"), &other.to_string(), 1), expected);
    }

    #[test]
    fn p11_a_port_limits_and_nothing_else(
        host in "([a-z]{1,5}\\.){0,2}[a-z]{1,5}|[1-9]\\.2\\.3\\.4|fd00::[1-9]", port: u16, other: u16,
    ) {
        let written = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        prop_assert!(names(&written, &host, port));
        prop_assert_eq!(names(&format!("{written}:{port}"), &host, other), port == other);
    }

    #[test]
    fn p11_a_domain_names_what_is_below_it(
        domain in "([a-z]{1,3}\\.){0,2}[a-z]{1,3}", before in "([a-z]{0,2}\\.)?[a-z]{0,2}", dot: bool,
    ) {
        prop_assume!(!before.ends_with('.') && !before.starts_with('.'));
        let host = format!("{before}{}{domain}", if dot && !before.is_empty() { "." } else { "" });
        let labels: Vec<&str> = domain.split('.').collect();
        let of_host: Vec<&str> = host.split('.').collect();
        let below = of_host.ends_with(&labels);
        prop_assert_eq!(names(&domain, &host.to_uppercase(), 1), below);
        prop_assert_eq!(names(&format!(".{domain}"), &host, 1), below);
        prop_assert_eq!(names(&format!("*.{domain}"), &host, 1), below && of_host.len() > labels.len());
    }

    #[test]
    fn whatever_stands_there_each_entry_counts_for_itself(
        list in "(\\PC{0,10}[,: ]|[a-c0-9.*:/\\[\\]]{0,12},){0,5}", host in "[a-c.]{1,6}|[0-9]\\.0\\.0\\.[0-9]|[a-f0-9]{1,4}::1", port in 0_u16..9,
    ) {
        let exceptions = Exceptions::parse(&list).unwrap();
        let members: Vec<&str> = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|m| !m.is_empty()).collect();
        prop_assert_eq!(exceptions.entries.len() + exceptions.problems.len(), members.len());
        let any = members.iter().any(|member| Exceptions::parse(member).unwrap().excepts(&host, port));
        prop_assert_eq!(exceptions.excepts(&host, port), any);
    }
}
