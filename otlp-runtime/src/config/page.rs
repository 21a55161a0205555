//! The page of documentation that the table of variables makes.

#![cfg(test)]
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use super::variables::{OF_CERTIFICATES, TABLE, UNREAD};

/// `variables.md`, which the documentation of `OtlpConfig` includes.
fn page() -> String {
    let mut page = String::from(
        "# Environment variables\n\n\
         What is set in code wins over these, and these over the defaults. An empty variable counts as unset. A variable \
         that cannot be used never makes `init` fail: one line on stderr says what is wrong and what is used instead.\n\n\
         | variable | takes | default | in code | meaning |\n|---|---|---|---|---|\n",
    );
    for row in TABLE {
        writeln!(page, "| `{}` | {} | {} | {} | {} |", row.name, row.takes, row.default, row.code, row.doc).unwrap();
    }
    let of_certificates: Vec<String> = OF_CERTIFICATES.iter().map(|name| format!("`{name}`")).collect();
    writeln!(
        page,
        "\n{}: where the system's certificate authorities are. Read, also with `with_env(false)`, by the library that finds \
         them, `rustls-native-certs`, where an endpoint is secured by TLS and no certificate authority is set.",
        of_certificates.join(", ")
    )
    .unwrap();
    page.push_str("\nNot read yet; one line on stderr says so if one of them is set: ");
    let names: Vec<String> = UNREAD.iter().map(|(name, _)| format!("`{name}`")).collect();
    writeln!(page, "{}.", names.join(", ")).unwrap();
    page
}

#[test]
fn the_page_is_what_the_table_says() {
    let (found, expected) = (include_str!("variables.md"), page());
    assert!(found == expected, "src/config/variables.md is out of date; it has to be:\n{expected}");
}

#[test]
fn every_name_stands_once() {
    let mut names: Vec<&str> = TABLE.iter().map(|row| row.name).chain(UNREAD.iter().map(|u| u.0)).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
