//! The metadata of a table file: footer, list of its other blocks (metaindex), properties.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::block::{Block, Checked, Handle};
use super::bytes::Bytes;
use super::{FastPath, Unsupported};

/// Size of a footer in bytes.
const FOOTER_BYTES: u64 = 53;

/// The last eight bytes of every block-based table.
const MAGIC: [u8; 8] = 0x88e2_41b7_85f4_cff7_u64.to_le_bytes();

/// The four bytes after the checksum's kind in footers of format version 6.
const EXTENDED_MAGIC: [u8; 4] = [0x3e, 0x00, 0x7a, 0x00];

/// The only supported kind of checksum.
const XXH3: u8 = 4;

const FORMAT_VERSION: u32 = 6;

/// Limit for the metaindex and the properties, which have some kB.
const META_BYTES_MAX: u64 = 1 << 20;

/// An index has some 30 bytes for each block of 8 kB, or for each key with a larger value: it takes at most this
/// fraction of a file, or more in a small file.
const INDEX_PART_MAX: u64 = 8;
const INDEX_BYTES_MIN: u64 = 64 << 10;

const BEYOND: Unsupported = Unsupported::Damaged("its block handles point outside its blocks");

/// Properties, with their encoded values, of a table whose blocks and index have the supported layout.
const LAYOUT: [(&str, &[u8]); 3] = [
    ("rocksdb.block.based.table.index.type", &[0, 0, 0, 0]),
    ("rocksdb.index.key.is.user.key", &[1]),
    ("rocksdb.index.value.is.delta.encoded", &[1]),
];

/// Properties of a table whose keys are only set or deleted one by one.
const PLAIN: [(&str, &[u8]); 2] = [("rocksdb.merge.operands", &[0]), ("rocksdb.num.range-deletions", &[0])];

/// The position of the index of a table, and the base of its checksums.
pub(super) struct Footer {
    pub index: Handle,
    pub checks: Checked,
    /// Whether the table holds only keys and their values.
    pub is_plain: bool,
}

impl Footer {
    /// Reads the footer of a file of `bytes` bytes, and the properties, which must be those of a table with this
    /// program's layout.
    pub(super) fn read(file: &File, bytes: u64) -> FastPath<Self> {
        let mut footer = [0; 53];
        let at = bytes.checked_sub(FOOTER_BYTES).ok_or(Unsupported::Unknown)?;
        file.read_exact_at(&mut footer, at).map_err(|_| Unsupported::Unknown)?;
        let mut rest = Bytes(&footer);
        let is_known = rest.take(1)? == [XXH3] && rest.take(4)? == EXTENDED_MAGIC;
        let (checksum, base, metaindex_bytes) = (rest.u32()?, rest.u32()?, u64::from(rest.u32()?));
        let is_empty = rest.take(24)?.iter().all(|byte| *byte == 0);
        if !is_known || !is_empty || base == 0 || rest.u32()? != FORMAT_VERSION || rest.0 != MAGIC {
            return Err(Unsupported::Unknown);
        }
        let checks = Checked { base };
        if footer_checksum(footer, checks, at) != checksum {
            return Err(Unsupported::Unknown);
        }
        let metaindex = at.checked_sub(Handle::TRAILER_BYTES).and_then(|end| end.checked_sub(metaindex_bytes));
        let metaindex = Handle { offset: metaindex.ok_or(BEYOND)?, bytes: metaindex_bytes };
        if metaindex.bytes > META_BYTES_MAX {
            return Err(BEYOND);
        }
        let (mut index, mut properties) = (None, None);
        let mut is_plain = true;
        each_entry(file, checks, metaindex, |key, value| {
            // Whatever the kind of the block: RocksDB reads it when it opens the file, and allocates the size given
            // here.
            let handle = Handle::decode(&mut Bytes(value)).ok().map(|handle| handle.before(metaindex.offset));
            match key {
                b"rocksdb.index" => index = Some(handle.ok_or(BEYOND)??),
                b"rocksdb.properties" => properties = Some(handle.ok_or(BEYOND)??),
                b"rocksdb.range_del" => is_plain = false,
                _ => {
                    handle.ok_or(BEYOND)??;
                }
            }
            Ok(())
        })?;
        let properties = properties.filter(|handle| handle.bytes <= META_BYTES_MAX).ok_or(BEYOND)?;
        let index = index.filter(|index| index.bytes <= INDEX_BYTES_MIN + bytes / INDEX_PART_MAX).ok_or(BEYOND)?;
        let (mut layout, mut plain) = (0, 0);
        each_entry(file, checks, properties, |key, value| {
            let is_of = |known: &[(&str, &[u8])]| usize::from(known.contains(&(str_of(key), value)));
            layout += is_of(&LAYOUT);
            plain += is_of(&PLAIN);
            Ok(())
        })?;
        if layout != LAYOUT.len() {
            return Err(Unsupported::Unknown);
        }
        Ok(Footer { index, checks, is_plain: is_plain && plain == PLAIN.len() })
    }
}

/// Returns a name; for invalid UTF-8 the empty string, which is the name of no property.
fn str_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Returns the checksum of a footer that begins at this offset; the bytes of the checksum itself count as zeros.
fn footer_checksum(mut footer: [u8; 53], checks: Checked, at: u64) -> u32 {
    if let Some(own) = footer.get_mut(5..9) {
        own.fill(0);
    }
    let [bytes @ .., last] = footer;
    Checked::mixed(&bytes, last).wrapping_add(checks.modifier(at))
}

/// Shows each entry of a small block.
fn each_entry(
    file: &File,
    checks: Checked,
    handle: Handle,
    mut show: impl FnMut(&[u8], &[u8]) -> FastPath<()>,
) -> FastPath<()> {
    const CUT_OFF: Unsupported = Unsupported::Damaged("its properties are cut off");
    let bytes = checks.read(file, handle)?;
    let block = Block::of(&bytes)?;
    let (mut rest, mut key) = (Bytes(block.entries), Vec::new());
    while !rest.0.is_empty() {
        let mut entry = || Ok((rest.length()?, rest.length()?, rest.length()?));
        let (shared, more, length) = entry().map_err(|_: Unsupported| CUT_OFF)?;
        key.truncate(shared);
        key.extend_from_slice(rest.take(more).map_err(|_| CUT_OFF)?);
        show(&key, rest.take(length).map_err(|_| CUT_OFF)?)?;
    }
    Ok(())
}
