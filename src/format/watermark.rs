//! The commit watermark: up to where a store has committed, kept beside the database.

use xxhash_rust::xxh3::xxh3_64;

use super::varint::Reader;
use crate::error::Result;

/// The first byte of a watermark, separate from the format version: a watermark is not a value in the store.
const MARK_VERSION: u8 = 1;

/// The number of writes in a store's database as of its last durable commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Watermark(pub u64);

impl Watermark {
    /// Returns the bytes: version (1), number (8, big-endian), XXH3-64 of these nine (8, big-endian).
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = vec![MARK_VERSION];
        bytes.extend(self.0.to_be_bytes());
        bytes.extend(xxh3_64(&bytes).to_be_bytes());
        bytes
    }

    /// Returns the watermark with these bytes. Fails on bytes that [`Watermark::encode`] does not write.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let number = bytes.get(1..9).and_then(<[u8]>::first_chunk::<8>);
        let watermark =
            number.map(|number| Watermark(u64::from_be_bytes(*number))).filter(|watermark| watermark.encode() == bytes);
        watermark.ok_or_else(|| Reader::new(bytes, "mark").damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_no_other_byte_is_taken_for_it() {
        let bytes = Watermark(1_000_007).encode();
        assert_eq!(bytes[..9], [1, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x47]);
        assert_eq!(Watermark::decode(&bytes).unwrap(), Watermark(1_000_007));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[place] ^= 1 << bit;
                assert!(Watermark::decode(&other).is_err());
            }
            assert!(Watermark::decode(&bytes[..place]).is_err());
        }
    }
}
