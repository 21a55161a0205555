//! Attributes: `KeyValue` and `AnyValue` of opentelemetry/proto/common/v1.

use super::limits::MAX_DEPTH;
use super::wire::{FIXED64, LEN, VARINT, key, put_bytes, put_fixed64, put_message, put_varint, varint_len};
use crate::data::AttributeValue;
use crate::record::layout::{Entries, Entry, RawValue};

/// Fields of `AnyValue`.
const STRING: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const ARRAY: u32 = 5;
const MAP: u32 = 6;
const BYTES: u32 = 7;

/// One attribute, as field `field` of its owner.
#[inline]
pub(super) fn put_attribute(out: &mut Vec<u8>, field: u32, name: &str, value: &RawValue<'_>) {
    // Numbers have a known length: nothing needs to be moved.
    match *value {
        RawValue::I64(number) => {
            let number = number.cast_unsigned();
            let len = 1 + varint_len(number);
            put_head(out, field, name, len);
            out.push(key(INT, VARINT));
            put_varint(out, number);
        }
        RawValue::Str(text) => {
            let len = 1 + varint_len(text.len() as u64) + text.len();
            put_head(out, field, name, len);
            put_bytes(out, STRING, text.as_bytes());
        }
        RawValue::F64(number) => {
            put_head(out, field, name, 9);
            put_fixed64(out, DOUBLE, number.to_bits());
        }
        RawValue::Bool(flag) => {
            put_head(out, field, name, 2);
            out.extend_from_slice(&[key(BOOL, VARINT), flag.into()]);
        }
        _ => put_message(out, field, |out| {
            put_bytes(out, 1, name.as_bytes());
            put_message(out, 2, |out| put_value(out, value, 1));
        }),
    }
}

/// Everything of a `KeyValue` up to the content of its value, which has `value_len` bytes.
#[inline(always)]
fn put_head(out: &mut Vec<u8>, field: u32, name: &str, value_len: usize) {
    let len = 1 + varint_len(name.len() as u64) + name.len() + 1 + varint_len(value_len as u64) + value_len;
    out.push(key(field, LEN));
    put_varint(out, len as u64);
    put_bytes(out, 1, name.as_bytes());
    out.push(key(2, LEN));
    put_varint(out, value_len as u64);
}

/// The content of an `AnyValue`; nothing for an empty one.
fn put_value(out: &mut Vec<u8>, value: &RawValue<'_>, depth: usize) {
    match value {
        RawValue::Null => {}
        RawValue::I64(number) => put_int(out, *number),
        RawValue::F64(number) => put_fixed64(out, DOUBLE, number.to_bits()),
        RawValue::Bool(flag) => out.extend_from_slice(&[key(BOOL, VARINT), u8::from(*flag)]),
        RawValue::Str(text) => put_bytes(out, STRING, text.as_bytes()),
        RawValue::Bytes(bytes) => put_bytes(out, BYTES, bytes),
        RawValue::Array(_) if depth > MAX_DEPTH => {}
        RawValue::Array(values) => put_message(out, ARRAY, |out| {
            for value in values.clone() {
                put_message(out, 1, |out| put_value(out, &value, depth + 1));
            }
        }),
        RawValue::Model(value) => put_model(out, value, depth),
    }
}

fn put_int(out: &mut Vec<u8>, number: i64) {
    out.push(key(INT, VARINT));
    put_varint(out, number.cast_unsigned());
}

/// The content of an `AnyValue` that holds `value`.
pub(super) fn put_model(out: &mut Vec<u8>, value: &AttributeValue, depth: usize) {
    match value {
        AttributeValue::String(text) => put_bytes(out, STRING, text.as_bytes()),
        AttributeValue::Bool(flag) => out.extend_from_slice(&[key(BOOL, VARINT), u8::from(*flag)]),
        AttributeValue::I64(number) => put_int(out, *number),
        AttributeValue::F64(number) => put_fixed64(out, DOUBLE, number.to_bits()),
        AttributeValue::Bytes(bytes) => put_bytes(out, BYTES, bytes),
        AttributeValue::Array(_) | AttributeValue::Map(_) if depth > MAX_DEPTH => {}
        AttributeValue::Array(values) => put_message(out, ARRAY, |out| {
            for value in values {
                put_message(out, 1, |out| put_model(out, value, depth + 1));
            }
        }),
        AttributeValue::Map(pairs) => put_message(out, MAP, |out| {
            // Keys are unique (ATT3): of several, the last counts.
            for (i, (name, value)) in pairs.iter().enumerate() {
                if !name.is_empty() && !pairs.iter().skip(i + 1).any(|(later, _)| later == name) {
                    put_message(out, 1, |out| {
                        put_bytes(out, 1, name.as_bytes());
                        put_message(out, 2, |out| put_model(out, value, depth + 1));
                    });
                }
            }
        }),
    }
}

/// Attributes with unique keys, of which the last value counts and the first keeps the place.
#[derive(Debug)]
pub(super) struct Unique<'a> {
    kept: Vec<(&'a str, RawValue<'a>)>,
    limit: usize,
    pub(super) dropped: u32,
}

impl<'a> Unique<'a> {
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), limit, dropped: 0 }
    }

    /// Takes an attribute; an empty key (ATT1), and a new one beyond the limit, are counted as dropped.
    pub(super) fn set(&mut self, name: &'a str, value: RawValue<'a>) {
        if name.is_empty() {
            self.dropped += 1;
        } else if let Some((_, old)) = self.kept.iter_mut().find(|(kept, _)| *kept == name) {
            *old = value;
        } else if self.kept.len() < self.limit {
            self.kept.push((name, value));
        } else {
            self.dropped += 1;
        }
    }

    /// The attributes of an event or link.
    pub(super) fn of(entries: Entries<'a>, limit: usize) -> Self {
        let mut unique = Self::new(limit);
        for entry in entries {
            if let Entry::Attribute(name, value) = entry {
                unique.set(name, value);
            }
        }
        unique
    }

    pub(super) fn put(&self, out: &mut Vec<u8>, field: u32) {
        for (name, value) in &self.kept {
            put_attribute(out, field, name, value);
        }
    }
}
