//! Table files, opened, and the sorted runs that they make up.

use std::fs::File;

use rocksdb::{DB, LiveFile, properties};

use super::block::{Block, Checked, Handle};
use super::bytes::Bytes;
use super::footer::Footer;
use super::{Odd, Plain};
use crate::format::history_number;
use crate::regular_file;
use crate::store::folder::Folder;

/// The table files of a database that is open for reading only, in sorted runs.
///
/// Memory: 32 bytes for each block of 8 kB.
pub(in crate::store) struct Tables {
    pub(super) runs: Vec<Vec<Table>>,
}

/// A table file: its blocks by the keys of histories in them.
pub(super) struct Table {
    pub file: File,
    pub checks: Checked,
    pub blocks: Vec<BlockOfKeys>,
}

/// A data block.
#[derive(Clone, Copy)]
pub(super) struct BlockOfKeys {
    /// No key in it is above this, and none behind it is below; see [`history_number`].
    pub last: u128,
    pub offset: u64,
    pub bytes: u32,
}

impl BlockOfKeys {
    /// Where its trailer ends.
    pub fn end(&self) -> u64 {
        Handle { offset: self.offset, bytes: self.bytes.into() }.end()
    }
}

impl Tables {
    /// Opens all table files; `None` where some part of what the database holds is not in plain ones, or they are gone by now.
    pub fn open(db: &DB, folder: &Folder) -> Option<Self> {
        let in_memory = [properties::NUM_ENTRIES_ACTIVE_MEM_TABLE, properties::NUM_ENTRIES_IMM_MEM_TABLES];
        if in_memory.iter().any(|property| db.property_int_value(*property).ok().flatten() != Some(0)) {
            return None;
        }
        let (mut runs, mut levels) = (Vec::new(), Vec::new());
        for live in db.live_files().ok()? {
            let table = Table::open(&live, folder).ok()?;
            // Of level 0 each file is a run; of the others, all of a level together are one.
            if live.level == 0 {
                runs.push(vec![table]);
            } else {
                levels.push((live.level, live.start_key?, table));
            }
        }
        levels.sort_by(|(one, one_key, _), (other, other_key, _)| (one, one_key).cmp(&(other, other_key)));
        let mut last_level = None;
        for (level, _, table) in levels {
            match runs.last_mut().filter(|_| last_level == Some(level)) {
                Some(run) => run.push(table),
                None => runs.push(vec![table]),
            }
            last_level = Some(level);
        }
        runs.retain(|run| run.iter().any(|table| !table.blocks.is_empty()));
        Some(Tables { runs })
    }
}

impl Table {
    fn open(live: &LiveFile, folder: &Folder) -> Plain<Self> {
        let file = regular_file::open(&folder.database().join(live.name.trim_start_matches('/'))).map_err(|_| Odd)?;
        let bytes = file.metadata().map_err(|_| Odd)?.len();
        let Footer { index, checks } = Footer::read(&file, bytes)?;
        let index = checks.read(&file, index)?;
        let index = Block::of(&index)?;
        let mut blocks = Vec::with_capacity(index.restarts());
        for number in 0..index.restarts() {
            // Every entry of an index is a restart: nothing shared, the key's length, the key, where the block is.
            let mut entry = Bytes(index.entries.get(index.restart(number)?..).ok_or(Odd)?);
            if entry.length()? != 0 {
                return Err(Odd);
            }
            let length = entry.length()?;
            let key = entry.take(length)?;
            let Handle { offset, bytes } = Handle::decode(&mut entry)?;
            let last = history_number(key);
            // Behind the first block that goes on beyond histories there are none of them.
            blocks.push(BlockOfKeys {
                last: last.unwrap_or(u128::MAX),
                offset,
                bytes: u32::try_from(bytes).map_err(|_| Odd)?,
            });
            if last.is_none() {
                break;
            }
        }
        Ok(Table { file, checks, blocks })
    }
}
