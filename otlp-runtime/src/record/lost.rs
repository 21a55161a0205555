//! What one span could not record, as its record carries it.

/// How many attributes, links and events found no room, whether an error did not, and whether a text was cut.
///
/// ```text
/// attributes (20 bits) | links (12 bits) << 20 | an error << 37 | events (23 bits) << 40 | a cut << 63
/// ```
/// Each count stops at its highest value. The upper half has the places of the record's first word, the lower half is
/// the upper half of its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost(u64);

/// Where a count lies.
struct Field {
    shift: u32,
    bits: u32,
}

const ATTRIBUTES: Field = Field { shift: 0, bits: 20 };
const LINKS: Field = Field { shift: 20, bits: 12 };
const EVENTS: Field = Field { shift: 40, bits: 23 };
const ERROR: u64 = 1 << 37;
const CUT: u64 = 1 << 63;

impl Lost {
    /// Nothing.
    pub(crate) const NONE: Self = Self(0);

    /// From the first and the last word of a record.
    pub(crate) fn of(first: u64, last: u64) -> Self {
        Self(first & (!0 << EVENTS.shift | ERROR) | last >> 32)
    }

    /// What goes into the first word, and into the upper half of the last.
    #[inline(always)]
    pub(crate) fn words(self) -> (u64, u64) {
        (self.0 & !0xffff_ffff, self.0 << 32)
    }

    fn get(self, field: &Field) -> u32 {
        (self.0 >> field.shift) as u32 & ((1 << field.bits) - 1)
    }

    fn count(&mut self, field: &Field, more: u32) {
        let most = (1 << field.bits) - 1;
        let count = self.get(field).saturating_add(more).min(most);
        self.0 = self.0 & !(u64::from(most) << field.shift) | u64::from(count) << field.shift;
    }

    /// Attributes, of the span or of an event or link.
    pub fn attributes(self) -> u32 {
        self.get(&ATTRIBUTES)
    }

    /// Whole events.
    pub fn events(self) -> u32 {
        self.get(&EVENTS)
    }

    /// Whole links.
    pub fn links(self) -> u32 {
        self.get(&LINKS)
    }

    /// Whether the span failed, and nothing else says so.
    pub fn has_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// Whether a name or a description was cut.
    pub fn has_cut(self) -> bool {
        self.0 & CUT != 0
    }

    #[cold]
    pub(crate) fn add_attributes(&mut self, more: u32) {
        self.count(&ATTRIBUTES, more);
    }

    #[cold]
    pub(crate) fn add_events(&mut self, more: u32) {
        self.count(&EVENTS, more);
    }

    #[cold]
    pub(crate) fn add_links(&mut self, more: u32) {
        self.count(&LINKS, more);
    }

    #[cold]
    pub(crate) fn add_error(&mut self) {
        self.0 |= ERROR;
    }

    #[cold]
    pub(crate) fn add_cut(&mut self) {
        self.0 |= CUT;
    }

    /// What another has lost too.
    pub(crate) fn add(&mut self, other: Self) {
        if other != Self::NONE {
            self.add_attributes(other.attributes());
            self.add_links(other.links());
            self.add_events(other.events());
            self.0 |= other.0 & (ERROR | CUT);
        }
    }
}
