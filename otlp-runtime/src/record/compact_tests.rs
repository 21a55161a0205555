use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::record::layout::entry_word;

#[derive(Clone, Debug)]
enum Op {
    /// By its number, by a written key; with as many bytes.
    Indexed(u16, u8),
    Written(String, u8),
    Event(String),
    Status(u16),
    Name(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0..4_u16, 0..20_u8).prop_map(|(key, bytes)| Op::Indexed(key, bytes)),
        ("[ab]{0,9}", 0..20_u8).prop_map(|(key, bytes)| Op::Written(key, bytes)),
        (0..2000_u16, 0..20_u8).prop_map(|(key, bytes)| Op::Written(format!("key.of.many.{key}"), bytes)),
        "[ab]{0,9}".prop_map(Op::Event),
        (0..3_u16).prop_map(Op::Status),
        (0..20_u8).prop_map(Op::Name),
    ]
}

/// The words of one entry, whose payload says which it is.
fn words(op: &Op, serial: u64) -> Vec<u64> {
    let entry = |tag, kind, number: usize, key: &str, bytes: u8| {
        let mut words = vec![entry_word(tag, kind, number as u16, u32::from(bytes))];
        words.extend(
            key.as_bytes().chunks(8).map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
        );
        words.extend((0..usize::from(bytes).div_ceil(8)).map(|_| serial));
        words
    };
    match op {
        Op::Indexed(key, bytes) => entry(tag::STR, key::CALLSITE, usize::from(*key), "", *bytes),
        Op::Written(key, bytes) => entry(tag::BYTES, key::INLINE, key.len(), key, *bytes),
        Op::Event(name) => entry(tag::EVENT, key::INLINE, name.len(), name, 8),
        Op::Status(code) => entry(tag::STATUS, key::NONE, usize::from(*code), "", 8),
        Op::Name(bytes) => entry(tag::NAME, key::NONE, 0, "", *bytes),
    }
}

/// What is told apart; of events, each.
fn identity(op: &Op, serial: usize) -> String {
    match op {
        Op::Indexed(key, _) => format!("indexed {key}"),
        Op::Written(key, _) => format!("written {key}"),
        Op::Event(_) => format!("event {serial}"),
        Op::Status(code) => format!("status {code}"),
        Op::Name(_) => "name".to_owned(),
    }
}

proptest! {
    #[test]
    fn the_last_of_each_stays_in_order(ops in prop::collection::vec(op(), 0..300)) {
        let mut all: Vec<u64> = ops.iter().zip(1..).flat_map(|(op, serial)| words(op, serial)).collect();
        let last: HashMap<_, _> = ops.iter().enumerate().map(|(i, op)| (identity(op, i), i)).collect();
        let left = compact(&mut all);
        // Every last one is there, in order; an earlier one may stay if its key found no place in the table.
        let mut rest = &all[..left];
        let mut kept = 0;
        for (i, op) in ops.iter().enumerate() {
            let words = words(op, i as u64 + 1);
            let is_last = last[&identity(op, i)] == i;
            if is_last {
                prop_assert!(rest.starts_with(&words), "{op:?} is missing");
                rest = &rest[words.len()..];
                kept += 1;
            } else if matches!(op, Op::Written(key, _) if key.starts_with("key")) && rest.starts_with(&words) {
                rest = &rest[words.len()..];
            }
        }
        prop_assert!(rest.is_empty());
        prop_assert_eq!(kept, last.len());
    }
}

#[test]
fn half_an_entry_goes() {
    let mut words = vec![entry_word(tag::STR, key::CALLSITE, 1, 8), 1, entry_word(tag::STR, key::CALLSITE, 2, 80), 1];
    assert_eq!(compact(&mut words), 2);
    assert_eq!(compact(&mut []), 0);
}
