//! Entries that later ones have overwritten, and their removal.

use super::layout::{entry_words, key, tag};

/// Keys that are told apart; of others, every entry stays.
const KEYS: usize = 512;
/// How many places are looked at for one key.
const PROBES: usize = 8;

/// No tag of an entry: it is going to be removed.
const REMOVED: u64 = 0xff;

/// Removes from `words`, whole entries, those attributes, names and statuses that a later entry makes meaningless; returns
/// how many words are left, which are the first.
pub(super) fn compact(words: &mut [u64]) -> usize {
    let mut last = Last { places: [u32::MAX; KEYS] };
    let mut at = 0;
    while let Some(end) = end_of(words, at) {
        if let Some(name) = overwritable(words, at)
            && let Some(word) = last.replace(words, name, at).and_then(|before| words.get_mut(before))
        {
            *word |= REMOVED;
        }
        at = end;
    }
    let (mut at, mut kept) = (0, 0);
    while let Some(end) = end_of(words, at) {
        if words[at] & REMOVED != REMOVED {
            words.copy_within(at..end, kept);
            kept += end - at;
        }
        at = end;
    }
    // What is left would be half an entry, which nobody writes.
    kept
}

/// Where the entry at `at` ends.
fn end_of(words: &[u64], at: usize) -> Option<usize> {
    let end = at + entry_words(*words.get(at)?);
    (end <= words.len()).then_some(end)
}

/// What a later entry of the same kind overwrites: the kind and key, and how many words of key follow.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    word: u64,
    key_words: usize,
}

fn overwritable(words: &[u64], at: usize) -> Option<Name> {
    let word = *words.get(at)?;
    match word as u8 {
        // Of events and links, each counts; what a built span begins with stays where it is.
        tag::EVENT | tag::LINK | tag::BUILT => None,
        // The last of each code says as much as all of them.
        kind @ (tag::NAME | tag::STATUS) => Some(Name { word: word & 0xffff_ff00 | u64::from(kind), key_words: 0 }),
        _ => {
            let key_words =
                if (word >> 8) as u8 == key::INLINE { usize::from((word >> 16) as u16).div_ceil(8) } else { 0 };
            Some(Name { word: word & 0xffff_ff00, key_words })
        }
    }
}

/// The last entry of each key, in a table of places.
struct Last {
    places: [u32; KEYS],
}

impl Last {
    /// Puts `at` in the place of the entry before with the same key, which is returned.
    fn replace(&mut self, words: &[u64], name: Name, at: usize) -> Option<usize> {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let key = |at: usize| words.get(at + 1..at + 1 + name.key_words);
        let hash = key(at)?.iter().fold(name.word, |hash, word| (hash ^ word).wrapping_mul(FACTOR).rotate_left(29));
        let first = (hash.wrapping_mul(FACTOR) >> 32) as usize;
        for place in first..first + PROBES {
            let place = &mut self.places[place % KEYS];
            let there = *place as usize;
            if *place == u32::MAX {
                *place = u32::try_from(at).ok()?;
                return None;
            }
            if overwritable(words, there) == Some(name) && key(there) == key(at) {
                *place = u32::try_from(at).ok()?;
                return Some(there);
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "compact_tests.rs"]
mod tests;
