//! One span: `Span` of opentelemetry/proto/trace/v1, its fields in the order of their numbers.

use super::attribute::{Scratch, Unique};
use super::limits::SpanLimits;
use super::wire::{FIXED32, FIXED64, LEN, VARINT, key, put_bytes, put_fixed64, put_message, put_number, put_start};
use crate::data::{SpanKind, StatusCode, TraceFlags};
use crate::processor::RecordSource;
use crate::record::layout::Entry;

// Fields of `Span`.
const TRACE_ID: u32 = 1;
const SPAN_ID: u32 = 2;
const PARENT_SPAN_ID: u32 = 4;
pub(super) const NAME: u32 = 5;
const KIND: u32 = 6;
const START: u32 = 7;
const END: u32 = 8;
pub(super) const ATTRIBUTES: u32 = 9;
const DROPPED_ATTRIBUTES: u32 = 10;
const EVENTS: u32 = 11;
const DROPPED_EVENTS: u32 = 12;
const LINKS: u32 = 13;
const DROPPED_LINKS: u32 = 14;
const STATUS: u32 = 15;
/// The key of field 16, `flags`, takes two bytes.
const FLAGS: [u8; 2] = [FIXED32 as u8 | 0x80, 1];

/// Bits of `flags` above the W3C octet (spec-checklist PRO2).
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// What a span that ended by a panic says, if nothing else was said.
const PANICKED: &str = "panicked";

/// The content of a `Span`, whatever there is to it. `clock` turns raw readings into Unix nanoseconds.
#[inline(never)]
pub(super) fn put_span(
    out: &mut Vec<u8>,
    source: &impl RecordSource,
    clock: &impl Fn(u64) -> u64,
    limits: &SpanLimits,
    scratch: &mut Scratch,
) {
    let (ids, len) = ids(source);
    put_start(out, ids, len);
    let start = source.start().unix_nanos(clock);
    let end = source.end().unix_nanos(clock).max(start);
    let status = put_entries(out, source, (start, end), clock, limits, scratch);
    let lost = source.lost();
    scratch.lost |= lost.attributes() > 0 || lost.has_cut();
    status.put(out, source.panicked(), lost.has_error());
    out.extend_from_slice(&flags(source));
}

/// The field `flags` of a span that was sampled.
#[inline(always)]
pub(super) fn flags(source: &impl RecordSource) -> [u8; 6] {
    let random = if source.has_random_trace_id() { TraceFlags::RANDOM } else { TraceFlags::NONE };
    let flags = span_flags(TraceFlags::SAMPLED.with(random), source.has_remote_parent());
    let [f0, f1, f2, f3] = flags.to_le_bytes();
    [FLAGS[0], FLAGS[1], f0, f1, f2, f3]
}

/// The flags of a span or link: the W3C octet, and whether the parent, or the linked span, is remote.
#[inline(always)]
fn span_flags(flags: TraceFlags, remote: bool) -> u32 {
    u32::from(flags.bits()) | HAS_IS_REMOTE | if remote { IS_REMOTE } else { 0 }
}

/// The ids, and how many of the bytes they take.
#[inline(always)]
pub(super) fn ids(source: &impl RecordSource) -> ([u8; 38], usize) {
    let parent = source.parent_span_id();
    let mut ids = [0; 38];
    ids[..2].copy_from_slice(&[key(TRACE_ID, LEN), 16]);
    ids[2..18].copy_from_slice(&source.trace_id().to_bytes());
    ids[18..20].copy_from_slice(&[key(SPAN_ID, LEN), 8]);
    ids[20..28].copy_from_slice(&source.span_id().to_bytes());
    ids[28..30].copy_from_slice(&[key(PARENT_SPAN_ID, LEN), 8]);
    ids[30..].copy_from_slice(&parent.to_bytes());
    (ids, if parent.is_valid() { 38 } else { 28 })
}

/// Kind, start and end.
#[inline(always)]
pub(super) fn times(kind: SpanKind, start: u64, end: u64) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..3].copy_from_slice(&[key(KIND, VARINT), kind as u8, key(START, FIXED64)]);
    bytes[3..11].copy_from_slice(&start.to_le_bytes());
    bytes[11] = key(END, FIXED64);
    bytes[12..].copy_from_slice(&end.to_le_bytes());
    bytes
}

/// Everything between ids and status, of which that is returned.
fn put_entries<'s>(
    out: &mut Vec<u8>,
    source: &'s impl RecordSource,
    (start, end): (u64, u64),
    clock: &impl Fn(u64) -> u64,
    limits: &SpanLimits,
    scratch: &mut Scratch,
) -> Status<'s> {
    let mut name = source.name();
    let mut attributes = Unique::new(scratch, limits.attributes, limits.room());
    let mut status = Status::default();
    let (mut events, mut links) = (0usize, 0usize);
    for entry in source.entries() {
        match entry {
            Entry::Attribute(key, value) => attributes.set(key, value),
            Entry::Name(new) => name = new,
            Entry::Status(code, message) => status.set(code, message),
            Entry::Event { .. } => events += 1,
            Entry::Link { .. } => links += 1,
        }
    }
    if !name.is_empty() {
        put_bytes(out, NAME, name.as_bytes());
    }
    out.extend_from_slice(&times(source.kind(), start, end));
    attributes.put(out, ATTRIBUTES);
    put_number(out, DROPPED_ATTRIBUTES, source.lost().attributes().saturating_add(attributes.dropped).into());
    attributes.done(scratch);
    if events > 0 {
        put_events(out, source, clock, limits, scratch);
    }
    put_number(out, DROPPED_EVENTS, events.saturating_sub(limits.events) as u64 + u64::from(source.lost().events()));
    if links > 0 {
        put_links(out, source, limits, scratch);
    }
    put_number(out, DROPPED_LINKS, links.saturating_sub(limits.links) as u64 + u64::from(source.lost().links()));
    // Those that the journal did not keep, because it knows the limit, are lost.
    let lost = source.lost();
    let (lost_events, lost_links) = (lost.events() as usize, lost.links() as usize);
    scratch.limited |= events + lost_events > limits.events || links + lost_links > limits.links;
    scratch.lost |= lost_events > 0 && events < limits.events || lost_links > 0 && links < limits.links;
    status
}

/// `Event`: time 1, name 2, attributes 3, dropped attributes 4.
fn put_events(
    out: &mut Vec<u8>,
    source: &impl RecordSource,
    clock: &impl Fn(u64) -> u64,
    limits: &SpanLimits,
    scratch: &mut Scratch,
) {
    let events = source.entries().filter_map(|entry| match entry {
        Entry::Event { name, time, attributes } => Some((name, time, attributes)),
        _ => None,
    });
    for (name, time, attributes) in events.take(limits.events) {
        put_message(out, EVENTS, |out| {
            put_fixed64(out, 1, clock(time));
            if !name.is_empty() {
                put_bytes(out, 2, name.as_bytes());
            }
            Unique::new(scratch, limits.attributes_per_event, limits.room()).put_all(out, 3, attributes, scratch);
        });
    }
}

/// `Link`: trace id 1, span id 2, attributes 4, dropped attributes 5, flags 6.
fn put_links(out: &mut Vec<u8>, source: &impl RecordSource, limits: &SpanLimits, scratch: &mut Scratch) {
    let links = source.entries().filter_map(|entry| match entry {
        Entry::Link { trace_id, span_id, flags, remote, attributes } => {
            Some((trace_id, span_id, span_flags(flags, remote), attributes))
        }
        _ => None,
    });
    for (trace_id, span_id, flags, attributes) in links.take(limits.links) {
        put_message(out, LINKS, |out| {
            put_bytes(out, 1, &trace_id.to_bytes());
            put_bytes(out, 2, &span_id.to_bytes());
            Unique::new(scratch, limits.attributes_per_link, limits.room()).put_all(out, 4, attributes, scratch);
            out.push(key(6, FIXED32));
            out.extend_from_slice(&flags.to_le_bytes());
        });
    }
}

/// The status that several calls add up to (spec-checklist TRC8): `Ok` is final, `Error` beats `Unset`, and the last
/// `Error` has the say.
#[derive(Clone, Copy, Debug, Default)]
struct Status<'s> {
    code: StatusCode,
    message: &'s str,
}

impl<'s> Status<'s> {
    fn set(&mut self, code: StatusCode, message: &'s str) {
        match (self.code, code) {
            (StatusCode::Ok, _) | (_, StatusCode::Unset) => {}
            (_, StatusCode::Ok) => *self = Self { code, message: "" },
            (_, StatusCode::Error) => *self = Self { code, message },
        }
    }

    /// `Status`: message 2, code 3, in which `Ok` is 1 and `Error` is 2.
    fn put(mut self, out: &mut Vec<u8>, panicked: bool, lost_error: bool) {
        if lost_error && self.code == StatusCode::Unset {
            self.code = StatusCode::Error;
        }
        if panicked {
            match self.code {
                StatusCode::Unset => self.set(StatusCode::Error, PANICKED),
                // What was said before the panic does not hold any more.
                StatusCode::Ok => self = Self { code: StatusCode::Error, message: PANICKED },
                StatusCode::Error => {}
            }
        }
        if self.code == StatusCode::Unset {
            return;
        }
        put_message(out, STATUS, |out| {
            if !self.message.is_empty() {
                put_bytes(out, 2, self.message.as_bytes());
            }
            out.extend_from_slice(&[key(3, VARINT), self.code as u8]);
        });
    }
}
