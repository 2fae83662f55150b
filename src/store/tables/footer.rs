//! What a table file says of itself: footer, list of its other blocks, properties.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::block::{Block, Checked, Handle};
use super::bytes::Bytes;
use super::{Odd, Plain};

/// Bytes of a footer.
const FOOTER_BYTES: u64 = 53;

/// The last eight bytes of every block-based table.
const MAGIC: [u8; 8] = 0x88e2_41b7_85f4_cff7_u64.to_le_bytes();

/// The four bytes behind the checksum's kind in footers of format version 6.
const EXTENDED_MAGIC: [u8; 4] = [0x3e, 0x00, 0x7a, 0x00];

/// The kind of checksum that is known here.
const XXH3: u8 = 4;

const FORMAT_VERSION: u32 = 6;

/// Properties that a plain table has, with their values; of numbers, as they are encoded.
const PROPERTIES: [(&str, &[u8]); 5] = [
    ("rocksdb.block.based.table.index.type", &[0, 0, 0, 0]),
    ("rocksdb.index.key.is.user.key", &[1]),
    ("rocksdb.index.value.is.delta.encoded", &[1]),
    ("rocksdb.merge.operands", &[0]),
    ("rocksdb.num.range-deletions", &[0]),
];

/// Where the index of a plain table is, and what its checksums are mixed with.
pub(super) struct Footer {
    pub index: Handle,
    pub checks: Checked,
}

impl Footer {
    /// Reads the footer of a file of so many bytes, and the properties, which must be those of a plain table.
    pub fn read(file: &File, bytes: u64) -> Plain<Self> {
        let mut footer = [0; 53];
        let at = bytes.checked_sub(FOOTER_BYTES).ok_or(Odd)?;
        file.read_exact_at(&mut footer, at).map_err(|_| Odd)?;
        let mut rest = Bytes(&footer);
        let is_known = rest.take(1)? == [XXH3] && rest.take(4)? == EXTENDED_MAGIC;
        let (_checksum, base, metaindex_bytes) = (rest.u32()?, rest.u32()?, u64::from(rest.u32()?));
        let is_empty = rest.take(24)?.iter().all(|byte| *byte == 0);
        if !is_known || !is_empty || base == 0 || rest.u32()? != FORMAT_VERSION || rest.0 != MAGIC {
            return Err(Odd);
        }
        let checks = Checked { base };
        let end = at.checked_sub(Handle::TRAILER_BYTES).ok_or(Odd)?;
        let metaindex = Handle { offset: end.checked_sub(metaindex_bytes).ok_or(Odd)?, bytes: metaindex_bytes };
        let (mut index, mut properties) = (None, None);
        each_entry(file, checks, metaindex, |key, value| {
            match key {
                b"rocksdb.index" => index = Some(Handle::decode(&mut Bytes(value))?),
                b"rocksdb.properties" => properties = Some(Handle::decode(&mut Bytes(value))?),
                b"rocksdb.range_del" => return Err(Odd),
                _ => {}
            }
            Ok(())
        })?;
        let mut met = 0;
        each_entry(file, checks, properties.ok_or(Odd)?, |key, value| {
            let expected = PROPERTIES.iter().find(|(name, _)| name.as_bytes() == key);
            met += usize::from(expected.is_some());
            if expected.is_none_or(|(_, expected)| *expected == value) { Ok(()) } else { Err(Odd) }
        })?;
        if met != PROPERTIES.len() {
            return Err(Odd);
        }
        Ok(Footer { index: index.ok_or(Odd)?, checks })
    }
}

/// Shows each entry of a small block.
fn each_entry(
    file: &File,
    checks: Checked,
    handle: Handle,
    mut show: impl FnMut(&[u8], &[u8]) -> Plain<()>,
) -> Plain<()> {
    let bytes = checks.read(file, handle)?;
    let block = Block::of(&bytes)?;
    let (mut rest, mut key) = (Bytes(block.entries), Vec::new());
    while !rest.0.is_empty() {
        let (shared, more, length) = (rest.length()?, rest.length()?, rest.length()?);
        key.truncate(shared);
        key.extend_from_slice(rest.take(more)?);
        show(&key, rest.take(length)?)?;
    }
    Ok(())
}
