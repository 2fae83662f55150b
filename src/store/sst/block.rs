//! Blocks of a table file: entries, whose keys omit the bytes in common with the previous key, then the restarts: the
//! offsets of entries with a full key.

use std::fs::File;
use std::os::unix::fs::FileExt;

use xxhash_rust::xxh3::xxh3_64;

use super::bytes::Bytes;
use super::{FastPath, Unsupported};
use crate::exact::usize_of;

/// Bytes after each key in a block of a table: its kind (1) and its sequence number (7).
pub(super) const KEY_TRAILER_BYTES: usize = 8;

/// Limit for a decompressed block. The largest block ever written by this program holds the record of one batch.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// Mixed into a checksum for each byte that names a compression. Source: RocksDB, `ModifyChecksumForLastByte`.
const COMPRESSION_MIX: u32 = 0x6b90_83d9;

/// The position of a block in its file, without the block's trailer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Handle {
    pub offset: u64,
    pub bytes: u64,
}

impl Handle {
    /// Bytes after each block: its compression (1), its checksum (4).
    pub(super) const TRAILER_BYTES: u64 = 5;

    /// Decodes two varints.
    pub(super) fn decode(bytes: &mut Bytes<'_>) -> FastPath<Self> {
        Ok(Handle { offset: bytes.varint()?, bytes: bytes.varint()? })
    }

    /// Fails unless the block, with its trailer, lies before `limit`.
    pub(super) fn before(self, limit: u64) -> FastPath<Self> {
        let end = self.offset.checked_add(self.bytes).and_then(|end| end.checked_add(Self::TRAILER_BYTES));
        if end.is_some_and(|end| end <= limit) {
            Ok(self)
        } else {
            Err(Unsupported::Damaged("a block extends beyond its part of the file"))
        }
    }

    /// Returns the end of the trailer.
    pub(super) fn end(self) -> u64 {
        self.offset.saturating_add(self.bytes).saturating_add(Self::TRAILER_BYTES)
    }
}

/// How the blocks of a file are checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    /// Mixed into checksums, in addition to the offset of the block.
    pub base: u32,
}

impl Checked {
    /// Returns the number added to the checksum of the bytes at this offset.
    pub(super) fn modifier(self, offset: u64) -> u32 {
        let [low, high] = [offset as u32, (offset >> 32) as u32];
        self.base ^ low.wrapping_add(high)
    }

    /// Returns the checksum of bytes, the last of which names the compression or belongs to a footer.
    pub(super) fn mixed(bytes: &[u8], last: u8) -> u32 {
        (xxh3_64(bytes) as u32) ^ u32::from(last).wrapping_mul(COMPRESSION_MIX)
    }

    /// Compares the checksum of a block at this offset, followed by its trailer, and returns the block alone. Also
    /// unsupported if the block is compressed.
    pub(super) fn check(self, offset: u64, with_trailer: &[u8]) -> FastPath<&[u8]> {
        let (bytes, trailer) = with_trailer.split_last_chunk::<5>().ok_or(Unsupported::Unknown)?;
        let [compression, stored @ ..] = *trailer;
        let checksum = Self::mixed(bytes, compression).wrapping_add(self.modifier(offset));
        if checksum != u32::from_le_bytes(stored) {
            return Err(Unsupported::Unknown);
        }
        if compression == 0 {
            return Ok(bytes);
        }
        // Compressed data begins with its decompressed size, and RocksDB allocates that much memory.
        match Bytes(bytes).varint() {
            Ok(announced) if announced <= DECOMPRESSED_BYTES_MAX as u64 => Err(Unsupported::Unknown),
            _ => Err(Unsupported::Damaged("a block announces more bytes than a block can have")),
        }
    }

    /// Reads a single block. Memory: the size of the block; its handle must have been checked against the file.
    pub(super) fn read(self, file: &File, handle: Handle) -> FastPath<Vec<u8>> {
        let bytes = usize::try_from(handle.end().checked_sub(handle.offset).ok_or(Unsupported::Unknown)?);
        let mut block = vec![0; bytes.map_err(|_| Unsupported::Unknown)?];
        file.read_exact_at(&mut block, handle.offset).map_err(|_| Unsupported::Unknown)?;
        let bytes = self.check(handle.offset, &block)?.len();
        block.truncate(bytes);
        Ok(block)
    }
}

/// A parsed block. Its checksum must have been compared: a contradiction in the block means damage.
#[derive(Clone, Copy)]
pub(super) struct Block<'bytes> {
    pub entries: &'bytes [u8],
    /// Offsets of the entries with a full key: four bytes each, ascending.
    restarts: &'bytes [u8],
}

impl<'bytes> Block<'bytes> {
    /// Parses the bytes of a block. High bits of the count would announce a hash index or other features, which no
    /// version has written.
    pub(super) fn of(bytes: &'bytes [u8]) -> FastPath<Self> {
        const WRONG: Unsupported = Unsupported::Damaged("a block counts more restarts than fit into it");
        let (rest, count) = bytes.split_last_chunk::<4>().ok_or(WRONG)?;
        let count = u32::from_le_bytes(*count);
        if count == 0 || count >> 28 != 0 {
            return Err(WRONG);
        }
        let restarts_bytes = usize::try_from(count).ok().and_then(|count| count.checked_mul(4)).ok_or(WRONG)?;
        let entries = rest.len().checked_sub(restarts_bytes).ok_or(WRONG)?;
        let (entries, restarts) = rest.split_at_checked(entries).ok_or(WRONG)?;
        Ok(Block { entries, restarts })
    }

    /// Returns the offset of the entry of each restart.
    pub(super) fn restarts(&self) -> impl Iterator<Item = usize> {
        self.restarts.as_chunks::<4>().0.iter().map(|at| usize_of(u32::from_le_bytes(*at)))
    }

    /// Checks all entries of a table's block: keys ascend, entries and restarts are in order, and each restart is an
    /// entry with a full key. Shows each entry to `show`, and leaves the last key in `key`; both without key trailers,
    /// as all keys here.
    pub(super) fn check(
        &self,
        key: &mut Vec<u8>,
        mut show: impl FnMut(&[u8], EntryValue) -> FastPath<()>,
    ) -> FastPath<()> {
        const RESTARTS: Unsupported = Unsupported::Damaged("the restarts of a block do not point to its entries");
        let mut restarts = self.restarts();
        let mut next_restart = restarts.next();
        let mut rest = Bytes(self.entries);
        key.clear();
        while !rest.0.is_empty() {
            let at = self.entries.len() - rest.0.len();
            let (shared, own, value_bytes) =
                entry_key(&mut rest).map_err(|_| Unsupported::Damaged("an entry of a block is cut off"))?;
            if next_restart == Some(at) {
                next_restart = restarts.next();
                if shared > 0 {
                    return Err(RESTARTS);
                }
            }
            if !take_key(key, shared, own)? && at > 0 {
                return Err(Unsupported::Damaged("the keys of a block are not in ascending order"));
            }
            let (key, [kind, ..]) = parts_of_key(key)?;
            let end = self.entries.len() - rest.0.len();
            show(key, EntryValue { kind: *kind, at: end - value_bytes, bytes: value_bytes })?;
        }
        if next_restart.is_some() || self.entries.is_empty() {
            return Err(RESTARTS);
        }
        key.truncate(parts_of_key(key)?.0.len());
        Ok(())
    }
}

/// The value of an entry: the kind of its key, its offset in the block and its size.
#[derive(Clone, Copy)]
pub(super) struct EntryValue {
    pub kind: u8,
    pub at: usize,
    pub bytes: usize,
}

/// Steps over an entry. Returns the number of bytes in common with the previous key, the key's own bytes, and the size
/// of the value.
#[inline(always)]
fn entry_key<'bytes>(rest: &mut Bytes<'bytes>) -> FastPath<(usize, &'bytes [u8], usize)> {
    let (shared, more) = match rest.0 {
        [shared @ 0..0x80, more @ 0..0x80, after @ ..] => {
            rest.0 = after;
            (usize::from(*shared), usize::from(*more))
        }
        _ => (rest.length()?, rest.length()?),
    };
    let length = rest.length()?;
    let own = rest.take(more)?;
    rest.take(length)?;
    Ok((shared, own, length))
}

/// Replaces the previous key, with its trailer, by the next key, and returns whether keys ascend. Unsupported if the
/// next key is an older version of the previous key: only RocksDB decides which version counts.
#[inline(always)]
fn take_key(key: &mut Vec<u8>, shared: usize, own: &[u8]) -> FastPath<bool> {
    let before = key.len().saturating_sub(KEY_TRAILER_BYTES);
    // Nearly always the first byte that is not in common decides.
    if shared < before && own.len() > KEY_TRAILER_BYTES && own.first() > key.get(shared) {
        key.truncate(shared);
        key.extend_from_slice(own);
        return Ok(true);
    }
    take_close_key(key, before, shared, own)
}

fn take_close_key(key: &mut Vec<u8>, before: usize, shared: usize, own: &[u8]) -> FastPath<bool> {
    let Some(length) = (shared + own.len()).checked_sub(KEY_TRAILER_BYTES) else { return Ok(false) };
    if shared > key.len() {
        return Ok(false);
    }
    // Keys differ in the bytes that are not in common; the common bytes may extend into the trailer.
    let order = match (key.get(shared..before), length.checked_sub(shared).and_then(|own_key| own.get(..own_key))) {
        (Some(old), Some(new)) => new.cmp(old),
        _ => length.cmp(&before),
    };
    let newer = key_trailer(key);
    key.truncate(shared);
    key.extend_from_slice(own);
    if order.is_eq() && key_trailer(key) < newer { Err(Unsupported::Unknown) } else { Ok(order.is_gt()) }
}

/// Returns the trailer of a key as a number, which is higher in newer versions; `None` if there is no key yet.
fn key_trailer(key: &[u8]) -> Option<u64> {
    key.last_chunk::<KEY_TRAILER_BYTES>().map(|trailer| u64::from_le_bytes(*trailer))
}

/// Parts a key from its trailer.
fn parts_of_key(key: &[u8]) -> FastPath<(&[u8], &[u8; KEY_TRAILER_BYTES])> {
    key.split_last_chunk().ok_or(Unsupported::Damaged("a key of a block is too short"))
}
