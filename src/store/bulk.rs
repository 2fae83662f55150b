//! Loading one batch: sorted table files beside the database, then one atomic step that ingests them all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rocksdb::{IngestExternalFileOptions, SstFileWriter};

use super::engine::database::Database;
use super::engine::failure::failure;
use super::engine::watermark;
use super::folder::Folder;
use super::handle::Store;
use super::spool::Spool;
use crate::error::Result;
use crate::exact::Held;
use crate::format::{Key, Keyspace};

/// Size at which a load finishes a table file. A load with one file is one sorted run; only very large loads have
/// several files.
const LOAD_FILE_BYTES: u64 = 512 << 20;

/// Takes the changes of one batch and commits them together.
///
/// 1. Changes of the history come in the order of its keys and go directly to a table file in the staging folder.
/// 2. Changes of the keyspaces after the history arrive in between, each in the order of its own keys. They wait in
///    spools until the end, so that a load is one file in the order of all keys, and one sorted run in the store.
/// 3. `commit` gives the file to RocksDB in one call, which links the file into the database, fsyncs, and makes it
///    visible with one record in the manifest: all or nothing, even after a crash.
///
/// Memory: 16 MiB for each of three spools, and for the table file one block, its index, and 8 bytes for each
/// customer's filter. If dropped before `commit`, the store is unchanged.
pub struct BulkLoad<'store> {
    db: &'store Database,
    folder: &'store Folder,
    staging: PathBuf,
    open: Option<OpenTable<'store>>,
    finished: Vec<PathBuf>,
    spools: BTreeMap<u8, Spool>,
    /// Whether the staged files have to stay, because the commit is in doubt.
    is_in_doubt: bool,
}

struct OpenTable<'store> {
    path: PathBuf,
    writer: SstFileWriter<'store>,
}

impl Store {
    /// Starts the load of one batch. The store must be open for writing.
    #[doc(hidden)]
    pub fn bulk_load(&self) -> Result<BulkLoad<'_>> {
        BulkLoad::new(&self.db, &self.folder)
    }
}

impl<'store> BulkLoad<'store> {
    pub(super) fn new(db: &'store Database, folder: &'store Folder) -> Result<Self> {
        let staging = folder.create_tables()?;
        Ok(BulkLoad {
            db,
            folder,
            staging,
            open: None,
            finished: Vec::new(),
            spools: BTreeMap::new(),
            is_in_doubt: false,
        })
    }

    /// Sets (`Some`) or removes (`None`) the value of a key. Within one keyspace, keys must come in ascending order of
    /// their bytes.
    pub fn set(&mut self, key: Key, value: Option<&[u8]>) -> Result<()> {
        self.set_raw(&key.encode(), value)
    }

    /// Sets or removes the value of a key, given as bytes; otherwise as [`BulkLoad::set`].
    pub fn set_raw(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let keyspace = *key.first().held("a key begins with its keyspace")?;
        if keyspace <= Keyspace::History as u8 {
            return self.write(key, value);
        }
        let path = self.staging.join(format!("keyspace-{keyspace}"));
        self.spools.entry(keyspace).or_insert_with(|| Spool::new(path)).push(key, value)
    }

    /// Makes all changes visible in one atomic step, durable on return.
    pub fn commit(mut self) -> Result<()> {
        for spool in std::mem::take(&mut self.spools).into_values() {
            spool.drain(|key, value| self.write(key, value))?;
        }
        self.finish()?;
        if self.finished.is_empty() {
            return Ok(());
        }
        let mut how = IngestExternalFileOptions::default();
        how.set_move_files(true);
        let files = std::mem::take(&mut self.finished);
        let committed = self.db.ingest_external_file_opts(&how, files);
        // Closing the database resolves the in-doubt commit: see `in_doubt`.
        self.is_in_doubt = committed.is_err();
        committed.map_err(|error| failure("commit to", self.folder, error))?;
        watermark::advance_after_commit(self.db, self.folder);
        Ok(())
    }

    fn write(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let table = match &mut self.open {
            Some(table) => table,
            None => {
                let path = self.staging.join(format!("{:06}.sst", self.finished.len()));
                self.open.insert(OpenTable::create(path, self.db, self.folder)?)
            }
        };
        let written = match value {
            Some(value) => table.writer.put(key, value),
            None => table.writer.delete(key),
        };
        written.map_err(|error| failure("write to", self.folder, error))?;
        if table.writer.file_size() >= LOAD_FILE_BYTES {
            self.finish()?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        if let Some(mut table) = self.open.take() {
            table.writer.finish().map_err(|error| failure("write to", self.folder, error))?;
            self.finished.push(table.path);
        }
        Ok(())
    }
}

impl Drop for BulkLoad<'_> {
    fn drop(&mut self) {
        self.open = None;
        if self.is_in_doubt {
            return;
        }
        // The next writer removes what cannot be removed now.
        let _ = std::fs::remove_dir_all(&self.staging);
        let _ = self.staging.parent().map(std::fs::remove_dir);
    }
}

impl<'store> OpenTable<'store> {
    fn create(path: PathBuf, db: &'store Database, folder: &Folder) -> Result<Self> {
        let writer = SstFileWriter::create(db.table_options());
        writer.open(&path).map_err(|error| failure("write to", folder, error))?;
        Ok(OpenTable { path, writer })
    }
}
