//! The horizon, and erasing removed keys from the files.

use std::collections::BTreeSet;

use rocksdb::{BottommostLevelCompaction, CompactOptions, LiveFile, WriteBatch};

use super::engine::failure::failure;
use super::engine::stoppable::stoppable;
use super::handle::Store;
use super::raw::write_durably;
use crate::error::{Error, Kind, Result};
use crate::format::{Horizon, Key, Purge};
use crate::model::Day;
use crate::text::Shown;

/// Returns the horizon if rows of `dt` need actions from before it, which have been pruned.
pub(crate) fn beyond_horizon(horizon: Option<Day>, dt: Day, lookback_days: Option<u32>) -> Option<Day> {
    horizon.filter(|horizon| lookback_days.is_none_or(|days| dt.minus(days) < *horizon))
}

impl Store {
    /// Returns the first day whose actions the store keeps; `None` if the store was never pruned.
    pub fn horizon(&self) -> Result<Option<Day>> {
        let Some(Horizon { first_day }) = self.record(Key::Horizon)? else { return Ok(None) };
        let day = i32::try_from(first_day).ok().and_then(Day::from_number);
        day.map(Some).ok_or_else(|| Error::corrupt(format!("the store record has the invalid horizon {first_day}")))
    }

    /// Returns whether removed keys may still be in the files: a removal was committed, and the purge after it did not
    /// finish.
    pub(crate) fn needs_purge(&self) -> Result<bool> {
        Ok(self.record::<Purge>(Key::Purge)?.is_some())
    }

    /// Rewrites every table file without the removed keys, and deletes the old files. The store must be open for
    /// writing.
    ///
    /// RocksDB names the first and the last key of each file in its manifest, which it rewrites when a database is
    /// opened. So the removed keys disappear from the folder only when the store is opened again; [`Store::reopen`]
    /// does that.
    pub(crate) fn purge(&self) -> Result<()> {
        let mut everything = CompactOptions::default();
        everything.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        everything.set_exclusive_manual_compaction(true);
        let before: BTreeSet<String> = self.table_files()?.into_iter().map(|file| file.name).collect();
        stoppable(&self.db, self.folder.resources(), || {
            self.db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &everything);
        })?;
        self.finish_compaction()?;
        // The call itself does not report failure. A deletion contains the key that it deletes, so no deletion may be
        // left either.
        if self.table_files()?.iter().any(|file| before.contains(&file.name) || file.num_deletions > 0) {
            return Err(Error::new(
                Kind::Io,
                format!("some table files of the store at {} could not be rewritten", self.folder.path().shown()),
                "free some space (as much as the store takes) or repair the disk, and run the same command again",
            ));
        }
        let mut batch = WriteBatch::default();
        batch.delete(Key::Purge.encode());
        write_durably(&self.db, &self.folder, batch)
    }

    fn table_files(&self) -> Result<Vec<LiveFile>> {
        self.db.live_files().map_err(|error| failure("read", &self.folder, error))
    }

    /// Closes the store and opens it again for writing.
    pub(crate) fn reopen(self) -> Result<Self> {
        let folder = self.folder.clone();
        drop(self);
        Self::open_writer(&folder)
    }
}
