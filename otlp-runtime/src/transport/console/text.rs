//! One span as text.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::encode::{Field, Fields};

/// Longer texts are cut, in characters.
const MOST: usize = 1000;
/// Arrays and maps in one another that are shown.
const DEPTH: usize = 8;

/// The text of each span in an `ExportTraceServiceRequest`.
pub(super) fn spans(request: &[u8]) -> impl Iterator<Item = String> {
    let resources = Fields(request).all(1);
    let scopes = resources.flat_map(|resource| resource.fields().all(2));
    scopes.flat_map(|scope| {
        let name = scope.fields().of(1).map(|scope| scope_name(scope.fields())).unwrap_or_default();
        scope.fields().all(2).map(move |span| text(span.fields(), &name))
    })
}

fn scope_name(scope: Fields<'_>) -> String {
    let part = |number| scope.of(number).map(text_of).unwrap_or_default();
    format!("{} {}", part(1), part(2)).trim_end().to_owned()
}

/// The span's line, and an indented one for each attribute, event and link.
fn text(span: Fields<'_>, scope: &str) -> String {
    let number = |n| span.of(n).map_or(0, Field::number);
    let (start, end) = (number(7), number(8));
    let mut text = String::new();
    let name = span.of(5).map(text_of).unwrap_or_default();
    let kind = match number(6) {
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => "internal",
    };
    // Writing to a string does not fail.
    let _ = write!(text, "span {name} {:?} {kind}", Duration::from_nanos(end.saturating_sub(start)));
    if let Some(status) = span.of(15) {
        let message = status.fields().of(2).map(|message| format!(" {:?}", raw(message))).unwrap_or_default();
        match status.fields().of(3).map_or(0, Field::number) {
            1 => text.push_str(" ok"),
            2 => {
                let _ = write!(text, " error{message}");
            }
            _ => {}
        }
    }
    let id = |n| Hex(span.of(n).map(Field::bytes).unwrap_or_default());
    let _ = write!(text, " trace={} span={}", id(1), id(2));
    if !id(4).0.is_empty() {
        let _ = write!(text, " parent={}", id(4));
    }
    let _ = writeln!(text, " start={} scope={scope}", Utc(start));
    for pair in span.all(9) {
        let _ = writeln!(text, "  {}", pair_text(pair.fields(), DEPTH));
    }
    for event in span.all(11).map(Field::fields) {
        let after = event.of(1).map_or(0, Field::number).saturating_sub(start);
        let name = event.of(2).map(text_of).unwrap_or_default();
        let _ = writeln!(text, "  event {name} +{:?}{}", Duration::from_nanos(after), pairs(event.all(3)));
    }
    for link in span.all(13).map(Field::fields) {
        let id = |n| Hex(link.of(n).map(Field::bytes).unwrap_or_default());
        let _ = writeln!(text, "  link trace={} span={}{}", id(1), id(2), pairs(link.all(4)));
    }
    for (n, what) in [(10, "attributes"), (12, "events"), (14, "links")] {
        if number(n) > 0 {
            let _ = writeln!(text, "  {} {what} were left out", number(n));
        }
    }
    text
}

fn pairs<'a>(pairs: impl Iterator<Item = Field<'a>>) -> String {
    pairs.map(|pair| format!(" {}", pair_text(pair.fields(), DEPTH))).collect()
}

fn pair_text(pair: Fields<'_>, depth: usize) -> String {
    let key = pair.of(1).map(text_of).unwrap_or_default();
    format!("{key}={}", pair.of(2).map_or_else(|| "null".to_owned(), |value| value_text(value.fields(), depth)))
}

/// An `AnyValue`.
fn value_text(value: Fields<'_>, depth: usize) -> String {
    if depth == 0 {
        return "...".to_owned();
    }
    let Some((number, field)) = value.last() else { return "null".to_owned() };
    let within = || field.fields().all(1).map(Field::fields);
    match number {
        1 => format!("{:?}", raw(field)),
        2 => (field.number() != 0).to_string(),
        3 => field.number().cast_signed().to_string(),
        4 => format!("{:?}", f64::from_bits(field.number())),
        5 => {
            let values: Vec<_> = within().map(|value| value_text(value, depth - 1)).collect();
            format!("[{}]", values.join(", "))
        }
        6 => {
            let pairs: Vec<_> = within().map(|pair| pair_text(pair, depth - 1)).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        7 => format!("0x{}", Hex(field.bytes().get(..MOST.min(field.bytes().len())).unwrap_or_default())),
        _ => "...".to_owned(),
    }
}

/// Text as it is, but not endless.
fn raw(field: Field<'_>) -> String {
    let text = String::from_utf8_lossy(field.bytes());
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into_owned(),
    }
}

/// Text in which nothing moves the cursor of a terminal.
fn text_of(field: Field<'_>) -> String {
    let mut text = String::new();
    for c in raw(field).chars() {
        match c {
            '"' | '\'' | '\\' => text.push(c),
            _ => text.extend(c.escape_debug()),
        }
    }
    text
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Unix nanoseconds as in RFC 3339.
struct Utc(u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        // Days of years that begin in March, of which 400 are an era (Howard Hinnant, `civil_from_days`).
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", nanos / 1000)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::{
        AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
    };
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn pair(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
    }

    fn list(values: Vec<Value>) -> Value {
        Value::ArrayValue(ArrayValue { values: values.into_iter().map(|v| AnyValue { value: Some(v) }).collect() })
    }

    fn texts(spans: Vec<Span>) -> Vec<String> {
        let scope = InstrumentationScope { name: "shop".into(), version: "1.2".into(), ..Default::default() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }];
        let request =
            ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] };
        super::spans(&request.encode_to_vec()).collect()
    }

    #[test]
    fn a_span_says_all_that_it_has() {
        let start = 1_700_000_000_123_456_789;
        let span = Span {
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            parent_span_id: vec![2; 8],
            name: "place\u{1b}[2J".into(),
            kind: 2,
            start_time_unix_nano: start,
            end_time_unix_nano: start + 1_500_000,
            attributes: vec![
                pair("id", Value::IntValue(-7)),
                pair("text", Value::StringValue("a \"b\"\n".into())),
                pair("share", Value::DoubleValue(0.5)),
                pair("ok", Value::BoolValue(false)),
                pair("bytes", Value::BytesValue(vec![0, 255])),
                pair("list", list(vec![Value::IntValue(1), list(vec![]), list(vec![Value::BoolValue(true)])])),
                pair("map", Value::KvlistValue(KeyValueList { values: vec![pair("k", Value::IntValue(1))] })),
                KeyValue { key: "empty".into(), ..Default::default() },
            ],
            events: vec![span::Event {
                time_unix_nano: start + 1000,
                name: "exception".into(),
                attributes: vec![pair("exception.message", Value::StringValue("no".into()))],
                ..Default::default()
            }],
            links: vec![span::Link { trace_id: vec![3; 16], span_id: vec![4; 8], ..Default::default() }],
            dropped_attributes_count: 3,
            status: Some(Status { message: "no".into(), code: 2 }),
            ..Default::default()
        };
        let text = texts(vec![span]).remove(0);
        let expected = "\
span place\\u{1b}[2J 1.5ms server error \"no\" trace=abababababababababababababababab span=0101010101010101 \
parent=0202020202020202 start=2023-11-14T22:13:20.123456Z scope=shop 1.2
  id=-7
  text=\"a \\\"b\\\"\\n\"
  share=0.5
  ok=false
  bytes=0x00ff
  list=[1, [], [true]]
  map={k=1}
  empty=null
  event exception +1µs exception.message=\"no\"
  link trace=03030303030303030303030303030303 span=0404040404040404
  3 attributes were left out
";
        assert_eq!(text, expected);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000000Z"),
            (4_102_444_800, "2100-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Utc(seconds * 1_000_000_000).to_string(), expected);
        }
    }

    #[test]
    fn deep_and_long_values_are_cut() {
        let deep = (0..100).fold(Value::IntValue(1), |inner, _| list(vec![inner]));
        let long = Value::StringValue("ü".repeat(10_000));
        let span = Span { attributes: vec![pair("deep", deep), pair("long", long)], ..Default::default() };
        let text = texts(vec![span]).remove(0);
        assert!(text.len() < 3000 && text.contains("[...]") && text.contains("ü...\""), "{text}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = super::spans(&bytes).count();
        }

        #[test]
        fn a_line_break_in_a_text_makes_no_line(name in "\\PC*|[\\x00-\\x1f]*", times in any::<(u64, u64)>()) {
            let span = Span {
                name, start_time_unix_nano: times.0, end_time_unix_nano: times.1, ..Default::default()
            };
            let text = texts(vec![span]).remove(0);
            prop_assert_eq!(text.lines().count(), 1);
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
