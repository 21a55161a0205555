//! Attributes: `KeyValue` and `AnyValue` of opentelemetry/proto/common/v1.

use std::collections::BTreeMap;

use super::limits::Room;
use super::wire::{VARINT, key, put_bytes, put_fixed64, put_message, put_number, put_varint};
use crate::data::AttributeValue;
use crate::record::layout::{Entries, Entry, RawValue};

/// Fields of `AnyValue`.
pub(super) const STRING: u32 = 1;
pub(super) const BOOL: u32 = 2;
pub(super) const INT: u32 = 3;
pub(super) const DOUBLE: u32 = 4;
const ARRAY: u32 = 5;
const MAP: u32 = 6;
const BYTES: u32 = 7;

/// One attribute, as field `field` of its owner.
fn put_attribute(out: &mut Vec<u8>, field: u32, name: &str, value: &RawValue<'_>, room: Room) {
    put_message(out, field, |out| {
        put_bytes(out, 1, name.as_bytes());
        put_message(out, 2, |out| put_value(out, value, room));
    });
}

/// The content of an `AnyValue`; nothing for an empty one.
fn put_value(out: &mut Vec<u8>, value: &RawValue<'_>, room: Room) {
    match value {
        RawValue::Null => {}
        RawValue::I64(number) => put_int(out, *number),
        RawValue::F64(number) => put_fixed64(out, DOUBLE, number.to_bits()),
        RawValue::Bool(flag) => out.extend_from_slice(&[key(BOOL, VARINT), u8::from(*flag)]),
        RawValue::Str(text) => put_bytes(out, STRING, room.text(text).as_bytes()),
        RawValue::Bytes(bytes) => put_bytes(out, BYTES, room.bytes(bytes)),
        RawValue::Array(values) => put_array(out, values.clone(), room, |out, value, room| {
            put_value(out, &value, room);
        }),
        RawValue::Model(value) => put_model(out, value, room),
    }
}

/// `AnyValue`, `ArrayValue` and again `AnyValue`.
fn put_array<V>(out: &mut Vec<u8>, values: impl Iterator<Item = V>, room: Room, put: impl Fn(&mut Vec<u8>, V, Room)) {
    if let Some(room) = room.within(2) {
        put_message(out, ARRAY, |out| {
            values.for_each(|value| put_message(out, 1, |out| put(out, value, room)));
        });
    }
}

fn put_int(out: &mut Vec<u8>, number: i64) {
    out.push(key(INT, VARINT));
    put_varint(out, number.cast_unsigned());
}

/// An attribute of structured data, which has no limits.
pub(super) fn put_model_attribute(out: &mut Vec<u8>, field: u32, name: &str, value: &AttributeValue) {
    put_attribute(out, field, name, &RawValue::Model(value), Room::ENDLESS);
}

/// The content of an `AnyValue` that holds `value`.
fn put_model(out: &mut Vec<u8>, value: &AttributeValue, room: Room) {
    match value {
        AttributeValue::Empty => {}
        AttributeValue::String(text) => put_bytes(out, STRING, room.text(text).as_bytes()),
        AttributeValue::Bool(flag) => out.extend_from_slice(&[key(BOOL, VARINT), u8::from(*flag)]),
        AttributeValue::I64(number) => put_int(out, *number),
        AttributeValue::F64(number) => put_fixed64(out, DOUBLE, number.to_bits()),
        AttributeValue::Bytes(bytes) => put_bytes(out, BYTES, room.bytes(bytes)),
        AttributeValue::Array(values) => put_array(out, values.iter(), room, put_model),
        AttributeValue::Map(pairs) => {
            let Some(room) = room.within(3) else { return };
            put_message(out, MAP, |out| {
                // Keys are unique (ATT3): of several, the last counts.
                for (i, (name, value)) in pairs.iter().enumerate() {
                    if !name.is_empty() && !pairs.iter().skip(i + 1).any(|(later, _)| later == name) {
                        put_attribute(out, 1, name, &RawValue::Model(value), room);
                    }
                }
            });
        }
    }
}

/// The memory of a [`Unique`], from one span to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    kept: Vec<(&'static str, RawValue<'static>)>,
    /// Something was left out because of a limit.
    pub(super) limited: bool,
    /// Something found no room while it was recorded.
    pub(super) lost: bool,
}

/// From how many attributes on their keys are looked up, not searched for: limits go up to 10,000.
const FEW: usize = 64;

/// Attributes with unique keys, of which the last value counts and the first keeps the place.
#[derive(Debug)]
pub(super) struct Unique<'a> {
    kept: Vec<(&'a str, RawValue<'a>)>,
    /// Where each key stands, once there are more than a few.
    places: BTreeMap<&'a str, usize>,
    limit: usize,
    room: Room,
    limited: bool,
    pub(super) dropped: u32,
}

impl<'a> Unique<'a> {
    pub(super) fn new(scratch: &mut Scratch, limit: usize, room: Room) -> Self {
        let kept = std::mem::take(&mut scratch.kept);
        Self { kept, places: BTreeMap::new(), limit, room, limited: false, dropped: 0 }
    }

    /// Gives the memory back.
    pub(super) fn done(mut self, scratch: &mut Scratch) {
        scratch.limited |= self.limited;
        self.kept.clear();
        // An empty vector of another lifetime; collecting in place keeps the block.
        scratch.kept = self.kept.into_iter().map_while(|_| None).collect();
    }

    /// Takes an attribute; an empty key (ATT1), and a new one beyond the limit, are counted as dropped.
    pub(super) fn set(&mut self, name: &'a str, value: RawValue<'a>) {
        if name.is_empty() {
            self.dropped += 1;
        } else if let Some(old) = self.find(name) {
            *old = value;
        } else if self.kept.len() < self.limit {
            if self.kept.len() == FEW {
                self.places = self.kept.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
            }
            if self.kept.len() >= FEW {
                self.places.insert(name, self.kept.len());
            }
            self.kept.push((name, value));
        } else {
            self.limited = true;
            self.dropped += 1;
        }
    }

    fn find(&mut self, name: &str) -> Option<&mut RawValue<'a>> {
        let place = if self.kept.len() > FEW {
            *self.places.get(name)?
        } else {
            self.kept.iter().position(|(kept, _)| *kept == name)?
        };
        self.kept.get_mut(place).map(|(_, value)| value)
    }

    /// Writes an event's or link's attributes as field `field`, and the number of the dropped ones as the next.
    pub(super) fn put_all(mut self, out: &mut Vec<u8>, field: u32, entries: Entries<'a>, scratch: &mut Scratch) {
        for entry in entries {
            if let Entry::Attribute(name, value) = entry {
                self.set(name, value);
            }
        }
        self.put(out, field);
        put_number(out, field + 1, self.dropped.into());
        self.done(scratch);
    }

    pub(super) fn put(&self, out: &mut Vec<u8>, field: u32) {
        for (name, value) in &self.kept {
            put_attribute(out, field, name, value, self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The last value counts and the first place (ATT3), and the limit holds (LIM1), however many there are.
    #[test]
    fn keys_are_unique_in_any_number() {
        let names: Vec<String> = (0..1000).map(|i| format!("key.{}", i % 150)).collect();
        for limit in [FEW - 1, FEW, FEW + 1, 140, 10_000] {
            let mut unique = Unique::new(&mut Scratch::default(), limit, Room::ENDLESS);
            for (i, name) in (0..).zip(&names) {
                unique.set(name, RawValue::I64(i));
            }
            let expected: Vec<(String, i64)> = (0..limit.min(150))
                .map(|key| (format!("key.{key}"), (0..1000).rfind(|i| i % 150 == key as i64).unwrap()))
                .collect();
            let kept: Vec<(String, i64)> = unique
                .kept
                .iter()
                .map(|(name, value)| match value {
                    RawValue::I64(number) => ((*name).to_owned(), *number),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(kept, expected, "limit {limit}");
            let over = names.iter().filter(|name| !expected.iter().any(|(kept, _)| kept == *name)).count();
            assert_eq!((unique.dropped as usize, unique.limited), (over, over > 0));
        }
    }

    #[test]
    fn the_memory_is_used_again() {
        let mut scratch = Scratch::default();
        let key = String::from("key");
        let mut unique = Unique::new(&mut scratch, 128, Room::ENDLESS);
        unique.set(&key, RawValue::Null);
        let block = unique.kept.as_ptr() as usize;
        unique.done(&mut scratch);
        assert_eq!((scratch.kept.as_ptr() as usize, scratch.kept.len()), (block, 0));
        assert!(scratch.kept.capacity() > 0);
    }
}
