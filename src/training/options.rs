//! What training rows are asked for, and how they are cut into batches.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::input::Input;
use crate::model::Day;
use crate::options::options;
use crate::output::Layout;
use crate::produce::{DayOptions, RowChoice};
use crate::resources::Resources;
use crate::sources::Sources;

options! {
    /// The options that determine the training rows of a day and their order: the root folder of the input, or
    /// rows in memory; and the day, from strictly before which every action in its rows is.
    TrainingOptions(input: Input, dt: Day) {
        /// The description of the input, of which the impressions are read.
        sources: Sources = Sources::default(),
        /// The settings of rows. Those of files, which are compression and rows in a row group or part, change nothing.
        rows: RowChoice = RowChoice::default(),
        /// Only batches up to and including this one. Default: all.
        known_as_of: Option<Day> = None,
        /// Whether to continue although batches are missing. Default: no.
        allow_gaps: bool = false,
        /// Whether to continue although the rows lack pruned actions. Default: no.
        allow_pruned: bool = false,
        /// The quarantine, a folder or URL for bad rows. Default: impressions with a bad row are refused.
        quarantine: Option<PathBuf> = None,
        /// The most rows of a customer; of those with more, the rows stay that come first in the shuffled order of
        /// epoch 0, the same in every epoch and every order of a seed. Default: all rows.
        max_rows_per_customer: Option<NonZeroUsize> = None,
        /// Memory, threads and disk to use, also by all epochs and batches of the day.
        resources: Resources = Resources::default(),
    }
}

options! {
    /// The options of the training rows of a day that are read from its produced partition: the output folder; and the
    /// day.
    PartitionOptions(out: PathBuf, dt: Day) {
        /// The settings of rows. `max_history` is at most that of the partition, its default, and `lookback_days` none
        /// other than the partition's; order and seed are those of the training, whatever the partition has. Those of
        /// files change nothing.
        rows: RowChoice = RowChoice::default(),
        /// The most rows of a customer, as in [`TrainingOptions`]. Default: all rows.
        max_rows_per_customer: Option<NonZeroUsize> = None,
        /// Memory, threads and disk to use, also by all epochs and batches of the day.
        resources: Resources = Resources::default(),
    }
}

impl TrainingOptions {
    /// Returns the options that determine the rows.
    pub(super) fn day(&self) -> DayOptions<'_> {
        DayOptions {
            input: &self.input,
            impressions: &self.sources.impressions,
            dt: self.dt,
            // No file is written: settings of files are no part of the fingerprint.
            rows: self.rows.compression(None).row_group_rows(None).part_rows(None),
            known_as_of: self.known_as_of,
            shard: None,
            allowed: (self.allow_gaps, self.allow_pruned),
            quarantine: self.quarantine.as_deref(),
            resources: &self.resources,
        }
    }
}

options! {
    /// How the rows of an epoch are cut into batches, and which part of each batch is wanted.
    ///
    /// A global batch is a batch of all ranks together; rank r has the r-th part of it. So the global batches have the
    /// same rows for any number of ranks whose batches add up to the same size.
    #[derive(Copy)]
    BatchOptions() {
        /// How histories lie. Default: padded.
        layout: Layout = Layout::Padded,
        /// The most rows of a rank's batch. Default: 4,096.
        batch_size: usize = 4_096,
        /// The most actions of a rank's batch on average over the ranks: a global batch ends before the row whose
        /// history would exceed this number times `world_size`, but not before the second history. Neighbouring rows
        /// of one customer have one history. Default: no limit.
        batch_actions_max: Option<usize> = None,
        /// The number of ranks. Default: 1.
        world_size: usize = 1,
        /// Which of the ranks this is, from 0. Default: 0.
        rank: usize = 0,
        /// The number of workers that share this rank's batches, each of which takes every so-many-th batch.
        /// Default: 1.
        workers: usize = 1,
        /// Which of the workers this is, from 0. Default: 0.
        worker: usize = 0,
        /// The row of the epoch with which the first batch begins: [`crate::output::RowBatch::next_row`] to resume.
        /// Default: 0.
        first_row: u64 = 0,
        /// Whether the last batch is left out if it has fewer rows than `batch_size` for each rank. Default: no; it is
        /// shorter, equally long for all ranks, and filled with rows from its beginning.
        drop_last: bool = false,
        /// Whether batches have ranking ids. Default: no.
        ranking_ids: bool = false,
    }
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchOptions {
    /// Returns how many batches there are of an epoch of `rows` rows; `None` with `batch_actions_max`, since then the
    /// histories decide.
    pub fn count(&self, rows: u64) -> Option<u64> {
        let rows = rows.saturating_sub(self.first_row);
        let of_batch = (self.batch_size as u64).saturating_mul(self.world_size as u64).max(1);
        let all = if self.drop_last { rows / of_batch } else { rows.div_ceil(of_batch) };
        let of_worker = all.saturating_sub(self.worker as u64).div_ceil(self.workers.max(1) as u64);
        self.batch_actions_max.is_none().then_some(of_worker)
    }
}
