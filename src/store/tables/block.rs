//! Blocks of a table file: entries, whose keys are told by what they do not share with the one before, then places where a key is told in full.

use std::fs::File;
use std::os::unix::fs::FileExt;

use xxhash_rust::xxh3::xxh3_64;

use super::bytes::Bytes;
use super::{Odd, Plain};

/// Where a block lies in its file, without the trailer behind it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Handle {
    pub offset: u64,
    pub bytes: u64,
}

impl Handle {
    /// Behind each block: how it is compressed (1), checksum (4).
    pub const TRAILER_BYTES: u64 = 5;

    /// Two varints.
    pub fn decode(bytes: &mut Bytes<'_>) -> Plain<Self> {
        Ok(Handle { offset: bytes.varint()?, bytes: bytes.varint()? })
    }

    /// Where the trailer ends.
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.bytes).saturating_add(Self::TRAILER_BYTES)
    }
}

/// How the blocks of a file are checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    /// What checksums are mixed with, besides the place of the block.
    pub base: u32,
}

impl Checked {
    /// Compares the checksum of a block at this offset, with its trailer behind it. Odd too if it is compressed.
    pub fn check(self, offset: u64, with_trailer: &[u8]) -> Plain<()> {
        let (bytes, trailer) = with_trailer.split_last_chunk::<5>().ok_or(Odd)?;
        let [compression, stored @ ..] = *trailer;
        let [low, high] = [offset as u32, (offset >> 32) as u32];
        // The kind of compression would be mixed in here, but for the only one that is known, which is 0.
        let checksum = (xxh3_64(bytes) as u32).wrapping_add(self.base ^ low.wrapping_add(high));
        if compression == 0 && checksum == u32::from_le_bytes(stored) { Ok(()) } else { Err(Odd) }
    }

    /// The block alone.
    pub fn without_trailer(with_trailer: &[u8]) -> Plain<&[u8]> {
        with_trailer.split_last_chunk::<5>().map(|(bytes, _)| bytes).ok_or(Odd)
    }

    /// Reads a block that stands alone.
    pub fn read(self, file: &File, handle: Handle) -> Plain<Vec<u8>> {
        let bytes = usize::try_from(handle.end().checked_sub(handle.offset).ok_or(Odd)?).map_err(|_| Odd)?;
        let mut block = vec![0; bytes];
        file.read_exact_at(&mut block, handle.offset).map_err(|_| Odd)?;
        self.check(handle.offset, &block)?;
        block.truncate(Self::without_trailer(&block)?.len());
        Ok(block)
    }
}

/// A block, taken apart.
#[derive(Clone, Copy)]
pub(super) struct Block<'bytes> {
    pub entries: &'bytes [u8],
    /// Where entries begin whose key is told in full: four bytes each, ascending.
    restarts: &'bytes [u8],
}

impl<'bytes> Block<'bytes> {
    /// Takes the bytes of a block apart. Odd if it has an index of hashes or other features, which would be told by high bits.
    pub fn of(bytes: &'bytes [u8]) -> Plain<Self> {
        let (rest, count) = bytes.split_last_chunk::<4>().ok_or(Odd)?;
        let count = u32::from_le_bytes(*count);
        if count == 0 || count >> 28 != 0 {
            return Err(Odd);
        }
        let restarts_bytes = usize::try_from(count).map_err(|_| Odd)?.checked_mul(4).ok_or(Odd)?;
        let (entries, restarts) =
            rest.split_at_checked(rest.len().checked_sub(restarts_bytes).ok_or(Odd)?).ok_or(Odd)?;
        Ok(Block { entries, restarts })
    }

    /// How many keys are told in full.
    pub fn restarts(&self) -> usize {
        self.restarts.len() / 4
    }

    /// Where the entry of the restart with this number begins.
    pub fn restart(&self, number: usize) -> Plain<usize> {
        let place = self.restarts.get(number * 4..number * 4 + 4).and_then(<[u8]>::first_chunk).ok_or(Odd)?;
        usize::try_from(u32::from_le_bytes(*place)).map_err(|_| Odd)
    }
}
