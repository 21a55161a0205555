//! The tree as text.

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;

use super::compose::{SpanExt as _, pair, request, span, text};
use crate::testing::Captured;

fn captured(spans: Vec<Span>) -> Captured {
    Captured::decode(&request(spans)).unwrap()
}

fn shop() -> Captured {
    let mut charge = span("charge", 3, 1, (30, 1250)).with("amount", Value::DoubleValue(2.0)).failed("card declined");
    charge.kind = 3;
    let mut charge = charge.with_event("exception", "exception.type", text("CardError")).with_link();
    charge.dropped_attributes_count = 2;
    charge.dropped_events_count = 1;
    let mut audit = span("audit", 5, 1, (1300, 1301));
    audit.status = Some(opentelemetry_proto::tonic::trace::v1::Status { code: 1, message: String::new() });
    captured(vec![
        span("look up", 4, 2, (11, 12)).with("sku", text("A-1\n")),
        span("reserve", 2, 1, (10, 20)).with_event("left", "n", Value::IntValue(3)),
        charge,
        audit,
        span("place_order", 1, 0, (0, 2_500_000)).with("order_id", Value::IntValue(7)).failed("card declined"),
    ])
}

#[test]
fn a_tree_for_snapshots() {
    let expected = "\
place_order order_id=7 ERROR \"card declined\"
├─ reserve
│  │  · left n=3
│  └─ look up sku=\"A-1\\n\"
├─ charge [client] amount=2.0 (+2 attributes dropped) ERROR \"card declined\" (+1 events dropped)
│     · exception exception.type=\"CardError\"
│     → link
└─ audit OK";
    assert_eq!(shop().tree().to_string(), expected);
    assert_eq!(shop().to_string(), expected);
}

#[test]
fn a_tree_for_people() {
    let tree = shop().tree_with_durations().to_string();
    let lines: Vec<_> = tree.lines().map(|l| l.trim_start_matches(['├', '─', '│', '└', ' '])).collect();
    assert_eq!(lines[0], "place_order 2.50 s order_id=7 ERROR \"card declined\"");
    assert_eq!(lines[1], "reserve 10.0 µs");
    assert!(lines[4].starts_with("charge 1.22 ms [client]"), "{tree}");
}

#[test]
fn durations_have_three_digits() {
    let cases = [
        (0, "0 ns"),
        (1, "1.00 µs"),
        (12, "12.0 µs"),
        (999, "999 µs"),
        (1000, "1.00 ms"),
        (99_990, "100 ms"),
        (7_000_000, "7.00 s"),
    ];
    for (micros, expected) in cases {
        let tree = captured(vec![span("s", 1, 0, (0, micros))]).tree_with_durations().to_string();
        assert_eq!(tree, format!("s {expected}"));
    }
}

#[test]
fn a_large_tree_is_collapsed_with_failures_kept() {
    let mut spans = vec![span("all", 1, 0, (0, 1000))];
    for i in 0..300 {
        spans.push(span("file", 10 + i, 1, (i, i + 2)).with("n", Value::IntValue(i.cast_signed())));
    }
    spans.push(span("summary", 5, 1, (900, 901)));
    spans.push(span("decode", 900, 10 + 250, (251, 252)).failed("not UTF-8"));
    let captured = captured(spans);
    let expected = "\
all
├─ file n=0
├─ file n=1
├─ file n=250
│  └─ decode ERROR \"not UTF-8\"
└─ … 298 more: 297 × file, 1 × summary";
    assert_eq!(captured.tree().with_max_siblings(3).to_string(), expected);
    let timed = captured.tree_with_durations().with_max_siblings(3).to_string();
    assert!(timed.ends_with("└─ … 298 more: 297 × file (594 µs in all), 1 × summary (1.00 µs in all)"), "{timed}");
    assert_eq!(captured.tree().to_string().lines().count(), 303);
}

#[test]
fn more_failures_than_lines_are_counted() {
    let mut spans: Vec<_> = (0..5).map(|i| span("f", i + 1, 0, (i, i)).failed("no")).collect();
    spans.extend((0..8).map(|i| span(&format!("n{i}"), i + 10, 0, (9, 9))));
    let expected = "\
f ERROR \"no\"
f ERROR \"no\"
… 11 more: 3 × f with 3 ERROR, 1 × n0, 1 × n1, 1 × n2, 1 × n3, and 4 other names";
    assert_eq!(captured(spans).tree().with_max_siblings(2).to_string(), expected);
}

#[test]
fn values_are_short_and_stay_on_their_line() {
    let item = |value| AnyValue { value: Some(value) };
    let values = vec![item(Value::IntValue(1)), item(text("x"))];
    let tree = captured(vec![
        span("a\u{1b}[2J", 1, 0, (0, 1))
            .with("array", Value::ArrayValue(ArrayValue { values }))
            .with("map", Value::KvlistValue(KeyValueList { values: vec![pair("k", Value::BoolValue(true))] }))
            .with("bytes", Value::BytesValue(vec![0xab, 1]))
            .with("nan", Value::DoubleValue(f64::NAN))
            .with("", text("\"quoted\""))
            .with("long", text(&"é".repeat(10_000_000)))
            .with("blob", Value::BytesValue(vec![0; 1_000_000]))
            .with("many", Value::ArrayValue(ArrayValue { values: vec![item(Value::IntValue(0)); 1000] })),
    ])
    .to_string();
    let start = r#"a\u{1b}[2J array=[1, "x"] map={k=true} bytes=0xab01 nan=NaN ""="\"quoted\"" long="éé"#;
    assert!(tree.starts_with(start), "{}", &tree[..200]);
    assert!(tree.contains("é\"… (20000000 bytes) blob=0x00") && tree.contains("00… (1000000 bytes) many=[0, 0"));
    assert!(tree.ends_with("0, … (1000 values)]"));
    assert!(tree.len() < 3000, "{}", tree.len());
}

#[test]
fn ten_thousand_nested_spans_are_no_stack_overflow_and_no_triangle() {
    let spans = (0..10_000).map(|i| span("deep", i + 1, i, (i, 20_000 - i))).collect();
    let tree = captured(spans).to_string();
    assert_eq!(tree.lines().count(), 10_000);
    assert!(tree.len() < 2_000_000, "{}", tree.len());
    assert!(tree.lines().last().unwrap().ends_with("(9999) deep"));
}

#[test]
fn circles_and_duplicates_appear_once_each() {
    let captured = captured(vec![
        span("self", 1, 1, (0, 1)),
        span("a", 2, 3, (2, 3)),
        span("b", 3, 2, (1, 4)),
        span("twice", 4, 0, (5, 6)),
        span("twice", 4, 0, (5, 6)),
        span("below", 5, 4, (5, 6)),
    ]);
    assert_eq!(captured.to_string(), "twice\n└─ below\ntwice\nself\nb\n└─ a");
    assert_eq!(captured.roots().len(), 4);
}

#[test]
fn traces_are_apart() {
    let mut other = span("other child", 2, 1, (0, 1));
    other.trace_id = vec![9; 16];
    let captured = captured(vec![span("root", 1, 0, (0, 1)), other]);
    assert_eq!(captured.to_string(), "root\nother child");
    assert!(captured.children_of(captured.one("root")).is_empty());
}
