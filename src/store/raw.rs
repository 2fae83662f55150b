//! A store as keys and values without meaning, whatever its format version: for migrations and for looking inside.

use rocksdb::{DB, IteratorMode, WriteBatch, WriteOptions};

use super::folder::Folder;
use super::handle::{failure, open_writable, require};
use super::options::options;
use crate::error::{Error, Result};
use crate::format::Key;

/// An open store of any format version. Nothing here reads a value beyond its version byte.
pub struct RawStore {
    db: DB,
    folder: Folder,
}

impl RawStore {
    /// Opens a store of any version for reading.
    pub fn open_reader(folder: &Folder) -> Result<Self> {
        require(folder)?;
        let db = DB::open_for_read_only(&options(), folder.database(), false);
        let db = db.map_err(|error| failure("open", folder, &error))?;
        Ok(RawStore { db, folder: folder.clone() })
    }

    /// Opens a store of any version for writing. Refused while another process writes.
    pub fn open_writer(folder: &Folder) -> Result<Self> {
        require(folder)?;
        let db = open_writable(&options(), folder)?;
        Ok(RawStore { db, folder: folder.clone() })
    }

    /// The format version that the store says it has: the first byte of the store record, in every version there will be.
    pub fn format_version(&self) -> Result<u8> {
        let value = self.get(&Key::Store.encode())?;
        let version = value.and_then(|bytes| bytes.first().copied());
        version.ok_or_else(|| Error::corrupt("the store does not say its format version"))
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.db.get(key).map_err(|error| failure("read", &self.folder, &error))
    }

    /// Calls `visit` with every key and value from `from` on, in the order of the keys. Memory: one block.
    pub fn visit(&self, from: &[u8], mut visit: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
        for item in self.db.iterator(IteratorMode::From(from, rocksdb::Direction::Forward)) {
            let (key, value) = item.map_err(|error| failure("read", &self.folder, &error))?;
            visit(&key, &value)?;
        }
        Ok(())
    }

    /// Sets (`Some`) and removes (`None`) keys in one atomic step, durable on return. Memory: a copy of `changes`.
    pub fn write(&self, changes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        self.db.write_opt(batch, &synced).map_err(|error| failure("write to", &self.folder, &error))
    }
}
