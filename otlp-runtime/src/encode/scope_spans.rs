//! [`ScopeSpans`]: the encoded spans of one scope.

use super::wire::{KEY_AND_LENGTH, LEN, key, put_bytes, put_message, put_varint};
use crate::data::Scope;

// Fields of `ResourceSpans` and `ScopeSpans`.
const SCOPE_SPANS: u32 = 2;
const SCOPE: u32 = 1;

/// Bytes that a scope starts with.
const FIRST_BLOCK: usize = 4 << 10;
/// From this size on blocks grow by a quarter and not by doubling.
const LARGE_BLOCK: usize = 256 << 10;
/// A block with less room than this grows before the next span.
const LEAST_ROOM: usize = 512;

/// The spans of one scope, and before them some room for what a request starts with: so the largest block becomes the
/// request as it is.
#[derive(Debug)]
pub(super) struct ScopeSpans {
    scope: Scope,
    /// The encoded `scope` field.
    head: Vec<u8>,
    /// The room, and then `spans` fields; empty before the first span.
    block: Vec<u8>,
    room: usize,
    /// Bytes of spans in the last batch that had any.
    usual: usize,
}

impl ScopeSpans {
    pub(super) fn new(scope: Scope) -> Self {
        let mut head = Vec::new();
        put_message(&mut head, SCOPE, |out| {
            for (field, text) in [(1, scope.name), (2, scope.version)] {
                if !text.is_empty() {
                    put_bytes(out, field, text.as_bytes());
                }
            }
        });
        Self { scope, head, block: Vec::new(), room: 0, usual: 0 }
    }

    #[inline(always)]
    pub(super) fn is_of(&self, scope: &Scope) -> bool {
        // Most often they are the same literals, but each codegen unit may have its own.
        let same = |a: &str, b: &str| std::ptr::eq(a, b) || a == b;
        same(self.scope.name, scope.name) && same(self.scope.version, scope.version)
    }

    /// The encoded spans.
    pub(super) fn spans(&self) -> &[u8] {
        self.block.get(self.room..).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.block.len() <= self.room
    }

    /// The `scope` field.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Its content as a message.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.spans().len()
    }

    /// Memory that it holds.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.block.capacity() + self.head.capacity()
    }

    /// Where the next span is to be written; `before` is what a request has before its first scope.
    #[inline(always)]
    pub(super) fn writable(&mut self, before: usize) -> &mut Vec<u8> {
        if self.block.capacity() - self.block.len() < LEAST_ROOM || self.block.is_empty() {
            self.grow(before);
        }
        &mut self.block
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, before: usize) {
        if self.block.is_empty() {
            self.room = before + KEY_AND_LENGTH + self.head.len();
            // A little more than last time, so that a steady load does not make it grow at the end of each batch.
            let usual = self.usual + self.usual / 16 + LEAST_ROOM;
            self.block.reserve_exact(self.room + usual.max(FIRST_BLOCK));
            self.block.resize(self.room, 0);
        } else {
            let capacity = self.block.capacity();
            let more = if capacity < LARGE_BLOCK { capacity.max(FIRST_BLOCK) } else { capacity / 4 };
            self.block.reserve_exact(capacity - self.block.len() + more);
        }
    }

    /// Takes back spans down to `len` bytes, and the memory of one that was too large.
    #[cold]
    pub(super) fn cut(&mut self, len: usize) {
        self.block.truncate(self.room + len);
        self.block.shrink_to(self.block.len() + self.block.len() / 4 + FIRST_BLOCK);
    }

    /// Puts it as a field of its owner.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        self.put_head(out);
        out.extend_from_slice(self.spans());
    }

    /// The same up to its spans.
    fn put_head(&self, out: &mut Vec<u8>) {
        out.push(key(SCOPE_SPANS, LEN));
        put_varint(out, self.len() as u64);
        out.extend_from_slice(&self.head);
    }

    /// Gives its spans away, behind what a request has in `before` and this scope's head: the bytes, and where they begin.
    pub(super) fn take_behind(&mut self, mut before: Vec<u8>) -> (Vec<u8>, usize) {
        self.put_head(&mut before);
        self.usual = self.spans().len();
        let mut block = std::mem::take(&mut self.block);
        let start = self.room.checked_sub(before.len());
        if let Some((start, place)) = start.and_then(|start| Some((start, block.get_mut(start..self.room)?))) {
            place.copy_from_slice(&before);
            return (block, start);
        }
        // The resource was described anew.
        before.extend_from_slice(block.get(self.room..).unwrap_or_default());
        (before, 0)
    }

    /// Empties it for the next batch, for which it keeps about as much memory as this one took.
    pub(super) fn clear(&mut self) {
        if self.is_empty() {
            self.block = Vec::new();
            return;
        }
        self.usual = self.spans().len();
        self.block.clear();
        let fit = self.room + (self.usual * 2).max(FIRST_BLOCK);
        if self.block.capacity() > 2 * fit {
            self.block.shrink_to(fit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(spans: &[u8]) -> ScopeSpans {
        let mut scope = ScopeSpans::new(Scope { name: "shop", version: "1" });
        scope.writable(10).extend_from_slice(spans);
        scope
    }

    #[test]
    fn a_block_is_given_away_as_it_is_if_what_goes_before_it_fits() {
        for (before, same) in [(0, true), (10, true), (14, true), (15, false), (100, false)] {
            let mut scope = written(b"spans");
            let place = scope.block.as_ptr();
            let (block, start) = scope.take_behind(vec![7; before]);
            assert_eq!(block.as_ptr() == place, same, "{before}");
            let (head, spans) = block[start..].split_at(before);
            assert!(head.iter().all(|byte| *byte == 7));
            let mut whole = Vec::new();
            written(b"spans").put(&mut whole);
            assert_eq!(spans, whole);
        }
    }

    #[test]
    fn the_next_block_is_as_large_as_the_last_one_was() {
        let mut scope = written(&[1; 100_000]);
        drop(scope.take_behind(Vec::new()));
        scope.clear();
        assert_eq!(scope.memory() - scope.head.capacity(), 0);
        assert!((100_000..110_000).contains(&scope.writable(0).capacity()));
    }
}
