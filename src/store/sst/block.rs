//! Blocks of a table file: entries, whose keys are told by what they do not share with the one before, then places
//! where a key is told in full.

use std::fs::File;
use std::os::unix::fs::FileExt;

use xxhash_rust::xxh3::xxh3_64;

use super::bytes::Bytes;
use super::{FastPath, Unsupported};

/// Behind each key in a block of a table: its kind (1) and the number of its write (7).
pub(super) const KEY_TRAILER_BYTES: usize = 8;

/// No block that this program ever wrote takes more when it is decompressed: the largest has the record of one batch.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// Set in a checksum by each byte that says how a block is compressed. Source: RocksDB, `ModifyChecksumForLastByte`.
const COMPRESSION_MIX: u32 = 0x6b90_83d9;

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
    pub fn decode(bytes: &mut Bytes<'_>) -> FastPath<Self> {
        Ok(Handle { offset: bytes.varint()?, bytes: bytes.varint()? })
    }

    /// Fails unless it lies, with its trailer, before `limit`.
    pub fn before(self, limit: u64) -> FastPath<Self> {
        let end = self.offset.checked_add(self.bytes).and_then(|end| end.checked_add(Self::TRAILER_BYTES));
        if end.is_some_and(|end| end <= limit) {
            Ok(self)
        } else {
            Err(Unsupported::Damaged("a block lies beyond its place"))
        }
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
    /// What is added to the checksum of what lies at this offset.
    pub fn modifier(self, offset: u64) -> u32 {
        let [low, high] = [offset as u32, (offset >> 32) as u32];
        self.base ^ low.wrapping_add(high)
    }

    /// The checksum of bytes of which the last says how they are compressed, or is of a footer.
    pub fn mixed(bytes: &[u8], last: u8) -> u32 {
        (xxh3_64(bytes) as u32) ^ u32::from(last).wrapping_mul(COMPRESSION_MIX)
    }

    /// Compares the checksum of a block at this offset, with its trailer behind it. Unsupported too if it is
    /// compressed.
    pub fn check(self, offset: u64, with_trailer: &[u8]) -> FastPath<()> {
        let (bytes, trailer) = with_trailer.split_last_chunk::<5>().ok_or(Unsupported::Unknown)?;
        let [compression, stored @ ..] = *trailer;
        let checksum = Self::mixed(bytes, compression).wrapping_add(self.modifier(offset));
        if checksum != u32::from_le_bytes(stored) {
            return Err(Unsupported::Unknown);
        }
        if compression == 0 {
            return Ok(());
        }
        // What is compressed begins with how much it becomes, which RocksDB takes memory for.
        match Bytes(bytes).varint() {
            Ok(announced) if announced <= DECOMPRESSED_BYTES_MAX as u64 => Err(Unsupported::Unknown),
            _ => Err(Unsupported::Damaged("a block announces more bytes than any has")),
        }
    }

    /// The block alone.
    pub fn without_trailer(with_trailer: &[u8]) -> FastPath<&[u8]> {
        with_trailer.split_last_chunk::<5>().map(|(bytes, _)| bytes).ok_or(Unsupported::Unknown)
    }

    /// Reads a block that stands alone. Memory: that of the block; its handle must have been compared with the file.
    pub fn read(self, file: &File, handle: Handle) -> FastPath<Vec<u8>> {
        let bytes = usize::try_from(handle.end().checked_sub(handle.offset).ok_or(Unsupported::Unknown)?);
        let mut block = vec![0; bytes.map_err(|_| Unsupported::Unknown)?];
        file.read_exact_at(&mut block, handle.offset).map_err(|_| Unsupported::Unknown)?;
        self.check(handle.offset, &block)?;
        block.truncate(Self::without_trailer(&block)?.len());
        Ok(block)
    }
}

/// A block, taken apart. Its checksum must have been compared: what contradicts itself is damaged.
#[derive(Clone, Copy)]
pub(super) struct Block<'bytes> {
    pub entries: &'bytes [u8],
    /// Where entries begin whose key is told in full: four bytes each, ascending.
    restarts: &'bytes [u8],
}

impl<'bytes> Block<'bytes> {
    /// Takes the bytes of a block apart. High bits of the count would tell of an index of hashes or other features,
    /// which no version has written.
    pub fn of(bytes: &'bytes [u8]) -> FastPath<Self> {
        const WRONG: Unsupported = Unsupported::Damaged("a block counts more restarts than it has room for");
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

    /// How many keys are told in full.
    pub fn restarts(&self) -> usize {
        self.restarts.len() / 4
    }

    /// Where the entry of the restart with this number begins.
    pub fn restart(&self, number: usize) -> FastPath<usize> {
        let place = self.restarts.get(number * 4..number * 4 + 4).and_then(<[u8]>::first_chunk);
        usize::try_from(u32::from_le_bytes(*place.ok_or(Unsupported::Unknown)?)).map_err(|_| Unsupported::Unknown)
    }

    /// Goes over all entries of a table's block: keys rise, entries and restarts are told in order, and each restart is
    /// an entry whose key is told in full. Shows the first key to `first`, without its trailer as all keys here, and
    /// leaves the last in `key`.
    pub fn check(&self, key: &mut Vec<u8>, first: impl FnOnce(&[u8]) -> FastPath<()>) -> FastPath<()> {
        const RESTARTS: Unsupported = Unsupported::Damaged("the restarts of a block are not where its entries are");
        let (mut first, mut restarts) = (Some(first), 0);
        let mut next_restart = self.restart(0)?;
        let mut rest = Bytes(self.entries);
        key.clear();
        while !rest.0.is_empty() {
            let at = self.entries.len() - rest.0.len();
            let (shared, own) =
                entry_key(&mut rest).map_err(|_| Unsupported::Damaged("an entry of a block is cut off"))?;
            if at == next_restart {
                restarts += 1;
                next_restart = if restarts < self.restarts() { self.restart(restarts)? } else { usize::MAX };
                if shared > 0 {
                    return Err(RESTARTS);
                }
            }
            if !take_key(key, shared, own)? && first.is_none() {
                return Err(Unsupported::Damaged("the keys of a block do not rise"));
            }
            if let Some(first) = first.take() {
                first(without_key_trailer(key)?)?;
            }
        }
        if restarts != self.restarts() || first.is_some() {
            return Err(RESTARTS);
        }
        key.truncate(without_key_trailer(key)?.len());
        Ok(())
    }
}

/// Steps over an entry, whose key shares so many bytes with the one before and has these of its own.
#[inline]
fn entry_key<'bytes>(rest: &mut Bytes<'bytes>) -> FastPath<(usize, &'bytes [u8])> {
    let (shared, more, length) = (rest.length()?, rest.length()?, rest.length()?);
    let own = rest.take(more)?;
    rest.take(length)?;
    Ok((shared, own))
}

/// Makes the key before, with its trailer, the next one, and tells whether it rises. Unsupported where it is an older
/// version of the one before: which of them counts, RocksDB tells.
#[inline]
fn take_key(key: &mut Vec<u8>, shared: usize, own: &[u8]) -> FastPath<bool> {
    let before = key.len().saturating_sub(KEY_TRAILER_BYTES);
    let Some(length) = (shared + own.len()).checked_sub(KEY_TRAILER_BYTES) else { return Ok(false) };
    if shared > key.len() {
        return Ok(false);
    }
    // Keys differ in what they do not share; what they share may go on into the trailer.
    let order = match (key.get(shared..before), length.checked_sub(shared).and_then(|own_key| own.get(..own_key))) {
        (Some(old), Some(new)) => new.cmp(old),
        _ => length.cmp(&before),
    };
    let newer = key_trailer(key);
    key.truncate(shared);
    key.extend_from_slice(own);
    if order.is_eq() && key_trailer(key) < newer { Err(Unsupported::Unknown) } else { Ok(order.is_gt()) }
}

/// The trailer of a key as a number, which is higher in newer versions; `None` where there is no key yet.
fn key_trailer(key: &[u8]) -> Option<u64> {
    key.last_chunk::<KEY_TRAILER_BYTES>().map(|trailer| u64::from_le_bytes(*trailer))
}

fn without_key_trailer(key: &[u8]) -> FastPath<&[u8]> {
    let key = key.split_last_chunk::<KEY_TRAILER_BYTES>().map(|(key, _)| key);
    key.ok_or(Unsupported::Damaged("a key of a block is too short"))
}
