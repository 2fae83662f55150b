//! A day that was prepared, and its epochs.

use std::sync::Arc;

use super::batches::RowBatches;
use super::cuts::Cuts;
use super::day_rows::DayRows;
use super::options::BatchOptions;
use super::order::Order;
use crate::error::Result;
use crate::output::LendCells;
use crate::produce::ProduceSummary;

/// The rows of a day, put aside. Clones are cheap, and are the same rows.
///
/// Memory: an eighth of the limit each for impressions and histories, which go to scratch files beyond it; 24 bytes for
/// each thousand rows. The files are gone with the last clone, epoch and batches of the day.
#[derive(Clone)]
pub struct TrainingDay {
    pub(super) rows: Arc<DayRows>,
    pub(super) summary: Arc<ProduceSummary>,
    pub(super) fingerprint: Arc<str>,
}

impl TrainingDay {
    /// Returns the number of rows of each epoch.
    pub fn rows(&self) -> u64 {
        self.summary.rows
    }

    /// Returns the counts that a produce of the day would report; `rows` without those beyond `max_rows_per_customer`.
    /// Of a partition, what only the store or the impression files tell is 0: late actions, empty impressions, and so
    /// on.
    pub fn summary(&self) -> &ProduceSummary {
        &self.summary
    }

    /// Returns a hash of everything that determines the rows and their order: settings, program version, batches,
    /// impression files and forgotten customers; of a partition, settings, program version and part files. Two days
    /// with equal hashes have the same rows in the same order in each epoch.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Sorts the rows of an epoch; epoch 0 has the order of a partition. The store is not read.
    ///
    /// Memory: that for sorting while it works, then an eighth of the limit, or a scratch file beyond it.
    pub fn epoch(&self, epoch: u64) -> Result<Epoch> {
        let order = Arc::new(Order::of_epoch(&self.rows, epoch)?);
        Ok(Epoch { rows: Arc::clone(&self.rows), order, epoch })
    }
}

/// The rows of a day in the order of an epoch. Clones are cheap.
#[derive(Clone)]
pub struct Epoch {
    rows: Arc<DayRows>,
    order: Arc<Order>,
    epoch: u64,
}

impl Epoch {
    /// Returns the number of rows.
    pub fn rows(&self) -> u64 {
        self.order.rows()
    }

    /// Returns the epoch's number.
    pub fn number(&self) -> u64 {
        self.epoch
    }

    /// Returns the number of batches of all workers from `first_row` on. With `batch_actions_max` it reads the order
    /// and the lengths of the histories, since these decide.
    pub fn count(&self, options: &BatchOptions) -> Result<u64> {
        let all = options.workers(1).worker(0);
        if let Some(count) = all.count(self.rows()) {
            return Ok(count);
        }
        let mut cuts = Cuts::new(&self.rows, &self.order, &all);
        let mut count = 0;
        while cuts.next_batch()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// Begins to make batches, in the background. Fails if the options contradict each other, or if a batch may take
    /// more memory than there is for batches: see [`RowBatches`].
    pub fn batches(&self, options: &BatchOptions) -> Result<RowBatches> {
        RowBatches::begin(&self.rows, &self.order, self.epoch, options, None)
    }

    /// The same, with the histories of batches in memory that is lent; one batch for each thread is made ahead, with a
    /// single thread none. Memory: that of the lender, who is asked for no more than `batches` would take.
    pub fn batches_in(&self, lender: Arc<dyn LendCells>, options: &BatchOptions) -> Result<RowBatches> {
        RowBatches::begin(&self.rows, &self.order, self.epoch, options, Some(lender))
    }
}
