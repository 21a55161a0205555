#![allow(clippy::unwrap_used)]

use std::ffi::OsString;

use proptest::prelude::*;

use super::super::test_support::{new, quiet, reported, resolve};
use super::super::variables::UNREAD;
use super::*;
use crate::config::{Resolved, SpanLimits, TABLE};
use crate::error::OtlpError;

/// A variable, a value, the code that says otherwise; what to look at, and what it is by default, by the variable, by the
/// code.
struct Case {
    name: &'static str,
    value: &'static str,
    code: OtlpConfig,
    look: fn(&Resolved) -> String,
    expected: [&'static str; 3],
}

fn cases() -> Vec<Case> {
    let limits = SpanLimits::default;
    let limited = |limits| new().with_span_limits(limits);
    let case = |name, value, code, look: fn(&Resolved) -> String, expected| Case { name, value, code, look, expected };
    vec![
        case(
            "OTEL_SDK_DISABLED",
            "TRUE",
            new().with_disabled(false),
            |r| r.disabled.to_string(),
            ["false", "true", "false"],
        ),
        case(
            "OTEL_LOG_LEVEL",
            "Error",
            new().with_log_level(LogLevel::Warn),
            |r| r.log_level.to_string(),
            ["info", "error", "warn"],
        ),
        case(
            "OTEL_TRACES_EXPORTER",
            "NONE",
            new().with_traces_exporters([TracesExporter::Console]),
            |r| r.exporters.to_string(),
            ["otlp", "none", "console"],
        ),
        case(
            "OTEL_TRACES_SAMPLER",
            "always_off",
            new().with_sampler(Sampler::always_on()),
            |r| r.sampler.to_string().split("{remote").next().unwrap()[..13].to_owned(),
            ["ParentBased{r", "AlwaysOffSamp", "AlwaysOnSampl"],
        ),
        case(
            "OTEL_BSP_SCHEDULE_DELAY",
            "7",
            new().with_schedule_delay(Duration::from_secs(9)),
            |r| format!("{:?}", r.schedule_delay),
            ["1s", "7ms", "9s"],
        ),
        case(
            "OTEL_BSP_EXPORT_TIMEOUT",
            "30000",
            new().with_export_timeout(Duration::from_secs(9)),
            |r| format!("{:?}", r.export_timeout),
            ["300s", "30s", "9s"],
        ),
        case(
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "2048",
            new().with_queue_size(100),
            |r| format!("{} {}", r.queue_size == usize::MAX, r.batch_size),
            ["true 8192", "false 512", "false 25"],
        ),
        case(
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            "512",
            new().with_batch_size(9),
            |r| r.batch_size.to_string(),
            ["8192", "512", "9"],
        ),
        case("OTLP_FILTER", "warn", new().with_filter("error"), |r| r.filter.to_string(), ["", "warn", "error"]),
        case("OTEL_SERVICE_NAME", "env", new().with_service("code", ""), service, ["unknown", "env", "code"]),
        case(
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=env",
            new().with_resource_attribute("service.name", "code"),
            service,
            ["unknown", "env", "code"],
        ),
        case(
            "OTLP_RESOURCE_DETECTORS",
            "Host, process",
            new().with_resource_detectors([]),
            |r| r.detectors.to_string(),
            ["container,host,process,service", "host,process", "none"],
        ),
        case(
            "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
            "service",
            new().with_resource_detectors([ResourceDetector::Host]),
            |r| r.detectors.to_string(),
            ["container,host,process,service", "service", "host"],
        ),
        case(
            "OTEL_ATTRIBUTE_COUNT_LIMIT",
            "7",
            limited(limits().with_attribute_count(9)),
            |r| r.limits.attributes.to_string(),
            ["128", "7", "9"],
        ),
        case(
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "7",
            limited(limits().with_attribute_value_length(9)),
            length,
            ["none", "7", "9"],
        ),
        case(
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "7",
            limited(limits().with_attribute_count(9)),
            |r| r.limits.attributes.to_string(),
            ["128", "7", "9"],
        ),
        case(
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "7",
            limited(limits().with_attribute_value_length(9)),
            length,
            ["none", "7", "9"],
        ),
        case(
            "OTEL_SPAN_EVENT_COUNT_LIMIT",
            "7",
            limited(limits().with_event_count(9)),
            |r| r.limits.events.to_string(),
            ["128", "7", "9"],
        ),
        case(
            "OTEL_SPAN_LINK_COUNT_LIMIT",
            "7",
            limited(limits().with_link_count(9)),
            |r| r.limits.links.to_string(),
            ["128", "7", "9"],
        ),
        case(
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
            "7",
            limited(limits().with_event_attribute_count(9)),
            |r| r.limits.attributes_per_event.to_string(),
            ["128", "7", "9"],
        ),
        case(
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
            "7",
            limited(limits().with_link_attribute_count(9)),
            |r| r.limits.attributes_per_link.to_string(),
            ["128", "7", "9"],
        ),
    ]
}

fn service(resolved: &Resolved) -> String {
    let Some(crate::data::AttributeValue::String(name)) = resolved.resource.get("service.name") else { panic!() };
    name.split('_').next().unwrap().to_owned()
}

fn length(resolved: &Resolved) -> String {
    Some(resolved.limits.value_length).filter(|n| *n != usize::MAX).map_or("none".to_owned(), |n| n.to_string())
}

/// ENV1, ENV2, ENV7.
#[test]
fn env2_for_every_variable_code_wins_over_it_and_it_wins_over_the_default() {
    let cases = cases();
    for Case { name, value, code, look, expected } in &cases {
        assert_eq!(look(&quiet(&new(), &[])), expected[0], "{name} by default");
        assert_eq!(look(&quiet(&new(), &[(name, "  ")])), expected[0], "{name} empty");
        assert_eq!(look(&quiet(&new(), &[(name, &format!(" {value} "))])), expected[1], "{name}");
        assert_eq!(look(&quiet(code, &[(name, value)])), expected[2], "{name} in code");
        assert_eq!(look(&quiet(&new().with_env(false), &[(name, value)])), expected[0], "{name} not read");
    }
    // The exporter's own are looked at where the endpoint is; the argument has no meaning of its own.
    // A proxy matters to some endpoints only.
    let of_proxies = |name: &str| name == "REQUEST_METHOD" || name.to_ascii_uppercase().ends_with("_PROXY");
    let elsewhere =
        |name: &str| name.starts_with("OTEL_EXPORTER_OTLP_") || name == "OTEL_TRACES_SAMPLER_ARG" || of_proxies(name);
    let missing: Vec<_> = TABLE
        .iter()
        .map(|row| row.name)
        .filter(|name| !elsewhere(name) && !cases.iter().any(|case| case.name == *name))
        .collect();
    assert_eq!(missing, [""; 0], "no case for them");
}

/// What is set to what happens anyway is no reason for a line.
#[test]
fn what_is_not_read_is_one_line_that_names_it() {
    let quiet_ones = [("OTEL_PROPAGATORS", "tracecontext,baggage"), ("OTEL_ENTITIES", " ")];
    quiet(&new(), &quiet_ones);
    let set = [
        ("OTEL_ENTITIES", "service{service.name=shop}"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs"),
    ];
    let named = set.map(|(name, _)| name);
    reported(&new(), &set, &named);
    let (_, lines) = resolve(&new().with_env(false), &set);
    assert_eq!(lines, [""; 0]);
}

proptest! {
    /// ENV4, ENV6: whatever the environment holds, the program runs, and is told in few and short lines.
    #[test]
    fn no_environment_makes_it_fail_or_panic(
        values in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![
                "\\PC{0,20}", ".{0,20}", "-?[0-9]{1,20}", "[a-z_,=%/:. ]{0,40}", "[0-9.eE+-]{1,8}",
                prop::sample::select(vec!["none", "otlp", "console,none", "traceidratio", "parentbased_traceidratio", "0", "1"])
                    .prop_map(str::to_owned),
            ]),
            0..30,
        ),
    ) {
        let names: Vec<&str> = TABLE.iter().map(|row| row.name).chain(UNREAD.iter().map(|(name, _)| *name)).collect();
        let variables: Vec<(&str, &str)> = values.iter().map(|(at, value)| (*at.get(&names), value.as_str())).collect();
        let (resolved, lines) = resolve(&new(), &variables);
        let resolved = resolved.unwrap();
        prop_assert!(lines.len() <= values.len() + 2, "{lines:?}");
        prop_assert!(lines.iter().all(|line| line.len() < 1200 && !line.contains('\n')), "{lines:?}");
        prop_assert!(resolved.batch_size >= 1 && resolved.batch_size <= resolved.queue_size);
    }
}

#[test]
fn smp1_samplers_by_name_with_their_argument() {
    let sampler = |name: &str, argument: &str| {
        quiet(&new(), &[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)]).sampler
    };
    for (name, argument, expected) in [
        ("always_on", "", Sampler::always_on()),
        ("ALWAYS_OFF", "", Sampler::always_off()),
        ("always_on", "what it takes is its own business", Sampler::always_on()),
        ("traceidratio", "0.25", Sampler::trace_id_ratio(0.25)),
        ("traceidratio", "", Sampler::trace_id_ratio(1.0)),
        ("parentbased_always_on", "", Sampler::default()),
        ("parentbased_always_off", "", Sampler::parent_based(Sampler::always_off())),
        ("ParentBased_TraceIdRatio", " 1e-3 ", Sampler::parent_based(Sampler::trace_id_ratio(0.001))),
    ] {
        assert_eq!(sampler(name, argument), expected, "{name} {argument}");
    }
}

#[test]
fn env6_unknown_samplers_and_bad_arguments_are_one_line_and_the_default() {
    for unknown in ["jaeger_remote", "parentbased_jaeger_remote", "xray", "0.1"] {
        let resolved = reported(
            &new(),
            &[("OTEL_TRACES_SAMPLER", unknown)],
            &["OTEL_TRACES_SAMPLER", unknown, "using parentbased_always_on"],
        );
        assert_eq!(resolved.sampler, Sampler::default());
    }
    for bad in ["1.5", "-0.1", "NaN", "inf", "10%", "1/2"] {
        let variables = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", bad)];
        let resolved = reported(&new(), &variables, &["OTEL_TRACES_SAMPLER_ARG", bad, "using 1"]);
        assert_eq!(resolved.sampler, Sampler::trace_id_ratio(1.0), "{bad}");
    }
    reported(
        &new(),
        &[("OTEL_TRACES_SAMPLER_ARG", "0.1")],
        &["OTEL_TRACES_SAMPLER_ARG is ignored", "OTEL_TRACES_SAMPLER is not set"],
    );
}

#[test]
fn smp3_a_ratio_below_parents_is_told_of() {
    let sampler = super::super::ParentBased::new(Sampler::always_on());
    let sampler = sampler.with_remote_parent_not_sampled(Sampler::trace_id_ratio(0.1));
    let (resolved, lines) = resolve(&new().with_sampler(sampler), &[]);
    assert!(resolved.is_ok() && lines.len() == 1 && lines[0].contains("ratio"), "{lines:?}");
}

#[test]
fn env6_exporters_are_a_list_of_known_names() {
    let exporters = |value: &str| quiet(&new(), &[("OTEL_TRACES_EXPORTER", value)]).exporters.to_string();
    for (value, expected) in [
        ("otlp", "otlp"),
        ("Console", "console"),
        ("console, otlp,", "otlp,console"),
        ("otlp,otlp", "otlp"),
        ("none", "none"),
        (",", "otlp"),
    ] {
        assert_eq!(exporters(value), expected, "{value}");
    }
    let one = |value, parts: &[&str]| reported(&new(), &[("OTEL_TRACES_EXPORTER", value)], parts).exporters.to_string();
    assert_eq!(one("zipkin", &["\"zipkin\"", "using otlp"]), "otlp");
    assert_eq!(one("zipkin,console,jaeger", &["\"zipkin\", \"jaeger\"", "using console"]), "console");
    assert_eq!(one("none,zipkin", &["\"zipkin\"", "using none"]), "none");
    assert_eq!(one("none,otlp", &["`none` stands beside others", "using otlp"]), "otlp");
    // Without an exporter to the endpoint, no protocol is needed.
    let environment = |name: &str| (name == "OTEL_TRACES_EXPORTER").then(|| OsString::from("none"));
    assert!(new().resolve_with(&environment, &mut |_| (), &|_| false).is_ok());
}

#[test]
fn env4_env5_batches_are_whole_numbers_and_fit_the_queue() {
    let batch = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
    let queue = "OTEL_BSP_MAX_QUEUE_SIZE";
    let resolved =
        reported(&new(), &[(batch, "513"), (queue, "512")], &[batch, "513 is more than the queue holds", "using 512"]);
    assert_eq!((resolved.batch_size, resolved.queue_size), (512, 512));
    assert_eq!(quiet(&new(), &[(queue, "1")]).batch_size, 1);
    for name in [batch, queue] {
        for bad in ["0", "-1", "1.5", "many", "2147483648"] {
            reported(&new(), &[(name, bad)], &[name, bad, "using"]);
        }
    }
    let timeout = |value| quiet(&new(), &[("OTEL_BSP_EXPORT_TIMEOUT", value)]).export_timeout;
    assert_eq!((timeout("0"), timeout("1500")), (Duration::ZERO, Duration::from_millis(1500)));
    assert_eq!(quiet(&new().with_export_timeout(Duration::MAX), &[]).export_timeout, Duration::ZERO);
    assert_eq!(quiet(&new(), &[("OTEL_BSP_SCHEDULE_DELAY", "0")]).schedule_delay, Duration::ZERO);
    for name in ["OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"] {
        reported(&new(), &[(name, "-5")], &[name, "-5 is negative", "using"]);
    }
}

#[test]
fn levels_are_found_by_their_usual_names() {
    let level = |value: &str| quiet(&new(), &[("OTEL_LOG_LEVEL", value)]).log_level;
    for (value, expected) in
        [("none", LogLevel::Off), ("OFF", LogLevel::Off), ("warning", LogLevel::Warn), ("debug", LogLevel::Info)]
    {
        assert_eq!(level(value), expected, "{value}");
        assert_eq!(value.parse::<LogLevel>().unwrap(), expected);
    }
    reported(&new(), &[("OTEL_LOG_LEVEL", "loud")], &["OTEL_LOG_LEVEL", "loud", "using info"]);
    assert!(matches!("loud".parse::<LogLevel>(), Err(OtlpError::InvalidConfig { setting: "log_level", .. })));
}

#[test]
fn res6_detectors_are_a_list_of_known_names() {
    let own = "OTLP_RESOURCE_DETECTORS";
    let other = "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS";
    let detectors = |variables: &[(&str, &str)]| quiet(&new(), variables).detectors;
    assert_eq!(detectors(&[(own, "none")]), ResourceDetectors::NONE);
    assert_eq!(detectors(&[(own, "ALL"), (other, "none")]), ResourceDetectors::ALL);
    let resolved = reported(&new(), &[(other, "otel,host,aws_ec2")], &[other, "\"otel\", \"aws_ec2\"", "using host"]);
    assert_eq!(resolved.resource.get("service.instance.id"), None);
    assert!(quiet(&new(), &[(own, "service")]).resource.get("service.instance.id").is_some());
}
