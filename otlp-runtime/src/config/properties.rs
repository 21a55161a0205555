//! What holds of settings whatever the environment says: looked at with random texts by the tests, and by `fuzz/`.
#![cfg(any(test, fuzzing))]
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::ffi::OsString;

use super::parse::LONGEST;
use super::variables::UNREAD;
use super::{Environment, Filter, OtlpConfig, TABLE, parse};
use crate::data::AttributeValue;
use crate::error::OtlpError;

/// A line on stderr: one, and not endless.
fn is_line(line: &str) {
    assert!(!line.contains(char::is_control) && line.len() < 1500, "{line:?}");
}

/// Each line of `text` sets a variable: its first character chooses which.
pub fn environment(text: &str) {
    let names: Vec<&str> = TABLE.iter().map(|row| row.name).chain(UNREAD.iter().map(|unread| unread.0)).collect();
    let set: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| {
            let mut rest = line.chars();
            let first = rest.next()?;
            Some((names[first as usize % names.len()], rest.as_str()))
        })
        .collect();
    let environment = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(*value));
    environment_says(&OtlpConfig::default(), &environment);
    // Behind a proxy, perhaps.
    environment_says(&OtlpConfig::default().with_endpoint("http://10.0.0.1:4318"), &environment);
}

fn environment_says(config: &OtlpConfig, environment: &Environment<'_>) {
    let mut lines = Vec::new();
    let resolved = match config.resolve(environment, &mut |line| lines.push(line)) {
        Ok(resolved) => resolved,
        // Neither transport is compiled in.
        Err(OtlpError::FeatureDisabled { .. }) => return,
        Err(error) => panic!("the environment alone makes `init` fail: {error}"),
    };
    lines.iter().for_each(|line| is_line(line));
    assert!(resolved.timeout <= LONGEST && !resolved.timeout.is_zero());
    let mut keys: Vec<&str> = resolved.resource.iter().map(|(key, _)| key).collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() == all && keys.iter().all(|key| !key.is_empty()), "{keys:?}");
    let name = resolved.resource.get("service.name");
    assert!(matches!(name, Some(AttributeValue::String(name)) if !name.is_empty()), "{name:?}");
}

/// `OTEL_RESOURCE_ATTRIBUTES`, as the encoder of a launcher would write back what was read.
pub fn resource_attributes(text: &str) {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    match parse::attributes(text) {
        Ok(attributes) => {
            assert!(attributes.iter().all(|(key, _)| !key.is_empty()));
            let written: Vec<_> = attributes.iter().map(|(k, v)| format!("{}={}", encoded(k), encoded(v))).collect();
            assert_eq!(parse::attributes(&written.join(",")), Ok(attributes));
        }
        Err(problem) => {
            is_line(&problem);
            // The problem is told in words of ours, which hold nothing of what was set.
            let marked = parse::attributes(&format!("{text},hunter2")).unwrap_err();
            assert!(!marked.contains("hunter2"), "{marked}");
        }
    }
}

/// `OTLP_FILTER`.
pub fn filter(text: &str) {
    match text.parse::<Filter>() {
        Ok(filter) => assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter),
        Err(error) => {
            assert!(matches!(error, OtlpError::InvalidConfig { setting: "filter", .. }), "{error:?}");
            is_line(&error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn env_of_the_environment(text in "(\\PC?[-A-Za-z0-9:/@=%,. \u{0}-\u{ff}]{0,40}\n){0,6}") {
            super::environment(&text);
        }

        #[test]
        fn res4_of_resource_attributes(
            text in "[a-c=,% \\t\u{e9}0-9A-F]{0,40}", any in any::<String>(),
            pairs in prop::collection::vec(("[a-z.]{1,5}", "(%[0-7][0-9A-F]|[a-z ]){0,8}"), 0..4),
        ) {
            let valid: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
            for text in [text, any, valid.join(",")] {
                super::resource_attributes(&text);
            }
        }

        #[test]
        fn of_filters(text in "[a-z:=,\\- \\[\\]#\u{e9}\u{0}-\u{20}]{0,30}", any in any::<String>()) {
            super::filter(&text);
            super::filter(&any);
        }
    }
}
