//! Protobuf's wire format (protobuf.dev, "Encoding").

pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const LEN: u32 = 2;
pub(super) const FIXED32: u32 = 5;

/// The key of a field, for numbers up to 15.
pub(super) const fn key(field: u32, wire_type: u32) -> u8 {
    (field << 3 | wire_type) as u8
}

/// The bytes of a varint.
#[inline(always)]
pub(super) fn varint_len(value: u64) -> usize {
    ((63 - (value | 1).leading_zeros()) as usize * 9 + 73) / 64
}

#[inline(always)]
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    let mut bytes = [0; 10];
    let mut len = 0;
    for byte in &mut bytes {
        len += 1;
        *byte = value as u8 | 0x80;
        value >>= 7;
        if value == 0 {
            *byte &= 0x7f;
            break;
        }
    }
    out.extend_from_slice(bytes.get(..len).unwrap_or(&bytes));
}

/// A field of bytes or text.
#[inline(always)]
pub(super) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    out.push(key(field, LEN));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A field of a number, left out if zero.
pub(super) fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        out.push(key(field, VARINT));
        put_varint(out, value);
    }
}

/// A field of eight bytes.
#[inline(always)]
pub(super) fn put_fixed64(out: &mut Vec<u8>, field: u32, value: u64) {
    let mut bytes = [key(field, FIXED64); 9];
    if let Some(place) = bytes.last_chunk_mut::<8>() {
        *place = value.to_le_bytes();
    }
    out.extend_from_slice(&bytes);
}

/// A field that is a message: `write` writes it, then its length is put before it.
#[inline(always)]
pub(super) fn put_message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(key(field, LEN));
    put_length_of(out, write);
}

/// A length, then what `write` writes.
#[inline(always)]
pub(super) fn put_length_of(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    write(out);
    let len = out.len() - at - 1;
    match out.get_mut(at) {
        Some(place) if len < 0x80 => *place = len as u8,
        _ => widen(out, at, len),
    }
}

/// The length needs more than the one byte that was kept for it.
#[inline(never)]
fn widen(out: &mut Vec<u8>, at: usize, len: usize) {
    let more = varint_len(len as u64) - 1;
    let end = out.len();
    out.resize(end + more, 0);
    out.copy_within(at + 1..end, at + 1 + more);
    let mut rest = len;
    for byte in out.iter_mut().skip(at).take(more + 1) {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    if let Some(last) = out.get_mut(at + more) {
        *last &= 0x7f;
    }
}
