//! Batches: grouping, sizes, memory, and what is left of a span that did not make it.
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::tests::{METADATA, Val, clock, decode, only_span, record};
use super::{OpenBatch, Payload, SpanLimits, TooLarge, split};
use crate::data::{Resource, Scope};
use crate::processor::{Patch, Patched};
use crate::record::callsite::{Callsite, Metadata};
use crate::record::layout::RecordView;

fn push(batch: &mut OpenBatch, words: &[u64]) -> Result<usize, TooLarge> {
    batch.push(&RecordView::from_words(words).unwrap(), clock)
}

/// The record of a span of another callsite.
fn of(callsite: &'static Callsite, words: &[u64]) -> Vec<u64> {
    let mut words = words.to_vec();
    words[1] = std::ptr::from_ref(callsite) as u64;
    words
}

fn callsite(scope: String) -> &'static Callsite {
    let scope = Scope { name: scope.leak(), version: "1" };
    Box::leak(Box::new(Callsite::new(Metadata { scope, keys: &["a"], ..METADATA })))
}

/// A span with an attribute that is larger than a record can be.
fn push_large(batch: &mut OpenBatch, len: usize) -> Result<usize, TooLarge> {
    let words = record(&[], &[], 0);
    let mut patch = Patch::new();
    patch.set_attribute("a", "x".repeat(len));
    batch.push(&Patched::new(&RecordView::from_words(&words).unwrap(), &patch), clock)
}

fn text(len: usize) -> Vec<u64> {
    record(&[Val::Text("x".repeat(len))], &[], 0)
}

#[test]
fn a_batch_groups_by_scope_under_one_resource() {
    static OTHER: Callsite = Callsite::new(Metadata { scope: Scope { name: "other", version: "" }, ..METADATA });
    let mut resource = Resource::new();
    resource.set("service.name", "shop");
    let mut batch = OpenBatch::new(&resource, SpanLimits::default());
    let words = record(&[Val::Int(1)], &[], 0);
    let other = of(&OTHER, &record(&[], &[], 0));
    for round in 0..3 {
        for _ in 0..=round {
            push(&mut batch, &words).unwrap();
            push(&mut batch, &other).unwrap();
        }
        let request = decode(&mut batch);
        let [resource_spans] = &request.resource_spans[..] else { panic!("{request:?}") };
        assert_eq!(resource_spans.resource.as_ref().unwrap().attributes[0].key, "service.name");
        let scopes: Vec<_> = resource_spans
            .scope_spans
            .iter()
            .map(|s| {
                (s.scope.as_ref().unwrap().name.as_str(), s.scope.as_ref().unwrap().version.as_str(), s.spans.len())
            })
            .collect();
        assert_eq!(scopes, [("shop", "1.2.3", round + 1), ("other", "", round + 1)]);
    }
}

/// RES5: each request says which schema its resource follows, also the parts of one that is too large, and what was found
/// out later.
#[test]
fn res5_the_schema_url_is_in_every_request_and_in_every_part_of_one() {
    let urls = |payload: &Payload| -> Vec<String> {
        let request = ExportTraceServiceRequest::decode(&payload.body[..]).unwrap();
        request.resource_spans.into_iter().map(|spans| spans.schema_url).collect()
    };
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    for expected in ["", "https://example.com/schemas/1.0.0", ""] {
        batch.describe(&Resource::new().with_schema_url(expected));
        for _ in 0..10 {
            push(&mut batch, &text(1000)).unwrap();
        }
        let bytes = batch.bytes();
        let whole = batch.close().unwrap();
        assert!(whole.body.len() <= bytes, "{bytes}");
        assert_eq!(urls(&whole), [expected]);
        let parts = split(&whole, 3000).unwrap();
        assert!(parts.len() > 3 && parts.iter().all(|part| urls(part) == [expected]), "{parts:?}");
    }
}

#[test]
fn a_span_above_the_limit_is_refused_and_leaves_nothing() {
    let limits = SpanLimits { bytes: 1000, ..SpanLimits::default() };
    let mut batch = OpenBatch::new(&Resource::new(), limits);
    let large = text(2000);
    let small = record(&[Val::Int(7)], &[], 0);
    push(&mut batch, &small).unwrap();
    let refused = push(&mut batch, &large);
    assert!(matches!(refused, Err(TooLarge { bytes: 2000.. })), "{refused:?}");
    assert_eq!(batch.items(), 1);
    assert_eq!(only_span(&mut batch).attributes.len(), 1);
}

#[test]
fn two_hundred_scopes_hold_little_memory() {
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    let words = record(&[Val::Int(1)], &[], 0);
    for i in 0..200 {
        push(&mut batch, &of(callsite(format!("scope-{i}")), &words)).unwrap();
    }
    assert!(batch.memory() < 1 << 20, "{}", batch.memory());
    assert_eq!(decode(&mut batch).resource_spans[0].scope_spans.len(), 200);
}

#[test]
fn scopes_are_one_by_their_texts_and_not_by_their_literals() {
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    for _ in 0..4 {
        push(&mut batch, &of(callsite("same".into()), &text(1))).unwrap();
    }
    assert_eq!(decode(&mut batch).resource_spans[0].scope_spans.len(), 1);
}

#[test]
fn every_length_is_written_in_the_shortest_way() {
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    // Around 1, 2 and 3 bytes of the span's length, of the attribute's and of the value's.
    let lengths = (0..200).chain(16_200..16_400).chain([2_097_000, 2_097_060, 2_097_152]);
    for len in lengths {
        if len < 1 << 20 { push(&mut batch, &text(len)) } else { push_large(&mut batch, len) }.unwrap();
        let span = only_span(&mut batch);
        assert_eq!(span.attributes[0].value, Val::Text("x".repeat(len)).expected());
    }
}

#[test]
fn the_size_is_known_before_the_close() {
    let mut resource = Resource::new();
    resource.set("service.name", "shop");
    let mut batch = OpenBatch::new(&resource, SpanLimits::default());
    let callsites: Vec<_> = (0..20).map(|i| callsite(format!("scope-{i}"))).collect();
    for spans in [1, 7, 500] {
        for i in 0..spans {
            push(&mut batch, &of(callsites[i % 20], &text(i % 300))).unwrap();
        }
        let bytes = batch.bytes();
        let body = batch.close().unwrap().body;
        assert!(body.len() <= bytes && bytes <= body.len() + 6 * 21, "{} {bytes}", body.len());
    }
}

#[test]
fn memory_follows_the_load() {
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    let callsites: Vec<_> = (0..20).map(|i| callsite(format!("scope-{i}"))).collect();
    let words = text(1000);
    // Each scope is the busy one once.
    for busy in &callsites {
        while batch.bytes() < 1 << 20 {
            push(&mut batch, &of(busy, &words)).unwrap();
        }
        // This batch, and what is kept of the one before.
        assert!(batch.memory() < 3 << 20, "{}", batch.memory());
        for other in &callsites {
            push(&mut batch, &of(other, &words)).unwrap();
        }
        batch.close().unwrap();
    }
    push(&mut batch, &words).unwrap();
    batch.close().unwrap();
    assert!(batch.memory() < 16 << 10, "{}", batch.memory());
    // What is refused leaves no memory behind either.
    push_large(&mut batch, 4 << 20).unwrap_err();
    assert!(batch.memory() < 32 << 10, "{}", batch.memory());
}

#[test]
fn a_panic_in_the_middle_of_a_span_leaves_the_others() {
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    let words = record(&[Val::Int(1)], &[], 0);
    for _ in 0..3 {
        push(&mut batch, &words).unwrap();
        let view = RecordView::from_words(&words).unwrap();
        let poison = AssertUnwindSafe(|| batch.push(&view, |_| panic!("poison")));
        catch_unwind(poison).unwrap_err();
        batch.repair();
    }
    assert_eq!(decode(&mut batch).resource_spans[0].scope_spans[0].spans.len(), 3);
}
