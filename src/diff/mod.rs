//! Floor 6, the difference between two produced partitions: which rows differ and where, and which are in one only.
//!
//! 1. What the manifests say is compared: settings, batches and impression files that differ explain most of what
//!    follows.
//! 2. Part files that are the same byte by byte need no more.
//! 3. Otherwise each side's rows become row digests (which row, its small cells, hashes of its lists, where it stands)
//!    and are sorted within a budget, whatever order they stand in.
//! 4. The two sorted sequences are walked side by side: rows of one identity that are the same cancel each other out;
//!    what is left differs, or is in one side only.
//! 5. Of the first differences, in that order, the rows are read once more, to say where in their lists they differ.
//!
//! Invariant: which rows differ follows from the two sets of rows alone, not from their order, files or row groups.

mod pairs;
mod partition;
mod report;
mod row_digest;
mod settings;

pub use partition::{DiffOptions, diff_partitions};
pub use report::{CellDifference, ColumnCounts, Identity, PartitionDiff, RowDifference};
pub use settings::SettingDifference;
