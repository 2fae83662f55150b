//! A store as uninterpreted keys and values, of any format version: for migrations and for inspection.

use rocksdb::{DB, WriteBatch, WriteOptions};

use super::bulk::BulkLoad;
use super::engine::database::Database;
use super::engine::failure::failure;
use super::engine::options::scanning;
use super::engine::stoppable::stoppable;
use super::engine::watermark;
use super::folder::Folder;
use super::open;
use super::scan::Scan;
use crate::error::{Error, Result};
use crate::format::Key;

/// An open store of any format version. Of values, only the version byte is interpreted here.
pub struct RawStore {
    db: Database,
    folder: Folder,
}

impl RawStore {
    /// Opens a store of any version for reading.
    pub fn open_reader(folder: &Folder) -> Result<Self> {
        Ok(RawStore { db: open::for_reading(folder)?, folder: folder.clone() })
    }

    /// Opens a store of any version for writing. Fails while another process writes.
    pub fn open_writer(folder: &Folder) -> Result<Self> {
        Ok(RawStore { db: open::for_writing(folder)?, folder: folder.clone() })
    }

    /// Starts a load, whose keys are bytes.
    pub fn bulk_load(&self) -> Result<BulkLoad<'_>> {
        BulkLoad::new(&self.db, &self.folder)
    }

    /// Sets keys and removes all keys of some ranges (from the first key up to but excluding the second), in one atomic
    /// step, durable on return.
    pub fn write(&self, set: &[(Vec<u8>, Vec<u8>)], removed: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (from, to) in removed {
            batch.delete_range(from, to);
        }
        for (key, value) in set {
            batch.put(key, value);
        }
        write_durably(&self.db, &self.folder, batch)
    }

    /// Frees the disk space of removed keys. A failure loses no data. Fails if it is asked to stop.
    pub fn compact(&self) -> Result<()> {
        stoppable(&self.db, self.folder.resources(), || self.db.compact_range(None::<&[u8]>, None::<&[u8]>))
    }

    /// Returns the format version that the store records: the first byte of the store record, in every format version.
    pub fn format_version(&self) -> Result<u8> {
        let value = self.get(&Key::Store.encode())?;
        let version = value.and_then(|bytes| bytes.first().copied());
        version.ok_or_else(|| Error::corrupt("the store does not record its format version"))
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.db.get(key).map_err(|error| failure("read", &self.folder, error))
    }

    /// Returns every key and value from `from` on, in the order of keys. Memory: one block of each sorted run.
    pub fn entries<'store>(&'store self, from: &[u8]) -> impl Iterator<Item = Result<Entry>> + use<'store> {
        let mut scan = Scan::new(self.db.raw_iterator_opt(scanning()), &self.folder);
        scan.seek(from);
        let mut is_over = false;
        std::iter::from_fn(move || {
            if is_over {
                return None;
            }
            let found = scan.check_cancelled().and_then(|()| scan.entry());
            let entry = found.map(|found| found.map(|(key, value)| (key.into(), value.into()))).transpose();
            is_over = !matches!(entry, Some(Ok(_)));
            scan.next();
            entry
        })
    }
}

/// The bytes of a key and of its value.
pub(crate) type Entry = (Box<[u8]>, Box<[u8]>);

/// Writes a few keys outside of loads, in one atomic step, durable on return.
pub(super) fn write_durably(db: &DB, folder: &Folder, batch: WriteBatch) -> Result<()> {
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    // Moved from the log to a table, so that the log stays empty and later loads never wait for it.
    let written = db.write_opt(batch, &synced).and_then(|()| db.flush());
    written.map_err(|error| failure("write to", folder, error))?;
    watermark::advance_after_commit(db, folder);
    Ok(())
}
