//! The options of producing a day.

use std::path::Path;

use crate::model::{Day, RowColumns, RowOrder};
use crate::output::Compression;
use crate::resources::Resources;
use crate::sources::ImpressionSource;

/// The options of producing a day.
#[derive(Clone, Copy, Debug)]
pub struct ProduceOptions<'a> {
    /// The root folder of the input.
    pub input: &'a Path,
    /// Which of its files are impressions, and the names of their columns.
    pub impressions: &'a ImpressionSource,
    /// The day to produce. Every action in its rows is from strictly before it.
    pub dt: Day,
    /// The folder for the partition.
    pub out: &'a Path,
    /// Length of the padded arrays; `None` for the store's `max_history`.
    pub max_history: Option<usize>,
    /// Only actions of this many days before `dt`; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// Only batches up to and including this one; `None` for all.
    pub known_as_of: Option<Day>,
    /// How pages are compressed.
    pub compression: Compression,
    /// Which columns the rows have.
    pub columns: RowColumns,
    /// The order of the rows.
    pub order: RowOrder,
    /// Whether to produce although batches are missing.
    pub allow_gaps: bool,
    /// Whether to produce although the rows lack pruned actions.
    pub allow_pruned: bool,
    /// The quarantine folder for bad rows; `None`: impressions with a bad row are refused.
    pub quarantine: Option<&'a Path>,
    /// Memory, threads and disk to use. An impression of 10 items takes some 250 bytes of the memory for sorting;
    /// beyond it, sorted runs spill to disk beside the partition. Shuffled orders divide it (see [`super::shuffled`]).
    pub resources: &'a Resources,
    /// Whether to keep a partition that was produced from the same inputs.
    pub keep_current: bool,
}

/// The options that determine the rows of a day, whatever becomes of them; each as in [`ProduceOptions`].
#[derive(Clone, Copy, Debug)]
pub struct DayOptions<'a> {
    /// The root folder of the input.
    pub input: &'a Path,
    /// Which of its files are impressions, and the names of their columns.
    pub impressions: &'a ImpressionSource,
    /// The day. Every action in its rows is from strictly before it.
    pub dt: Day,
    /// The most actions of a history; `None` for the store's `max_history`.
    pub max_history: Option<usize>,
    /// Only actions of this many days before `dt`; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// Only batches up to and including this one; `None` for all.
    pub known_as_of: Option<Day>,
    /// Which columns the rows have.
    pub columns: RowColumns,
    /// The order of the rows.
    pub order: RowOrder,
    /// Whether to go on although batches are missing.
    pub allow_gaps: bool,
    /// Whether to go on although the rows lack pruned actions.
    pub allow_pruned: bool,
    /// The quarantine folder for bad rows; `None`: impressions with a bad row are refused.
    pub quarantine: Option<&'a Path>,
    /// Memory, threads and disk to use.
    pub resources: &'a Resources,
}

impl<'a> ProduceOptions<'a> {
    /// Returns the options that determine the rows.
    pub(crate) fn day(&self) -> DayOptions<'a> {
        let ProduceOptions { input, impressions, dt, max_history, lookback_days, known_as_of, .. } = *self;
        let ProduceOptions { columns, order, allow_gaps, allow_pruned, quarantine, resources, .. } = *self;
        DayOptions {
            input,
            impressions,
            dt,
            max_history,
            lookback_days,
            known_as_of,
            columns,
            order,
            allow_gaps,
            allow_pruned,
            quarantine,
            resources,
        }
    }
}
