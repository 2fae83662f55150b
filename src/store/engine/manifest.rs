//! Checks RocksDB's manifest before RocksDB reads it.
//!
//! The manifest is a log: blocks of 32 KiB with records, each with a head of checksum (4), length (2, little endian)
//! and type (1); no record begins in the last six bytes of a block (source: RocksDB, `db/log_format.h`). RocksDB 11.8
//! checks all of it with one exception: if a damaged type marks the log as recyclable, RocksDB reads the same record
//! without end. So heads with such a type are refused here.

use std::io::Read;

use crate::error::{Error, Result};
use crate::storage::regular_file;
use crate::store::folder::Folder;
use crate::text::Shown;

const BLOCK_BYTES: u64 = 32 << 10;
const HEAD_BYTES: usize = 7;

/// The highest record type in a manifest: none (0), whole (1), and the first, a middle and the last part of a record (2
/// to 4).
const TYPE_MAX: u8 = 4;

/// Fails if a record has a type that manifests do not use. RocksDB handles everything else, including a missing
/// manifest. Memory: one block.
pub(crate) fn check(folder: &Folder) -> Result<()> {
    let database = folder.database();
    let Ok(name) =
        regular_file::read(&database.join("CURRENT")).map(|name| String::from_utf8_lossy(&name).into_owned())
    else {
        return Ok(());
    };
    let Ok(mut file) = regular_file::open(&database.join(name.trim_end())) else { return Ok(()) };
    let mut block = Vec::new();
    loop {
        block.clear();
        match file.by_ref().take(BLOCK_BYTES).read_to_end(&mut block) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) if types(&block).all(|found| found <= TYPE_MAX) => {}
            Ok(_) => {
                return Err(Error::corrupt(format!(
                    "{} is damaged: a record has an unknown type",
                    database.join(name.trim_end()).shown()
                )));
            }
        }
    }
}

/// Returns the types of the records in a block, as far as each record leads to the next.
fn types(block: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let ([_, _, _, _, low, high, found], after) = rest.split_first_chunk::<HEAD_BYTES>()?;
        let length = u16::from_le_bytes([*low, *high]);
        // The rest of a block is ignored after a record without type and length, and after a record longer than the
        // block.
        let is_end = *found == 0 && length == 0;
        let next = after.split_at_checked(length.into()).filter(|_| !is_end);
        rest = next.map_or(&[], |(_, next)| next);
        Some(*found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_leads_to_the_next() {
        let record =
            |kind: u8, length: u8| [&[9, 9, 9, 9, length, 0, kind][..], &vec![7; usize::from(length)]].concat();
        let found = |bytes: &[Vec<u8>]| types(&bytes.concat()).collect::<Vec<_>>();
        assert_eq!(found(&[record(1, 5), record(2, 0), record(4, 200)]), [1, 2, 4]);
        assert_eq!(found(&[record(1, 5), record(0, 0), record(9, 1)]), [1, 0], "nothing behind an empty one");
        assert_eq!(found(&[record(3, 5), vec![0; 6]]), [3], "no record begins in the last six bytes");
        let mut long = record(1, 5);
        long[5] = 1;
        assert_eq!(found(&[long, record(9, 0)]), [1], "nothing behind one that is longer than the block");
        assert!(found(&[]).is_empty());
    }
}
