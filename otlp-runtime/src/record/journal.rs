//! The journal of an open span: entries in the layout of the record, appended and never changed.

use std::sync::atomic::{AtomicU16, Ordering};

use super::compact::compact;
use super::heap::Block;
use super::inline::{INLINE, Inline};
use super::layout::{built_entry, entry_word, entry_words, key, tag};
use super::lost::Lost;
use crate::data::{Scope, SpanKind, StatusCode};

/// Events, and links, that one span keeps (spec-checklist LIM3). What comes later is counted and takes no room.
static KEPT_EVENTS: AtomicU16 = AtomicU16::new(LEAST_KEPT);
static KEPT_LINKS: AtomicU16 = AtomicU16::new(LEAST_KEPT);
/// What captures of tests export, which know no other limit; the encoder leaves out what is more than a pipeline wants.
const LEAST_KEPT: u16 = 128;

/// Sets how many events and links a span keeps.
pub(crate) fn keep(events: usize, links: usize) {
    let kept = |limit| u16::try_from(limit).unwrap_or(u16::MAX).max(LEAST_KEPT);
    KEPT_EVENTS.store(kept(events), Ordering::Relaxed);
    KEPT_LINKS.store(kept(links), Ordering::Relaxed);
}

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
    /// Closed once `heap` holds something.
    inline: Inline,
    /// [`AMENDED`] and [`SPECIAL`]. 0: only the words in place are to be forgotten for the next span.
    marks: u8,
    events: u16,
    links: u16,
    /// Words in the heap from which on it is worth while to look for what is overwritten.
    compact_at: u32,
    lost: Lost,
    heap: Block,
}

/// A place in a journal: its first entries, and what was lost so far, to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    inline: usize,
    heap: usize,
    lost: Lost,
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
        Self {
            inline: Inline::new(),
            marks: 0,
            events: 0,
            links: 0,
            compact_at: COMPACT,
            lost: Lost::NONE,
            heap: Block::new(),
        }
    }

    /// Empties it for the slot's next span.
    #[inline(always)]
    pub(crate) fn recycle(&mut self) {
        self.inline.clear();
        if self.marks != 0 {
            self.recycle_marked();
        }
    }

    #[inline(never)]
    fn recycle_marked(&mut self) {
        self.inline.reopen();
        (self.marks, self.events, self.links) = (0, 0, 0);
        (self.compact_at, self.lost) = (COMPACT, Lost::NONE);
        self.heap.recycle();
    }

    /// The words in place, and those in the heap.
    #[inline(always)]
    pub(crate) fn words(&self) -> (&[u64], &[u64]) {
        (self.inline.words(), self.heap.words())
    }

    /// Gives the whole journal away as one heap block, which has kept room for the words in place.
    pub(crate) fn give_up(&mut self) -> Vec<u64> {
        self.heap.prepend(self.inline.words());
        self.heap.give_up()
    }

    /// Takes the block of [`Journal::give_up`] back, emptied.
    pub(crate) fn take_back(&mut self, words: Vec<u64>) {
        self.heap = Block::adopt(words);
        self.recycle();
    }

    /// Whether everything found room, and that in place.
    #[inline(always)]
    pub(crate) fn is_whole(&self) -> bool {
        debug_assert!(self.marks & SPECIAL != 0 || self.lost == Lost::NONE && self.heap.is_empty());
        self.marks & SPECIAL == 0
    }

    /// What found no room so far.
    pub(crate) fn lost(&self) -> Lost {
        self.lost
    }

    /// What found no room so far, to be changed.
    #[cold]
    pub(crate) fn lost_mut(&mut self) -> &mut Lost {
        self.marks |= SPECIAL;
        &mut self.lost
    }

    /// Whether something other than the callsite's own fields was written.
    #[inline(always)]
    pub(crate) fn is_amended(&self) -> bool {
        self.marks & AMENDED != 0
    }

    /// Something other than the callsite's own fields is about to be written.
    #[inline(always)]
    pub(crate) fn amend(&mut self) {
        self.marks |= AMENDED;
    }

    /// Makes room, if it is worth while, before an update. No entry is open.
    #[inline(always)]
    pub(crate) fn tidy(&mut self) {
        if self.heap.len() >= self.compact_at as usize {
            self.compact();
        }
    }

    /// Forgets what later entries have overwritten: a span may set the same attribute as often as it likes.
    #[cold]
    #[inline(never)]
    fn compact(&mut self) {
        // An entry that began in place may end in the heap.
        let mut start = 0;
        while let Some(&word) = self.inline.words().get(start) {
            start += entry_words(word);
        }
        let start = start - self.inline.len();
        let left = start + self.heap.words_mut().get_mut(start..).map_or(0, compact);
        self.truncate_heap(left);
        self.compact_at = u32::try_from(left * 2).unwrap_or(u32::MAX).max(COMPACT);
    }

    /// Whether nothing was appended since `mark`.
    pub(crate) fn is_at(&self, mark: Mark) -> bool {
        self.inline.len() == mark.inline && self.heap.len() == mark.heap
    }

    pub(crate) fn has_lost_nothing_since(&self, mark: Mark) -> bool {
        self.lost == mark.lost
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { inline: self.inline.len(), heap: self.heap.len(), lost: self.lost }
    }

    /// Forgets everything after `mark`.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.inline.truncate(mark.inline);
        self.truncate_heap(mark.heap);
        self.lost = mark.lost;
    }

    #[inline]
    fn truncate_heap(&mut self, len: usize) {
        if self.heap.len() > len {
            self.heap.truncate(len);
            if len == 0 {
                self.inline.reopen();
            }
        }
    }

    /// Room for an entry's first word and `rest` more.
    #[inline(always)]
    fn room(&mut self, rest: usize) -> Option<(&mut u64, &mut [u64])> {
        if self.inline.has_room(rest) {
            // SAFETY: it has.
            Some(unsafe { self.inline.take(rest) })
        } else {
            self.room_in_heap(rest)
        }
    }

    #[cold]
    fn room_in_heap(&mut self, rest: usize) -> Option<(&mut u64, &mut [u64])> {
        let words = self.heap.extend(rest.checked_add(1)?, INLINE)?;
        self.marks |= SPECIAL;
        self.inline.close();
        words.split_first_mut()
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
        // SAFETY: the payload has room for so many bytes.
        self.put(key, tag, bytes.len(), |payload| unsafe { copy_bytes(payload, bytes) });
    }

    #[inline(always)]
    fn put(&mut self, key: Key<'_>, tag: u8, payload_bytes: usize, fill: impl FnOnce(&mut [u64])) {
        let (kind, number, text) = parts(key);
        let Ok(number) = u16::try_from(number) else { return self.lost_mut().add_attributes(1) };
        let key_words = text.len().div_ceil(8);
        // Lengths of slices are far from what overflows.
        let Some((first, rest)) = self.room(key_words + ((payload_bytes + 7) >> 3)) else {
            return self.lost_mut().add_attributes(1);
        };
        // There was room, so the length fits.
        *first = entry_word(tag, kind, number, payload_bytes as u32);
        if let Some((key_part, payload)) = rest.split_at_mut_checked(key_words) {
            // SAFETY: it is cut off at the text's length.
            unsafe { copy_bytes(key_part, text.as_bytes()) };
            fill(payload);
        }
    }

    /// What a span begins with that was built at run time; without a scope, it has that of its callsite.
    pub(crate) fn built(&mut self, kind: SpanKind, scope: Option<Scope>) {
        let fixed = scope.map(built_entry);
        let fixed = fixed.as_ref().map_or(&[][..], |words| &words[..]);
        if let Some((first, payload)) = self.room(fixed.len()) {
            *first = entry_word(tag::BUILT, key::NONE, kind as u16, size_of_val(fixed) as u32);
            payload.copy_from_slice(fixed);
        }
    }

    /// Gives the span another name.
    pub(crate) fn name(&mut self, name: &str) {
        let name = self.cut(name, MAX_NAME);
        self.bytes(Key::None, tag::NAME, name.as_bytes());
    }

    /// `text`, cut at a character's boundary to at most `max` bytes.
    fn cut<'a>(&mut self, text: &'a str, max: usize) -> &'a str {
        if text.len() <= max {
            return text;
        }
        self.lost_mut().add_cut();
        (0..=max).rev().find_map(|end| text.get(..end)).unwrap_or_default()
    }

    /// Sets the status; the code takes the place of the key's length.
    pub(crate) fn status(&mut self, code: StatusCode, message: &str) {
        let message = self.cut(message, MAX_MESSAGE);
        match self.room(message.len().div_ceil(8)) {
            Some((first, payload)) => {
                *first = entry_word(tag::STATUS, key::NONE, code as u16, message.len() as u32);
                // SAFETY: room for so many bytes was asked for.
                unsafe { copy_bytes(payload, message.as_bytes()) };
            }
            None if code == StatusCode::Error => self.lost_mut().add_error(),
            None => {}
        }
    }

    /// Appends an event at `time`, whose attributes `write` writes.
    pub(crate) fn event(&mut self, name: &str, time: u64, write: impl FnOnce(&mut Self)) {
        let name = self.cut(name, MAX_NAME);
        let open = (self.events < KEPT_EVENTS.load(Ordering::Relaxed))
            .then(|| self.open(Key::Inline(name), tag::EVENT, &[time]))
            .flatten();
        match open {
            Some(open) => {
                self.amend();
                self.events += 1;
                write(self);
                self.close(open);
            }
            None => self.lost_mut().add_events(1),
        }
    }

    /// Appends a link, whose attributes `write` writes; `fixed` as in [`tag::LINK`].
    pub(crate) fn link(&mut self, fixed: &[u64; 4], write: impl FnOnce(&mut Self)) {
        let open =
            (self.links < KEPT_LINKS.load(Ordering::Relaxed)).then(|| self.open(Key::None, tag::LINK, fixed)).flatten();
        match open {
            Some(open) => {
                self.amend();
                self.links += 1;
                write(self);
                self.close(open);
            }
            None => self.lost_mut().add_links(1),
        }
    }

    /// Starts an entry that holds others: `fixed`, then whatever is appended until [`Journal::close`].
    pub(crate) fn open(&mut self, key: Key<'_>, tag: u8, fixed: &[u64]) -> Option<Open> {
        let before = self.mark();
        let (kind, number, text) = parts(key);
        let key_words = text.len().div_ceil(8);
        let number = u16::try_from(number).ok()?;
        let (first, rest) = self.room(key_words + fixed.len())?;
        let (key_part, payload) = rest.split_at_mut_checked(key_words)?;
        *first = 0;
        // SAFETY: it is cut off at the text's length.
        unsafe { copy_bytes(key_part, text.as_bytes()) };
        payload.copy_from_slice(fixed);
        Some(Open { before, word: entry_word(tag, kind, number, 0), head: 1 + key_words })
    }

    /// Completes an entry.
    pub(crate) fn close(&mut self, open: Open) {
        let before = open.before.inline + open.before.heap;
        let payload = (self.inline.len() + self.heap.len() - before - open.head) * 8;
        let word = open.word | (payload as u64) << 32;
        // The entry began in the heap if that was in use before, or if nothing was added in place.
        let began_inline = open.before.heap == 0 && self.inline.len() > open.before.inline;
        let first = if began_inline {
            self.inline.get_mut(open.before.inline)
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
        let (events, links) = (self.events.saturating_add(other.events), self.links.saturating_add(other.links));
        let fits = (other.events == 0 || events <= KEPT_EVENTS.load(Ordering::Relaxed))
            && (other.links == 0 || links <= KEPT_LINKS.load(Ordering::Relaxed));
        if let Some(rest) = (inline.len() + heap.len()).checked_sub(1) {
            let room = if fits { self.room(rest) } else { None };
            let Some((first, rest)) = room else { return self.refuse(other) };
            for (to, from) in std::iter::once(first).chain(rest).zip(inline.iter().chain(heap)) {
                *to = *from;
            }
        }
        (self.events, self.links) = (events, links);
        self.marks |= other.marks & AMENDED;
        if other.lost != Lost::NONE {
            self.lost_mut().add(other.lost);
        }
    }

    /// Counts what is in `other`.
    #[cold]
    fn refuse(&mut self, other: &Journal) {
        self.lost_mut().add_events(other.events.into());
        self.lost_mut().add_links(other.links.into());
        let listed = u32::from(other.events) + u32::from(other.links);
        self.lost_mut().add_attributes(other.entries().saturating_sub(listed));
        // What an event lacks is lost with it.
        if listed == 0 {
            self.lost_mut().add(other.lost);
        }
    }

    /// How many entries there are.
    fn entries(&self) -> u32 {
        let (inline, heap) = self.words();
        let (mut at, mut count) = (0, 0);
        while let Some(&word) = inline.get(at).or_else(|| heap.get(at - inline.len())) {
            at += entry_words(word);
            count += 1;
        }
        count
    }
}

/// In [`Journal::marks`]: something other than the callsite's own fields was written; with any event or link.
const AMENDED: u8 = super::layout::flag::AMENDED;
/// Something was lost, or is in the heap, or was.
const SPECIAL: u8 = 1;
/// From how many words in the heap on overwritten entries are looked for (4 KiB).
const COMPACT: u32 = 512;
/// Longer names of spans and events are cut.
const MAX_NAME: usize = u16::MAX as usize;
/// The longest status message and name, in bytes.
const MAX_MESSAGE: usize = 1 << 16;

#[inline(always)]
fn parts(key: Key<'_>) -> (u8, usize, &str) {
    match key {
        Key::Callsite(index) => (key::CALLSITE, usize::from(index), ""),
        Key::Inline(text) => (key::INLINE, text.len(), text),
        Key::None => (key::NONE, 0, ""),
    }
}

/// Copies `bytes` into the words that they take, the last of them padded with zeros.
///
/// # Safety
/// There are so many words.
#[inline(always)]
unsafe fn copy_bytes(words: &mut [u64], bytes: &[u8]) {
    debug_assert_eq!(words.len(), bytes.len().div_ceil(8));
    let (whole, rest) = bytes.as_chunks::<8>();
    let (mut from, mut to) = (whole.as_ptr(), words.as_mut_ptr());
    let end = whole.as_ptr_range().end;
    // SAFETY: by this function's contract. Volatile keeps it from becoming a call of `memcpy`, which costs more than most texts.
    unsafe {
        while from < end {
            to.write_volatile(u64::from_ne_bytes(*from));
            from = from.add(1);
            to = to.add(1);
        }
        if !rest.is_empty() {
            *to = last_word(bytes, rest);
        }
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

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
