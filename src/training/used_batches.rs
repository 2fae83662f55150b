//! Batches that the caller has given back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::output::{HistoryColumns, LendCells, RowBatch};

/// The histories of batches that were given back.
pub(super) type Columns = Arc<Mutex<Vec<HistoryColumns>>>;

/// Takes batches that are no longer needed, whose memory the next ones use. To give none back is slower: the system
/// clears new memory for each batch. Clones are the same place.
///
/// Memory: at most two batches for each thread; more are dropped. They stay for the next epoch of the day.
#[derive(Clone)]
pub struct UsedBatches {
    columns: Columns,
    max: usize,
    lender: Option<Arc<dyn LendCells>>,
}

impl UsedBatches {
    /// Returns the place of a day, which takes at most `max` batches.
    pub(super) fn of_day(columns: &Columns, max: usize) -> Self {
        UsedBatches { columns: Arc::clone(columns), max, lender: None }
    }

    /// Returns a place that keeps no batch: the memory of the next ones is lent.
    pub(super) fn of_lender(lender: Arc<dyn LendCells>) -> Self {
        UsedBatches { columns: Arc::default(), max: 0, lender: Some(lender) }
    }

    pub(super) fn lender(&self) -> Option<&dyn LendCells> {
        self.lender.as_deref()
    }

    /// Takes a batch.
    pub fn give(&self, batch: RowBatch) {
        let mut columns = self.lock();
        if columns.len() < self.max {
            columns.push(batch.histories);
        }
    }

    pub(super) fn take(&self) -> Option<HistoryColumns> {
        self.lock().pop()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HistoryColumns>> {
        // Whatever a thread that panicked has left is overwritten.
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
