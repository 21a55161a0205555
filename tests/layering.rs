//! The architecture, checked by a test and not by memory: which module may use which, where `unsafe` may stand, and how
//! long a file may grow.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[path = "layering/source.rs"]
mod source;

use source::Source;

/// The modules of `otlp-runtime`: each uses only those of the lines above it, and of its own.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["os"],
    &["account"],
    &["data"],
    &["config"],
    &["detect"],
    &["record"],
    &["metrics", "trace", "logs"],
    &["macro_support"],
    &["propagation"],
    &["processor"],
    &["encode"],
    &["flow"],
    &["transport"],
    &["exporter"],
    &["collector"],
    &["observe", "status"],
    &["client"],
    &["init"],
    &["bridge"],
    &["testing"],
    &["fuzz"],
];

/// Where `unsafe` may stand; everywhere else it is denied.
const UNSAFE: &[&str] = &["os", "record"];

/// How many lines a file may have, tests not counted.
const MOST_LINES: usize = 500;

fn sources(folder: &str) -> Vec<Source> {
    let sources = Source::all_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    assert!(!sources.is_empty(), "nothing found in {folder}");
    sources
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// What is wrong with the direction of the dependencies of one file.
fn wrong_directions(source: &Source) -> Vec<String> {
    let path = source.path.display();
    let Some(module) = source.top_module() else { return Vec::new() };
    let Some(own) = layer(&module) else {
        return vec![format!("{path}: `{module}` is not in the list of layers; give it its place there")];
    };
    let used = source.top_modules_used();
    let wrong = used.iter().filter(|used| layer(used).is_some_and(|layer| layer > own));
    wrong.map(|used| format!("{path}: `{module}` uses `{used}`, which stands below it")).collect()
}

fn wrong_unsafe(source: &Source) -> Option<String> {
    let allowed = source.top_module().is_some_and(|module| UNSAFE.contains(&module.as_str()));
    (!allowed && source.has_word("unsafe")).then(|| format!("{}: `unsafe` may not stand here", source.path.display()))
}

fn wrong_length(source: &Source) -> Option<String> {
    let lines = source.lines_outside_of_tests();
    (lines > MOST_LINES).then(|| format!("{}: {lines} lines, {MOST_LINES} are allowed", source.path.display()))
}

fn assert_none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn modules_use_only_what_stands_above_them() {
    assert_none(sources("otlp-runtime/src").iter().flat_map(wrong_directions).collect());
}

#[test]
fn unsafe_stands_only_where_it_is_reviewed() {
    let all = ["otlp-runtime/src", "src"].map(sources);
    assert_none(all.iter().flatten().filter_map(wrong_unsafe).collect());
}

#[test]
fn no_file_outgrows_its_reader() {
    let all = ["otlp-runtime/src", "otlp-macros/src", "src"].map(sources);
    assert_none(all.iter().flatten().filter_map(wrong_length).collect());
}

#[test]
fn the_macros_know_nothing_of_the_runtime() {
    let manifest = include_str!("../otlp-macros/Cargo.toml");
    assert!(!manifest.contains("otlp-runtime"), "otlp-macros depends on otlp-runtime");
    let uses = |source: &&Source| source.has_word_outside_of_tests("otlp_runtime");
    assert_none(sources("otlp-macros/src").iter().filter(uses).map(|s| s.path.display().to_string()).collect());
}

#[test]
fn the_facade_holds_no_logic() {
    for word in ["fn", "impl", "struct", "enum", "trait"] {
        assert!(!sources("src").iter().any(|source| source.has_word(word)), "`{word}` in the facade");
    }
}

#[test]
fn every_layer_is_listed_once() {
    let mut all: Vec<&str> = LAYERS.concat();
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
}

/// The checks themselves, on files that were made for it.
mod checks {
    use super::*;

    fn directions(path: &str, text: &str) -> usize {
        wrong_directions(&Source::new(path, text)).len()
    }

    #[test]
    fn a_wrong_direction_is_found_in_every_form() {
        for (path, text) in [
            ("data/id.rs", "use crate::config::OtlpConfig;"),
            ("data/id.rs", "use crate::{account::Ledger, config::{self, X}};"),
            ("data/id.rs", "use crate::{\n    // a comment\n    account::{Ledger, config},\n    init,\n};"),
            ("data/id.rs", "fn f() { let _ = crate :: init::start(); }"),
            ("data/id.rs", "use super::super::config::X;"),
            ("data/mod.rs", "use super::config::X;"),
            ("error.rs", "use super::{account::X, std};"),
            ("data/deep/er.rs", "use super::super::super::config;"),
            ("data/id.rs", "macro_rules! m { () => { $crate::record::X } }"),
            ("data/id.rs", "#[cfg(not(test))]\nuse crate::config::X;"),
            ("data/id.rs", "#[cfg(test)]\nmod tests {}\nuse crate::config::X;"),
            ("data/id.rs", "#[cfg(test)]\nfn f(_: [u8; 3]) {}\nuse crate::config::X;"),
            ("data/id.rs", "const C: char = '\"'; use crate::config::X; const D: &str = \"\";"),
            ("data/id.rs", "fn f<'a>(x: &'a str) { crate::config::x(x) } // '"),
            ("data/id.rs", "const R: &str = r#\"\\\"#; use crate::config::X;"),
            ("unheard_of.rs", ""),
        ] {
            assert_eq!(directions(path, text), 1, "{path}: {text}");
        }
    }

    #[test]
    fn what_is_allowed_is_left_alone() {
        for (path, text) in [
            ("config/a.rs", "use crate::{account, data::X, error::OtlpError}; use super::b; use crate::config::c;"),
            ("metrics/a.rs", "use crate::trace::Span;"),
            ("data/id.rs", "// use crate::config::X;\n/* /* crate::init */ crate::config */"),
            (
                "data/id.rs",
                "/// See `crate::config`.\nconst A: &str = \"crate::config\"; const B: &str = r##\"\"# crate::init\"##;",
            ),
            ("data/id.rs", "#[cfg(test)]\nmod tests {\n    use crate::{config::X, testing};\n}"),
            ("data/id.rs", "#[cfg(all(test, not(loom)))]\nmod tests;"),
            ("data/id_tests.rs", "use crate::config::X;"),
            ("data/id.rs", "#![cfg(test)]\nuse crate::config::X;"),
            ("data/id.rs", "use super::config; use other::crate_name::config; pub(crate) fn f() {}"),
            ("lib.rs", "pub use crate::config::X;"),
        ] {
            assert_eq!(directions(path, text), 0, "{path}: {text}");
        }
    }

    #[test]
    fn unsafe_is_found_and_only_as_a_word_of_code() {
        let wrong = |path: &str, text: &str| wrong_unsafe(&Source::new(path, text)).is_some();
        assert!(wrong("data/id.rs", "fn f() { unsafe { g() } }"));
        assert!(wrong("lib.rs", "unsafe impl Send for X {}"));
        assert!(wrong("data/id.rs", "#[cfg(test)] mod tests { unsafe fn f() {} }"));
        assert!(!wrong("record/log.rs", "unsafe { g() }"));
        assert!(!wrong("data/id.rs", "#![deny(unsafe_code)] // unsafe\nconst X: &str = \"unsafe\";"));
    }

    #[test]
    fn lines_are_counted_without_tests() {
        let lines = |text: &str| Source::new("data/id.rs", text).lines_outside_of_tests();
        assert_eq!(lines("a\n// b\n\nc\n"), 4);
        assert_eq!(lines(&format!("a\n#[cfg(test)]\nmod tests {{\n{}}}\n", "x();\n".repeat(1000))), 2);
        let long = Source::new("data/id.rs", &"x();\n".repeat(MOST_LINES + 1));
        assert!(wrong_length(&long).is_some());
    }
}
