//! What to produce.

use std::path::Path;

use crate::model::{Day, RowColumns, RowOrder};
use crate::output::Compression;
use crate::resources::Resources;
use crate::sources::ImpressionSource;

/// What to produce.
#[derive(Clone, Copy, Debug)]
pub struct ProduceOptions<'a> {
    /// The input root.
    pub input: &'a Path,
    /// Which of its files are impressions, and what their columns are called.
    pub impressions: &'a ImpressionSource,
    /// The day. Every action in its rows is from strictly before it.
    pub dt: Day,
    /// Where the partition goes.
    pub out: &'a Path,
    /// Length of the padded arrays; `None` for the store's.
    pub max_history: Option<usize>,
    /// Only actions of this many days before `dt`; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// Only batches up to and including this one; `None` for all.
    pub known_as_of: Option<Day>,
    /// How pages are compressed.
    pub compression: Compression,
    /// Which columns the rows have.
    pub columns: RowColumns,
    /// In which order they stand.
    pub order: RowOrder,
    /// Whether missing batches are accepted.
    pub allow_gaps: bool,
    /// Whether rows are accepted that lack what has been pruned.
    pub allow_pruned: bool,
    /// Where bad rows go; `None`: impressions with a bad row are refused.
    pub quarantine: Option<&'a Path>,
    /// What it may take. Of its memory for sorting, an impression of 10 items takes some 250 bytes; beyond it, sorted
    /// runs go to disk, beside the partition. shuffled orders chunk it out (see [`super::shuffled`]).
    pub resources: &'a Resources,
    /// Whether a partition that was produced from the same inputs is left as it is.
    pub keep_current: bool,
}
