//! An open RocksDB database, and how it is closed.

use std::ops::Deref;
use std::sync::Arc;

use rocksdb::{DB, Options, properties};

use super::in_doubt::InDoubt;
use super::options::options;
use crate::store::folder::Folder;

/// An open database, which dereferences to rocksdb's. After it is closed, an in-doubt commit is resolved (see
/// [`super::in_doubt`]).
pub(crate) struct Database {
    db: Arc<DB>,
    /// Declared after the database, so that the database is closed first.
    in_doubt: Option<InDoubt>,
    /// Options of the table files that loads write.
    table_options: Options,
}

impl Database {
    /// Wraps a database that is open for reading only.
    pub(crate) fn reading(db: DB) -> Self {
        Database { db: Arc::new(db), in_doubt: None, table_options: options() }
    }

    /// Returns the options for table files written beside the database: a table writer borrows them while it lives.
    pub(crate) fn table_options(&self) -> &Options {
        &self.table_options
    }

    /// Returns whether the database is open for reading only, so that it stays unchanged.
    pub(crate) fn is_read_only(&self) -> bool {
        self.in_doubt.is_none()
    }

    /// Wraps a database that is open for writing.
    pub(crate) fn writing(db: DB, folder: &Folder) -> Self {
        Database { db: Arc::new(db), in_doubt: Some(InDoubt::about(folder)), table_options: options() }
    }
}

impl Deref for Database {
    type Target = DB;

    fn deref(&self) -> &DB {
        &self.db
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(in_doubt) = &self.in_doubt else { return };
        let failed = self.db.property_int_value(properties::BACKGROUND_ERRORS).ok().flatten();
        if in_doubt.folder().has_been_full() || failed.is_some_and(|count| count > 0) {
            // RocksDB tries by itself to recover from a full disk. If closed at that moment, it may wait for ever for
            // that recovery to end (seen in 11.8: a compaction and a write that both fail). Everything acknowledged is
            // synced, so closing has nothing left to do.
            std::mem::forget(Arc::clone(&self.db));
        }
    }
}
