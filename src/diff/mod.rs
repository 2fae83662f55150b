//! Floor 6, the difference between two produced partitions: which rows differ and where, and which are in one only.
//!
//! 1. The manifests are compared: differing settings, batches and impression files explain most differences of the
//!    rows.
//! 2. Part files that are equal byte by byte need no further comparison.
//! 3. Otherwise each side's rows become row digests (identity, small cells, hashes of the lists, position) and are
//!    sorted within a budget, whatever their order.
//! 4. The two sorted sequences are merged: equal rows of one identity cancel each other out; the remaining rows differ,
//!    or are in one side only.
//! 5. The rows of the first differences, in that order, are read again, to find where their lists differ.
//!
//! Invariant: the result depends on the two sets of rows alone, not on their order, files or row groups.

mod pairs;
mod partition;
mod report;
mod row_digest;
mod settings;

pub use partition::{DiffOptions, diff_partitions};
pub use report::{CellDifference, ColumnCounts, Identity, PartitionDiff, RowDifference};
pub use settings::SettingDifference;
