#![allow(clippy::unwrap_used)]

use super::super::test_support::{new, quiet, reported, resolve};
use super::*;
use crate::config::{Filter, SpanLimits, TABLE};
use crate::data::AttributeValue;
use TransportProtocol::{Grpc, HttpProtobuf};

const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
const TIMEOUT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

fn text(resolved: &Resolved, key: &str) -> Option<String> {
    match resolved.resource.get(key)? {
        AttributeValue::String(text) => Some(text.clone()),
        other => panic!("{key}: {other:?}"),
    }
}

#[test]
fn with_nothing_set_the_defaults_hold() {
    let resolved = quiet(&new(), &[]);
    assert!(!resolved.disabled);
    assert_eq!(resolved.protocol, HttpProtobuf);
    assert_eq!(resolved.endpoint.url, "http://localhost:4318");
    assert_eq!((resolved.endpoint.kind, resolved.endpoint.source), (EndpointKind::Base, Source::Default));
    assert_eq!(resolved.timeout, Duration::from_secs(10));
    assert_eq!(resolved.sampler, Sampler::parent_based(Sampler::always_on()));
    assert_eq!((resolved.batch_size, resolved.batch_bytes), (8192, 1 << 20));
    assert_eq!((resolved.memory_limit, resolved.concurrency), (32 << 20, 8));
    assert_eq!((resolved.schedule_delay, resolved.shutdown_timeout), (Duration::from_secs(1), Duration::from_secs(5)));
    assert_eq!(quiet(&new().with_protocol(Grpc), &[]).endpoint.url, "http://localhost:4317");
}

#[test]
fn env1_an_empty_variable_counts_as_unset() {
    let variables: Vec<(&str, &str)> = TABLE.iter().map(|row| row.name).zip(["", "  "].into_iter().cycle()).collect();
    let (nothing, empty) = (quiet(&new(), &[]), quiet(&new(), &variables));
    assert_eq!(format!("{nothing:?}"), format!("{empty:?}"));
    assert_eq!(text(&nothing, "service.name"), text(&empty, "service.name"));
}

#[test]
fn code_wins_over_the_environment_which_wins_over_the_defaults() {
    let variables = [
        (OTLP_ENDPOINT, "http://env:1"),
        (PROTOCOL, "GRPC"),
        (TIMEOUT_VARIABLE, "1500"),
        ("OTEL_SERVICE_NAME", "env"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=env,service.name=attributes"),
        ("OTEL_SDK_DISABLED", "True"),
    ];
    let resolved = quiet(&new(), &variables);
    assert_eq!((resolved.protocol, resolved.disabled), (Grpc, true));
    assert_eq!(resolved.endpoint.url, "http://env:1");
    assert_eq!(resolved.endpoint.source, Source::Environment(OTLP_ENDPOINT));
    assert_eq!(resolved.timeout, Duration::from_millis(1500));
    assert_eq!(text(&resolved, "service.name").as_deref(), Some("env"));
    assert_eq!(text(&resolved, "team").as_deref(), Some("env"));

    let code = new()
        .with_endpoint("http://code:2")
        .with_protocol(HttpProtobuf)
        .with_timeout(Duration::from_secs(3))
        .with_service("code", "7")
        .with_resource_attribute("team", "code")
        .with_disabled(false);
    let resolved = quiet(&code, &variables);
    assert_eq!((resolved.protocol, resolved.disabled), (HttpProtobuf, false));
    assert_eq!((resolved.endpoint.url.as_str(), resolved.endpoint.source), ("http://code:2", Source::Code));
    assert_eq!(resolved.timeout, Duration::from_secs(3));
    assert_eq!(text(&resolved, "service.name").as_deref(), Some("code"));
    assert_eq!(text(&resolved, "service.version").as_deref(), Some("7"));
    assert_eq!(text(&resolved, "team").as_deref(), Some("code"));

    let resolved = quiet(&new().with_env(false), &variables);
    assert_eq!((resolved.protocol, resolved.disabled), (HttpProtobuf, false));
    assert_eq!(resolved.endpoint.source, Source::Default);
    assert_eq!(text(&resolved, "team"), None);
}

#[test]
fn the_variable_of_a_signal_wins_over_the_general_one() {
    let variables = [
        (OTLP_ENDPOINT, "http://all:1"),
        (TRACES_ENDPOINT, "http://traces:2/own?key=1"),
        (PROTOCOL, "grpc"),
        (TRACES_PROTOCOL, "http/protobuf"),
        (TIMEOUT_VARIABLE, "1"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
    ];
    let resolved = quiet(&new(), &variables);
    assert_eq!(resolved.endpoint.url, "http://traces:2/own?key=1");
    assert_eq!(resolved.endpoint.kind, EndpointKind::Signal);
    assert_eq!(resolved.protocol, HttpProtobuf);
    assert_eq!(resolved.timeout, LONGEST, "0 means no limit");
}

#[test]
fn what_is_wrong_with_a_variable_is_said_in_one_line_and_something_else_is_used() {
    let resolved = reported(&new(), &[(PROTOCOL, "http/json")], &[PROTOCOL, "http/json", "using http/protobuf"]);
    assert_eq!(resolved.protocol, HttpProtobuf);
    let resolved = reported(
        &new(),
        &[(TRACES_PROTOCOL, "carrier pigeon"), (PROTOCOL, "grpc")],
        &[TRACES_PROTOCOL, "carrier pigeon", "using grpc"],
    );
    assert_eq!(resolved.protocol, Grpc);
    for bad in ["soon", "-5", "1e3", "2147483648"] {
        let resolved = reported(&new(), &[(TIMEOUT_VARIABLE, bad)], &[TIMEOUT_VARIABLE, bad, "using 10000 ms"]);
        assert_eq!(resolved.timeout, TIMEOUT);
    }
    let resolved = reported(&new(), &[("OTEL_SDK_DISABLED", "1")], &["OTEL_SDK_DISABLED", "\"1\"", "using false"]);
    assert!(!resolved.disabled);
    for bad in ["localhost:4318", "http://", "nonsense", "http://h:4318?x"] {
        let resolved = reported(&new(), &[(OTLP_ENDPOINT, bad)], &[OTLP_ENDPOINT, "using http://localhost:4318"]);
        assert_eq!(resolved.endpoint.source, Source::Default, "{bad}");
    }
    let resolved = reported(
        &new().with_protocol(Grpc),
        &[(TRACES_ENDPOINT, "http://h:1/v1/traces"), (OTLP_ENDPOINT, "http://h:2")],
        &[TRACES_ENDPOINT, "gRPC", "using http://h:2"],
    );
    assert_eq!(resolved.endpoint.kind, EndpointKind::Base);
}

#[test]
fn res4_an_error_in_the_attributes_discards_them_all() {
    let variables = [("OTEL_RESOURCE_ATTRIBUTES", "team=a,service.name=b,hunter2")];
    let resolved = reported(&new(), &variables, &["OTEL_RESOURCE_ATTRIBUTES", "entry 3 has no `=`"]);
    assert_eq!(text(&resolved, "team"), None);
    assert!(text(&resolved, "service.name").unwrap().starts_with("unknown_service:"));
}

#[test]
fn reports_hold_no_secret() {
    let secrets: Vec<(&str, &str)> = vec![
        (OTLP_ENDPOINT, "http://user:hunter2@h:1?key=hunter2"),
        (TRACES_ENDPOINT, "http://a b/?key=hunter2"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=hunter2=b"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2,hunter2,a b=hunter2"),
    ];
    let (resolved, lines) = resolve(&new(), &secrets);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(!format!("{lines:?} {:?}", resolved.unwrap()).contains("hunter2"), "{lines:?}");

    let used_instead = [(TRACES_ENDPOINT, "bad"), (OTLP_ENDPOINT, "http://h:1/hunter1")];
    let (_, lines) = resolve(&new(), &used_instead);
    assert!(lines[0].ends_with("using http://h:1/hunter1"), "{lines:?}");
}

#[test]
fn the_environment_alone_never_fails() {
    let bad = [
        "",
        " ",
        "\u{0}",
        "\n",
        "=",
        ",",
        "%",
        "-1",
        "1e400",
        "https://x",
        "ü",
        "http://[",
        "NaN",
        "a=b,c",
        "18446744073709551616",
    ];
    for value in bad.map(str::to_owned).into_iter().chain([String::from_utf8(vec![b'x'; 1 << 20]).unwrap()]) {
        let variables: Vec<(&str, &str)> = TABLE.iter().map(|row| (row.name, value.as_str())).collect();
        let (resolved, lines) = resolve(&new(), &variables);
        resolved.unwrap();
        assert!(lines.len() <= TABLE.len() && lines.iter().all(|line| line.len() < 400), "{value:.20}");
        for row in TABLE {
            resolve(&new(), &[(row.name, &value)]).0.unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_reported_without_being_shown() {
    use std::os::unix::ffi::OsStringExt as _;
    let mut lines = Vec::new();
    let environment = |_: &str| Some(OsString::from_vec(b"hunter2\xff".to_vec()));
    let resolved = new().resolve_with(&environment, &mut |line| lines.push(line), &|_| true).unwrap();
    assert_eq!(resolved.endpoint.source, Source::Default);
    // A path need not be UTF-8. One line for all that are not read, and one as a certificate has no use for `http://`; the
    // sampler's argument is not looked at without a sampler, nor a proxy's variable where the endpoint is on this machine.
    let paths = TABLE.iter().filter(|row| row.takes.starts_with("path")).count();
    let of_proxies = TABLE.iter().filter(|row| !row.name.starts_with("OT")).count();
    assert_eq!((paths, of_proxies, lines.len()), (6, 7, TABLE.len() - 6 - 7 + 1), "{lines:?}");
    assert!(resolved.delivery.ca_certificate.is_some() && resolved.withheld.is_some());
    assert!(!format!("{lines:?}").contains("hunter2"));
}

#[test]
fn a_variable_does_not_break_what_works_without_it() {
    let config = new().with_endpoint("http://h:4318/prefix");
    let resolved =
        reported(&config, &[(PROTOCOL, "grpc")], &[PROTOCOL, "endpoint that is set in code", "http/protobuf"]);
    assert_eq!(resolved.protocol, HttpProtobuf);
    // Here the default does not fit either: without the variable it is an error, with it it works.
    let config = new().with_endpoint("h:4317");
    assert!(matches!(resolve(&config, &[]).0, Err(OtlpError::InvalidConfig { setting: "endpoint", .. })));
    let variables = [(PROTOCOL, "grpc"), ("OTEL_EXPORTER_OTLP_INSECURE", "true")];
    assert_eq!(quiet(&config, &variables).protocol, Grpc);
}

#[test]
fn a_feature_that_is_off_is_an_error_in_code_and_a_line_from_the_environment() {
    let resolve = |config: &OtlpConfig, variable: Option<&str>, on: TransportProtocol| {
        let mut lines = Vec::new();
        let environment = |name: &str| variable.filter(|_| name == PROTOCOL).map(OsString::from);
        let resolved = config.resolve_with(&environment, &mut |line| lines.push(line), &|p| p == on);
        (resolved.map(|r| r.protocol), lines.join("\n"))
    };
    let (result, _) = resolve(&new().with_protocol(Grpc), None, HttpProtobuf);
    assert!(matches!(result, Err(OtlpError::FeatureDisabled { feature: "grpc", .. })), "{result:?}");
    let (result, line) = resolve(&new(), Some("grpc"), HttpProtobuf);
    assert_eq!(result.unwrap(), HttpProtobuf);
    assert!(line.contains("cargo feature `grpc`"), "{line}");
    let (result, _) = resolve(&new(), None, Grpc);
    assert!(matches!(result, Err(OtlpError::FeatureDisabled { feature: "http", .. })), "{result:?}");
    assert_eq!(resolve(&new(), Some("grpc"), Grpc).0.unwrap(), Grpc);
}

#[test]
fn what_is_wrong_in_code_is_an_error_whatever_the_environment_says() {
    for config in [new().with_batch_size(0), new().with_endpoint("x y"), new().with_timeout(Duration::ZERO)] {
        let (result, lines) = resolve(&config, &[("OTEL_SDK_DISABLED", "true")]);
        assert!(matches!(result, Err(OtlpError::InvalidConfig { .. })) && lines.is_empty(), "{result:?} {lines:?}");
    }
}

#[test]
fn t7_a_base_that_has_the_signals_path_is_used_as_the_specification_says_with_a_hint() {
    let url = "http://h:4318/v1/traces";
    let resolved = reported(&new(), &[(OTLP_ENDPOINT, url)], &[OTLP_ENDPOINT, TRACES_ENDPOINT]);
    assert_eq!(resolved.endpoint.url, url);
    assert_eq!(quiet(&new(), &[(TRACES_ENDPOINT, url)]).endpoint.url, url);
    assert_eq!(quiet(&new().with_traces_endpoint(url), &[]).endpoint.kind, EndpointKind::Signal);
}

#[test]
fn the_filter_of_the_code_wins_over_the_environments_and_a_bad_one_there_is_none() {
    let from = |config: &OtlpConfig, variables: &[(&str, &str)]| {
        let resolved = quiet(config, variables);
        (resolved.filter.to_string(), resolved.filter_source == Source::Code)
    };
    assert_eq!(from(&new(), &[]), (String::new(), false));
    assert_eq!(from(&new(), &[("OTLP_FILTER", " info ,a::b=off")]), ("info,a::b=off".to_owned(), false));
    assert_eq!(from(&new().with_filter("warn"), &[("OTLP_FILTER", "inof")]), ("warn".to_owned(), true));
    let resolved = reported(&new(), &[("OTLP_FILTER", "a=off,inof")], &["OTLP_FILTER", "\"inof\"", "using no filter"]);
    assert_eq!(resolved.filter, Filter::new());
}

#[test]
fn variables_that_are_not_read_yet_are_named_unless_they_change_nothing() {
    reported(
        &new(),
        &[("OTEL_PROPAGATORS", "b3"), ("OTEL_CONFIG_FILE", "/otel.yaml"), ("OTEL_TRACES_EXPORTER", "otlp")],
        &["OTEL_CONFIG_FILE, OTEL_PROPAGATORS"],
    );
    quiet(&new(), &[("OTEL_PROPAGATORS", "tracecontext,baggage")]);
    quiet(&new().with_disabled(true), &[("OTEL_PROPAGATORS", "b3")]);
}

#[test]
fn sizes_that_depend_on_each_other_fit_together() {
    assert_eq!(quiet(&new().with_memory_limit(1 << 20), &[]).batch_bytes, 1 << 17);
    assert_eq!(quiet(&new().with_batch_bytes(32 << 20), &[]).memory_limit, 64 << 20);
    assert_eq!(quiet(&new().with_timeout(Duration::MAX), &[]).timeout, LONGEST);
    let resolved = quiet(&new().with_sampler(Sampler::trace_id_ratio(0.25)), &[]);
    assert_eq!(resolved.sampler, Sampler::trace_id_ratio(0.25));
}

#[test]
fn the_defaults_of_the_table_are_the_real_ones() {
    let resolved = quiet(&new(), &[]);
    let row = |name| TABLE.iter().find(|row| row.name == name).unwrap();
    assert_eq!(row(TIMEOUT_VARIABLE).default, format!("`{}`", resolved.timeout.as_millis()));
    assert_eq!(row(PROTOCOL).default, format!("`{}`", resolved.protocol));
    for protocol in TransportProtocol::ALL {
        assert!(row(OTLP_ENDPOINT).default.contains(protocol.default_endpoint()));
        assert!(row(PROTOCOL).takes.contains(protocol.as_str()));
    }
}

#[test]
fn the_real_environment_can_be_read() {
    let path = process_environment("PATH");
    assert_eq!(path, std::env::var_os("PATH"));
    let _ = new().resolve(&process_environment, &mut |_| {});
}

#[test]
fn disabled_by_the_environment_it_needs_no_transport() {
    let environment = |name: &str| (name == "OTEL_SDK_DISABLED").then(|| OsString::from("true"));
    let resolved = new().resolve_with(&environment, &mut |_| (), &|_| false);
    assert!(resolved.is_ok_and(|resolved| resolved.disabled));
}

#[test]
fn lim4_code_then_the_limit_of_spans_then_the_general_one_then_the_default() {
    let limits = |config: &OtlpConfig, variables: &[(&str, &str)]| quiet(config, variables).limits;
    let default = limits(&new(), &[]);
    assert_eq!(default, ResolvedLimits::default());
    assert_eq!((default.attributes, default.events, default.links, default.value_length), (128, 128, 128, usize::MAX));

    let general = [("OTEL_ATTRIBUTE_COUNT_LIMIT", "7"), ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "70")];
    let found = limits(&new(), &general);
    assert_eq!((found.attributes, found.attributes_per_event, found.attributes_per_link), (7, 7, 7));
    assert_eq!((found.value_length, found.events, found.links), (70, 128, 128));

    let all = [
        general[0],
        general[1],
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "2"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "3"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "0"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "5"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "6"),
    ];
    let expected = ResolvedLimits {
        attributes: 1,
        value_length: 2,
        events: 3,
        links: 0,
        attributes_per_event: 5,
        attributes_per_link: 6,
        ..default
    };
    assert_eq!(limits(&new(), &all), expected);
    assert_eq!(limits(&new().with_env(false), &all), default);
    let code = SpanLimits::default().with_event_count(30).with_attribute_value_depth(4);
    assert_eq!(limits(&new().with_span_limits(code), &all), ResolvedLimits { events: 30, value_depth: 4, ..expected });
}

#[test]
fn lim4_a_bad_limit_is_one_line_and_the_next_one_holds() {
    let bad = [("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1"), ("OTEL_ATTRIBUTE_COUNT_LIMIT", "9")];
    assert_eq!(reported(&new(), &bad, &[bad[0].0, "-1 is negative", "using 9"]).limits.attributes, 9);
    let general = [("OTEL_ATTRIBUTE_COUNT_LIMIT", "many")];
    assert_eq!(reported(&new(), &general, &["many", "using 128"]).limits.attributes_per_link, 128);
    let length = [("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "1k")];
    assert_eq!(reported(&new(), &length, &["1k", "using no limit"]).limits.value_length, usize::MAX);
}
