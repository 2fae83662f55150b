//! Floor 4, the history on disk: the only place that names rocksdb. It reads and writes the keys and values of
//! [`crate::format`]; it has no knowledge of input files, Arrow or Parquet, and no rules about what a history is.
//!
//! Invariants:
//! - Whatever a batch changes (deltas, keyframes, batch index, customer index, totals, record) becomes visible in one
//!   atomic step, which is durable when the call returns.
//! - Opening a store changes no data and migrates nothing.
//! - One process writes. Any number read at the same time, each the state committed when it opened the store.
//!
//! A store is a folder: `db/` is the RocksDB database; `mark` is the commit watermark; `staging/` holds files on their
//! way into the store, and the next writer empties it; `checkpoint-*/` hold hard links to the store's files while a
//! backup is made.

mod as_of;
mod backup;
mod batches;
mod block_list;
pub(crate) mod bulk;
mod by_day;
pub(crate) mod cursor;
mod engine;
mod folder;
mod handle;
mod holder;
mod ids;
mod late;
mod leaves;
mod list_writer;
mod lookup;
mod new_store;
mod offered_rules;
mod open;
mod purge;
pub(crate) mod query;
pub(crate) mod raw;
mod refusals;
mod scan;
mod settings;
mod sharded;
mod spool;
pub(crate) mod sst;
mod versions;
mod walk;

pub use crate::format::{BatchRecord, FORMAT_VERSION, LeftOutRows};
pub use backup::{Backup, Backups, MadeAtUrl, Retention, UrlBackups, check_backups};
pub use batches::{Batch, Batches};
pub(crate) use block_list::{BlockList, new_secret};
pub(crate) use bulk::BulkLoad;
pub(crate) use cursor::{Cursor, StoredDelta, Tail};
pub use engine::backup_files::CheckedBackups;
pub use folder::Folder;
pub use handle::Store;
pub(crate) use ids::other_ids;
pub(crate) use leaves::Leaves;
pub(crate) use list_writer::ListWriter;
pub(crate) use lookup::Lookup;
pub(crate) use new_store::NewStore;
pub use offered_rules::{OfferedRules, outdated};
pub(crate) use purge::beyond_horizon;
pub(crate) use query::{AsOf, Begin};
pub(crate) use raw::{Entry, RawStore};
pub(crate) use refusals::refuse_pruned;
pub use settings::{MAX_HISTORY_DEFAULT, MAX_HISTORY_LIMIT, Settings};
pub use sharded::{Change, OpenShard, Pinned, ShardFiles, ShardedStore};
pub(crate) use walk::{Step, Unreadable, Walk};
