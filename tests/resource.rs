//! Which schema the resource follows, as a receiver and a reader of stderr see it (spec-checklist RES3, RES5).
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use otlp::testing::Collector;
use otlp::{OtlpConfig, OtlpError, Resource, SCHEMA_URL, TransportProtocol, traced};
use process::*;

const OWN: &str = "https://example.com/schemas/1.0.0";

#[traced]
fn work() {}

fn team(url: &str) -> Resource {
    let mut resource = Resource::new().with_schema_url(url);
    resource.set("example.team", "checkout");
    resource
}

/// The resource of a span that a program with `config` makes.
fn sent(config: impl FnOnce(OtlpConfig) -> OtlpConfig, protocol: TransportProtocol) -> Resource {
    let collector = Collector::start().unwrap();
    let given = OtlpConfig::default().with_endpoint(collector.endpoint()).with_protocol(protocol);
    let guard = config(given).init().unwrap();
    work();
    otlp::flush(LONG).unwrap();
    drop(guard);
    Resource::clone(&collector.spans()[0].resource)
}

/// RES5: the resource names its schema when the detectors are done, and without any.
#[test]
fn res5_the_schema_url_arrives_over_both_protocols() {
    let _alone = alone();
    for protocol in [TransportProtocol::HttpProtobuf, TransportProtocol::Grpc] {
        let plain = sent(|config| config.with_env(false), protocol);
        assert!(plain.get("process.pid").is_some() && plain.get("service.name").is_some(), "{plain:?}");
        assert_eq!(plain.schema_url(), Some(SCHEMA_URL));

        let same = sent(|config| config.with_env(false).with_resource(team(SCHEMA_URL)), protocol);
        assert!(same.get("process.pid").is_some() && same.get("example.team").is_some(), "{same:?}");
        assert_eq!(same.schema_url(), Some(SCHEMA_URL));

        let alone = |config: OtlpConfig| config.with_env(false).with_resource(team(OWN)).with_resource_detectors([]);
        let alone = sent(alone, protocol);
        assert!(alone.get("telemetry.sdk.name").is_some() && alone.get("example.team").is_some(), "{alone:?}");
        assert_eq!(alone.schema_url(), Some(OWN));
    }
}

/// RES3, RES4: attributes are laid over each other in their order, and those of the environment have no schema.
#[test]
fn res3_the_environment_has_no_say_in_the_schema() {
    const NAME: &str = "res3_the_environment_has_no_say_in_the_schema";
    if is_child(NAME) {
        let resource = sent(|config| config.with_resource(team(SCHEMA_URL)), TransportProtocol::HttpProtobuf);
        assert_eq!(resource.schema_url(), Some(SCHEMA_URL));
        let expected = [("example.team", "checkout"), ("zone", "z"), ("host.name", "mine")];
        return expected.into_iter().for_each(|(key, value)| assert_eq!(resource.get(key), Some(&value.into())));
    }
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "example.team=billing,zone=z,host.name=mine");
    let said = in_own_process(NAME, &[attributes]);
    assert!(!said.contains("otlp:"), "{said}");
}

/// RES5: no attribute and no span is lost where code and detectors do not agree, and one line says what to do.
#[test]
fn res5_a_conflict_with_the_detectors_is_one_line_and_no_loss() {
    const NAME: &str = "res5_a_conflict_with_the_detectors_is_one_line_and_no_loss";
    if is_child(NAME) {
        let resource = sent(|config| config.with_resource(team(OWN)), TransportProtocol::HttpProtobuf);
        assert_eq!(resource.schema_url(), None);
        for key in ["example.team", "process.pid", "host.arch", "service.name", "telemetry.sdk.name"] {
            assert!(resource.get(key).is_some(), "{key}: {resource:?}");
        }
        assert_eq!(balanced().exported, 1);
        return;
    }
    // It is an error, and appears as one.
    for level in [&[][..], &[("OTEL_LOG_LEVEL", "error")]] {
        let said = in_own_process(NAME, level);
        let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("otlp:")).collect();
        let [line] = lines[..] else { panic!("{said}") };
        for part in [OWN, SCHEMA_URL, "with_schema_url(otlp::SCHEMA_URL)", "OTLP_RESOURCE_DETECTORS"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}

/// What that line says to do helps.
#[test]
fn res5_without_detectors_the_schema_is_that_of_the_code() {
    const NAME: &str = "res5_without_detectors_the_schema_is_that_of_the_code";
    if is_child(NAME) {
        let resource = sent(|config| config.with_resource(team(OWN)), TransportProtocol::HttpProtobuf);
        return assert_eq!(resource.schema_url(), Some(OWN));
    }
    for detectors in ["none", "service"] {
        let said = in_own_process(NAME, &[("OTLP_RESOURCE_DETECTORS", detectors)]);
        assert!(!said.contains("otlp:"), "{said}");
    }
}

/// RES5: code that contradicts itself is told at once, before anything starts.
#[test]
fn res5_two_schemas_in_code_are_an_error_of_init() {
    let _alone = alone();
    let error =
        config("http://127.0.0.1:1").with_resource(team(OWN)).with_resource(team(SCHEMA_URL)).init().unwrap_err();
    let OtlpError::SchemaConflict { old, updating } = &error else { panic!("{error:?}") };
    assert_eq!((old.as_str(), updating.as_str()), (OWN, SCHEMA_URL));
}
