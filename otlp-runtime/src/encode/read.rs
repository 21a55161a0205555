//! Reads protobuf field by field, without generated code: what the encoder wrote, and what a receiver answers.

use super::wire::{FIXED32, FIXED64, LEN, VARINT};

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    /// A number of any length.
    Varint(u64),
    /// Eight bytes.
    Fixed64(u64),
    /// Four bytes.
    Fixed32(u32),
    /// Text, bytes, or another message.
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// The bytes; empty for a number.
    pub(crate) fn bytes(self) -> &'a [u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }

    /// The fields of the message that it is.
    pub(crate) fn fields(self) -> Fields<'a> {
        Fields(self.bytes())
    }

    /// The number; 0 for bytes.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Varint(value) | Self::Fixed64(value) => value,
            Self::Fixed32(value) => value.into(),
            Self::Bytes(_) => 0,
        }
    }
}

/// The fields of a message with their numbers, in their order. Ends where the bytes are no message any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// The last field of this number.
    pub(crate) fn of(self, number: u32) -> Option<Field<'a>> {
        self.filter(|(n, _)| *n == number).last().map(|(_, field)| field)
    }

    /// All fields of this number.
    pub(crate) fn all(self, number: u32) -> impl Iterator<Item = Field<'a>> {
        self.filter(move |(n, _)| *n == number).map(|(_, field)| field)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Field<'a>);

    fn next(&mut self) -> Option<(u32, Field<'a>)> {
        take_field(&mut self.0).ok()
    }
}

/// The bytes are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Takes the first field off `bytes`, with its number.
pub(crate) fn take_field<'a>(bytes: &mut &'a [u8]) -> Result<(u32, Field<'a>), Malformed> {
    let tag = u32::try_from(take_varint(bytes)?).map_err(|_| Malformed)?;
    let field = match tag & 7 {
        VARINT => Field::Varint(take_varint(bytes)?),
        FIXED64 => Field::Fixed64(u64::from_le_bytes(*take_array(bytes)?)),
        FIXED32 => Field::Fixed32(u32::from_le_bytes(*take_array(bytes)?)),
        LEN => {
            let len = usize::try_from(take_varint(bytes)?).map_err(|_| Malformed)?;
            let (head, tail) = bytes.split_at_checked(len).ok_or(Malformed)?;
            *bytes = tail;
            Field::Bytes(head)
        }
        _ => return Err(Malformed),
    };
    match tag >> 3 {
        0 => Err(Malformed),
        number => Ok((number, field)),
    }
}

fn take_array<'a, const N: usize>(bytes: &mut &'a [u8]) -> Result<&'a [u8; N], Malformed> {
    let (head, tail) = bytes.split_first_chunk().ok_or(Malformed)?;
    *bytes = tail;
    Ok(head)
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Malformed)?;
        *bytes = rest;
        if shift == 63 && byte > 1 {
            return Err(Malformed);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_go_on_for_ever(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(Fields(&bytes).count() <= bytes.len());
        }
    }

    #[test]
    fn each_kind_of_field_is_read() {
        let bytes = [0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i', 0x85, 0x01, 7, 0, 0, 0];
        let fields: Vec<_> = Fields(&bytes).collect();
        let expected =
            [(1, Field::Varint(150)), (2, Field::Fixed64(1)), (3, Field::Bytes(b"hi")), (16, Field::Fixed32(7))];
        assert_eq!(fields, expected);
        assert_eq!(Fields(&bytes).of(1).map(Field::number), Some(150));
        // Cut off: what is whole is read.
        assert_eq!(Fields(&bytes[..13]).count(), 2);
    }
}
