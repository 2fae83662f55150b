//! Floor 4, the history on disk: the only place that names rocksdb. It reads and writes the keys and values of [`crate::format`]; it knows
//! nothing of input files, Arrow or Parquet, and decides nothing about what a history is.
//!
//! Invariants:
//! - Whatever a batch changes (portions, keyframes, index, roster, totals, record) becomes visible in one atomic step, durable when it returns.
//! - Opening a store never changes what it holds and never migrates it.
//! - One process writes; any number read beside it, each the state that was committed when it opened.
//!
//! A store is a folder: `db/` is the RocksDB database, `mark` tells how far it had come with the last commit, `staging/` holds files on their way into
//! it and is emptied by the next writer, `checkpoint-*/` are second names of its files while a backup is made.

mod backup;
mod backup_files;
mod batches;
mod block_list;
mod bulk;
mod by_day;
mod checkpoint;
mod crc32c;
mod cursor;
mod database;
mod doubt;
mod folder;
mod handle;
mod holder;
mod late;
mod leaves;
mod list_writer;
mod lookup;
mod mark;
mod new_store;
mod offered_rules;
mod open;
mod options;
mod purge;
mod raw;
mod rocksdb_manifest;
mod scan;
mod spool;
mod tables;
mod walk;

pub use backup::{Backup, Backups, check_backups};
pub use backup_files::CheckedBackups;
pub use batches::{Batch, Batches};
pub use block_list::BlockList;
pub use bulk::BulkLoad;
pub use cursor::{AsOf, Begin, Cursor, StoredPortion, Tail};
pub use folder::Folder;
pub use handle::{MAX_HISTORY_DEFAULT, MAX_HISTORY_LIMIT, Settings, Store};
pub use leaves::{LeafBytes, Leaves, StoredLeaf};
pub use list_writer::ListWriter;
pub use lookup::Lookup;
pub use new_store::NewStore;
pub use offered_rules::{OfferedRules, outdated};
pub use raw::{Entry, RawStore};
#[cfg(feature = "fuzzing")]
pub use tables::fuzz::sst_table;
pub use walk::{Step, Unreadable, Walk};
