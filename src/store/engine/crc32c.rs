//! CRC-32C (Castagnoli), the checksum of files in RocksDB's backups.

use crate::exact::of_byte;

/// The polynomial, lowest power in the highest bit.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Number of bytes processed at once, with one table for each.
const AT_ONCE: usize = 8;

/// Table N has the checksum of each byte value followed by N zero bytes.
static TABLES: [[u32; 256]; AT_ONCE] = tables();

#[expect(
    clippy::indexing_slicing,
    reason = "all of it is worked out while compiling, which an index out of bounds would stop"
)]
const fn tables() -> [[u32; 256]; AT_ONCE] {
    let mut tables = [[0; 256]; AT_ONCE];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u32, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut behind = 1;
    while behind < AT_ONCE {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[behind - 1][byte];
            tables[behind][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        behind += 1;
    }
    tables
}

/// A checksum in progress.
#[derive(Clone, Copy)]
pub(crate) struct Crc32c(u32);

impl Crc32c {
    /// Returns the checksum of no bytes.
    pub(crate) fn new() -> Self {
        Crc32c(!0)
    }

    /// Adds the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<AT_ONCE>();
        for chunk in chunks {
            let mut word = *chunk;
            word.iter_mut().zip(self.0.to_le_bytes()).for_each(|(byte, sum)| *byte ^= sum);
            // The first byte has the most bytes after it.
            self.0 = TABLES.iter().rev().zip(word).fold(0, |sum, (table, byte)| sum ^ of_byte(table, byte));
        }
        for byte in rest {
            let ([low, ..], [first, ..]) = (self.0.to_le_bytes(), &TABLES);
            self.0 = of_byte(first, low ^ byte) ^ self.0 >> 8;
        }
    }

    /// Returns the checksum.
    pub(crate) fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crc(parts: &[&[u8]]) -> u32 {
        let mut crc = Crc32c::new();
        parts.iter().for_each(|part| crc.take(part));
        crc.value()
    }

    /// Source: RFC 3720, B.4, and RocksDB, `util/crc32c_test.cc`.
    #[test]
    fn known_checksums_however_the_bytes_come() {
        assert_eq!(crc(&[]), 0);
        assert_eq!(crc(&[b"123456789"]), 0xe306_9283);
        assert_eq!(crc(&[&[0; 32]]), 0x8a91_36aa);
        assert_eq!(crc(&[&[0xff; 32]]), 0x62a8_ab43);
        let ascending: Vec<u8> = (0..32).collect();
        for cut in 0..32 {
            let (head, rest) = ascending.split_at(cut);
            assert_eq!(crc(&[head, rest]), 0x46dd_794e, "{cut}");
        }
    }
}
