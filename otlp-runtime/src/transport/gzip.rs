//! gzip, in bounded memory.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// Compresses `body`; `None` if that does not make it smaller.
///
/// The fastest level: OTLP is so repetitive that the others take several times as long for little.
pub(super) fn pack(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < body.len()).then(|| Bytes::from(packed))
}

/// What came out of compressed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unpacked {
    Whole,
    /// There is more than the limit allows.
    TooLarge,
    /// It is no gzip, or breaks off.
    Broken,
}

/// Decompresses up to `limit` bytes, whatever was promised (spec-checklist OTP2).
pub(super) fn unpack(packed: &[u8], limit: usize) -> (Bytes, Unpacked) {
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut bytes);
    let end = match read {
        _ if bytes.len() > limit => Unpacked::TooLarge,
        Ok(_) => Unpacked::Whole,
        Err(_) => Unpacked::Broken,
    };
    bytes.truncate(limit);
    (Bytes::from(bytes), end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_get_smaller_is_left_alone() {
        assert_eq!(pack(b""), None);
        assert_eq!(pack(b"abc"), None);
        assert!(pack(&[7; 1000]).unwrap().len() < 100);
    }

    #[test]
    fn otp2_a_bomb_is_cut_at_the_limit() {
        let bomb = pack(&vec![0; 64 << 20]).unwrap();
        let (bytes, end) = unpack(&bomb, 1 << 20);
        assert_eq!((bytes.len(), end), (1 << 20, Unpacked::TooLarge));
        assert!(bomb.len() < 1 << 20);
        let exact = pack(&[0; 1000]).unwrap();
        assert_eq!(unpack(&exact, 1000).1, Unpacked::Whole);
        assert_eq!(unpack(&exact, 999).1, Unpacked::TooLarge);
    }

    proptest! {
        #[test]
        fn there_and_back(body in prop::collection::vec(0_u8..4, 0..5000)) {
            if let Some(packed) = pack(&body) {
                prop_assert_eq!(unpack(&packed, 5000), (Bytes::from(body), Unpacked::Whole));
                let (_, end) = unpack(&packed[..packed.len() - 1], 5000);
                prop_assert_eq!(end, Unpacked::Broken);
            }
        }

        #[test]
        fn garbage_is_no_more_than_broken(garbage in prop::collection::vec(any::<u8>(), 0..200)) {
            let (bytes, _) = unpack(&garbage, 100);
            prop_assert!(bytes.len() <= 100);
        }
    }
}
