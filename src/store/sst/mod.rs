//! Reads histories directly from RocksDB's table files.
//!
//! For thousands of customers in a row, RocksDB's iterator repeats most of its work for each: it asks every filter,
//! allocates every block, keeps a heap, and passes four layers for each key. The cursor here goes over each sorted run
//! once, from front to back, and keeps the current block.
//!
//! Only speed depends on this reader. It reads files that [`Tables::open`] has found to be whole: plain tables as
//! written with this program's options, without compression, deleted ranges, or entries still in memory. For anything
//! else ([`Unsupported::Unknown`]: a key in two runs, a deleted key, a wrong checksum), the customer is read through
//! RocksDB, whose answer counts, and the store counts such reads.
//!
//! RocksDB compares checksums and trusts the rest. So data that contradicts itself despite a correct checksum
//! ([`Unsupported::Damaged`]) is refused here, before it misleads RocksDB or makes it allocate an announced size:
//! footers and indexes before a database is opened ([`check`]), a block of a history when it is read, and every block
//! by [`survey()`], for `verify`.
//!
//! Source of the layout: RocksDB 11.8, `table/format.cc`, `table/block_based/block.cc`; only format version 6 is
//! supported.

mod block;
mod bytes;
mod cursor;
mod footer;
mod index;
mod run;
mod survey;
mod table;

#[cfg(any(test, feature = "internals"))]
#[path = "../../../fuzz/entries/sst_table.rs"]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

pub(in crate::store) use cursor::{Shown, TableCursor};
pub(crate) use survey::Survey;
pub(in crate::store) use survey::{TableFault, survey};
pub(in crate::store) use table::{Tables, check};

/// The reason why data is not read here.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Unsupported {
    /// Only RocksDB can read the data.
    Unknown,
    /// The checksum is correct and the data contradicts itself: in which way, as a phrase.
    Damaged(&'static str),
}

const OUT_OF_PLACE: Unsupported = Unsupported::Damaged("a block has keys that the index puts into another block");
const OUT_OF_FILE: Unsupported = Unsupported::Damaged("it has keys that RocksDB's manifest puts into another file");

/// The data read, unless it is unsupported.
type FastPath<T> = Result<T, Unsupported>;
