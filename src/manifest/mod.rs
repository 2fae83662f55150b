//! Floor 3, what a partition says of itself: its settings, its files, and what its rows rest on. JSON to values and
//! back; no I/O.
//!
//! Everything in a manifest follows from the batches used, the impression files and the settings: no clock, no path of
//! the machine, nothing of the order in which the store was filled. So two runs that use the same batches write the
//! same manifest, whichever options made them use these: which batches those are stands in it one by one, and neither
//! `--known-as-of` nor `--allow-gaps` does.

mod partition;

#[cfg(test)]
mod tests;

pub use partition::{ImpressionFile, Manifest, PartFile, RestsOn, RowShape, RowTally};

/// The version of the manifest's fields. Raise it by one whenever a field is left out or means something else; a
/// further field needs no new version. History:
///
/// 1. Part files always have the column `dt`, and `with` does not name it.
/// 2. Part files have `dt` only where `with` names it, and the document ends with a checksum of itself.
pub const MANIFEST_VERSION: u32 = 2;

/// The oldest version that is still read.
const MANIFEST_VERSION_MIN: u32 = 1;

/// The most bytes of a file that is read as a manifest: what it holds of 100,000 files, several times over. A larger
/// one is none that lookback wrote.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 20;
