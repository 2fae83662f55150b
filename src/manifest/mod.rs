//! Floor 3, a partition's description: its settings, its files, and what its rows rest on. Converts between JSON and
//! values; no I/O.
//!
//! Everything in a manifest follows from the batches used, the impression files and the settings: no clock, no path of
//! the machine, no trace of the order in which the store was filled. So two runs that use the same batches write the
//! same manifest, whichever options selected these batches: the manifest lists the batches, and neither `--known-as-of`
//! nor `--allow-gaps`.

mod partition;

#[cfg(test)]
mod tests;

pub use partition::{ImpressionFile, Manifest, PartFile, RestsOn, RowShape, RowTally};

/// The version of the manifest's fields. Raise it by one whenever a field is removed or changes its meaning; a new
/// field needs no new version. History:
///
/// 1. Part files always have the column `dt`, and `with` does not name it.
/// 2. Part files have `dt` only where `with` names it, and the document ends with a checksum of itself.
pub const MANIFEST_VERSION: u32 = 2;

/// The oldest version that can still be read.
const MANIFEST_VERSION_MIN: u32 = 1;

/// The maximum size of a manifest in bytes: several times that of a manifest of 100,000 files. Lookback never wrote a
/// larger file.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 20;
