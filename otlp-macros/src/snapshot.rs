//! Expansions, token for token, against `tests/expand/`. `BLESS=1 cargo test -p otlp-macros` writes them anew.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proc_macro2::TokenStream;

/// One text for the same tokens, whoever formatted them: spaces and trailing commas are a matter of taste.
fn canonical(tokens: &TokenStream) -> String {
    let text: String = tokens.to_string().split_whitespace().collect();
    text.replace(",}", "}").replace(",)", ")").replace(",]", "]").replace(",{", "{")
}

/// Fails if the expansion is another than the one of this name.
pub(crate) fn compare(name: &str, expanded: &TokenStream) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expand").join(format!("{name}.rs"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, formatted(&expanded.to_string())).unwrap();
    }
    let expected: TokenStream = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    assert_eq!(canonical(expanded), canonical(&expected), "{name}: the expansion is another");
}

fn formatted(source: &str) -> Vec<u8> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config", "max_width=120,use_small_heuristics=Max"]);
    let mut child = rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}
