//! How much of one span is exported (spec-checklist LIM1, LIM2, LIM3).

use crate::config::ResolvedLimits;

/// Limits of one span; what is beyond them is left out, and counted in the span's `dropped_*_count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanLimits {
    pub(crate) attributes: usize,
    pub(crate) events: usize,
    pub(crate) links: usize,
    pub(crate) attributes_per_event: usize,
    pub(crate) attributes_per_link: usize,
    /// Characters of a text, bytes of bytes.
    pub(crate) length: usize,
    /// Arrays and maps in each other.
    pub(crate) depth: usize,
    /// The bytes of the whole span; a larger one is refused.
    pub(crate) bytes: usize,
}

/// Why a span lacks something of what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortfall {
    /// It met one of its [`SpanLimits`].
    Limit,
    /// It had no room for it while it was recorded.
    Room,
}

impl Shortfall {
    /// The kind of the line that says so.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Limit => "span limits",
            Self::Room => "span room",
        }
    }

    /// What its reader should know, and can do.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Limit => {
                "a span had more attributes, events or links than its limits allow; what is left out is counted in its \
                 `dropped_*_count`: record less, or raise the limit (`with_span_limits`, OTEL_SPAN_*_LIMIT)"
            }
            Self::Room => {
                "a span lost attributes, events or links, which its `dropped_*_count` tell, or the end of a name: a span \
                 holds 1 MiB at most, a key or name 65,535 bytes, all open spans what `with_memory_limit` allows, and a \
                 value must not panic: record less"
            }
        }
    }
}

impl Default for SpanLimits {
    fn default() -> Self {
        ResolvedLimits::default().into()
    }
}

impl From<ResolvedLimits> for SpanLimits {
    fn from(limits: ResolvedLimits) -> Self {
        Self {
            attributes: limits.attributes,
            events: limits.events,
            links: limits.links,
            attributes_per_event: limits.attributes_per_event,
            attributes_per_link: limits.attributes_per_link,
            length: limits.value_length,
            depth: limits.value_depth,
            // Common servers take messages up to 4 MiB.
            bytes: 3 << 20,
        }
    }
}

/// Messages in messages, as far as they are written; values that would lie deeper are empty.
///
/// LIM1 wants values 64 deep, but decoders (prost, C++, Java) refuse a whole request above 100 messages. Arrays reach 45
/// values deep and maps 30.
const MAX_NESTING: usize = 96;
/// Where the deepest attribute's value lies: in an event's attribute, in a span, in a scope, in a resource.
const VALUE_NESTING: usize = 6;

impl SpanLimits {
    /// For every value.
    #[inline(always)]
    pub(super) fn room(&self) -> Room {
        Room { length: self.length, depth: self.depth, ..Room::ENDLESS }
    }
}

/// What a value may still hold, at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Messages around it.
    nesting: usize,
    /// Arrays and maps in each other.
    depth: usize,
    /// Characters of a text, bytes of bytes.
    length: usize,
}

impl Room {
    /// As much as decoders take: for what has no limits, as the resource (LIM6).
    pub(super) const ENDLESS: Self = Self { nesting: VALUE_NESTING, depth: usize::MAX, length: usize::MAX };

    /// Within a value that puts so many messages around each of its parts; `None`: these would lie too deep.
    pub(super) fn within(self, messages: usize) -> Option<Self> {
        let nesting = self.nesting + messages;
        let depth = self.depth.checked_sub(1)?;
        (nesting <= MAX_NESTING).then_some(Self { nesting, depth, ..self })
    }

    /// So many characters of `text` as there is room for.
    #[inline(always)]
    pub(super) fn text(self, text: &str) -> &str {
        // No text has more characters than bytes.
        if text.len() <= self.length { text } else { self.cut(text) }
    }

    #[cold]
    fn cut(self, text: &str) -> &str {
        text.char_indices().nth(self.length).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
    }

    /// So many of `bytes` as there is room for.
    pub(super) fn bytes(self, bytes: &[u8]) -> &[u8] {
        bytes.get(..self.length).unwrap_or(bytes)
    }
}
