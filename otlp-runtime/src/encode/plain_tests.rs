//! Plain spans beside the same spans that went the long way: not a byte may differ.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::attribute::Scratch;
use super::super::span::put_span;
use super::super::wire::put_long_message;
use super::*;
use crate::data::{Scope, SpanId, SpanKind, TraceId};
use crate::record::layout::{Entry, Time};

/// The field that a batch has its spans in.
const FIELD: u32 = 2;

#[derive(Clone, Debug)]
enum Value {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Null,
}

/// A span of which everything can be chosen.
#[derive(Clone, Debug)]
struct Any {
    name: String,
    kind: SpanKind,
    parent: u64,
    remote: bool,
    random: bool,
    times: (Time, Time),
    attributes: Vec<(String, Value)>,
}

impl Any {
    fn new(name: &str, attributes: Vec<(String, Value)>) -> Self {
        let times = (Time::Clock(100), Time::Clock(300));
        Self { name: name.into(), kind: SpanKind::Server, parent: 3, remote: false, random: true, times, attributes }
    }
}

impl RecordSource for Any {
    fn scope(&self) -> Scope {
        Scope { name: "shop", version: "1" }
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn kind(&self) -> SpanKind {
        self.kind
    }
    fn trace_id(&self) -> TraceId {
        TraceId::from_bytes([7; 16])
    }
    fn span_id(&self) -> SpanId {
        SpanId::from_bytes([8; 8])
    }
    fn parent_span_id(&self) -> SpanId {
        SpanId::from_bytes(self.parent.to_be_bytes())
    }
    fn has_remote_parent(&self) -> bool {
        self.remote
    }
    fn has_random_trace_id(&self) -> bool {
        self.random
    }
    fn start(&self) -> Time {
        self.times.0
    }
    fn end(&self) -> Time {
        self.times.1
    }
    fn panicked(&self) -> bool {
        false
    }
    fn lost(&self) -> Lost {
        Lost::NONE
    }
    fn is_plain(&self) -> bool {
        self.attributes.iter().enumerate().all(|(n, (key, _))| self.attributes[..n].iter().all(|(k, _)| k != key))
    }
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.attributes.iter().map(|(key, value)| {
            let value = match value {
                Value::Int(number) => RawValue::I64(*number),
                Value::Float(number) => RawValue::F64(*number),
                Value::Bool(flag) => RawValue::Bool(*flag),
                Value::Text(text) => RawValue::Str(text),
                Value::Bytes(bytes) => RawValue::Bytes(bytes),
                Value::Null => RawValue::Null,
            };
            Entry::Attribute(key, value)
        })
    }
}

fn clock(tick: u64) -> u64 {
    tick + 1000
}

/// The long way, and whether a limit cut it.
fn long(span: &Any, limits: &SpanLimits) -> (Vec<u8>, bool) {
    let (mut out, mut scratch) = (Vec::new(), Scratch::default());
    put_long_message(&mut out, FIELD, |out| put_span(out, span, &clock, limits, &mut scratch));
    (out, scratch.limited || scratch.lost)
}

/// Compares; whether the span was plain. The block holds what an earlier span has left.
#[track_caller]
fn compare(block: &mut Block, span: &Any, limits: &SpanLimits) -> bool {
    let (long, is_short_of_something) = long(span, limits);
    let Some(plain) = block.span(FIELD, span, &clock, limits) else { return false };
    assert!(plain == long, "plain {plain:x?}\nlong  {long:x?}\n{span:?}");
    assert!(!is_short_of_something, "nobody would be told: {span:?}");
    true
}

/// Lengths around those where a length takes another byte, or a span leaves the block.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0..40_usize,
        2 => 90..140_usize,
        1 => 3900..4110_usize,
        1 => 16_370..16_400_usize,
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => any::<i64>().prop_map(Value::Int),
        3 => (0..64_u32, any::<bool>(), -1..=1_i64)
            .prop_map(|(bits, minus, off)| (1_i64 << bits).wrapping_add(off).wrapping_mul(if minus { -1 } else { 1 }))
            .prop_map(Value::Int),
        2 => any::<u64>().prop_map(f64::from_bits).prop_map(Value::Float),
        1 => any::<bool>().prop_map(Value::Bool),
        4 => length().prop_map(|len| Value::Text("t".repeat(len))),
        1 => ".{0,30}".prop_map(Value::Text),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
        1 => Just(Value::Null),
    ]
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![any::<u32>().prop_map(|t| Time::Clock(t.into())), any::<u64>().prop_map(Time::Unix)]
}

fn span() -> impl Strategy<Value = Any> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    let kind = prop::sample::select(vec![Internal, Server, Client, Producer, Consumer]);
    // A few keys, so that some occur twice; the empty one is none.
    let key = prop_oneof![
        6 => ".{0,12}",
        1 => "[ab]",
        2 => length().prop_map(|len| "k".repeat(len)),
    ];
    let attributes = prop::collection::vec((key, value()), 0..8);
    let head = (length(), kind, 0..2_u64, any::<bool>(), any::<bool>(), (time(), time()));
    (head, attributes).prop_map(|((name, kind, parent, remote, random, times), attributes)| Any {
        name: "n".repeat(name),
        kind,
        parent,
        remote,
        random,
        times,
        attributes,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn either_way_a_span_is_the_same_bytes(
        spans in prop::collection::vec(span(), 1..4), attributes in 0..9_usize, length in prop_oneof![0..200_usize, Just(usize::MAX)],
    ) {
        let limits = SpanLimits { attributes, length, ..SpanLimits::default() };
        let mut block = Block::new();
        for span in &spans {
            compare(&mut block, span, &limits);
        }
    }
}

/// Byte by byte up to the end of the block, where the long way begins, and over the lengths of one, two and three bytes.
#[test]
fn either_way_every_length_is_the_same_bytes() {
    let (mut block, limits) = (Block::new(), SpanLimits::default());
    for value in [Value::Int(-1), Value::Int(1), Value::Float(f64::NAN), Value::Bool(true), Value::Text("x".into())] {
        let mut was_plain = true;
        for len in 1..SIZE + 200 {
            let fill = |n| "f".repeat(n);
            let in_name = Any::new(&fill(len), vec![("k".into(), value.clone())]);
            let in_key = Any::new("n", vec![(fill(len), value.clone())]);
            let in_text = Any::new("n", vec![("k".into(), Value::Text(fill(len))), ("v".into(), value.clone())]);
            let plain = [in_name, in_key, in_text].map(|span| compare(&mut block, &span, &limits));
            assert!(was_plain || !plain.iter().all(|is| *is), "{len}");
            was_plain = plain.iter().any(|is| *is);
            assert!(len > SIZE - 300 || plain == [true; 3], "{len}: {plain:?}");
            assert!(len < SIZE || plain == [false; 3], "{len}: {plain:?}");
        }
    }
}

#[test]
fn every_length_is_copied_whole() {
    let from: Vec<u8> = (1..=100).collect();
    for len in 0..=from.len() {
        let mut to = vec![0; len];
        copy(&mut to, &from[..len]);
        assert_eq!(to, from[..len], "{len}");
    }
}
