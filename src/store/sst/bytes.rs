//! Numbers in table files: little-endian, or varints as in [`crate::format`].

use super::{FastPath, Unsupported};

/// Reads bytes from front to back.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'bytes>(pub &'bytes [u8]);

impl<'bytes> Bytes<'bytes> {
    /// Returns the next `count` bytes.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> FastPath<&'bytes [u8]> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Unsupported::Unknown)?;
        self.0 = rest;
        Ok(head)
    }

    /// Returns the next four bytes as a number.
    pub(super) fn u32(&mut self) -> FastPath<u32> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Unsupported::Unknown)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*head))
    }

    /// Returns the next varint, of at most 32 bits.
    #[inline]
    pub(super) fn length(&mut self) -> FastPath<usize> {
        match self.0 {
            [first @ 0..0x80, rest @ ..] => {
                self.0 = rest;
                return Ok(usize::from(*first));
            }
            [first, second @ 0..0x80, rest @ ..] => {
                self.0 = rest;
                return Ok(usize::from(first & 0x7f) | usize::from(*second) << 7);
            }
            _ => {}
        }
        let long = self.varint()?;
        u32::try_from(long).ok().and_then(|long| usize::try_from(long).ok()).ok_or(Unsupported::Unknown)
    }

    /// Returns the next varint, of at most 64 bits.
    pub(super) fn varint(&mut self) -> FastPath<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Unsupported::Unknown)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Unsupported::Unknown)
    }
}
