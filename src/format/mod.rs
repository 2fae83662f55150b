//! Floor 3, the bytes in the store: keys and values, to and from the things of [`crate::model`]. No I/O.
//!
#![doc = include_str!("specification.md")]

pub mod bits;
mod columns;
mod delta;
mod erasure;
mod fingerprint;
mod key;
mod keyframe;
mod leaf;
mod refolded;
mod value;
mod varint;
mod watermark;

#[cfg(test)]
mod tests;

pub use delta::{Delta, Scratch, encode_delta};
pub use erasure::{Secret, Token, token_of};
pub use fingerprint::{Hasher, files_fingerprint};
pub use key::{
    HISTORY_KEY_BYTES_MAX, HISTORY_PREFIX_BYTES, Key, KeyBytes, Keyspace, hex, history_number, history_prefix,
    index_prefix,
};
pub use keyframe::{Keyframe, encode_keyframe};
pub use leaf::{CustomerState, CutLeaf, Entry, FIRST_LEAF, LeafCutter, TouchedDay, decode_leaf, encode_leaf};
pub use refolded::refold_whole;
pub use value::{
    BatchRecord, BlockListRecord, FileRecord, Forgotten, Horizon, Purge, Record, SourceRecord, StoreRecord, Totals,
    TypesRecord, ZoneRulesRecord, ZoneUse,
};
pub use watermark::Watermark;

use crate::error::{Error, Result};
pub use varint::put_varint;

use varint::Reader;

/// The version of the stores that this program reads and writes; the store record begins with it.
///
/// Raise it by one whenever a key or a value is written in another way, or one more kind of key appears, however small
/// the change; then add the step from the version before to `migrations/`, a fixture written by the old program to
/// `tests/fixtures/`, and a line here.
///
/// | version | since | what changed |
/// |---|---|---|
/// | 1 | 0.1.0 | the first: full snapshots at each active (customer, day), values in bincode |
/// | 2 | 0.2.0 | deltas in columns, keyframes in place of snapshots, index in leaves, the customer index |
/// | 3 | 0.3.0 | customers can be forgotten and old days pruned: the block list, the horizon, the purge record |
/// | 4 | 0.4.0 | other types of action than three, with names: their table; batch records tell sources and types |
/// | 5 | 0.5.0 | the rules of the store's zone, and batch records that tell whether their actions rest on them |
pub const FORMAT_VERSION: u8 = 5;

/// What deltas, keyframes, leaves, totals and batch records begin with: the version of the store that brought their
/// layout.
pub const LAYOUT_VERSION: u8 = 2;

/// What the table of types begins with, and the records of batches that were described by a configuration.
const CONFIGURED_VERSION: u8 = 4;

/// What the rules of the zone begin with, and the records of batches whose actions rest on them.
const ZONED_VERSION: u8 = 5;

/// The most actions that a delta or a keyframe holds, and so the largest `max_history`. Damaged bytes that announce
/// more are an error and not an allocation.
pub const ACTIONS_MAX: usize = 100_000;

/// Reads the version byte of a value. Fails where it is another than that of its layout.
fn check_version(reader: &mut Reader<'_>) -> Result<()> {
    match reader.byte()? {
        LAYOUT_VERSION => Ok(()),
        other => Err(wrong_version(other, LAYOUT_VERSION)),
    }
}

fn wrong_version(found: u8, expected: u8) -> Error {
    Error::corrupt(format!("a value in the store begins with the format version {found} in place of {expected}"))
}
