//! What training rows are asked for, and how they are cut into batches.

use std::num::NonZeroUsize;

use crate::output::Layout;
use crate::produce::DayOptions;

/// The options that determine the rows of a day and their order.
#[derive(Clone, Copy, Debug)]
pub struct TrainingOptions<'a> {
    /// The rows, as `produce` has them.
    pub day: DayOptions<'a>,
    /// The most rows of a customer; of those with more, the rows stay that come first in the shuffled order of epoch 0,
    /// the same in every epoch and every order of a seed. `None` for all rows.
    pub max_rows_per_customer: Option<NonZeroUsize>,
}

/// How the rows of an epoch are cut into batches, and which part of each batch is wanted.
///
/// A global batch is a batch of all ranks together; rank r has the r-th part of it. So the global batches have the same
/// rows for any number of ranks whose batches add up to the same size.
#[derive(Clone, Copy, Debug)]
pub struct BatchOptions {
    /// How histories lie.
    pub layout: Layout,
    /// The most rows of a rank's batch.
    pub batch_size: usize,
    /// The most actions of a rank's batch on average over the ranks: a global batch ends before the row whose history
    /// would exceed this number times `world_size`, but not before the second history. Neighbouring rows of one
    /// customer have one history. `None` for no limit.
    pub batch_actions_max: Option<usize>,
    /// The number of ranks.
    pub world_size: usize,
    /// Which of the ranks this is, from 0.
    pub rank: usize,
    /// The number of workers that share this rank's batches, each of which takes every so-many-th batch.
    pub workers: usize,
    /// Which of the workers this is, from 0.
    pub worker: usize,
    /// The row of the epoch with which the first batch begins: 0, or [`crate::output::RowBatch::next_row`] to resume.
    pub first_row: u64,
    /// Whether the last batch is left out if it has fewer rows than `batch_size` for each rank. Otherwise it is
    /// shorter, equally long for all ranks, and filled with rows from its beginning.
    pub drop_last: bool,
    /// Whether batches have ranking ids.
    pub ranking_ids: bool,
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

impl Default for BatchOptions {
    /// Padded batches of 4,096 rows, all of them.
    fn default() -> Self {
        BatchOptions {
            layout: Layout::Padded,
            batch_size: 4_096,
            batch_actions_max: None,
            world_size: 1,
            rank: 0,
            workers: 1,
            worker: 0,
            first_row: 0,
            drop_last: false,
            ranking_ids: false,
        }
    }
}
