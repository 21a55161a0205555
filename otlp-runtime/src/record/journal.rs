//! The journal of an open span: entries in the layout of the record, appended and never changed.

use super::heap::Block;
use super::layout::{entry_word, key, tag};
use crate::data::StatusCode;

/// Words that a slot holds itself.
pub(crate) const INLINE: usize = 24;

/// In the count of dropped values: a status `Error` was among them. It shows all the same, without its description.
pub(crate) const LOST_ERROR: u32 = 1 << 31;

/// An entry's key.
#[derive(Clone, Copy)]
pub(crate) enum Key<'k> {
    /// An index into the callsite's keys.
    Callsite(u16),
    /// Written out.
    Inline(&'k str),
    /// None, as for the elements of an array.
    None,
}

/// Entries: the first words in place, the others in a heap block. Read one after the other they are the record's journal.
#[derive(Debug)]
pub(crate) struct Journal {
    inline: [u64; INLINE],
    /// Words used of `inline`; final once `heap` holds something.
    len: u32,
    /// Values that found no room, and [`LOST_ERROR`].
    dropped: u32,
    heap: Block,
}

/// A place in a journal: its first entries, to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    len: u32,
    heap: usize,
}

/// An entry that is not complete yet.
pub(crate) struct Open {
    before: Mark,
    /// The entry's first word, with everything but its length.
    word: u64,
    /// Words before the payload.
    head: usize,
}

impl Journal {
    pub(crate) const fn new() -> Self {
        Self { inline: [0; INLINE], len: 0, dropped: 0, heap: Block::new() }
    }

    /// Empties it for the slot's next span.
    #[inline(always)]
    pub(crate) fn recycle(&mut self) {
        self.len = 0;
        self.dropped = 0;
        if !self.heap.is_empty() {
            self.recycle_heap();
        }
    }

    #[cold]
    #[inline(never)]
    fn recycle_heap(&mut self) {
        self.heap.recycle();
    }

    /// The words in place, and those in the heap.
    #[inline(always)]
    pub(crate) fn words(&self) -> (&[u64], &[u64]) {
        // `len` never exceeds `INLINE`; said this way, no panic can be compiled in.
        (self.inline.get(..self.len as usize).unwrap_or(&self.inline), self.heap.words())
    }

    /// Gives the whole journal away as one heap block, which has kept room for the words in place.
    pub(crate) fn give_up(&mut self) -> Vec<u64> {
        self.heap.prepend(self.inline.get(..self.len as usize).unwrap_or(&self.inline));
        self.heap.give_up()
    }

    /// Takes the block of [`Journal::give_up`] back, emptied.
    pub(crate) fn take_back(&mut self, words: Vec<u64>) {
        self.heap = Block::adopt(words);
        self.recycle();
    }

    /// Values that found no room so far, and [`LOST_ERROR`].
    #[inline(always)]
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Counts a value that could not be recorded.
    #[cold]
    pub(crate) fn count_dropped(&mut self) {
        self.add_dropped(1);
    }

    fn add_dropped(&mut self, dropped: u32) {
        let count = (self.dropped & !LOST_ERROR).saturating_add(dropped & !LOST_ERROR);
        self.dropped = count.min(!LOST_ERROR) | (self.dropped | dropped) & LOST_ERROR;
    }

    /// Takes back, or adds, values that found no room.
    pub(crate) fn set_dropped(&mut self, dropped: u32) {
        self.dropped = dropped;
    }

    /// Whether nothing was appended since `mark`.
    pub(crate) fn is_at(&self, mark: Mark) -> bool {
        self.len == mark.len && self.heap.len() == mark.heap
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { len: self.len, heap: self.heap.len() }
    }

    /// Forgets everything after `mark`.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.len = mark.len;
        self.heap.truncate(mark.heap);
    }

    #[inline(always)]
    fn room(&mut self, words: usize) -> Option<&mut [u64]> {
        let start = self.len as usize;
        if start + words <= INLINE && self.heap.is_empty() {
            self.len = (start + words) as u32;
            self.inline.get_mut(start..start + words)
        } else {
            self.heap.extend(words, INLINE)
        }
    }

    /// Appends an entry whose payload is one word.
    #[inline(always)]
    pub(crate) fn word(&mut self, key: Key<'_>, tag: u8, value: u64) {
        self.put(key, tag, 8, |payload| {
            if let [word] = payload {
                *word = value;
            }
        });
    }

    /// Appends an entry without payload.
    #[inline(always)]
    pub(crate) fn flag(&mut self, key: Key<'_>, tag: u8) {
        self.put(key, tag, 0, |_| {});
    }

    /// Appends an entry whose payload is bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, key: Key<'_>, tag: u8, bytes: &[u8]) {
        self.put(key, tag, bytes.len(), |payload| copy_bytes(payload, bytes));
    }

    #[inline(always)]
    fn put(&mut self, key: Key<'_>, tag: u8, payload_bytes: usize, fill: impl FnOnce(&mut [u64])) {
        let (kind, number, text) = parts(key);
        let (Ok(number), Ok(length)) = (u16::try_from(number), u32::try_from(payload_bytes)) else {
            return self.count_dropped();
        };
        let key_words = text.len().div_ceil(8);
        let Some((first, rest)) =
            self.room(1 + key_words + payload_bytes.div_ceil(8)).and_then(|words| words.split_first_mut())
        else {
            return self.count_dropped();
        };
        *first = entry_word(tag, kind, number, length);
        if let Some((key_part, payload)) = rest.split_at_mut_checked(key_words) {
            copy_bytes(key_part, text.as_bytes());
            fill(payload);
        }
    }

    /// Sets the status; the code takes the place of the key's length.
    pub(crate) fn status(&mut self, code: StatusCode, message: &str) {
        let message = truncated(message, MAX_MESSAGE);
        match self.room(1 + message.len().div_ceil(8)).and_then(|words| words.split_first_mut()) {
            Some((first, payload)) => {
                *first = entry_word(tag::STATUS, key::NONE, code as u16, message.len() as u32);
                copy_bytes(payload, message.as_bytes());
            }
            None if code == StatusCode::Error => self.add_dropped(LOST_ERROR | 1),
            None => self.count_dropped(),
        }
    }

    /// Starts an entry that holds others: `fixed`, then whatever is appended until [`Journal::close`].
    pub(crate) fn open(&mut self, key: Key<'_>, tag: u8, fixed: &[u64]) -> Option<Open> {
        let before = self.mark();
        let (kind, number, text) = parts(key);
        let key_words = text.len().div_ceil(8);
        let number = u16::try_from(number).ok()?;
        let words = self.room(1 + key_words + fixed.len())?;
        let (head, payload) = words.split_at_mut_checked(1 + key_words)?;
        let (first, key_part) = head.split_first_mut()?;
        *first = 0;
        copy_bytes(key_part, text.as_bytes());
        payload.copy_from_slice(fixed);
        Some(Open { before, word: entry_word(tag, kind, number, 0), head: 1 + key_words })
    }

    /// Completes an entry.
    pub(crate) fn close(&mut self, open: Open) {
        let before = open.before.len as usize + open.before.heap;
        let payload = (self.len as usize + self.heap.len() - before - open.head) * 8;
        let word = open.word | (payload as u64) << 32;
        // The entry began in the heap if that was in use before, or if nothing was added in place.
        let began_inline = open.before.heap == 0 && self.len > open.before.len;
        let first = if began_inline {
            self.inline.get_mut(open.before.len as usize)
        } else {
            self.heap.words_mut().get_mut(open.before.heap)
        };
        if let Some(first) = first {
            *first = word;
        }
    }

    /// Appends whole entries of another journal; all or none.
    pub(crate) fn append(&mut self, other: &Journal) {
        let (inline, heap) = other.words();
        self.add_dropped(other.dropped);
        match self.room(inline.len() + heap.len()) {
            Some(words) => {
                for (to, from) in words.iter_mut().zip(inline.iter().chain(heap)) {
                    *to = *from;
                }
            }
            None => self.count_dropped(),
        }
    }
}

/// The longest status message and name, in bytes.
const MAX_MESSAGE: usize = 1 << 16;

/// `text`, cut at a character's boundary to at most `max` bytes.
pub(crate) fn truncated(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    (0..=max).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

#[inline(always)]
fn parts(key: Key<'_>) -> (u8, usize, &str) {
    match key {
        Key::Callsite(index) => (key::CALLSITE, usize::from(index), ""),
        Key::Inline(text) => (key::INLINE, text.len(), text),
        Key::None => (key::NONE, 0, ""),
    }
}

/// Copies `bytes` into words, the last of them padded with zeros.
#[inline(always)]
fn copy_bytes(words: &mut [u64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<8>();
    let mut words = words.iter_mut();
    // In this order: `zip` asks the left one first, and must not take a word for which there is no chunk.
    for (chunk, word) in whole.iter().zip(words.by_ref()) {
        *word = u64::from_ne_bytes(*chunk);
    }
    if !rest.is_empty()
        && let Some(word) = words.next()
    {
        *word = last_word(bytes, rest);
    }
}

/// The 1 to 7 bytes at the end, without a call of `memcpy`.
#[inline(always)]
fn last_word(bytes: &[u8], rest: &[u8]) -> u64 {
    if let Some(last) = bytes.last_chunk::<8>() {
        return (u64::from_le_bytes(*last) >> (64 - 8 * rest.len())).to_le();
    }
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)).to_le()
}
