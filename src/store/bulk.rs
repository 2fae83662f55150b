//! Loading one batch: sorted table files beside the database, then one atomic step that takes them all in.

use std::path::PathBuf;

use rocksdb::{IngestExternalFileOptions, Options, SstFileWriter, WaitForCompactOptions};

use super::folder::Folder;
use super::handle::{Store, failure};
use super::options::{TABLE_FILE_BYTES, options};
use crate::error::{Error, Result};
use crate::format::{Key, Keyspace};

/// Takes the changes of one batch and commits them together.
///
/// 1. Each keyspace has a stream of its own; changes come in the order of its keys and go to a table file in the staging folder.
/// 2. A file that has reached 64 MiB is finished, and the next one begun.
/// 3. `commit` gives all files to RocksDB in one call, which links them into the database, fsyncs, and makes them visible with
///    one record in its manifest: all or none, whatever happens.
///
/// Memory: one block and the index of one table file per keyspace, a few MB together. Dropped before `commit`, it leaves the store as it was.
pub struct BulkLoad<'store> {
    store: &'store Store,
    staging: PathBuf,
    streams: Vec<Stream>,
    finished: Vec<PathBuf>,
    files_begun: usize,
}

struct Stream {
    keyspace: Keyspace,
    open: Option<OpenTable>,
}

struct OpenTable {
    path: PathBuf,
    writer: SstFileWriter<'static>,
}

impl Store {
    /// Begins the load of one batch. The store must have been opened for writing.
    pub fn bulk_load(&self) -> Result<BulkLoad<'_>> {
        let staging = self.folder.create_tables()?;
        Ok(BulkLoad { store: self, staging, streams: Vec::new(), finished: Vec::new(), files_begun: 0 })
    }

    /// Waits for the compaction that has become due, which would otherwise be thrown away with the process, and reads slow down from day
    /// to day. Failing here loses nothing that was committed.
    pub fn settle(&self) -> Result<()> {
        let settled = self.db.wait_for_compact(&WaitForCompactOptions::default());
        settled.map_err(|error| failure("compact", &self.folder, &error))
    }
}

impl BulkLoad<'_> {
    /// Sets (`Some`) or removes (`None`) the value of a key. Within one keyspace, keys must come in ascending order of their bytes.
    pub fn set(&mut self, keyspace: Keyspace, key: Key, value: Option<&[u8]>) -> Result<()> {
        let folder = self.store.folder.clone();
        let table = self.table(keyspace)?;
        let written = match value {
            Some(value) => table.writer.put(key.encode(), value),
            None => table.writer.delete(key.encode()),
        };
        written.map_err(|error| failure("write to", &folder, &error))?;
        if table.writer.file_size() >= TABLE_FILE_BYTES {
            self.finish(keyspace)?;
        }
        Ok(())
    }

    /// Makes all changes visible in one atomic step, durable on return.
    pub fn commit(mut self) -> Result<()> {
        let keyspaces: Vec<Keyspace> = self.streams.iter().map(|stream| stream.keyspace).collect();
        for keyspace in keyspaces {
            self.finish(keyspace)?;
        }
        let folder = &self.store.folder;
        let mut how = IngestExternalFileOptions::default();
        how.set_move_files(true);
        let files = std::mem::take(&mut self.finished);
        self.store.db.ingest_external_file_opts(&how, files).map_err(|error| failure("commit to", folder, &error))
    }

    fn table(&mut self, keyspace: Keyspace) -> Result<&mut OpenTable> {
        let position = match self.streams.iter().position(|stream| stream.keyspace == keyspace) {
            Some(position) => position,
            None => {
                self.streams.push(Stream { keyspace, open: None });
                self.streams.len() - 1
            }
        };
        let vanished = || Error::corrupt("a table file being written has vanished");
        let stream = self.streams.get_mut(position).ok_or_else(vanished)?;
        if stream.open.is_none() {
            let path = self.staging.join(format!("{:06}.sst", self.files_begun));
            self.files_begun += 1;
            stream.open = Some(OpenTable::create(path, &self.store.folder)?);
        }
        stream.open.as_mut().ok_or_else(vanished)
    }

    fn finish(&mut self, keyspace: Keyspace) -> Result<()> {
        let stream = self.streams.iter_mut().find(|stream| stream.keyspace == keyspace);
        if let Some(mut table) = stream.and_then(|stream| stream.open.take()) {
            table.writer.finish().map_err(|error| failure("write to", &self.store.folder, &error))?;
            self.finished.push(table.path);
        }
        Ok(())
    }
}

impl Drop for BulkLoad<'_> {
    fn drop(&mut self) {
        self.streams.clear();
        // What cannot be removed now is removed by the next writer.
        let _ = std::fs::remove_dir_all(&self.staging);
        let _ = self.staging.parent().map(std::fs::remove_dir);
    }
}

impl OpenTable {
    fn create(path: PathBuf, folder: &Folder) -> Result<Self> {
        // A table writer borrows its options for as long as it lives; they are the same for every file, so one set lives on.
        static OPTIONS: std::sync::OnceLock<Options> = std::sync::OnceLock::new();
        let writer = SstFileWriter::create(OPTIONS.get_or_init(options));
        writer.open(&path).map_err(|error| failure("write to", folder, &error))?;
        Ok(OpenTable { path, writer })
    }
}
