//! How much of one span is exported (spec-checklist LIM1, LIM3).

/// Limits of one span; what is beyond them is left out, and counted in the span's `dropped_*_count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanLimits {
    pub(crate) attributes: usize,
    pub(crate) events: usize,
    pub(crate) links: usize,
    pub(crate) attributes_per_event: usize,
    pub(crate) attributes_per_link: usize,
    /// The bytes of the whole span; a larger one is refused.
    pub(crate) bytes: usize,
}

impl Default for SpanLimits {
    fn default() -> Self {
        Self {
            attributes: 128,
            events: 128,
            links: 128,
            attributes_per_event: 128,
            attributes_per_link: 128,
            // Common servers take messages up to 4 MiB.
            bytes: 3 << 20,
        }
    }
}

/// Messages in messages, as far as they are written; values that would lie deeper are empty.
///
/// LIM1 wants values 64 deep, but decoders (prost, C++, Java) refuse a whole request above 100 messages. Arrays reach 45
/// values deep and maps 30.
pub(crate) const MAX_NESTING: usize = 96;
/// Where the deepest attribute's value lies: in an event's attribute, in a span, in a scope, in a resource.
pub(crate) const VALUE_NESTING: usize = 6;
