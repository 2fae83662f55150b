//! Record batches in memory on the way in: the wanted columns are put aside once, in plain types, and then read like a
//! file, as often as needed.

mod plain;
mod row_hash;
mod rows;
mod stream;

pub(super) use rows::{MemoryBatches, MemoryRows};
