//! Histories read from RocksDB's table files themselves.
//!
//! For thousands of customers in a row, most of what RocksDB's iterator does for each is the same again: it asks every
//! filter, allocates every block, keeps a heap, and walks through four layers for each key. Here a cursor goes over
//! each sorted run once, from front to back, with the block that it is in.
//!
//! Nothing rests on it but speed. It reads what [`Tables::open`] has found to be whole: plain tables as this program's
//! options have them written, without compression, ranges that are deleted, or entries that are still in memory. Where
//! anything else comes up ([`Unsupported::Unknown`]: a key that two runs have, a key that is deleted, a checksum that
//! does not match), the customer is read through RocksDB, whose word counts, and the store counts that.
//!
//! RocksDB compares checksums and believes the rest. So what contradicts itself although its checksum is right
//! ([`Unsupported::Damaged`]) is refused here, before RocksDB is led astray by it, or takes all the memory that a
//! number announces: footers and indexes before a database is opened ([`check`]), a block of a history when it is read,
//! and every block by [`survey`], for `verify`.
//!
//! Source of the layout: RocksDB 11.8, `table/format.cc`, `table/block_based/block.cc`; what is read of it is format
//! version 6.

mod block;
mod bytes;
mod cursor;
mod footer;
mod index;
mod run;
mod survey;
mod table;

#[cfg(any(test, feature = "fuzzing"))]
#[path = "../../../fuzz/entries/sst_table.rs"]
pub mod fuzz;
#[cfg(test)]
mod tests;

pub(in crate::store) use cursor::{Shown, TableCursor};
pub use survey::Survey;
pub(in crate::store) use survey::{TableFault, survey};
pub(in crate::store) use table::{Tables, check};

/// Why something is not read here.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Unsupported {
    /// Only RocksDB can tell.
    Unknown,
    /// Its checksum is right and it contradicts itself: in which way, as a phrase.
    Damaged(&'static str),
}

const OUT_OF_PLACE: Unsupported = Unsupported::Damaged("a block has keys that its index has elsewhere");
const OUT_OF_FILE: Unsupported = Unsupported::Damaged("it has keys that RocksDB's manifest has elsewhere");

/// What was read, unless it is odd.
type FastPath<T> = Result<T, Unsupported>;
