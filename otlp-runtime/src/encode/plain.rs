//! What most spans are: a name, two times, and a few attributes of which none was set twice. Nothing of it is lost.
//!
//! Such a span is written to a block of a fixed size, of which only the end has to be watched, and copied into its batch as a
//! whole, when its length is known. What is not so simple, or does not fit, goes the long way (`span.rs`).

use super::attribute::{BOOL, DOUBLE, INT, STRING};
use super::limits::SpanLimits;
use super::span::{ATTRIBUTES, NAME, flags, ids, times};
use super::wire::{FIXED64, LEN, VARINT, key, long_varint, short_varint, varint, varint_len};
use crate::processor::RecordSource;
use crate::record::layout::{RawValue, Visitor};
use crate::record::lost::Lost;

/// A span that takes more is not plain: it is hardly the encoding of its head that costs then.
const SIZE: usize = 4 << 10;
/// The key and the length of a span in its batch.
const PREFIX: usize = 3;

/// Where plain spans are written.
#[derive(Debug)]
pub(super) struct Block(Box<[u8; PREFIX + SIZE]>);

impl Block {
    pub(super) fn new() -> Self {
        Self(Box::new([0; PREFIX + SIZE]))
    }

    /// The span as field `field` of its owner; `None`: it is not plain.
    #[inline(always)]
    pub(super) fn span(
        &mut self,
        field: u32,
        source: &impl RecordSource,
        clock: &impl Fn(u64) -> u64,
        limits: &SpanLimits,
    ) -> Option<&[u8]> {
        let (prefix, content) = self.0.split_first_chunk_mut::<PREFIX>()?;
        let room = content.len();
        let mut pen = Pen { rest: content };
        pen.span(source, clock, limits)?;
        let len = room - pen.rest.len();
        let start = if len < 0x80 {
            *prefix = [0, key(field, LEN), len as u8];
            1
        } else {
            *prefix = [key(field, LEN), len as u8 | 0x80, (len >> 7) as u8];
            0
        };
        self.0.get(start..PREFIX + len)
    }
}

/// Writes to what is left of a block; `None`: it does not fit.
struct Pen<'b> {
    rest: &'b mut [u8],
}

impl Pen<'_> {
    #[inline(always)]
    fn span(&mut self, source: &impl RecordSource, clock: &impl Fn(u64) -> u64, limits: &SpanLimits) -> Option<()> {
        let name = source.name();
        if !source.is_plain() || source.panicked() || source.lost() != Lost::NONE || name.is_empty() {
            return None;
        }
        let start = source.start().unix_nanos(clock);
        let end = source.end().unix_nanos(clock).max(start);
        let (ids, len) = ids(source);
        self.start(ids, len)?;
        self.text(NAME, name)?;
        self.array(times(source.kind(), start, end))?;
        source.visit(&mut Attributes { pen: self, limits, left: limits.attributes })?;
        self.array(flags(source))
    }

    #[inline(always)]
    fn attribute(&mut self, name: &str, value: &RawValue<'_>, limits: &SpanLimits) -> Option<()> {
        if name.is_empty() {
            return None;
        }
        match *value {
            RawValue::I64(number) => {
                let number = number.cast_unsigned();
                let len = varint_len(number);
                self.head(name, 1 + len, [key(INT, VARINT)])?;
                match short_varint(number) {
                    Some((word, len)) => self.start(word.to_le_bytes(), len),
                    None => self.start(long_varint(number), len),
                }
            }
            RawValue::Str(text) if text.len() <= limits.length => {
                if text.len() < 0x80 {
                    self.head(name, 2 + text.len(), [key(STRING, LEN), text.len() as u8])?;
                    return self.bytes(text.as_bytes());
                }
                self.head(name, 1 + varint_len(text.len() as u64) + text.len(), [])?;
                self.text(STRING, text)
            }
            RawValue::F64(number) => {
                self.head(name, 9, [key(DOUBLE, FIXED64)])?;
                self.array(number.to_le_bytes())
            }
            RawValue::Bool(flag) => self.head(name, 2, [key(BOOL, VARINT), flag.into()]),
            _ => None,
        }
    }

    /// Everything of a `KeyValue` up to the content of its value, which has `value_len` bytes and begins with `first`.
    #[inline(always)]
    fn head<const N: usize>(&mut self, name: &str, value_len: usize, first: [u8; N]) -> Option<()> {
        let len = 4 + name.len() + value_len;
        if len < 0x80 {
            // All lengths take one byte.
            self.array([key(ATTRIBUTES, LEN), len as u8, key(1, LEN), name.len() as u8])?;
            self.bytes(name.as_bytes())?;
            const { assert!(N <= 2) };
            // At once: what `first` is too short for is overwritten.
            let first = |i: usize| first.get(i).copied().unwrap_or_default();
            return self.start([key(2, LEN), value_len as u8, first(0), first(1)], 2 + N);
        }
        let lengths = varint_len(name.len() as u64) + varint_len(value_len as u64);
        self.length(ATTRIBUTES, 2 + lengths + name.len() + value_len)?;
        self.text(1, name)?;
        self.length(2, value_len)?;
        self.array(first)
    }

    #[inline(always)]
    fn text(&mut self, field: u32, text: &str) -> Option<()> {
        self.length(field, text.len())?;
        self.bytes(text.as_bytes())
    }

    #[inline(always)]
    fn length(&mut self, field: u32, len: usize) -> Option<()> {
        if len < 0x80 {
            return self.array([key(field, LEN), len as u8]);
        }
        self.array([key(field, LEN)])?;
        let (bytes, length) = varint(len as u64);
        self.start(bytes, length)
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) -> Option<()> {
        let (place, rest) = std::mem::take(&mut self.rest).split_first_chunk_mut()?;
        *place = bytes;
        self.rest = rest;
        Some(())
    }

    /// The first `len` of `bytes`.
    #[inline(always)]
    fn start<const N: usize>(&mut self, bytes: [u8; N], len: usize) -> Option<()> {
        *self.rest.first_chunk_mut()? = bytes;
        self.rest = std::mem::take(&mut self.rest).get_mut(len..)?;
        Some(())
    }

    #[inline(always)]
    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let (place, rest) = std::mem::take(&mut self.rest).split_at_mut_checked(bytes.len())?;
        copy(place, bytes);
        self.rest = rest;
        Some(())
    }
}

/// Writes a span's attributes, until there are more than may be.
struct Attributes<'p, 'b> {
    pen: &'p mut Pen<'b>,
    limits: &'p SpanLimits,
    left: usize,
}

impl Visitor for Attributes<'_, '_> {
    #[inline(always)]
    fn attribute(&mut self, name: &str, value: &RawValue<'_>) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        self.pen.attribute(name, value, self.limits)
    }
}

/// Copies `from` to `to`, which is as long; a short one without a call, as two pieces that overlap.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        16..=32 => ends::<16>(to, from),
        8..16 => ends::<8>(to, from),
        4..8 => ends::<4>(to, from),
        0..4 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last `N` bytes, of as many at least.
#[inline(always)]
fn ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(place), Some(first)) = (to.first_chunk_mut::<N>(), from.first_chunk()) {
        *place = *first;
    }
    if let (Some(place), Some(last)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
        *place = *last;
    }
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
