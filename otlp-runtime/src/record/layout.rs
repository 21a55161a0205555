//! The raw record of a span as it lies in the log, and the views that read it.
//!
//! ```text
//! word 0    words in the record (u32) | flags (u8) << 32 | events lost (23 bits) << 40 | a cut << 63
//!      1    address of the `&'static Callsite`
//!      2 3  clock at start and end; Unix nanoseconds where `flag::START_UNIX` and `flag::END_UNIX` say so
//!      4 5  trace id, high and low half
//!      6 7  span id, parent span id (0: none)
//!      8    route (u32) | attributes lost (20 bits) << 32 | links lost (12 bits) << 52
//!      9..  the journal: entries in the order in which they were made
//! ```
//! A journal above `SPILL` words stays in the heap block it was written to: flag `flag::HEAP`, and words 9 to 11 hold
//! the address, length and capacity of that `Vec<u64>`, which the reader frees.
//!
//! An entry is one word, then its key if that is written out, then its payload, each padded to whole words:
//! ```text
//! tag (u8) | key kind (u8) << 8 | key's index or length (u16) << 16 | payload's length in bytes (u32) << 32
//! ```

use super::callsite::{BUILT, Callsite};
use super::lost::Lost;
use crate::data::{AttributeValue, Scope, SpanId, SpanKind, StatusCode, TraceFlags, TraceId};

/// Words before the journal.
pub(crate) const HEADER: usize = 9;
/// The word of the route.
pub(crate) const ROUTE: usize = 8;
/// A longer journal is handed over in its heap block instead of being copied into the log (16 KiB).
pub(crate) const SPILL: usize = 2048;

/// Flags of a record.
pub(crate) mod flag {
    /// The span ended while its thread was unwinding.
    pub(crate) const PANICKED: u8 = 1;
    /// The parent is a span of another process.
    pub(crate) const REMOTE_PARENT: u8 = 2;
    /// The journal is in a heap block.
    pub(crate) const HEAP: u8 = 4;
    /// Something was written after the span's start: keys may repeat, and there may be more than attributes.
    pub(crate) const AMENDED: u8 = 8;
    /// The trace id is random.
    pub(crate) const RANDOM: u8 = 16;
    // 32 is the error in [`super::Lost`].
    /// The start is a time that the program gave.
    pub(crate) const START_UNIX: u8 = 64;
    /// The end is.
    pub(crate) const END_UNIX: u8 = 128;
}

/// Tags of journal entries.
pub(crate) mod tag {
    pub(crate) const NULL: u8 = 0;
    pub(crate) const I64: u8 = 1;
    pub(crate) const F64: u8 = 2;
    pub(crate) const FALSE: u8 = 3;
    pub(crate) const TRUE: u8 = 4;
    pub(crate) const STR: u8 = 5;
    pub(crate) const BYTES: u8 = 6;
    /// Payload: entries without keys.
    pub(crate) const ARRAY: u8 = 7;
    /// Key: its name. Payload: clock, then attributes.
    pub(crate) const EVENT: u8 = 8;
    /// Payload: trace id high, low, span id, flags and `LINK_REMOTE`; then attributes.
    pub(crate) const LINK: u8 = 9;
    /// In place of the key's length: the code. Payload: the message.
    pub(crate) const STATUS: u8 = 10;
    /// Payload: the span's new name.
    pub(crate) const NAME: u8 = 11;
    /// The first entry of a span that was built at run time, and of no other. In place of the key's length: the kind.
    /// Payload: address and length of the scope's name and of its version, which are static.
    pub(crate) const BUILT: u8 = 12;
}

/// In the word of a link's flags: the linked span is one of another process.
pub(crate) const LINK_REMOTE: u64 = 1 << 8;

/// Kinds of keys.
pub(crate) mod key {
    /// An index into the callsite's keys.
    pub(crate) const CALLSITE: u8 = 0;
    /// Written out.
    pub(crate) const INLINE: u8 = 1;
    /// None.
    pub(crate) const NONE: u8 = 2;
}

/// One entry's first word.
#[inline(always)]
pub(crate) const fn entry_word(tag: u8, key_kind: u8, key: u16, payload_bytes: u32) -> u64 {
    tag as u64 | (key_kind as u64) << 8 | (key as u64) << 16 | (payload_bytes as u64) << 32
}

/// How many words the entry takes that begins with `word`.
pub(crate) const fn entry_words(word: u64) -> usize {
    let key = if (word >> 8) as u8 == key::INLINE { (word >> 16) as u16 as usize } else { 0 };
    1 + key.div_ceil(8) + ((word >> 32) as usize).div_ceil(8)
}

/// A finished span, borrowed from the log.
#[derive(Clone, Copy)]
pub struct RecordView<'a> {
    header: &'a [u64; HEADER],
    journal: &'a [u64],
}

impl<'a> RecordView<'a> {
    /// Calls `each` with every record in `run`, which holds whole records; then frees its heap block.
    ///
    /// # Safety
    /// `run` was published in a log by [`super::slot`], and each record in it is visited once.
    pub(crate) unsafe fn for_each(mut run: &[u64], mut each: impl FnMut(RecordView<'_>)) {
        while let Some((header, rest)) = run.split_first_chunk::<HEADER>() {
            let words = (header[0] as u32 as usize).saturating_sub(HEADER).min(rest.len());
            let (body, next) = rest.split_at(words);
            run = next;
            if (header[0] >> 32) as u8 & flag::HEAP == 0 {
                each(RecordView { header, journal: body });
            } else if let [address, len, capacity, ..] = *body {
                // SAFETY: the flag says that these are the parts of a `Vec<u64>` that the writer gave up.
                let block = unsafe { Vec::from_raw_parts(address as *mut u64, len as usize, capacity as usize) };
                let block = super::heap::Block::adopt(block);
                each(RecordView { header, journal: block.words() });
            }
        }
    }

    /// The callsite that made it; of a span that was built at run time, the one that all of these share.
    pub fn callsite(&self) -> &'static Callsite {
        // SAFETY: word 1 is written from a `&'static Callsite` and from nothing else.
        unsafe { &*(self.header[1] as *const Callsite) }
    }

    fn flags(&self) -> u8 {
        (self.header[0] >> 32) as u8
    }

    /// The span ended while its thread was unwinding.
    pub fn panicked(&self) -> bool {
        self.flags() & flag::PANICKED != 0
    }

    /// The parent is a span of another process.
    pub fn has_remote_parent(&self) -> bool {
        self.flags() & flag::REMOTE_PARENT != 0
    }

    /// `false`: the journal holds attributes with the callsite's keys alone, none of them twice.
    pub fn is_amended(&self) -> bool {
        self.flags() & flag::AMENDED != 0
    }

    /// Whether the trace id's lower half is random.
    pub fn has_random_trace_id(&self) -> bool {
        self.flags() & flag::RANDOM != 0
    }

    /// When it started.
    #[inline]
    pub fn start(&self) -> Time {
        Time::of(self.header[2], self.flags() & flag::START_UNIX != 0)
    }

    /// When it ended.
    #[inline]
    pub fn end(&self) -> Time {
        Time::of(self.header[3], self.flags() & flag::END_UNIX != 0)
    }

    /// The span's kind.
    #[inline]
    pub fn kind(&self) -> SpanKind {
        if self.is_built() { self.built_kind() } else { self.callsite().metadata().kind }
    }

    /// The instrumentation scope.
    #[inline]
    pub fn scope(&self) -> Scope {
        if self.is_built() { self.built_scope() } else { self.callsite().metadata().scope }
    }

    /// Whether the span was built at run time: then the first entry says what callsites say of others.
    #[inline(always)]
    fn is_built(&self) -> bool {
        std::ptr::eq(self.callsite(), &BUILT)
    }

    #[cold]
    fn built_kind(&self) -> SpanKind {
        match self.journal.first().map_or(0, |word| word >> 16) as u16 {
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Internal,
        }
    }

    #[cold]
    fn built_scope(&self) -> Scope {
        match *self.journal {
            [word, name, name_len, version, version_len, ..] if word as u8 == tag::BUILT && word >> 32 == 4 * 8 => {
                // SAFETY: the entry is written by `built_entry` alone, from two `&'static str`.
                unsafe { Scope { name: static_text(name, name_len), version: static_text(version, version_len) } }
            }
            _ => BUILT.metadata().scope,
        }
    }

    /// Its trace.
    pub fn trace_id(&self) -> TraceId {
        trace_id(self.header[4], self.header[5])
    }

    /// Its own id.
    pub fn span_id(&self) -> SpanId {
        SpanId::from_bytes(self.header[6].to_be_bytes())
    }

    /// Its parent's id; invalid for a root.
    pub fn parent_span_id(&self) -> SpanId {
        SpanId::from_bytes(self.header[7].to_be_bytes())
    }

    /// A view of a span that has not started yet: callsite and journal are all that it has. `header` is overwritten.
    pub(super) fn starting(header: &'a mut [u64; HEADER], callsite: &'static Callsite, journal: &'a [u64]) -> Self {
        *header = [0; HEADER];
        header[1] = std::ptr::from_ref(callsite) as u64;
        Self { header, journal }
    }

    /// A view of raw words, for tests.
    #[cfg(test)]
    pub(crate) fn from_words(words: &'a [u64]) -> Option<Self> {
        let (header, journal) = words.split_first_chunk::<HEADER>()?;
        Some(Self { header, journal })
    }

    /// The pipeline that it belongs to.
    pub fn route(&self) -> u32 {
        self.header[8] as u32
    }

    /// What found no room while recording.
    pub(crate) fn lost(&self) -> Lost {
        Lost::of(self.header[0], self.header[8])
    }

    /// What was recorded between its start and its end, in that order.
    pub fn entries(&self) -> Entries<'a> {
        let built = if self.is_built() { self.journal.first().map_or(0, |word| entry_words(*word)) } else { 0 };
        let words = self.journal.get(built..).unwrap_or_default();
        Entries { words, keys: self.callsite().metadata().keys }
    }
}

/// A moment as a record has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// A reading of the raw clock.
    Clock(u64),
    /// Unix nanoseconds that the program gave.
    Unix(u64),
}

impl Time {
    #[inline(always)]
    fn of(word: u64, unix: bool) -> Self {
        if unix { Self::Unix(word) } else { Self::Clock(word) }
    }

    /// In Unix nanoseconds; `clock` turns raw readings into them.
    #[inline(always)]
    pub fn unix_nanos(self, clock: impl FnOnce(u64) -> u64) -> u64 {
        match self {
            Self::Clock(tick) => clock(tick),
            Self::Unix(nanos) => nanos,
        }
    }
}

/// The fixed part of an entry of the tag [`tag::BUILT`].
pub(crate) fn built_entry(scope: Scope) -> [u64; 4] {
    let words = |text: &'static str| (text.as_ptr() as u64, text.len() as u64);
    let ((name, name_len), (version, version_len)) = (words(scope.name), words(scope.version));
    [name, name_len, version, version_len]
}

/// # Safety
/// Both come from one `&'static str`.
unsafe fn static_text(address: u64, len: u64) -> &'static str {
    // SAFETY: by this function's contract.
    unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(address as *const u8, len as usize)) }
}

/// A trace id from its halves.
pub(crate) fn trace_id(high: u64, low: u64) -> TraceId {
    TraceId::from_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
}

/// What a journal entry says.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    /// An attribute; a later one of the same key wins.
    Attribute(&'a str, RawValue<'a>),
    /// Something that happened.
    Event {
        /// Its name.
        name: &'a str,
        /// Raw clock.
        time: u64,
        /// Its attributes: entries of the kind `Attribute` alone.
        attributes: Entries<'a>,
    },
    /// A link to another span.
    Link {
        /// The linked trace.
        trace_id: TraceId,
        /// The linked span.
        span_id: SpanId,
        /// The linked span's flags.
        flags: TraceFlags,
        /// It is one of another process.
        remote: bool,
        /// Its attributes: entries of the kind `Attribute` alone.
        attributes: Entries<'a>,
    },
    /// The status was set.
    Status(StatusCode, &'a str),
    /// The span got a new name.
    Name(&'a str),
}

/// A recorded value.
#[derive(Clone, Debug)]
pub enum RawValue<'a> {
    /// Nothing; within arrays only.
    Null,
    /// A signed integer.
    I64(i64),
    /// A floating-point number.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// Text.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Several values.
    Array(Values<'a>),
    /// A value that was not recorded: one that a processor has set.
    Model(&'a AttributeValue),
}

/// The entries of a journal, in their order.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    words: &'a [u64],
    keys: &'static [&'static str],
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Values<'a>(Entries<'a>);

/// Is shown attributes one after the other.
pub trait Visitor {
    /// `None`: it needs no more.
    fn attribute(&mut self, name: &str, value: &RawValue<'_>) -> Option<()>;
}

/// A raw entry.
struct RawEntry<'a> {
    tag: u8,
    number: u16,
    key: &'a str,
    payload: &'a [u64],
    bytes: usize,
}

impl<'a> Entries<'a> {
    #[inline(always)]
    fn next_raw(&mut self) -> Option<RawEntry<'a>> {
        let (&word, mut rest) = self.words.split_first()?;
        let number = (word >> 16) as u16;
        let key = match (word >> 8) as u8 {
            key::CALLSITE => self.keys.get(usize::from(number)).copied().unwrap_or_default(),
            key::INLINE => {
                let words = usize::from(number).div_ceil(8);
                let (text, after) = rest.split_at_checked(words)?;
                rest = after;
                text_of(text, usize::from(number))
            }
            _ => "",
        };
        let bytes = (word >> 32) as usize;
        // No span has so many that this overflows.
        let (payload, after) = rest.split_at_checked((bytes + 7) >> 3)?;
        self.words = after;
        Some(RawEntry { tag: word as u8, number, key, payload, bytes })
    }

    #[inline(always)]
    fn value(&self, entry: &RawEntry<'a>) -> RawValue<'a> {
        let first = entry.payload.first().copied().unwrap_or_default();
        match entry.tag {
            tag::I64 => RawValue::I64(first as i64),
            tag::F64 => RawValue::F64(f64::from_bits(first)),
            tag::FALSE => RawValue::Bool(false),
            tag::TRUE => RawValue::Bool(true),
            tag::STR => RawValue::Str(text_of(entry.payload, entry.bytes)),
            tag::BYTES => RawValue::Bytes(bytes_of(entry.payload, entry.bytes)),
            tag::ARRAY => RawValue::Array(Values(Entries { words: entry.payload, keys: self.keys })),
            _ => RawValue::Null,
        }
    }

    /// Shows them all to `visitor`; `None`: one is no attribute, or an array, or it needs no more. There is a call for each kind of
    /// value, so that what is compiled in its place knows the kind.
    #[inline(always)]
    pub(crate) fn visit(mut self, visitor: &mut impl Visitor) -> Option<()> {
        while let Some(entry) = self.next_raw() {
            let first = entry.payload.first().copied().unwrap_or_default();
            match entry.tag {
                tag::I64 => visitor.attribute(entry.key, &RawValue::I64(first as i64))?,
                tag::STR => visitor.attribute(entry.key, &RawValue::Str(text_of(entry.payload, entry.bytes)))?,
                tag::F64 => visitor.attribute(entry.key, &RawValue::F64(f64::from_bits(first)))?,
                tag::FALSE | tag::TRUE => visitor.attribute(entry.key, &RawValue::Bool(entry.tag == tag::TRUE))?,
                _ => return None,
            }
        }
        Some(())
    }

    fn nested(&self, words: Option<&'a [u64]>) -> Entries<'a> {
        Entries { words: words.unwrap_or_default(), keys: self.keys }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = self.next_raw()?;
        let word = |i: usize| entry.payload.get(i).copied().unwrap_or_default();
        Some(match entry.tag {
            tag::EVENT => {
                Entry::Event { name: entry.key, time: word(0), attributes: self.nested(entry.payload.get(1..)) }
            }
            tag::LINK => Entry::Link {
                trace_id: trace_id(word(0), word(1)),
                span_id: SpanId::from_bytes(word(2).to_be_bytes()),
                flags: TraceFlags::from_bits(word(3) as u8),
                remote: word(3) & LINK_REMOTE != 0,
                attributes: self.nested(entry.payload.get(4..)),
            },
            tag::STATUS => Entry::Status(
                match entry.number {
                    1 => StatusCode::Ok,
                    2 => StatusCode::Error,
                    _ => StatusCode::Unset,
                },
                text_of(entry.payload, entry.bytes),
            ),
            tag::NAME => Entry::Name(text_of(entry.payload, entry.bytes)),
            _ => Entry::Attribute(entry.key, self.value(&entry)),
        })
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = RawValue<'a>;

    fn next(&mut self) -> Option<RawValue<'a>> {
        let entry = self.0.next_raw()?;
        Some(self.0.value(&entry))
    }
}

fn bytes_of(words: &[u64], len: usize) -> &[u8] {
    // SAFETY: any bytes are valid as `u8`, and the slice covers the same memory.
    let bytes = unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), size_of_val(words)) };
    bytes.get(..len).unwrap_or(bytes)
}

fn text_of(words: &[u64], len: usize) -> &str {
    // SAFETY: the journal writes keys and texts from a `&str` alone, whole.
    unsafe { std::str::from_utf8_unchecked(bytes_of(words, len)) }
}
