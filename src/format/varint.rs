//! Variable-length integers (LEB128): seven bits per byte, lowest first, with the top bit set if another byte follows.

use crate::error::{Error, Result};
use crate::exact::usize_of;

/// Appends an unsigned integer.
pub(crate) fn put_varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Maps signed to unsigned so that small magnitudes stay small: 0, -1, 1, -2 become 0, 1, 2, 3.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The inverse of [`zigzag`].
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Reads a value from front to back. Every read fails, naming `of`, if the bytes end too early.
#[derive(Clone, Copy)]
pub struct Reader<'bytes> {
    rest: &'bytes [u8],
    of: &'static str,
}

impl<'bytes> Reader<'bytes> {
    /// Returns a reader of `bytes`; `of` is the name of the value in messages.
    pub fn new(bytes: &'bytes [u8], of: &'static str) -> Self {
        Reader { rest: bytes, of }
    }

    /// Returns the next byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(*first)
    }

    /// Returns the next `count` bytes.
    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'bytes [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Returns the next unsigned integer.
    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        // Most integers have one byte.
        if let Some((first @ 0..0x80, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Ok(u64::from(*first));
        }
        // Nearly all others have at most eight.
        if let Some((first, _)) = self.rest.split_first_chunk::<8>() {
            let eight = u64::from_le_bytes(*first);
            let ends = !eight & 0x8080_8080_8080_8080;
            if ends != 0 {
                let last = ends & ends.wrapping_neg();
                // Keeps the bits up to and including the end, then squeezes out the top bits of the bytes in three
                // steps: joins pairs of 7, of 14, of 28 bits.
                let mut bits = eight & (last | (last - 1)) & 0x7f7f_7f7f_7f7f_7f7f;
                bits = bits & 0x007f_007f_007f_007f | (bits & 0x7f00_7f00_7f00_7f00) >> 1;
                bits = bits & 0x0000_3fff_0000_3fff | (bits & 0x3fff_0000_3fff_0000) >> 2;
                bits = bits & 0x0fff_ffff | (bits & 0x0fff_ffff_0000_0000) >> 4;
                let count = usize_of(last.trailing_zeros() / 8 + 1);
                (_, self.rest) = self.rest.split_at(count);
                return Ok(bits);
            }
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64> {
        let (mut number, mut shift) = (0_u64, 0);
        loop {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift > 63 || (shift == 63 && bits > 1) {
                return Err(self.damaged());
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    /// Returns the next unsigned integer as a `usize`.
    pub fn count(&mut self) -> Result<usize> {
        usize::try_from(self.varint()?).map_err(|_| self.damaged())
    }

    /// Returns how many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Fails if bytes are left.
    pub fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }

    /// Returns the error for damaged bytes.
    pub fn damaged(&self) -> Error {
        Error::corrupt(format!("a {} in the store cannot be read", self.of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_survive(number in any::<i64>(), small in -70_i64..70) {
            for number in [number, small] {
                let mut bytes = Vec::new();
                put_varint(zigzag(number), &mut bytes);
                let mut reader = Reader::new(&bytes, "number");
                prop_assert_eq!(unzigzag(reader.varint().unwrap()), number);
                prop_assert!(reader.end().is_ok());
            }
        }

        #[test]
        fn any_bytes_are_an_integer_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes, "number");
            if let Ok(number) = reader.varint() {
                let mut again = Vec::new();
                put_varint(number, &mut again);
                prop_assert!(again.len() <= bytes.len());
            }
            // Reading byte by byte gives the same result, however many bytes follow.
            let (mut one, mut other) = (Reader::new(&bytes, "number"), Reader::new(&bytes, "number"));
            let number = one.varint().ok();
            prop_assert_eq!(number, other.long_varint().ok());
            prop_assert!(number.is_none() || one.left() == other.left());
        }
    }
}
