//! [`OpenBatch`]: spans on their way to one export request.

use bytes::Bytes;

use super::attribute::{Scratch, put_model_attribute};
use super::limits::{Shortfall, SpanLimits};
use super::payload::Payload;
use super::plain::Block;
use super::span::put_span;
use super::wire::{LEN, key, put_bytes, put_long_message, put_message, put_varint, varint_len};
use crate::data::{Resource, Scope, Signal};
use crate::processor::RecordSource;

// Fields of `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans`.
const RESOURCE_SPANS: u32 = 1;
const RESOURCE: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SCHEMA_URL: u32 = 3;
const SCOPE: u32 = 1;
const SPANS: u32 = 2;

/// Bytes that a scope starts with.
const FIRST_BLOCK: usize = 4 << 10;
/// From this size on blocks grow by a quarter and not by doubling.
const LARGE_BLOCK: usize = 256 << 10;
/// A block with less room than this grows before the next span.
const LEAST_ROOM: usize = 512;
/// Scopes that are remembered when the batch is closed; more is unusual.
const KEPT_SCOPES: usize = 256;

/// A span that is larger than a request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// Its encoded size.
    pub(crate) bytes: usize,
}

/// The spans of one scope.
#[derive(Debug)]
struct ScopeSpans {
    scope: Scope,
    /// The encoded `scope` field.
    head: Vec<u8>,
    /// Encoded `spans` fields.
    spans: Vec<u8>,
}

impl ScopeSpans {
    fn new(scope: Scope) -> Self {
        let mut head = Vec::new();
        put_message(&mut head, SCOPE, |out| {
            for (field, text) in [(1, scope.name), (2, scope.version)] {
                if !text.is_empty() {
                    put_bytes(out, field, text.as_bytes());
                }
            }
        });
        Self { scope, head, spans: Vec::new() }
    }

    /// Its content as a message.
    fn len(&self) -> usize {
        self.head.len() + self.spans.len()
    }

    #[inline(always)]
    fn is_of(&self, scope: &Scope) -> bool {
        // Most often they are the same literals, but each codegen unit may have its own.
        let same = |a: &str, b: &str| std::ptr::eq(a, b) || a == b;
        same(self.scope.name, scope.name) && same(self.scope.version, scope.version)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let capacity = self.spans.capacity();
        let more = if capacity < LARGE_BLOCK { capacity.max(FIRST_BLOCK) } else { capacity / 4 };
        self.spans.reserve_exact(self.spans.capacity() - self.spans.len() + more);
    }

    /// Empties it for the next batch, for which it keeps about as much memory as this one took.
    fn clear(&mut self) {
        let used = self.spans.len();
        self.spans.clear();
        match (used * 2).max(FIRST_BLOCK) {
            _ if used == 0 => self.spans = Vec::new(),
            fit if self.spans.capacity() > 2 * fit => self.spans.shrink_to(fit),
            _ => {}
        }
    }
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

/// A key and the longest length that the close of a batch puts before a message.
const KEY_AND_LENGTH: usize = 6;

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
        let before = scope.spans.len();
        if scope.spans.capacity() - before < LEAST_ROOM {
            scope.grow();
        }
        match self.block.span(SPANS, source, &clock, limits) {
            Some(plain) => scope.spans.extend_from_slice(plain),
            None => put_long_message(&mut scope.spans, SPANS, |out| put_span(out, source, &clock, limits, scratch)),
        }
        let bytes = scope.spans.len() - before;
        if bytes > limits.bytes {
            scope.spans.truncate(before);
            scope.spans.shrink_to(before + before / 4 + FIRST_BLOCK);
            return Err(TooLarge { bytes });
        }
        if before == 0 {
            self.overhead += scope.head.len() + KEY_AND_LENGTH;
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
        let held: usize = self.scopes.iter().map(|scope| scope.spans.len()).sum();
        if let Some(scope) = self.scopes.get_mut(self.last) {
            scope.spans.truncate(scope.spans.len().saturating_sub(held.saturating_sub(counted)));
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
        self.scopes.iter().map(|scope| scope.spans.capacity() + scope.head.capacity()).sum()
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
        let full = |scope: &&ScopeSpans| !scope.spans.is_empty();
        let field = |len: usize| 1 + varint_len(len as u64) + len;
        let content =
            self.resource.len() + self.scopes.iter().filter(full).map(|scope| field(scope.len())).sum::<usize>();
        let mut body = Vec::with_capacity(field(content));
        body.push(key(RESOURCE_SPANS, LEN));
        put_varint(&mut body, content as u64);
        body.extend_from_slice(&self.resource);
        for scope in self.scopes.iter().filter(full) {
            body.push(key(SCOPE_SPANS, LEN));
            put_varint(&mut body, scope.len() as u64);
            body.extend_from_slice(&scope.head);
            body.extend_from_slice(&scope.spans);
        }
        let payload = Payload { signal: Signal::Traces, body: Bytes::from(body), gzip: false, items: self.items };
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
