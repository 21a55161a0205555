//! The encoder against prost and `opentelemetry-proto`: whatever is recorded, patched and encoded here is the same when it
//! is decoded there.
#![allow(clippy::unwrap_used)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::trace::v1 as proto;
use proptest::prelude::*;
use prost::Message as _;

use super::{OpenBatch, SpanLimits};
use crate::data::{AttributeValue, Level, Resource, Scope, SpanKind, StatusCode};
use crate::processor::{Patch, Patched};
use crate::record::callsite::{BUILT, Callsite, Metadata};
use crate::record::journal::{Journal, Key};
use crate::record::layout::{HEADER, LINK_REMOTE, RecordView, flag, tag};
use crate::record::value::{Attributes, Value, ValueWriter};

pub(super) static CALLSITE: Callsite = Callsite::new(Metadata {
    name: "work",
    path: "test::work",
    file: "test.rs",
    line: 1,
    level: Level::Info,
    kind: SpanKind::Client,
    keys: &["a", "b", "c"],
    scope: Scope { name: "shop", version: "1.2.3" },
    root: false,
    sample: None,
});

pub(super) const METADATA: Metadata = Metadata {
    name: "n",
    path: "p",
    file: "f",
    line: 1,
    level: Level::Info,
    kind: SpanKind::Internal,
    keys: &[],
    scope: Scope { name: "s", version: "1" },
    root: false,
    sample: None,
};

#[derive(Clone, Debug)]
pub(super) enum Val {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    None,
    List(Vec<Val>),
}

impl Value for Val {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        match self {
            Val::Bool(v) => writer.bool(*v),
            Val::Int(v) => writer.i64(*v),
            Val::Float(v) => writer.f64(*v),
            Val::Text(v) => writer.str(v),
            Val::Bytes(v) => writer.bytes(v),
            Val::None => {}
            Val::List(v) => writer.array(v),
        }
    }
}

impl Val {
    pub(super) fn expected(&self) -> Option<AnyValue> {
        use any_value::Value as V;
        let value = match self {
            Val::Bool(v) => V::BoolValue(*v),
            Val::Int(v) => V::IntValue(*v),
            Val::Float(v) => V::DoubleValue(*v),
            Val::Text(v) => V::StringValue(v.clone()),
            Val::Bytes(v) => V::BytesValue(v.clone()),
            Val::None => return None,
            Val::List(v) => V::ArrayValue(ArrayValue {
                values: v.iter().map(|v| v.expected().unwrap_or(AnyValue { value: None })).collect(),
            }),
        };
        Some(AnyValue { value: Some(value) })
    }
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Set(String, Val),
    Event(String, Vec<(String, Val)>),
    Link(u128, u64, Vec<(String, Val)>),
    Status(StatusCode, String),
    Name(String),
}

fn val() -> impl Strategy<Value = Val> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Val::Bool),
        any::<i64>().prop_map(Val::Int),
        any::<f64>().prop_map(Val::Float),
        Just(Val::Float(f64::NAN)),
        ".{0,20}".prop_map(Val::Text),
        "[a-z]{100,400}".prop_map(Val::Text),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Val::Bytes),
        Just(Val::None),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| prop::collection::vec(inner, 0..5).prop_map(Val::List))
}

/// Structured data, as patches and resources have it.
fn model() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        Just(AttributeValue::Empty),
        ".{0,20}".prop_map(AttributeValue::String),
        any::<bool>().prop_map(AttributeValue::Bool),
        any::<i64>().prop_map(AttributeValue::I64),
        any::<f64>().prop_map(AttributeValue::F64),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(AttributeValue::Bytes),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        let pairs = prop::collection::vec(("[xyz]{0,2}", inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(AttributeValue::Array),
            pairs.prop_map(AttributeValue::Map),
        ]
    })
}

fn expected_model(value: &AttributeValue) -> AnyValue {
    use any_value::Value as V;
    let value = match value {
        AttributeValue::Empty => return AnyValue { value: None },
        AttributeValue::String(v) => V::StringValue(v.clone()),
        AttributeValue::Bool(v) => V::BoolValue(*v),
        AttributeValue::I64(v) => V::IntValue(*v),
        AttributeValue::F64(v) => V::DoubleValue(*v),
        AttributeValue::Bytes(v) => V::BytesValue(v.clone()),
        AttributeValue::Array(v) => V::ArrayValue(ArrayValue { values: v.iter().map(expected_model).collect() }),
        AttributeValue::Map(pairs) => {
            // The last of a key counts, in its own place.
            let mut values: Vec<KeyValue> = Vec::new();
            for (key, value) in pairs.iter().filter(|(key, _)| !key.is_empty()) {
                values.retain(|kept| kept.key != *key);
                values.push(pair(key, expected_model(value)));
            }
            V::KvlistValue(KeyValueList { values })
        }
    };
    AnyValue { value: Some(value) }
}

fn pair(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value), ..Default::default() }
}

fn op() -> impl Strategy<Value = Op> {
    let name = || prop_oneof!["[abcd]{0,2}", ".{0,12}"];
    let attributes = || prop::collection::vec(("[xyz]{0,2}", val()), 0..6);
    let status = prop_oneof![Just(StatusCode::Unset), Just(StatusCode::Ok), Just(StatusCode::Error)];
    prop_oneof![
        6 => (name(), val()).prop_map(|(k, v)| Op::Set(k, v)),
        1 => (name(), attributes()).prop_map(|(n, a)| Op::Event(n, a)),
        1 => (1u128.., 1u64.., attributes()).prop_map(|(t, s, a)| Op::Link(t, s, a)),
        1 => (status, ".{0,9}").prop_map(|(c, m)| Op::Status(c, m)),
        1 => name().prop_map(Op::Name),
    ]
}

struct List<'a>(&'a [(String, Val)]);
impl Attributes for List<'_> {
    fn record(&self, writer: &mut crate::record::value::AttributeWriter<'_>) {
        self.0.iter().for_each(|(k, v)| writer.attribute(k, v));
    }
}

/// The record of a span: its fields, then what was done to it. A small journal stands for the slot's own words.
pub(super) fn record(fields: &[Val], ops: &[Op], flags: u8) -> Vec<u64> {
    let mut journal = Journal::new();
    for (i, field) in fields.iter().enumerate() {
        journal.value(Key::Callsite(i as u16), field);
    }
    for op in ops {
        match op {
            Op::Set(k, v) => journal.value(Key::Inline(k), v),
            Op::Event(name, attributes) => {
                let open = journal.open(Key::Inline(name), tag::EVENT, &[77]).unwrap();
                journal.attributes(&List(attributes));
                journal.close(open);
            }
            Op::Link(trace, span, attributes) => {
                let remote = if trace % 2 == 0 { LINK_REMOTE } else { 0 };
                let fixed = [(trace >> 64) as u64, *trace as u64, *span, 1 | remote];
                let open = journal.open(Key::None, tag::LINK, &fixed).unwrap();
                journal.attributes(&List(attributes));
                journal.close(open);
            }
            Op::Status(code, message) => journal.status(*code, message),
            Op::Name(name) => journal.bytes(Key::None, tag::NAME, name.as_bytes()),
        }
    }
    let (inline, heap) = journal.words();
    let flags = u64::from(flags | if ops.is_empty() { 0 } else { flag::AMENDED });
    let callsite = std::ptr::from_ref(&CALLSITE) as u64;
    let mut words = vec![(HEADER + inline.len() + heap.len()) as u64 | flags << 32, callsite];
    words.extend([100, 300, 11, 12, 13, 14, 1 | journal.lost().words().1]);
    words.extend(inline);
    words.extend(heap);
    words
}

/// Attributes as the specification wants them: no empty key, the last value in the first place, at most `limit`.
fn unique(attributes: impl IntoIterator<Item = (String, AnyValue)>, limit: usize) -> (Vec<KeyValue>, u32) {
    let (mut kept, mut dropped): (Vec<KeyValue>, u32) = (Vec::new(), 0);
    for (key, value) in attributes {
        if key.is_empty() {
            dropped += 1;
        } else if let Some(old) = kept.iter_mut().find(|kept| kept.key == key) {
            old.value = Some(value);
        } else if kept.len() == limit {
            dropped += 1;
        } else {
            kept.push(KeyValue { key, value: Some(value), ..Default::default() });
        }
    }
    (kept, dropped)
}

fn list(attributes: &[(String, Val)], limit: usize, limits: &SpanLimits) -> (Vec<KeyValue>, u32) {
    let values = |value: &Val| value.expected().map(|value| cut(value, limits.length, limits.depth));
    unique(attributes.iter().filter_map(|(k, v)| Some((k.clone(), values(v)?))), limit)
}

/// LIM2: text by characters, bytes by bytes, both within arrays too; what lies too deep is empty.
fn cut(value: AnyValue, length: usize, depth: usize) -> AnyValue {
    use any_value::Value as V;
    let value = value.value.and_then(|value| match value {
        V::StringValue(text) => Some(V::StringValue(text.chars().take(length).collect())),
        V::BytesValue(bytes) => Some(V::BytesValue(bytes.into_iter().take(length).collect())),
        V::ArrayValue(array) => {
            let depth = depth.checked_sub(1)?;
            let values = array.values.into_iter().map(|value| cut(value, length, depth)).collect();
            Some(V::ArrayValue(ArrayValue { values }))
        }
        other => Some(other),
    });
    AnyValue { value }
}

fn expected(fields: &[Val], ops: &[Op], flags: u8, limits: &SpanLimits) -> proto::Span {
    let first = fields.iter().enumerate().map(|(i, v)| (CALLSITE.metadata().keys[i].to_owned(), v.clone()));
    let later = ops.iter().filter_map(|op| match op {
        Op::Set(k, v) => Some((k.clone(), v.clone())),
        _ => None,
    });
    let all: Vec<_> = first.chain(later).collect();
    let (attributes, dropped_attributes_count) = list(&all, limits.attributes, limits);
    let mut span = proto::Span {
        trace_id: [11u64.to_be_bytes(), 12u64.to_be_bytes()].concat(),
        span_id: 13u64.to_be_bytes().into(),
        parent_span_id: 14u64.to_be_bytes().into(),
        flags: 0x101
            | if flags & flag::REMOTE_PARENT != 0 { 0x200 } else { 0 }
            | if flags & flag::RANDOM != 0 { 2 } else { 0 },
        name: "work".into(),
        kind: 3,
        start_time_unix_nano: 1100,
        end_time_unix_nano: 1300,
        attributes,
        dropped_attributes_count,
        ..Default::default()
    };
    let mut status: (i32, String) = (0, String::new());
    for op in ops {
        match op {
            Op::Set(..) => {}
            Op::Event(name, attributes) => {
                let (attributes, dropped_attributes_count) = list(attributes, limits.attributes_per_event, limits);
                let event = proto::span::Event {
                    time_unix_nano: 1077,
                    name: name.clone(),
                    attributes,
                    dropped_attributes_count,
                };
                span.events.push(event);
            }
            Op::Link(trace, id, attributes) => {
                let (attributes, dropped_attributes_count) = list(attributes, limits.attributes_per_link, limits);
                span.links.push(proto::span::Link {
                    trace_id: trace.to_be_bytes().into(),
                    span_id: id.to_be_bytes().into(),
                    attributes,
                    dropped_attributes_count,
                    flags: if trace % 2 == 0 { 0x301 } else { 0x101 },
                    ..Default::default()
                });
            }
            Op::Status(StatusCode::Error, message) if status.0 != 1 => status = (2, message.clone()),
            Op::Status(StatusCode::Ok, _) => status = (1, String::new()),
            Op::Status(..) => {}
            Op::Name(name) => span.name = name.clone(),
        }
    }
    span.dropped_events_count = span.events.len().saturating_sub(limits.events) as u32;
    span.events.truncate(limits.events);
    span.dropped_links_count = span.links.len().saturating_sub(limits.links) as u32;
    span.links.truncate(limits.links);
    if flags & flag::PANICKED != 0 && status.0 != 2 {
        status = (2, "panicked".into());
    }
    if status.0 != 0 {
        span.status = Some(proto::Status { message: status.1, code: status.0 });
    }
    span
}

pub(super) fn clock(tick: u64) -> u64 {
    tick + 1000
}

pub(super) fn decode(batch: &mut OpenBatch) -> ExportTraceServiceRequest {
    let items = batch.items();
    let payload = batch.close().unwrap();
    let request = ExportTraceServiceRequest::decode(payload.body.clone()).unwrap();
    let spans: usize = request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
    assert_eq!((payload.items, spans as u64), (items, items));
    assert_eq!(request.encoded_len(), payload.body.len(), "lengths are written in the shortest way");
    assert!(batch.close().is_none());
    request
}

pub(super) fn only_span(batch: &mut OpenBatch) -> proto::Span {
    decode(batch).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

/// NaN is equal to itself here.
fn same(a: &impl std::fmt::Debug, b: &impl std::fmt::Debug) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

fn small_limits() -> SpanLimits {
    SpanLimits {
        attributes: 4,
        events: 2,
        links: 2,
        attributes_per_event: 2,
        attributes_per_link: 2,
        length: 7,
        depth: 2,
        ..SpanLimits::default()
    }
}

/// The same span, built at run time.
fn built(words: &[u64], kind: SpanKind, scope: Option<Scope>, times: u8) -> Vec<u64> {
    let mut journal = Journal::new();
    journal.built(kind, scope);
    let (header, rest) = words.split_at(HEADER);
    let mut all = [header, journal.words().0, rest].concat();
    all[0] = all[0] & !0xffff_ffff | all.len() as u64 | u64::from(flag::AMENDED | times) << 32;
    all[1] = std::ptr::from_ref(&BUILT) as u64;
    all
}

proptest! {
    #[test]
    fn a_built_span_is_its_record_with_a_kind_a_scope_and_times(
        sets in prop::collection::vec(op(), 0..8),
        kind in prop::sample::select(vec![SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer]),
        scope in prop::option::of(prop::sample::select(vec![("shop", "1"), ("", ""), ("a longer name", "1.2.3")])),
        times in prop::sample::select(vec![0, flag::START_UNIX, flag::END_UNIX, flag::START_UNIX | flag::END_UNIX]),
    ) {
        let limits = SpanLimits::default();
        let mut ops = vec![Op::Name("work".into())];
        ops.extend(sets);
        let words = built(&record(&[], &ops, 0), kind, scope.map(|(name, version)| Scope { name, version }), times);
        let mut batch = OpenBatch::new(&Resource::new(), limits);
        batch.push(&RecordView::from_words(&words).unwrap(), clock).unwrap();
        let got = decode(&mut batch).resource_spans.remove(0).scope_spans.remove(0);
        let mut want = expected(&[], &ops, 0, &limits);
        want.kind = kind as i32 ;
        want.start_time_unix_nano = if times & flag::START_UNIX != 0 { 100 } else { 1100 };
        want.end_time_unix_nano = if times & flag::END_UNIX != 0 { 300 } else { 1300 }.max(want.start_time_unix_nano);
        prop_assert!(same(&got.spans[0], &want), "got  {:?}\nwant {want:?}", got.spans[0]);
        let named = got.scope.map(|scope| (scope.name, scope.version)).unwrap();
        let (name, version) = scope.unwrap_or(("otlp", env!("CARGO_PKG_VERSION")));
        prop_assert_eq!(named, (name.to_owned(), version.to_owned()));
    }

    #[test]
    fn any_record_is_the_same_when_prost_decodes_it(
        fields in prop::collection::vec(val(), 0..=3),
        ops in prop::collection::vec(op(), 0..20),
        flags in prop::sample::select(vec![0, flag::PANICKED, flag::REMOTE_PARENT, flag::RANDOM, flag::PANICKED | flag::RANDOM]),
        small in any::<bool>(),
    ) {
        let limits = if small { small_limits() } else { SpanLimits::default() };
        let words = record(&fields, &ops, flags);
        let mut batch = OpenBatch::new(&Resource::new(), limits);
        batch.push(&RecordView::from_words(&words).unwrap(), clock).unwrap();
        let (got, want) = (only_span(&mut batch), expected(&fields, &ops, flags, &limits));
        prop_assert!(same(&got, &want), "got  {got:?}\nwant {want:?}");
    }

    #[test]
    fn any_resource_is_the_same_when_prost_decodes_it(
        attributes in prop::collection::vec(("[abcd]{1,2}", model()), 0..8),
    ) {
        let mut resource = Resource::new();
        attributes.iter().for_each(|(key, value)| resource.set(key.as_str(), value.clone()));
        let (want, _) = unique(attributes.iter().map(|(key, value)| (key.clone(), expected_model(value))), 8);
        let mut batch = OpenBatch::new(&resource, SpanLimits::default());
        batch.push(&RecordView::from_words(&record(&[], &[], 0)).unwrap(), clock).unwrap();
        let got = decode(&mut batch).resource_spans.remove(0).resource.unwrap().attributes;
        prop_assert!(same(&got, &want), "got  {got:?}\nwant {want:?}");
    }

    #[test]
    fn any_patch_is_the_same_as_the_change_itself(
        fields in prop::collection::vec(val(), 0..=3),
        ops in prop::collection::vec(op(), 0..8),
        changes in prop::collection::vec(("[abcd]{1,2}", prop::option::of(model())), 0..4),
        name in prop::option::of("[a-z]{1,5}"),
    ) {
        let limits = SpanLimits::default();
        let words = record(&fields, &ops, 0);
        let mut patch = Patch::new();
        for (key, value) in &changes {
            match value {
                Some(value) => patch.set_attribute(key.as_str(), value.clone()),
                None => patch.remove_attribute(key.as_str()),
            }
        }
        let mut want = expected(&fields, &ops, 0, &limits);
        want.attributes.retain(|kept| changes.iter().all(|(key, _)| *key != kept.key));
        let mut placed: Vec<&str> = Vec::new();
        for (key, _) in &changes {
            if !placed.contains(&key.as_str()) {
                placed.push(key);
            }
        }
        for key in placed {
            if let Some((_, Some(value))) = changes.iter().rev().find(|(k, _)| k == key) {
                want.attributes.push(pair(key, expected_model(value)));
            }
        }
        if let Some(name) = &name {
            patch.rename(name.as_str());
            want.name.clone_from(name);
        }
        let view = RecordView::from_words(&words).unwrap();
        let mut batch = OpenBatch::new(&Resource::new(), limits);
        batch.push(&Patched::new(&view, &patch), clock).unwrap();
        let got = only_span(&mut batch);
        prop_assert!(same(&got, &want), "got  {got:?}\nwant {want:?}");
    }
}

#[test]
fn pro3_keys_are_unique_whatever_the_callsite_and_its_values_do() {
    static TWICE: Callsite = Callsite::new(Metadata { keys: &["a", "b", "a", ""], ..METADATA });
    assert!(!TWICE.has_distinct_keys() && CALLSITE.has_distinct_keys());
    struct Twice(i64);
    impl Value for Twice {
        fn record(&self, writer: &mut ValueWriter<'_>) {
            writer.i64(1);
            writer.i64(self.0);
        }
    }
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    let mut attributes = |callsite: &'static Callsite, keys: &[u16]| {
        let mut journal = Journal::new();
        keys.iter().for_each(|key| journal.value(Key::Callsite(*key), &Twice(10 + i64::from(*key))));
        let mut words = record(&[], &[], 0);
        words[1] = std::ptr::from_ref(callsite) as u64;
        words.extend(journal.words().0);
        batch.push(&RecordView::from_words(&words).unwrap(), clock).unwrap();
        let span = only_span(&mut batch);
        assert_eq!(span.name, callsite.metadata().name);
        let int = |kept: KeyValue| match kept.value.unwrap().value {
            Some(any_value::Value::IntValue(int)) => (kept.key, int),
            other => panic!("{other:?}"),
        };
        (span.attributes.into_iter().map(int).collect::<Vec<_>>(), span.dropped_attributes_count)
    };
    assert_eq!(attributes(&CALLSITE, &[0, 2]), (vec![("a".into(), 10), ("c".into(), 12)], 0));
    assert_eq!(attributes(&TWICE, &[0, 1, 2]), (vec![("a".into(), 12), ("b".into(), 11)], 0));
    assert_eq!(attributes(&TWICE, &[3, 1]), (vec![("b".into(), 11)], 1));
}

/// What decoders refuse as too deep would cost the whole batch.
#[test]
fn lim2_values_are_cut_before_decoders_refuse_their_depth() {
    let depth = |value: &AnyValue| {
        let (mut depth, mut value) = (0, Some(value));
        while let Some(any_value::Value::ArrayValue(array)) = value.and_then(|value| value.value.as_ref()) {
            (depth, value) = (depth + 1, array.values.first());
        }
        depth
    };
    for levels in [1, 40, 45, 46, 50, 64, 80] {
        let deep = (1..levels).fold(Val::List(vec![]), |inner, _| Val::List(vec![inner]));
        let event = Op::Event("e".into(), vec![("k".into(), deep.clone())]);
        let words = record(&[deep], &[event], 0);
        let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
        batch.push(&RecordView::from_words(&words).unwrap(), clock).unwrap();
        let span = only_span(&mut batch);
        for attributes in [&span.attributes, &span.events[0].attributes] {
            assert_eq!(depth(attributes[0].value.as_ref().unwrap()), levels.min(45));
        }
        let map = (1..levels).fold(AttributeValue::I64(7), |inner, _| AttributeValue::Map(vec![("k".into(), inner)]));
        let mut resource = Resource::new();
        resource.set("deep", map);
        let mut batch = OpenBatch::new(&resource, SpanLimits::default());
        batch.push(&RecordView::from_words(&words).unwrap(), clock).unwrap();
        decode(&mut batch);
    }
}
