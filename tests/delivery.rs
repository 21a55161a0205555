//! Requests as a receiver sees them, set up by code and by environment (spec-checklist EXP7, EXP8, EXP10, EXP12, OTP1).
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use std::time::Duration;

use otlp::account::DropReason;
use otlp::testing::{Collector, Protocol, Reply};
use otlp::{Compression, OtlpError, Pem, TransportProtocol, traced};
use process::*;

const SECRET: &str = "hunter2";

#[traced]
fn work(n: u64) {
    otlp::Span::current().set_attribute("n", n);
}

/// Records enough that compression pays.
fn work_much() {
    (0..1000).for_each(work);
}

#[test]
fn exp7_exp8_exp12_code_says_how_requests_look() {
    let _alone = alone();
    for protocol in [TransportProtocol::Grpc, TransportProtocol::HttpProtobuf] {
        let collector = Collector::start().unwrap();
        let guard = config(collector.endpoint())
            .with_protocol(protocol)
            .with_header("x-api-key", SECRET)
            .with_compression(Compression::Gzip)
            .with_user_agent_prefix("shop/1.2")
            .init()
            .unwrap();
        work_much();
        otlp::flush(LONG).unwrap();
        drop(guard);
        assert_eq!((balanced().exported, collector.span_count()), (1000, 1000), "{protocol}");
        let request = &collector.requests()[0];
        let grpc = request.protocol == Protocol::Grpc;
        assert_eq!(grpc, protocol == TransportProtocol::Grpc);
        assert_eq!(request.header("x-api-key"), Some(SECRET));
        assert!(request.header("user-agent").unwrap().starts_with("shop/1.2 otlp-rust/"));
        assert_eq!(request.header(if grpc { "grpc-encoding" } else { "content-encoding" }), Some("gzip"));
    }
}

#[test]
fn otp1_a_batch_is_split_where_a_request_would_be_too_large_and_one_span_that_is_is_dropped_alone() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let limit = 128 << 10;
    let guard = config(collector.endpoint())
        .with_max_request_bytes(limit)
        .with_schedule_delay(Duration::from_secs(600))
        .init()
        .unwrap();
    let before = balanced();
    // The open batch stands just below its limit when a large span comes.
    for bytes in [100_000, 100_000, 60_000, 125_000, 200_000, 1] {
        drop(otlp::span!("large", text = "x".repeat(bytes)));
    }
    let lost = otlp::flush(LONG);
    assert!(matches!(lost, Err(OtlpError::Lost { lost: 1, .. })), "{lost:?}");
    drop(guard);
    let after = settled();
    assert_eq!(after.recorded - before.recorded, 6);
    assert_eq!(after.dropped(DropReason::TooLarge) - before.dropped(DropReason::TooLarge), 1);
    assert_eq!((collector.span_count(), collector.refused_count()), (5, 0));
    // RES5: each part says which schema its resource follows.
    assert!(collector.spans().iter().all(|span| span.resource.schema_url() == Some(otlp::SCHEMA_URL)));
    let requests = collector.requests();
    assert!(requests.iter().all(|request| request.bytes <= limit), "{requests:?}");
}

/// What has been mended is not why a span is lost later.
#[test]
fn a_loss_is_not_put_down_to_an_outage_that_is_over() {
    let _alone = alone();
    let collector = Collector::start().unwrap();
    let guard = config(collector.endpoint()).with_max_request_bytes(128 << 10).init().unwrap();
    collector.script([Reply::status(503)]);
    work(1);
    otlp::flush(LONG).unwrap();
    drop(otlp::span!("large", text = "x".repeat(200_000)));
    let lost = otlp::flush(LONG).unwrap_err();
    assert_eq!(lost.to_string(), "flush: 1 items recorded before the call were not delivered");
    collector.script([Reply::status(400)]);
    work(2);
    let lost = otlp::flush(LONG).unwrap_err().to_string();
    assert!(lost.contains("(last export error: http://127.0.0.1:") && lost.contains("HTTP 400"), "{lost}");
    drop(guard);
}

#[test]
fn the_environment_says_how_requests_look_and_no_line_shows_a_secret() {
    let name = "the_environment_says_how_requests_look_and_no_line_shows_a_secret";
    if is_child(name) {
        let guard = otlp::init().unwrap();
        work_much();
        otlp::flush(LONG).unwrap();
        drop(guard);
        return;
    }
    let collector = Collector::start().unwrap();
    let endpoint = collector.endpoint();
    let said = in_own_process(
        name,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-general=1"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Basic%20hunter2==,hunter2,te=hunter2,x-tenant=a"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ],
    );
    let request = &collector.requests()[0];
    assert_eq!(request.header("authorization"), Some("Basic hunter2=="));
    assert_eq!((request.header("x-tenant"), request.header("x-general")), (Some("a"), None));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(collector.span_count(), 1000);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("otlp:")).collect();
    let [line] = lines[..] else { panic!("{said}") };
    assert!(line.contains("OTEL_EXPORTER_OTLP_TRACES_HEADERS: entry 2 has no `=`"), "{line}");
    assert!(line.contains("; entry 3 (`te`)"), "{line}");
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn a_key_of_the_environment_that_cannot_be_used_stops_everything_and_says_so() {
    let name = "a_key_of_the_environment_that_cannot_be_used_stops_everything_and_says_so";
    if is_child(name) {
        let guard = otlp::init().unwrap();
        work(1);
        let lost = otlp::flush(LONG).unwrap_err();
        assert!(matches!(lost, OtlpError::Lost { lost: 1, .. }), "{lost}");
        drop(guard);
        assert_eq!(balanced().dropped(DropReason::Unsendable), 1);
        return;
    }
    let collector = Collector::start().unwrap();
    let endpoint = collector.endpoint().replace("http://", "https://");
    for (variable, says) in [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem: cannot be read"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/no/such.pem: no key to it is set"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/no/such.pem: no certificate to this key is set"),
    ] {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), (variable, "/no/such.pem")];
        let said = in_own_process(name, &variables);
        let line = said.lines().find(|line| line.starts_with(&format!("otlp: {variable}: "))).unwrap();
        assert!(
            line.contains(says) && line.ends_with("nothing is sent: put that right and start the program again"),
            "{line}"
        );
        assert!(said.contains("1 records for https://") && said.contains("dropped (unsendable)"), "{said}");
    }
    assert_eq!(collector.requests().len(), 0);
}

#[test]
fn a_certificate_in_code_that_cannot_be_used_is_an_error_of_init() {
    let _alone = alone();
    let bad = config("https://127.0.0.1:1").with_ca_certificate(Pem::file("/no/such.pem")).init();
    match bad {
        Err(OtlpError::Certificate { setting: "ca_certificate", file, .. }) => assert_eq!(file, "/no/such.pem"),
        other => panic!("{other:?}"),
    }
}
