//! Writes bits as Zstandard's entropy coders do: each number above the earlier ones, read back from the end.

use crate::exact::usize_of;

/// Gathers bits. The reader starts with the bits that were written last.
#[derive(Default)]
pub(super) struct BitWriter {
    waiting: u64,
    filled: u32,
}

impl BitWriter {
    /// Writes the low `count` bits of `number`; at most 32.
    pub(super) fn put(&mut self, number: u32, count: u32, to: &mut Vec<u8>) {
        let mask = (1_u64 << count) - 1;
        self.waiting |= (u64::from(number) & mask) << self.filled;
        self.filled += count;
        if self.filled >= 32 {
            let [a, b, c, d, ..] = self.waiting.to_le_bytes();
            to.extend_from_slice(&[a, b, c, d]);
            self.waiting >>= 32;
            self.filled -= 32;
        }
    }

    /// Writes the bit that marks the end, and pads the last byte.
    pub(super) fn finish(mut self, to: &mut Vec<u8>) {
        self.put(1, 1, to);
        self.flush(to);
    }

    /// Pads the last byte without a mark.
    pub(super) fn flush(self, to: &mut Vec<u8>) {
        let bytes = usize_of(self.filled.div_ceil(8));
        to.extend(self.waiting.to_le_bytes().iter().take(bytes));
    }
}
