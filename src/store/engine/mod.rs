//! What knows how RocksDB does things inside, beyond what its interface says: its options, messages, manifest, sequence
//! numbers, files and checkpoints.
//!
//! When RocksDB's version changes, look at each of these:
//! - [`options`]: are the defaults that it does not name still what it was measured with?
//! - [`failure`]: are a held lock, a file that is missing, and a full disk still told by these words?
//! - [`manifest`]: are records still framed as it reads them, and does `CURRENT` still name the file?
//! - [`checkpoint`]: do `CURRENT`, `IDENTITY`, the manifest and the table files still make up a database, and do table
//!   files still never change?
//! - [`in_doubt`]: does a failed sync of the manifest still leave the names of ingested files to the caller?
//! - [`watermark`]: does each commit still raise the latest sequence number?
//! - [`database`]: can closing still wait for ever after a disk was full?
//! - [`stoppable`]: does ending the work in the background still end a compaction that was asked for, and is closing
//!   all that may follow?
//! - [`backup_files`] and [`crc32c`]: does the backup engine still name its files and sums as it did?
//! - [`super::sst`]: footers, block types, properties and compression; `tests/crafted_tables.rs` has them all.
//! - `src/store/purge.rs`: are live files still numbered in the order in which they were made?

pub mod backup_files;
pub mod checkpoint;
pub mod crc32c;
pub mod database;
pub mod failure;
pub mod in_doubt;
pub mod manifest;
pub mod options;
pub mod stoppable;
pub mod watermark;
