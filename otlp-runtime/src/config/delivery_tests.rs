//! Requests by code and environment.
#![allow(clippy::unwrap_used)]

use super::super::test_support::{new, quiet, resolve};
use super::*;
use crate::config::TransportProtocol;

fn delivery(config: &OtlpConfig, variables: &[(&str, &str)]) -> Delivery {
    quiet(config, variables).delivery
}

fn pairs(delivery: &Delivery) -> Vec<(&str, &str)> {
    delivery.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect()
}

#[test]
fn exp7_the_signals_headers_replace_the_general_ones_and_code_wins_by_name() {
    let general = ("OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=2");
    let signal = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=3,c=4");
    let code = new().with_header("C", "5").with_header("d", " 6\n").with_header("d", "7");
    assert_eq!(pairs(&delivery(&new(), &[general])), [("a", "1"), ("b", "2")]);
    assert_eq!(pairs(&delivery(&new(), &[general, signal])), [("b", "3"), ("c", "4")]);
    assert_eq!(pairs(&delivery(&code, &[general, signal])), [("b", "3"), ("c", "5"), ("d", "7")]);
    assert_eq!(pairs(&delivery(&code.with_env(false), &[general])), [("c", "5"), ("d", "7")]);
}

#[test]
fn a_bad_header_is_one_line_with_its_place_and_without_its_value() {
    let (resolved, lines) = resolve(&new(), &[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=1,host=hunter2,b=2")]);
    let resolved = resolved.unwrap();
    assert_eq!(pairs(&resolved.delivery), [("a", "1"), ("b", "2")]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.starts_with("OTEL_EXPORTER_OTLP_TRACES_HEADERS: entry 2 (`host`)"), "{line}");
    assert!(!format!("{lines:?} {resolved:?}").contains("hunter2"));
    let (_, lines) = resolve(&new(), &[("OTEL_EXPORTER_OTLP_HEADERS", &"hunter2,".repeat(1000))]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.ends_with("; entry 3 has no `=`; it is left out; and so are 997 more"), "{line}");
}

#[test]
fn exp8_env6_compression_by_name_in_any_case() {
    let general = "OTEL_EXPORTER_OTLP_COMPRESSION";
    assert_eq!(delivery(&new(), &[]).compression, Compression::None);
    assert_eq!(delivery(&new(), &[(general, "GZip")]).compression, Compression::Gzip);
    let signal = [(general, "gzip"), ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none")];
    assert_eq!(delivery(&new(), &signal).compression, Compression::None);
    assert_eq!(delivery(&new().with_compression(Compression::Gzip), &signal).compression, Compression::Gzip);
    let (resolved, lines) = resolve(&new(), &[(general, "zstd")]);
    assert_eq!(resolved.unwrap().delivery.compression, Compression::None);
    assert!(lines.len() == 1 && lines[0].contains("\"zstd\"") && lines[0].ends_with("using none"), "{lines:?}");
}

#[test]
fn exp10_certificates_by_signal_then_in_general() {
    let general = |name| (name, "/general.pem");
    let variables = [
        general("OTEL_EXPORTER_OTLP_CERTIFICATE"),
        general("OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        general("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/own.pem"),
    ];
    let (resolved, lines) = resolve(&new(), &variables);
    let delivery = resolved.unwrap().delivery;
    let path = |which: &Option<Sourced>| which.as_ref().map(|which| format!("{} {}", which.name(), which.pem)).unwrap();
    assert_eq!(path(&delivery.ca_certificate), "OTEL_EXPORTER_OTLP_CERTIFICATE /general.pem");
    assert_eq!(path(&delivery.client_certificate), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE /general.pem");
    assert_eq!(path(&delivery.client_key), "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY /own.pem");
    // The endpoint is `http://`.
    assert!(lines.len() == 1 && lines[0].contains("write `https://`"), "{lines:?}");
}

#[test]
fn u38_tls_without_its_feature_is_an_error_in_code_and_a_line_from_the_environment() {
    let grpc = new().with_protocol(TransportProtocol::Grpc);
    for (config, feature_missing) in [
        (new().with_endpoint("https://h"), true),
        (grpc.clone().with_endpoint("h:4317"), true),
        (grpc.clone().with_endpoint("http://h:4317"), false),
        (new().with_ca_certificate(Pem::file("/ca.pem")), true),
    ] {
        match resolve(&config, &[]).0 {
            Ok(_) => assert!(cfg!(feature = "tls") || !feature_missing),
            Err(OtlpError::FeatureDisabled { feature: "tls", .. }) => {
                assert!(feature_missing && !cfg!(feature = "tls"));
            }
            Err(error) => panic!("{error}"),
        }
    }
    let (resolved, lines) = resolve(&new(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://h:1")]);
    let url = resolved.unwrap().endpoint.url;
    if cfg!(feature = "tls") {
        assert_eq!((url.as_str(), lines.len()), ("https://h:1", 0));
    } else {
        assert_eq!((url.as_str(), lines.len()), ("http://localhost:4318", 1));
        assert!(lines[0].contains("feature `tls`"), "{lines:?}");
    }
}

#[test]
fn exp3_insecure_matters_only_where_a_grpc_endpoint_has_no_scheme() {
    let grpc = || new().with_protocol(TransportProtocol::Grpc);
    let url = |config: &OtlpConfig, variables: &[(&str, &str)]| resolve(config, variables).0.unwrap().endpoint.url;
    let (general, signal) = ("OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_TRACES_INSECURE");
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:1");
    assert_eq!(url(&grpc(), &[endpoint, (general, "true")]), "http://h:1");
    assert_eq!(url(&grpc().with_endpoint("h:2"), &[(general, "TRUE")]), "http://h:2");
    if cfg!(feature = "tls") {
        assert_eq!(url(&grpc(), &[endpoint]), "https://h:1");
        assert_eq!(url(&grpc(), &[endpoint, (general, "true"), (signal, "false")]), "https://h:1");
        assert_eq!(url(&grpc().with_endpoint("https://h:2"), &[(general, "true")]), "https://h:2");
    }
    assert_eq!(url(&grpc().with_endpoint("http://h:2"), &[(general, "false")]), "http://h:2");
}

/// A key is for the endpoint that was meant, not for whoever listens at the default one.
#[test]
fn headers_are_withheld_where_the_endpoint_cannot_be_used() {
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2");
    for bad in ["https://h:99999", "https//h", "nonsense"] {
        for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            assert!(resolve(&new(), &[headers, (name, bad)]).0.unwrap().withheld.is_some());
            assert_eq!(resolve(&new(), &[(name, bad)]).0.unwrap().withheld, None);
        }
    }
    assert_eq!(quiet(&new(), &[headers]).withheld, None);
    assert_eq!(quiet(&new(), &[headers, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1")]).withheld, None);
}
