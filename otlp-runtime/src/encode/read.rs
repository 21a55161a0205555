//! Reads what the encoder wrote, field by field and without generated code.

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
    pub(crate) fn of(self, number: u64) -> Option<Field<'a>> {
        self.filter(|(n, _)| *n == number).last().map(|(_, field)| field)
    }

    /// All fields of this number.
    pub(crate) fn all(self, number: u64) -> impl Iterator<Item = Field<'a>> {
        self.filter(move |(n, _)| *n == number).map(|(_, field)| field)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { return None };
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag as u32 & 7 {
            VARINT => Field::Varint(self.varint()?),
            FIXED64 => Field::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            FIXED32 => Field::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            LEN => {
                let len = usize::try_from(self.varint()?).ok()?;
                Field::Bytes(self.take(len)?)
            }
            _ => return None,
        };
        Some((tag >> 3, field))
    }
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
