//! A store as keys and values without meaning, whatever its format version: for migrations and for looking inside.

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

/// An open store of any format version. Nothing here reads a value beyond its version byte.
pub struct RawStore {
    db: Database,
    folder: Folder,
}

impl RawStore {
    /// Opens a store of any version for reading.
    pub fn open_reader(folder: &Folder) -> Result<Self> {
        Ok(RawStore { db: open::for_reading(folder)?, folder: folder.clone() })
    }

    /// Opens a store of any version for writing. Refused while another process writes.
    pub fn open_writer(folder: &Folder) -> Result<Self> {
        Ok(RawStore { db: open::for_writing(folder)?, folder: folder.clone() })
    }

    /// Begins a load, whose keys are bytes.
    pub fn bulk_load(&self) -> Result<BulkLoad<'_>> {
        BulkLoad::new(&self.db, &self.folder)
    }

    /// Sets keys, and removes all keys of some ranges (from the first bytes, up to and without the second), in one
    /// atomic step, durable on return.
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

    /// Gives the disk back what removed keys took. Failing here loses nothing; it fails where it is asked to stop.
    pub fn compact(&self) -> Result<()> {
        stoppable(&self.db, self.folder.resources(), || self.db.compact_range(None::<&[u8]>, None::<&[u8]>))
    }

    /// The format version that the store says it has: the first byte of the store record, in every version there will
    /// be.
    pub fn format_version(&self) -> Result<u8> {
        let value = self.get(&Key::Store.encode())?;
        let version = value.and_then(|bytes| bytes.first().copied());
        version.ok_or_else(|| Error::corrupt("the store does not say its format version"))
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.db.get(key).map_err(|error| failure("read", &self.folder, error))
    }

    /// Every key and value from `from` on, in the order of the keys. Memory: one block of each sorted run.
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
pub type Entry = (Box<[u8]>, Box<[u8]>);

/// Writes a few keys beside the loads, in one atomic step, durable on return.
pub(super) fn write_durably(db: &DB, folder: &Folder, batch: WriteBatch) -> Result<()> {
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    // Out of the log and into a table, so that the log stays empty and no later load has to wait for it.
    let written = db.write_opt(batch, &synced).and_then(|()| db.flush());
    written.map_err(|error| failure("write to", folder, error))?;
    watermark::plan_keyframes(db, folder);
    Ok(())
}
