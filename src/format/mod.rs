//! Floor 3, the bytes in the store: encodes and decodes keys and values of the types in [`crate::model`]. No I/O.
//!
#![doc = include_str!("specification.md")]

pub(crate) mod bits;
mod columns;
mod delta;
mod erasure;
mod fingerprint;
mod ids;
mod key;
mod keyframe;
mod leaf;
mod refolded;
mod value;
mod varint;
mod watermark;

#[cfg(test)]
mod tests;

pub(crate) use delta::Scratch;
pub use delta::{Delta, encode_delta};
pub(crate) use erasure::{Secret, Token, token_of};
pub(crate) use fingerprint::{Hasher, files_fingerprint};
pub use key::Key;
pub(crate) use key::{
    HISTORY_KEY_BYTES_MAX, HISTORY_KEY_BYTES_MIN, HISTORY_PREFIX_BYTES, KeyBytes, Keyspace, hex, history_key,
    history_number, history_prefix, index_prefix,
};
pub use keyframe::{Keyframe, encode_keyframe};
pub use leaf::{CustomerState, Entry, FIRST_LEAF, TouchedDay, decode_leaf, encode_leaf};
pub(crate) use leaf::{CutLeaf, LeafCutter};
pub(crate) use refolded::refold_whole;
pub use value::{
    BatchRecord, FileRecord, Horizon, LeftOutRows, Record, SourceRecord, StoreRecord, Totals, TypesRecord, ZoneUse,
};
pub(crate) use value::{BlockListRecord, DropDuplicates, Forgotten, IdsRecord, Purge, ZoneRulesRecord};
pub(crate) use watermark::Watermark;

use crate::error::{Error, Result};
pub(crate) use varint::put_varint;

use varint::Reader;

/// The format version of stores that this program reads and writes; the store record begins with it.
///
/// Raise it by one for any change to the bytes of a key or value, or for a new kind of key, however small; then add the
/// step from the version before to `migrations/`, a fixture written by the old program to `tests/fixtures/`, and a line
/// here.
///
/// | version | since | what changed |
/// |---|---|---|
/// | 1 | 0.1.0 | the first: full snapshots at each active (customer, day), values in bincode |
/// | 2 | 0.2.0 | deltas in columns, keyframes in place of snapshots, index in leaves, the customer index |
/// | 3 | 0.3.0 | customers can be forgotten and old days pruned: the block list, the horizon, the purge record |
/// | 4 | 0.4.0 | other types of action than three, with names: their table; batch records name sources and types |
/// | 5 | 0.5.0 | the rules of the store's zone, and batch records that note whether they depend on them |
/// | 6 | 0.5.0 | what ids are, whether histories hold equal actions once; batches count rows left out by rules |
pub const FORMAT_VERSION: u8 = 6;

/// The first byte of deltas, keyframes, leaves, totals and batch records: the format version that introduced their
/// layout.
pub const LAYOUT_VERSION: u8 = 2;

/// The first byte of the table of types, and of the records of batches that a configuration described.
const CONFIGURED_VERSION: u8 = 4;

/// The first byte of the time zone rules, and of the records of batches whose actions depend on them.
const ZONED_VERSION: u8 = 5;

/// The first byte of the records of what ids are, and of what becomes of equal actions; and of the records of batches
/// of which rules leave rows out.
const IDS_VERSION: u8 = 6;

/// Maximum number of actions in a delta or a keyframe, and so of `max_history`. Damaged bytes that announce more cause
/// an error instead of a large allocation.
pub const ACTIONS_MAX: usize = 100_000;

/// Reads the version byte of a value. Fails if it is not [`LAYOUT_VERSION`].
fn check_version(reader: &mut Reader<'_>) -> Result<()> {
    match reader.byte()? {
        LAYOUT_VERSION => Ok(()),
        other => Err(wrong_version(other, LAYOUT_VERSION)),
    }
}

fn wrong_version(found: u8, expected: u8) -> Error {
    Error::corrupt(format!("a value in the store begins with the format version {found} instead of {expected}"))
}
