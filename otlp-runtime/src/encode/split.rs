//! A request that is too large, as several that are not: cut between items, on tags and lengths, with nothing decoded.

use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;

use super::payload::Payload;
use super::read::{Field, take_field};
use super::wire::{LEN, key, put_varint, varint_len};

// The requests of all signals have the same shape: resources, in them scopes, in them items.
const RESOURCES: u32 = 1;
const SCOPES: u32 = 2;
const ITEMS: u32 = 2;

/// A key and the longest length.
const FIELD: usize = 11;

/// Splits `payload`, which is not compressed, into requests of at most `limit` bytes, in order. Each repeats what its
/// items need: resource, scope, and their schemas. Items that do not fit into a request even alone are in none.
///
/// `None`: the bytes are no request.
pub(crate) fn split(payload: &Payload, limit: usize) -> Option<Vec<Payload>> {
    let body = &payload.body[..];
    let items = items(body)?;
    let mut parts = Vec::new();
    let (mut part, mut cost) = (Vec::new(), 0_usize);
    for item in &items {
        if size(item.resource.own_len() + size(item.scope.own_len() + item.at.len())) > limit {
            continue;
        }
        let mut more = item.cost_after(part.last().copied());
        if !part.is_empty() && cost + more > limit {
            parts.push(put_part(payload, &part));
            part.clear();
            cost = 0;
            more = item.cost_after(None);
        }
        part.push(item);
        cost += more;
    }
    if !part.is_empty() {
        parts.push(put_part(payload, &part));
    }
    Some(parts)
}

/// A resource or a scope: its place in the body, by which it is known, and the fields it has beside what it contains.
#[derive(Clone, Debug)]
struct Frame {
    start: usize,
    own: Vec<Range<usize>>,
}

impl Frame {
    fn own_len(&self) -> usize {
        self.own.iter().map(ExactSizeIterator::len).sum()
    }
}

/// One item's field, and where it belongs.
#[derive(Clone, Debug)]
struct Item {
    resource: Rc<Frame>,
    scope: Rc<Frame>,
    at: Range<usize>,
}

impl Item {
    /// At least the bytes by which a part that ends in `last` grows with it.
    fn cost_after(&self, last: Option<&Self>) -> usize {
        let mut cost = self.at.len();
        if last.is_none_or(|last| last.scope.start != self.scope.start) {
            cost += self.scope.own_len() + FIELD;
        }
        if last.is_none_or(|last| last.resource.start != self.resource.start) {
            cost += self.resource.own_len() + FIELD;
        }
        cost
    }
}

/// All items of a request in their order.
fn items(body: &[u8]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for resource in fields(body, 0..body.len()) {
        let resource = resource.filter(|field| field.message == Some(RESOURCES))?;
        let (resource, scopes) = frame(body, resource.content, SCOPES)?;
        for scope in scopes {
            let (scope, found) = frame(body, scope.content, ITEMS)?;
            items.extend(found.into_iter().map(|item| Item {
                resource: resource.clone(),
                scope: scope.clone(),
                at: item.whole,
            }));
        }
    }
    Some(items)
}

/// The message at `at`: what it has itself, and what it contains.
fn frame(body: &[u8], at: Range<usize>, contained: u32) -> Option<(Rc<Frame>, Vec<Part>)> {
    let start = at.start;
    let all: Option<Vec<Part>> = fields(body, at).collect();
    let (contained, own): (Vec<Part>, Vec<Part>) = all?.into_iter().partition(|field| field.message == Some(contained));
    Some((Frame { start, own: own.into_iter().map(|field| field.whole).collect() }.into(), contained))
}

/// One field of a message, by its place in the body.
#[derive(Clone, Debug)]
struct Part {
    /// Its number, if it is a message.
    message: Option<u32>,
    whole: Range<usize>,
    content: Range<usize>,
}

/// The fields of the message at `at`, up to one that is malformed, which is `None`.
fn fields(body: &[u8], at: Range<usize>) -> impl Iterator<Item = Option<Part>> {
    let (mut next, end) = (at.start, at.end);
    std::iter::from_fn(move || {
        if next >= end {
            return None;
        }
        let field = field(body, next..end);
        next = field.as_ref().map_or(end, |field| field.whole.end);
        Some(field)
    })
}

fn field(body: &[u8], at: Range<usize>) -> Option<Part> {
    let mut rest = body.get(at.clone())?;
    let (number, field) = take_field(&mut rest).ok()?;
    let end = at.end - rest.len();
    let message = matches!(field, Field::Bytes(_)).then_some(number);
    Some(Part { message, whole: at.start..end, content: end - field.bytes().len()..end })
}

/// The size of a field with this content.
fn size(content: usize) -> usize {
    1 + varint_len(content as u64) + content
}

fn put_part(payload: &Payload, items: &[&Item]) -> Payload {
    let body = &payload.body[..];
    let scope_len = |items: &[&Item]| items.iter().map(|item| item.at.len()).sum::<usize>();
    let same_scope = |a: &&Item, b: &&Item| a.scope.start == b.scope.start;
    let mut out = Vec::new();
    let put = |out: &mut Vec<u8>, run: &Range<usize>| out.extend_from_slice(body.get(run.clone()).unwrap_or_default());
    for of_resource in items.chunk_by(|a, b| a.resource.start == b.resource.start) {
        let Some(resource) = of_resource.first().map(|item| &item.resource) else { continue };
        let scopes = of_resource.chunk_by(same_scope).filter_map(|items| Some((&items.first()?.scope, items)));
        let scopes: Vec<_> = scopes.map(|(scope, items)| (scope, items, scope.own_len() + scope_len(items))).collect();
        let content = resource.own_len() + scopes.iter().map(|(_, _, len)| size(*len)).sum::<usize>();
        out.reserve_exact(size(content));
        out.push(key(RESOURCES, LEN));
        put_varint(&mut out, content as u64);
        resource.own.iter().for_each(|run| put(&mut out, run));
        for (scope, items, len) in scopes {
            out.push(key(SCOPES, LEN));
            put_varint(&mut out, len as u64);
            scope.own.iter().for_each(|run| put(&mut out, run));
            items.iter().for_each(|item| put(&mut out, &item.at));
        }
    }
    Payload { body: Bytes::from(out), items: items.len() as u64, ..*payload }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;
    use crate::data::Signal;

    fn span() -> impl Strategy<Value = Span> {
        ("[a-z]{0,60}", any::<u32>()).prop_map(|(name, flags)| Span { name, flags, ..Span::default() })
    }

    fn scope_spans() -> impl Strategy<Value = ScopeSpans> {
        let scope = prop::option::of("[a-z]{0,20}");
        (scope, "[a-z]{0,9}", prop::collection::vec(span(), 0..8)).prop_map(|(scope, schema_url, spans)| ScopeSpans {
            scope: scope.map(|name| InstrumentationScope { name, ..Default::default() }),
            spans,
            schema_url,
        })
    }

    fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
        let resource = ("[a-z]{0,20}", any::<u32>(), prop::collection::vec(scope_spans(), 0..5));
        let resource = resource.prop_map(|(schema_url, dropped_attributes_count, scope_spans)| ResourceSpans {
            resource: Some(Resource { dropped_attributes_count, ..Resource::default() }),
            scope_spans,
            schema_url,
        });
        prop::collection::vec(resource, 0..4).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
    }

    type Placed = (Option<Resource>, String, Option<InstrumentationScope>, String, Span);

    /// Every span with all that it belongs to.
    fn flat(request: &ExportTraceServiceRequest) -> Vec<Placed> {
        let mut flat = Vec::new();
        for resource in &request.resource_spans {
            for scope in &resource.scope_spans {
                for span in &scope.spans {
                    let (r, s) = (resource.clone(), scope.clone());
                    flat.push((r.resource, r.schema_url, s.scope, s.schema_url, span.clone()));
                }
            }
        }
        flat
    }

    fn payload(body: Vec<u8>) -> Payload {
        Payload { signal: Signal::Traces, body: body.into(), gzip: false, items: 0 }
    }

    proptest! {
        #[test]
        fn otp1_t5_t6_the_parts_are_the_whole_and_each_keeps_to_the_limit(request in request(), limit in 20..600_usize) {
            let whole = flat(&request);
            let parts = split(&payload(request.encode_to_vec()), limit).unwrap();
            let mut together = Vec::new();
            for part in &parts {
                prop_assert!(part.body.len() <= limit, "{} > {limit}", part.body.len());
                let decoded = flat(&ExportTraceServiceRequest::decode(&part.body[..]).unwrap());
                prop_assert!(!decoded.is_empty(), "OTP19");
                prop_assert_eq!(decoded.len() as u64, part.items);
                together.extend(decoded);
            }
            let fit: Vec<_> = whole.into_iter().filter(|(resource, r, scope, s, span)| {
                let scope = ScopeSpans { scope: scope.clone(), spans: vec![span.clone()], schema_url: s.clone() };
                let resource =
                    ResourceSpans { resource: resource.clone(), scope_spans: vec![scope], schema_url: r.clone() };
                ExportTraceServiceRequest { resource_spans: vec![resource] }.encoded_len() <= limit
            }).collect();
            prop_assert_eq!(together, fit);
        }

        #[test]
        fn what_fits_stays_one_request(request in request()) {
            let parts = split(&payload(request.encode_to_vec()), 1 << 20).unwrap();
            prop_assert!(parts.len() <= 1);
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), limit in 0..100_usize) {
            if let Some(parts) = split(&payload(body), limit) {
                prop_assert!(parts.iter().all(|part| part.body.len() <= limit));
            }
        }
    }
}
