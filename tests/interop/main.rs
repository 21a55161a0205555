//! What receivers make of it that were not written here: one on the official Python packages, and rotel.
//!
//! They need Python with the packages of `requirements.txt`: `.ci/run` installs them and sets `OTLP_REQUIRE_INTEROP`, without
//! which these tests are left out, with a line, where the packages are missing.
#![allow(clippy::unwrap_used)]

#[path = "../support/process.rs"]
mod process;
mod python;
mod strictness;
mod workload;

use otlp::TransportProtocol::{Grpc, HttpProtobuf};
use otlp::{OtlpConfig, TransportProtocol};
use process::{LONG, alone, balanced, config};
use python::{Program, Sink};
use serde_json::Value;
use workload::{Sent, configured, everything, limited, limits, resource};

const PROTOCOLS: [TransportProtocol; 2] = [Grpc, HttpProtobuf];

/// Sends what `make` makes to `receiver`, all of which has to be counted as exported.
fn send(
    to: &Program,
    protocol: TransportProtocol,
    more: impl FnOnce(OtlpConfig) -> OtlpConfig,
    make: fn() -> Sent,
) -> Sent {
    let guard = more(configured(config(to.endpoint(protocol)).with_protocol(protocol))).init().unwrap();
    let sent = make();
    otlp::shutdown(LONG).unwrap();
    drop(guard);
    let counts = balanced();
    assert_eq!((counts.recorded, counts.exported), (sent.0.len() as u64, sent.0.len() as u64), "{counts:?}");
    sent
}

/// What `sink` found, against what was sent: each span once, and every field of it.
fn compare(sink: &mut Sink, sent: &Sent) {
    let summary = sink.wait_for(sent.0.len() as u64);
    assert_eq!(summary["faults"], Value::Array(Vec::new()));
    assert_eq!(sink.ask("tree"), Value::Array(Vec::new()));
    let Value::Array(spans) = sink.ask("spans") else { panic!() };
    assert_eq!(spans.len(), sent.0.len());
    for expected in &sent.0 {
        let same = |key: &str, span: &Value| span[key] == expected[key];
        let span = spans.iter().find(|span| same("span_id", span) && same("trace_id", span));
        let span = span.unwrap_or_else(|| panic!("{expected} is missing"));
        assert_same("", span, expected);
        let attributes = resource();
        for (key, value) in attributes.as_object().unwrap() {
            assert_eq!(&span["resource"]["attributes"][key], value, "{key}");
        }
        assert_eq!(span["resource"]["dropped_attributes"], 0);
        assert_eq!(span["resource"]["schema_url"], otlp::SCHEMA_URL);
    }
}

/// Each field of `expected`, where a time may be `[from, to]`.
fn assert_same(path: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(_), Value::Object(fields)) => {
            for (name, value) in fields {
                assert_same(&format!("{path}.{name}"), &found[name], value);
            }
            let known = |name: &String| fields.contains_key(name) || (path.is_empty() && name == "resource");
            let more: Vec<_> = found.as_object().unwrap().keys().filter(|name| !known(name)).collect();
            assert!(more.is_empty(), "{path} has {more:?} too");
        }
        (Value::Number(time), Value::Array(between)) => {
            let [from, to] = [0, 1].map(|n| between[n].as_u64().unwrap());
            assert!((from..=to).contains(&time.as_u64().unwrap()), "{path}: {time}, not {from} to {to}");
        }
        (Value::Array(items), Value::Array(wanted)) if items.len() == wanted.len() => {
            for (n, (item, wanted)) in items.iter().zip(wanted).enumerate() {
                assert_same(&format!("{path}[{n}]"), item, wanted);
            }
        }
        _ => assert_eq!(found, expected, "{path}"),
    }
}

/// A field that neither side names could be wrong in both: this one is made by hand, not by this library's decoder.
#[test]
fn every_field_arrives_as_it_was_recorded() {
    let _alone = alone();
    let Some(mut sink) = Sink::start() else { return };
    for protocol in PROTOCOLS {
        let sent = send(sink.program(), protocol, |config| config, everything);
        compare(&mut sink, &sent);
        sink.ask("reset");
        let sent = send(sink.program(), protocol, |config| config.with_span_limits(limits()), limited);
        compare(&mut sink, &sent);
        sink.ask("reset");
    }
}

/// EXP12, OTP16, OTP21.
#[test]
fn requests_look_as_receivers_expect() {
    let _alone = alone();
    let Some(mut sink) = Sink::start() else { return };
    for (protocol, name) in [(Grpc, "grpc"), (HttpProtobuf, "http")] {
        send(sink.program(), protocol, |config| config, limited);
        let headers = &sink.ask("summary")["headers"][name];
        assert!(headers["user-agent"].as_str().unwrap().contains("otlp-rust/"), "{headers}");
    }
    let headers = &sink.ask("summary")["headers"]["http"];
    assert_eq!(headers["content-type"], "application/x-protobuf");
}

/// Decoded and encoded anew on its way, by a collector that has nothing to do with this library.
#[test]
fn every_field_survives_another_collector() {
    let _alone = alone();
    let Some(mut sink) = Sink::start() else { return };
    let relay = sink.relay();
    for protocol in PROTOCOLS {
        let sent = send(&relay, protocol, |config| config, everything);
        compare(&mut sink, &sent);
        sink.ask("reset");
        let sent = send(&relay, protocol, |config| config.with_span_limits(limits()), limited);
        compare(&mut sink, &sent);
        sink.ask("reset");
    }
}

/// How many spans [`many`] makes, on how many threads.
const MANY: u64 = 100_000;
const THREADS: u64 = 4;

/// Numbered spans from several threads.
fn many() {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for n in (thread..MANY).step_by(THREADS as usize) {
                    drop(otlp::span!("numbered", n));
                    // As fast as they can, they would outrun a receiver in Python.
                    if (n / THREADS).is_multiple_of(2_500) {
                        otlp::flush(LONG).unwrap();
                    }
                }
            });
        }
    });
}

/// U19: nothing is lost or doubled on either transport, and the accounts agree with the receiver.
#[test]
fn u19_a_hundred_thousand_spans_arrive_once_each_on_both_transports() {
    let _alone = alone();
    let Some(mut sink) = Sink::start() else { return };
    let relay = sink.relay();
    for (protocol, relayed) in PROTOCOLS.into_iter().flat_map(|protocol| [(protocol, false), (protocol, true)]) {
        let receiver = if relayed { &relay } else { sink.program() };
        let guard = configured(config(receiver.endpoint(protocol)).with_protocol(protocol)).init().unwrap();
        many();
        otlp::shutdown(LONG).unwrap();
        drop(guard);
        let counts = balanced();
        assert_eq!((counts.recorded, counts.exported), (MANY, MANY), "{counts:?}");
        let summary = sink.wait_for(MANY);
        assert_eq!(summary["spans"], MANY);
        assert_eq!(summary["faults"], Value::Array(Vec::new()), "{protocol:?}, relayed: {relayed}");
        let numbers = sink.ask("numbers n");
        let [count, different, least, greatest] =
            ["count", "different", "least", "greatest"].map(|key| numbers[key].as_u64().unwrap());
        assert_eq!((count, different, least, greatest), (MANY, MANY, 0, MANY - 1), "{protocol:?}");
        sink.ask("reset");
    }
}
