//! The code that depends on RocksDB's internals, beyond its interface: its options, messages, manifest, sequence
//! numbers, files and checkpoints.
//!
//! When RocksDB's version changes, check each of these:
//! - [`options`]: are the defaults of the unset options the same as in the measurements?
//! - [`failure`]: do a held lock, a missing file and a full disk still cause these words?
//! - [`manifest`]: do records still have this frame, and does `CURRENT` still name the file?
//! - [`checkpoint`]: do `CURRENT`, `IDENTITY`, the manifest and the table files still make up a database, and do table
//!   files still never change?
//! - [`in_doubt`]: does a failed sync of the manifest still leave the names of ingested files to the caller?
//! - [`watermark`]: does each commit still raise the latest sequence number?
//! - [`database`]: can closing still wait for ever after a disk was full?
//! - [`stoppable`]: does cancelling background work still end a requested compaction, and can the database then only be
//!   closed?
//! - [`backup_files`] and [`crc32c`]: does the backup engine still use the same file names and checksums?
//! - [`super::sst`]: footers, block types, properties and compression; `tests/crafted_tables.rs` covers all of them.
//! - `src/store/purge.rs`: are live files still numbered in the order of their creation?

pub(super) mod backup_files;
pub(super) mod checkpoint;
pub(super) mod crc32c;
pub(super) mod database;
pub(super) mod failure;
pub(super) mod in_doubt;
pub(super) mod manifest;
pub(super) mod options;
pub(super) mod stoppable;
pub(super) mod watermark;
