//! Floor 3, the bytes in the store: keys and values, to and from the things of [`crate::model`]. No I/O.
//!
#![doc = include_str!("specification.md")]

mod key;
mod value;

pub use key::{Key, Keyspace, batch_prefix};
pub use value::{BatchRecord, FileRecord, Record, Source, StoreRecord, Totals, decode_actions, encode_actions};

/// The version of the bytes in the store that this program reads and writes.
///
/// Raise it by one whenever a key or a value is written in another way, or one more kind of key appears, however small the change; then
/// add the step from the version before to `migrations/`, a fixture written by the old program to `tests/fixtures/`, and a line here.
///
/// | version | since | what changed |
/// |---|---|---|
/// | 1 | 0.1.0 | the first: full snapshots at each active (customer, day), values in bincode |
pub const FORMAT_VERSION: u8 = 1;

/// The value bytes of a key that says everything by being there: the format version alone.
pub const PRESENT: [u8; 1] = [FORMAT_VERSION];
