//! Opened table files, and the sorted runs that they form.

use std::fs::{self, File};
use std::ops::RangeInclusive;
use std::path::Path;

use rocksdb::{DB, properties};

use super::block::{Checked, Handle};
use super::footer::Footer;
use super::index::each_block;
use super::{FastPath, Unsupported};
use crate::error::{Error, Result};
use crate::format::{HISTORY_KEY_BYTES_MIN, history_number};
use crate::storage::regular_file;
use crate::store::folder::Folder;

/// The table files of a database that is open for reading only, in sorted runs.
///
/// Memory: 32 bytes for each block of 8 kB.
pub(in crate::store) struct Tables {
    pub(super) runs: Vec<Vec<Table>>,
    /// Whether the files hold all data of the database and are plain: then histories can be read from them alone.
    pub are_whole: bool,
}

/// A table file: its blocks by the keys of histories in them.
pub(super) struct Table {
    /// Its name in the folder of the database.
    pub name: String,
    pub file: File,
    pub checks: Checked,
    pub is_plain: bool,
    /// The range of keys in this file by RocksDB's manifest, as numbers.
    pub keys: RangeInclusive<u128>,
    pub blocks: Vec<BlockOfKeys>,
}

/// A data block.
#[derive(Clone, Copy)]
pub(super) struct BlockOfKeys {
    /// No key in the block is above this number, and no later key is below it; see [`history_number`].
    pub last: u128,
    /// Whether `last` is the number of a key whose end is cut off. Then the next block may begin with the key that has
    /// zeros there.
    pub is_cut: bool,
    pub offset: u64,
    pub bytes: u32,
}

impl BlockOfKeys {
    /// Returns the end of the block's trailer.
    pub(super) fn end(&self) -> u64 {
        Handle { offset: self.offset, bytes: self.bytes.into() }.end()
    }
}

impl Tables {
    /// Opens all table files that can be checked; the others are left out. `None` if the files are gone by now.
    pub(crate) fn open(db: &DB, folder: &Folder) -> Option<Self> {
        let in_memory = [properties::NUM_ENTRIES_ACTIVE_MEM_TABLE, properties::NUM_ENTRIES_IMM_MEM_TABLES];
        let is_all_in_files =
            in_memory.iter().all(|property| db.property_int_value(*property).ok().flatten() == Some(0));
        let mut are_whole = is_all_in_files;
        let (mut runs, mut levels) = (Vec::new(), Vec::new());
        for live in db.live_files().ok()? {
            let name = live.name.trim_start_matches('/');
            if !folder.database().join(name).exists() {
                return None;
            }
            let table = Table::open(&folder.database(), name).ok();
            are_whole &= table.as_ref().is_some_and(|table| table.is_plain);
            let Some(mut table) = table else { continue };
            let (first, last) = (live.start_key?, live.end_key?);
            let place = |key: &[u8]| history_number(key).unwrap_or(u128::MAX);
            table.keys = place(&first)..=place(&last);
            // In level 0 each file is a run; in each other level, all files together are one run.
            if live.level == 0 {
                runs.push(vec![table]);
            } else {
                levels.push((live.level, first, table));
            }
        }
        levels.sort_by(|(one, one_key, _), (other, other_key, _)| (one, one_key).cmp(&(other, other_key)));
        let mut last_level = None;
        for (level, _, table) in levels {
            match runs.last_mut().filter(|run| last_level == Some(level) && table.is_behind(run)) {
                Some(run) => run.push(table),
                None => runs.push(vec![table]),
            }
            last_level = Some(level);
        }
        runs.retain(|run| run.iter().any(|table| !table.blocks.is_empty()));
        Some(Tables { runs, are_whole })
    }
}

/// Fails if the footer or the index of a table file contradicts itself although its checksum is correct: it would
/// mislead RocksDB, or end the process by an allocation of the size that it announces. To be called before a database
/// is opened. Unreadable files, and files removed in the meantime, are left to RocksDB.
///
/// Memory: the index of the largest file, and 32 bytes for each of its blocks.
pub(in crate::store) fn check(folder: &Folder) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder.database()) else { return Ok(()) };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".sst"));
    names.sort_unstable();
    for name in names {
        if let Err(Unsupported::Damaged(what)) = Table::open(&folder.database(), &name) {
            return Err(damaged(&name, what));
        }
    }
    Ok(())
}

/// Returns the error for a damaged table file.
pub(super) fn damaged(name: &str, what: &str) -> Error {
    Error::corrupt(format!("the table file {name} is damaged: {what}"))
}

impl Table {
    /// Opens the table file with this name.
    pub(super) fn open(database: &Path, name: &str) -> FastPath<Self> {
        Self::read(name, regular_file::open(&database.join(name)).map_err(|_| Unsupported::Unknown)?)
    }

    /// Reads footer and index of a table file with this name.
    pub(super) fn read(name: &str, file: File) -> FastPath<Self> {
        let footer = Footer::read(&file, file.metadata().map_err(|_| Unsupported::Unknown)?.len())?;
        let mut blocks: Vec<BlockOfKeys> = Vec::new();
        let mut is_behind = false;
        each_block(&file, &footer, |key, Handle { offset, bytes }| {
            let last = history_number(key);
            if !is_behind {
                let bytes = u32::try_from(bytes).map_err(|_| Unsupported::Unknown)?;
                let is_cut = key.len() < HISTORY_KEY_BYTES_MIN;
                blocks.push(BlockOfKeys { last: last.unwrap_or(u128::MAX), is_cut, offset, bytes });
            }
            // After the first block that extends beyond histories, no block has any history.
            is_behind |= last.is_none();
            Ok(())
        })?;
        let (name, keys) = (name.to_owned(), 0..=u128::MAX);
        Ok(Table { name, file, checks: footer.checks, is_plain: footer.is_plain, keys, blocks })
    }

    /// Returns whether the keys of histories go on ascending from the last table of a run to this table. They do not if
    /// two tables of a level have different versions of a key, or if a table has more keys than by RocksDB's manifest:
    /// then the tables form separate runs, which decide which version counts.
    fn is_behind(&self, run: &[Table]) -> bool {
        let last = run.last().and_then(|table| table.blocks.last()).map(|block| block.last);
        // Nothing after the histories is read.
        *self.keys.start() == u128::MAX || last.is_none_or(|last| last < *self.keys.start())
    }
}
