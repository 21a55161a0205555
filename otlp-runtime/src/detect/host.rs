//! The host and its operating system.

use std::env::consts::{ARCH, OS};

use super::{Root, plain};
use crate::data::Resource;

pub(super) fn detect(root: &Root, found: &mut Resource) {
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            found.set(key, value);
        }
    };
    set("host.name", ["proc/sys/kernel/hostname", "etc/hostname"].iter().find_map(|path| plain(&root.read(path)?)));
    set("host.id", ["etc/machine-id", "var/lib/dbus/machine-id"].iter().find_map(|path| machine_id(&root.read(path)?)));
    set("host.arch", Some(arch(ARCH).to_owned()));
    set("os.type", Some(os(OS).to_owned()));
    let release = ["etc/os-release", "usr/lib/os-release"].iter().find_map(|path| root.read(path));
    let release = release.unwrap_or_default();
    for (key, name) in [("os.description", "PRETTY_NAME"), ("os.name", "NAME"), ("os.version", "VERSION_ID")] {
        set(key, release_value(&release, name));
    }
}

/// 128 bits in hexadecimal (machine-id(5)); before the first start of a system it may say `uninitialized`.
fn machine_id(text: &str) -> Option<String> {
    let id = text.trim();
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0'))
        .then(|| id.to_owned())
}

/// The value of a variable (os-release(5)).
fn release_value(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    let unquoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    plain(&unquoted.unwrap_or(value).replace("\\\"", "\"").replace("\\$", "$"))
}

/// OpenTelemetry's name of an architecture.
fn arch(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// OpenTelemetry's name of a system.
fn os(name: &str) -> &str {
    match name {
        "macos" => "darwin",
        "dragonfly" => "dragonflybsd",
        "illumos" => "solaris",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_id_is_one_or_none() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(machine_id(&format!(" {id}\n")).as_deref(), Some(id));
        for bad in ["", "uninitialized", "0123", &"0".repeat(32), &"g".repeat(32), &format!("{id}\n{id}")] {
            assert_eq!(machine_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_of_the_release_are_unquoted() {
        let text =
            "# comment\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nPRETTY_NAME=Plain\nEMPTY=\"\"\nODD=\"\\\"x\\\"\"";
        let value = |name| release_value(text, name);
        assert_eq!(value("NAME").as_deref(), Some("Debian GNU/Linux"));
        assert_eq!(value("VERSION_ID").as_deref(), Some("12"));
        assert_eq!(value("PRETTY_NAME").as_deref(), Some("Plain"));
        assert_eq!(value("ODD").as_deref(), Some("\"x\""));
        assert_eq!((value("EMPTY"), value("VERSION"), value("comment")), (None, None, None));
    }

    #[test]
    fn names_are_those_of_the_conventions() {
        assert_eq!((arch("x86_64"), arch("aarch64"), arch("riscv64")), ("amd64", "arm64", "riscv64"));
        assert_eq!((os("linux"), os("macos"), os("windows")), ("linux", "darwin", "windows"));
    }
}
