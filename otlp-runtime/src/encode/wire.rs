//! Protobuf's wire format (protobuf.dev, "Encoding").

pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const LEN: u32 = 2;
pub(super) const FIXED32: u32 = 5;

/// A key and the longest length that there is before a message.
pub(super) const KEY_AND_LENGTH: usize = 6;

/// The key of a field, for numbers up to 15.
pub(super) const fn key(field: u32, wire_type: u32) -> u8 {
    (field << 3 | wire_type) as u8
}

/// The bytes of a varint.
#[inline(always)]
pub(super) fn varint_len(value: u64) -> usize {
    ((63 - (value | 1).leading_zeros()) as usize * 9 + 73) / 64
}

/// A varint and how many of the bytes it takes.
#[inline(always)]
pub(super) fn varint(value: u64) -> ([u8; 10], usize) {
    match short_varint(value) {
        Some((word, len)) => {
            let [b0, b1, b2, b3, b4, b5, b6, b7] = word.to_le_bytes();
            ([b0, b1, b2, b3, b4, b5, b6, b7, 0, 0], len)
        }
        None => (long_varint(value), varint_len(value)),
    }
}

/// The same as a little-endian word; `None`: it takes more than eight bytes.
#[inline(always)]
pub(super) fn short_varint(value: u64) -> Option<(u64, usize)> {
    let len = varint_len(value);
    if len > 8 {
        return None;
    }
    // Eight groups of seven bits move apart together: halves, quarters, eighths.
    let x = value & 0x0fff_ffff | (value & 0x0fff_ffff << 28) << 4;
    let x = x & 0x3fff_0000_3fff | (x & 0x3fff_0000_3fff << 14) << 2;
    let x = x & 0x007f_007f_007f_007f | (x & 0x007f_007f_007f_007f << 7) << 1;
    // All but the last say that another follows.
    let more = 0x8080_8080_8080_8080 & ((1 << (8 * (len - 1))) - 1);
    Some((x | more, len))
}

/// The bytes of a varint of nine or ten.
#[cold]
#[inline(never)]
pub(super) fn long_varint(mut value: u64) -> [u8; 10] {
    std::array::from_fn(|_| {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        if value == 0 { byte } else { byte | 0x80 }
    })
}

#[inline(always)]
pub(super) fn put_varint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else {
        let (bytes, len) = varint(value);
        put_start(out, bytes, len);
    }
}

/// The first `len` of `bytes`: copied whole and cut, which takes no call.
#[inline(always)]
pub(super) fn put_start<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N], len: usize) {
    out.extend_from_slice(&bytes);
    out.truncate(out.len() - N.saturating_sub(len));
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
        _ => refit(out, at, 1, len),
    }
}

/// A field that is a message of about 128 bytes or more.
#[inline(always)]
pub(super) fn put_long_message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len() + 1;
    out.extend_from_slice(&[key(field, LEN), 0, 0]);
    write(out);
    let len = out.len() - at - 2;
    match out.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        Some(place) if len >> 7 != 0 && len >> 14 == 0 => *place = [len as u8 | 0x80, (len >> 7) as u8],
        _ => refit(out, at, 2, len),
    }
}

/// Puts a length at `at`, where it needs more or less than the `kept` bytes.
#[cold]
#[inline(never)]
fn refit(out: &mut Vec<u8>, at: usize, kept: usize, len: usize) {
    let (bytes, needed) = varint(len as u64);
    let end = at + kept + len;
    out.resize(end.max(at + needed + len), 0);
    out.copy_within(at + kept..end, at + needed);
    out.truncate(at + needed + len);
    out.iter_mut().skip(at).zip(bytes.iter().take(needed)).for_each(|(to, from)| *to = *from);
}
