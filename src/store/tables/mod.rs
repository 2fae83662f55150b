//! Histories read from RocksDB's table files themselves.
//!
//! For thousands of customers in a row, most of what RocksDB's iterator does for each is the same again: it asks every filter, allocates every block, keeps a heap, and
//! walks through four layers for each key. Here a cursor goes over each sorted run once, from front to back, with the block that it is in.
//!
//! Nothing rests on it but speed. It reads what [`Tables::open`] has found to be plain: tables as this program's options have them written, without compression,
//! ranges that are deleted, or entries that are still in memory. Where anything else comes up ([`Odd`]: a key that two runs have, a key that is deleted, a checksum that
//! does not match), the customer is read through RocksDB, whose word counts.
//!
//! Source of the layout: RocksDB 11.8, `table/format.cc`, `table/block_based/block.cc`; what is read of it is format version 6.

mod block;
mod bytes;
mod cursor;
mod footer;
mod run;
mod table;

#[cfg(test)]
mod tests;

pub(super) use cursor::{Shown, TableCursor};
pub(super) use table::Tables;

/// Something that only RocksDB can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Odd;

/// What was read, unless it is odd.
type Plain<T> = Result<T, Odd>;
