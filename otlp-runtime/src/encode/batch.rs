//! [`OpenBatch`]: spans on their way to one export request.

use bytes::Bytes;

use super::attribute::{Scratch, put_model_attribute};
use super::limits::{Shortfall, SpanLimits};
use super::payload::Payload;
use super::plain::Block;
use super::scope_spans::ScopeSpans;
use super::span::put_span;
use super::wire::{KEY_AND_LENGTH, LEN, key, put_bytes, put_long_message, put_message, put_varint, varint_len};
use crate::data::{Resource, Scope, Signal};
use crate::processor::RecordSource;
use crate::record::ahead;

// Fields of `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans`; its own are in `scope_spans.rs`.
const RESOURCE_SPANS: u32 = 1;
const RESOURCE: u32 = 1;
const SCHEMA_URL: u32 = 3;
const SPANS: u32 = 2;

/// Scopes that are remembered when the batch is closed; more is unusual.
const KEPT_SCOPES: usize = 256;

/// How many bytes ahead of a span the batch's memory is asked for: so many that it comes in time.
const AHEAD: usize = 512;

/// A span that is larger than a request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// Its encoded size.
    pub(crate) bytes: usize,
}

/// Encoded spans, by scope, until the batch is closed.
#[derive(Debug)]
pub(crate) struct OpenBatch {
    limits: SpanLimits,
    /// The encoded fields `resource` and `schema_url`.
    resource: Vec<u8>,
    scopes: Vec<ScopeSpans>,
    /// Where the last span went.
    last: usize,
    block: Block,
    scratch: Scratch,
    told_of_limits: bool,
    told_of_room: bool,
    items: u64,
    /// Of the encoded spans.
    bytes: usize,
    /// Of the heads of the scopes that have spans, and of lengths.
    overhead: usize,
}

/// The fields `resource` and `schema_url`.
fn encoded(resource: &Resource) -> Vec<u8> {
    let mut encoded = Vec::new();
    put_message(&mut encoded, RESOURCE, |out| {
        for (name, value) in resource.iter() {
            put_model_attribute(out, 1, name, value);
        }
    });
    if let Some(url) = resource.schema_url() {
        put_bytes(&mut encoded, SCHEMA_URL, url.as_bytes());
    }
    encoded
}

/// What the scopes that have spans take in a request.
fn scopes_len(scopes: &[ScopeSpans]) -> usize {
    let field = |len: usize| 1 + varint_len(len as u64) + len;
    scopes.iter().filter(|scope| !scope.is_empty()).map(|scope| field(scope.len())).sum()
}

impl OpenBatch {
    /// An empty batch of spans of `resource`.
    pub(crate) fn new(resource: &Resource, limits: SpanLimits) -> Self {
        Self {
            limits,
            resource: encoded(resource),
            scopes: Vec::new(),
            last: 0,
            block: Block::new(),
            scratch: Scratch::default(),
            told_of_limits: false,
            told_of_room: false,
            items: 0,
            bytes: 0,
            overhead: 0,
        }
    }

    /// Says anew whose spans they are, those that are there included.
    pub(crate) fn describe(&mut self, resource: &Resource) {
        self.resource = encoded(resource);
    }

    /// Takes other limits, from the next span on.
    pub(crate) fn limit(&mut self, limits: SpanLimits) {
        self.limits = limits;
    }

    /// Encodes a span into the batch; `clock` turns raw readings into Unix nanoseconds. Returns the bytes that it took.
    ///
    /// # Errors
    /// The span is larger than the limit; the batch is as it was.
    #[inline]
    pub(crate) fn push(&mut self, source: &impl RecordSource, clock: impl Fn(u64) -> u64) -> Result<usize, TooLarge> {
        let index = self.scope_index(source.scope());
        let (limits, scratch) = (&self.limits, &mut self.scratch);
        let Some(scope) = self.scopes.get_mut(index) else { return Err(TooLarge { bytes: 0 }) };
        let is_first = scope.is_empty();
        let spans = scope.writable(self.resource.len() + KEY_AND_LENGTH);
        let before = spans.len();
        match self.block.span(SPANS, source, &clock, limits) {
            Some(plain) => spans.extend_from_slice(plain),
            None => put_long_message(spans, SPANS, |out| put_span(out, source, &clock, limits, scratch)),
        }
        let bytes = spans.len() - before;
        // A large span says nothing about the next.
        ahead::will_write(spans.as_ptr().wrapping_add(spans.len() + AHEAD), bytes.min(AHEAD));
        if bytes > limits.bytes {
            let kept = scope.spans().len() - bytes;
            scope.cut(kept);
            return Err(TooLarge { bytes });
        }
        if is_first {
            self.overhead += scope.head().len() + KEY_AND_LENGTH;
        }
        self.items += 1;
        self.bytes += bytes;
        Ok(bytes)
    }

    /// Why a span lacks something, of what was not told before; each is told once.
    #[inline]
    pub(crate) fn shortfall(&mut self) -> Option<Shortfall> {
        if self.scratch.limited && !std::mem::replace(&mut self.told_of_limits, true) {
            return Some(Shortfall::Limit);
        }
        (self.scratch.lost && !std::mem::replace(&mut self.told_of_room, true)).then_some(Shortfall::Room)
    }

    /// Takes back whatever an interrupted [`OpenBatch::push`] may have left.
    pub(crate) fn repair(&mut self) {
        let counted = self.bytes;
        let held: usize = self.scopes.iter().map(|scope| scope.spans().len()).sum();
        if let Some(scope) = self.scopes.get_mut(self.last) {
            scope.cut(scope.spans().len().saturating_sub(held.saturating_sub(counted)));
        }
    }

    #[inline(always)]
    fn scope_index(&mut self, scope: Scope) -> usize {
        if self.scopes.get(self.last).is_none_or(|last| !last.is_of(&scope)) {
            self.last = self.find_scope(scope);
        }
        self.last
    }

    #[inline(never)]
    fn find_scope(&mut self, scope: Scope) -> usize {
        self.scopes.iter().position(|known| known.is_of(&scope)).unwrap_or_else(|| {
            self.scopes.push(ScopeSpans::new(scope));
            self.scopes.len() - 1
        })
    }

    /// The size of the request if it were closed now, or some bytes more.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.overhead + self.resource.len() + KEY_AND_LENGTH
    }

    /// Bytes of memory that it holds.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.scopes.iter().map(ScopeSpans::memory).sum()
    }

    /// How many spans it holds.
    #[cfg(test)]
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Closes the batch: one `ExportTraceServiceRequest`. It is empty afterwards. `None`: it was empty.
    pub(crate) fn close(&mut self) -> Option<Payload> {
        if self.items == 0 {
            return None;
        }
        let content = self.resource.len() + scopes_len(&self.scopes);
        let mut before = Vec::with_capacity(KEY_AND_LENGTH + self.resource.len());
        before.push(key(RESOURCE_SPANS, LEN));
        put_varint(&mut before, content as u64);
        let size = before.len() + content;
        before.extend_from_slice(&self.resource);
        let largest = self.scopes.iter_mut().rev().max_by_key(|scope| scope.spans().len())?;
        let (mut body, start) = largest.take_behind(before);
        // The largest is empty now; these are the others.
        body.reserve_exact(scopes_len(&self.scopes));
        for scope in self.scopes.iter().filter(|scope| !scope.is_empty()) {
            scope.put(&mut body);
        }
        // It may wait long, and what is counted is its size.
        if body.capacity() - body.len() > size / 8 {
            body.shrink_to_fit();
        }
        let body = Bytes::from(body).slice(start..);
        let payload = Payload { signal: Signal::Traces, body, gzip: false, items: self.items };
        self.clear();
        Some(payload)
    }

    /// Forgets its spans.
    pub(crate) fn clear(&mut self) {
        (self.items, self.bytes, self.overhead, self.last) = (0, 0, 0, 0);
        self.scopes.truncate(KEPT_SCOPES);
        self.scopes.iter_mut().for_each(ScopeSpans::clear);
    }
}
