//! What is sent: everything that a span can hold, each with what a receiver has to find.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otlp::{AttributeValue, Context, OtlpConfig, Span, SpanId, SpanKind, SpanRef, StatusCode, TraceFlags, TraceId};
use serde_json::{Map, Value, json};

/// `has_is_remote`, and `is_remote` (opentelemetry-proto, `SpanFlags`).
const KNOWN: u64 = 0x100;
const REMOTE: u64 = 0x200;

/// Nanoseconds since 1970.
fn now() -> u64 {
    nanos(SystemTime::now())
}

fn nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_nanos().try_into().unwrap()
}

fn double(value: f64) -> Value {
    json!(["d", format!("{:016x}", value.to_bits())])
}

pub(crate) const SERVICE: &str = "shop \u{1f6d2}";

/// Attributes of the resource, maps in arrays in maps among them.
pub(crate) fn configured(config: OtlpConfig) -> OtlpConfig {
    let text = |text: &str| AttributeValue::String(text.to_owned());
    let map = AttributeValue::Map(vec![
        (
            "a".to_owned(),
            AttributeValue::Array(vec![AttributeValue::Map(vec![("ü".to_owned(), AttributeValue::Empty)])]),
        ),
        ("b".to_owned(), AttributeValue::Map(Vec::new())),
    ]);
    config
        .with_service(SERVICE, "1.2.3-rc.1")
        .with_resource_attribute("text", text("x \"quoted\" \\ \u{7f}\n"))
        .with_resource_attribute("truth", AttributeValue::Bool(false))
        .with_resource_attribute("number", AttributeValue::I64(i64::MIN))
        .with_resource_attribute("float", AttributeValue::F64(-0.0))
        .with_resource_attribute("bytes", AttributeValue::Bytes(vec![0, 255]))
        .with_resource_attribute("map", map)
}

/// What the resource says beyond what the machine says of itself.
pub(crate) fn resource() -> Value {
    json!({
        "service.name": ["s", SERVICE],
        "service.version": ["s", "1.2.3-rc.1"],
        "telemetry.sdk.name": ["s", "otlp"],
        "telemetry.sdk.language": ["s", "rust"],
        "telemetry.sdk.version": ["s", env!("CARGO_PKG_VERSION")],
        "text": ["s", "x \"quoted\" \\ \u{7f}\n"],
        "truth": ["b", false],
        "number": ["i", i64::MIN],
        "float": double(-0.0),
        "bytes": ["x", "00ff"],
        "map": ["m", { "a": ["a", [["m", { "ü": null }]]], "b": ["m", {}] }],
    })
}

/// The spans that were made, as the receiver should have them.
#[derive(Default)]
pub(crate) struct Sent(pub(crate) Vec<Value>);

impl Sent {
    /// Makes `span` an expected one: all that differs from a plain span is in `differing`. A time stands as `[from, to]`.
    fn expect(&mut self, span: SpanRef, name: &str, differing: Value) {
        let mut expected = json!({
            "trace_id": span.trace_id().to_string(),
            "span_id": span.span_id().to_string(),
            "parent_span_id": "",
            "trace_state": "",
            "flags": KNOWN | u64::from(span.trace_flags().bits()),
            "name": name,
            "kind": 1,
            "start": [now() - 60_000_000_000, now()],
            "end": [now() - 60_000_000_000, now() + 60_000_000_000],
            "attributes": {},
            "dropped_attributes": 0,
            "events": [],
            "dropped_events": 0,
            "links": [],
            "dropped_links": 0,
            "status": [0, ""],
            "scope": scope("otlp", env!("CARGO_PKG_VERSION")),
        });
        let Value::Object(differing) = differing else { panic!("{differing}") };
        let fields: &mut Map<_, _> = expected.as_object_mut().unwrap();
        for (field, value) in differing {
            assert!(fields.insert(field.clone(), value).is_some(), "{field}");
        }
        self.0.push(expected);
    }

    /// The attributes alone differ.
    fn attributes(&mut self, span: &Span, name: &str, attributes: Value) {
        self.expect(**span, name, json!({ "attributes": attributes }));
    }
}

fn scope(name: &str, version: &str) -> Value {
    json!({ "name": name, "version": version, "attributes": {}, "dropped_attributes": 0, "schema_url": "" })
}

fn event(name: &str, attributes: Value) -> Value {
    json!({ "name": name, "time": [now() - 60_000_000_000, now() + 60_000_000_000], "attributes": attributes,
            "dropped_attributes": 0 })
}

fn link(to: SpanRef, flags: u64, attributes: Value) -> Value {
    json!({ "trace_id": to.trace_id().to_string(), "span_id": to.span_id().to_string(), "trace_state": "",
            "flags": KNOWN | flags | u64::from(to.trace_flags().bits()), "attributes": attributes, "dropped_attributes": 0 })
}

/// Everything once, within the default limits.
pub(crate) fn everything() -> Sent {
    let mut sent = Sent::default();
    values(&mut sent);
    kinds_and_scopes(&mut sent);
    statuses_and_errors(&mut sent);
    events_and_links(&mut sent);
    times(&mut sent);
    parents(&mut sent);
    threads(&mut sent);
    sent
}

fn values(sent: &mut Sent) {
    let long = "ß".repeat(100_000);
    let span = otlp::span!(
        "texts",
        plain = "a",
        empty = "",
        zero = "\0",
        letter = 'é',
        "a key with ü" = "𝄞 \r\n\u{feff}",
        long = &long
    );
    sent.attributes(
        &span,
        "texts",
        json!({
            "plain": ["s", "a"], "empty": ["s", ""], "zero": ["s", "\0"], "letter": ["s", "é"],
            "a key with ü": ["s", "𝄞 \r\n\u{feff}"], "long": ["s", long],
        }),
    );
    let span = otlp::span!(
        "numbers",
        least = i64::MIN,
        greatest = i64::MAX,
        zero = 0_u8,
        beyond = u64::MAX,
        yes = true,
        no = false,
        pi = std::f64::consts::PI,
        nan = f64::NAN,
        negative_zero = -0.0,
        infinite = f64::NEG_INFINITY,
        tiny = f64::MIN_POSITIVE / 8.0,
        seconds = Duration::from_millis(1500),
    );
    sent.attributes(&span, "numbers", json!({
        "least": ["i", i64::MIN], "greatest": ["i", i64::MAX], "zero": ["i", 0], "beyond": ["s", u64::MAX.to_string()],
        "yes": ["b", true], "no": ["b", false], "pi": double(std::f64::consts::PI), "nan": double(f64::NAN),
        "negative_zero": double(-0.0), "infinite": double(f64::NEG_INFINITY), "tiny": double(f64::MIN_POSITIVE / 8.0),
        "seconds": double(1.5),
    }));
    let mixed: Vec<Box<dyn otlp::Value>> =
        vec![Box::new(1), Box::new("two"), Box::new([3.0]), Box::new(None::<u8>), Box::new([4_u8]), Box::new(true)];
    let none = [0_i32; 0];
    let span = otlp::span!(
        "compound",
        bytes = [0_u8, 127, 255],
        no_bytes = [0_u8; 0],
        array = [1, 2],
        nested = [[[1]]],
        mixed = mixed,
        none,
        absent = None::<u8>,
    );
    sent.attributes(
        &span,
        "compound",
        json!({
            "bytes": ["x", "007fff"], "no_bytes": ["x", ""], "array": ["a", [["i", 1], ["i", 2]]],
            "nested": ["a", [["a", [["a", [["i", 1]]]]]]],
            "mixed": ["a", [["i", 1], ["s", "two"], ["a", [double(3.0)]], null, ["x", "04"], ["b", true]]],
            "none": ["a", []],
        }),
    );
    let span = Span::builder("the last one counts").attribute("a", 1).attribute("b", 2).start();
    span.set_attribute("a", "three");
    span.update_name("änderung");
    sent.attributes(&span, "änderung", json!({ "a": ["s", "three"], "b": ["i", 2] }));
}

fn kinds_and_scopes(sent: &mut Sent) {
    let kinds = [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    for (n, kind) in kinds.into_iter().enumerate() {
        let span = Span::builder(format!("kind {n}")).kind(kind).scope("a scope", "0.0.7").start();
        sent.expect(*span, &format!("kind {n}"), json!({ "kind": n + 1, "scope": scope("a scope", "0.0.7") }));
    }
    let span = Span::builder("no version").scope("another", "").start();
    sent.expect(*span, "no version", json!({ "scope": scope("another", "") }));
}

#[otlp::traced]
fn fails(sent: &mut Sent) -> Result<(), std::num::ParseIntError> {
    let error = "x".parse::<i32>().unwrap_err();
    let name = "core::num::error::ParseIntError";
    let exception = json!({ "exception.type": ["s", name], "exception.message": ["s", error.to_string()] });
    sent.expect(
        Span::current(),
        "fails",
        json!({
            "attributes": { "error.type": ["s", name] },
            "status": [2, error.to_string()],
            "events": [event("exception", exception)],
        }),
    );
    Err(error)
}

fn statuses_and_errors(sent: &mut Sent) {
    for (code, description, status) in [
        (StatusCode::Unset, "ignored", json!([0, ""])),
        (StatusCode::Ok, "ignored", json!([1, ""])),
        (StatusCode::Error, "why: \u{1f4a5}", json!([2, "why: \u{1f4a5}"])),
    ] {
        let span = otlp::span!("status");
        span.set_status(code, description);
        sent.expect(*span, "status", json!({ "status": status }));
    }
    assert!(fails(sent).is_err());
}

fn events_and_links(sent: &mut Sent) {
    let cause = otlp::span!("cause");
    sent.expect(*cause, "cause", json!({}));
    let remote = Context::remote(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        SpanId::from_hex("00f067aa0ba902b7").unwrap(),
        TraceFlags::SAMPLED,
    );
    let span = Span::builder("told").link(&remote, [("why", "batch")]).start();
    span.add_event("plain", ());
    span.add_event("ünicode", [("k", 1_i64), ("l", -1)]);
    span.add_event("bytes", [("raw", [1_u8, 2].as_slice())]);
    span.add_link(&cause.context(), ());
    sent.expect(
        *span,
        "told",
        json!({
            "events": [
                event("plain", json!({})),
                event("ünicode", json!({ "k": ["i", 1], "l": ["i", -1] })),
                event("bytes", json!({ "raw": ["x", "0102"] })),
            ],
            "links": [link(remote.span(), REMOTE, json!({ "why": ["s", "batch"] })), link(*cause, 0, json!({}))],
        }),
    );
}

fn times(sent: &mut Sent) {
    let start = UNIX_EPOCH + Duration::new(1_234_567_890, 123_456_789);
    let end = start + Duration::from_nanos(1);
    for (name, from, to, end_nanos) in
        [("given", start, end, nanos(end)), ("reversed", start, start - Duration::from_secs(1), nanos(start))]
    {
        let span = Span::builder(name).start_time(from).start();
        sent.expect(*span, name, json!({ "start": nanos(from), "end": end_nanos }));
        span.end_at(to);
    }
}

fn parents(sent: &mut Sent) {
    for (flags, state) in [(TraceFlags::SAMPLED, 0x301), (TraceFlags::SAMPLED.with(TraceFlags::RANDOM), 0x303)] {
        let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
        let caller = Context::remote(trace, SpanId::from_hex("00f067aa0ba902b7").unwrap(), flags);
        let span = Span::builder("continued").parent(&caller).start();
        sent.expect(*span, "continued", json!({ "parent_span_id": "00f067aa0ba902b7", "flags": state }));
        assert_eq!(span.trace_id(), trace);
    }
}

/// Four threads, each with spans in spans below one of this thread.
fn threads(sent: &mut Sent) {
    let outer = otlp::span!("outer").entered();
    let context = outer.context();
    let below = |parent: SpanRef, thread: i64, depth: i64| {
        json!({ "parent_span_id": parent.span_id().to_string(),
                "attributes": { "thread": ["i", thread], "depth": ["i", depth] } })
    };
    let threads: Vec<_> = (0..4_i64)
        .map(|thread| {
            let context = context.clone();
            std::thread::spawn(move || {
                let mut sent = Sent::default();
                for _ in 0..50 {
                    let _attached = context.attach();
                    let mut open = Vec::new();
                    for depth in 0..3_i64 {
                        let above = Span::current();
                        let span = otlp::span!("nested", thread, depth).entered();
                        sent.expect(Span::current(), "nested", below(above, thread, depth));
                        open.push(span);
                    }
                    while open.pop().is_some() {}
                }
                sent
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| sent.0.append(&mut thread.join().unwrap().0));
    sent.expect(**outer, "outer", json!({}));
}

/// The limits of [`limited`].
pub(crate) fn limits() -> otlp::SpanLimits {
    otlp::SpanLimits::default()
        .with_attribute_count(2)
        .with_attribute_value_length(3)
        .with_event_count(2)
        .with_event_attribute_count(1)
        .with_link_count(1)
        .with_link_attribute_count(1)
}

/// More than these limits allow.
pub(crate) fn limited() -> Sent {
    let mut sent = Sent::default();
    let cause = otlp::span!("cause");
    sent.expect(*cause, "cause", json!({}));
    let span = otlp::span!("much", text = "äöüß", bytes = [1_u8, 2, 3, 4], third = 3, fourth = 4);
    for name in ["e", "f", "g"] {
        span.add_event(name, [("k", "long"), ("l", "m")]);
        span.add_link(&cause.context(), [("k", "long"), ("l", "m"), ("m", "n")]);
    }
    let events = ["e", "f"].map(|name| {
        let mut event = event(name, json!({ "k": ["s", "lon"] }));
        event["dropped_attributes"] = json!(1);
        event
    });
    let mut link = link(*cause, 0, json!({ "k": ["s", "lon"] }));
    link["dropped_attributes"] = json!(2);
    sent.expect(
        *span,
        "much",
        json!({
            "attributes": { "text": ["s", "äöü"], "bytes": ["x", "010203"] },
            "dropped_attributes": 2,
            "events": events,
            "dropped_events": 1,
            "links": [link],
            "dropped_links": 2,
        }),
    );
    sent
}
