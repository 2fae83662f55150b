//! Batches that the caller has given back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::output::{HistoryColumns, RowBatch};

/// Takes batches that are no longer needed, whose memory the next ones use. To give none back is slower: the system
/// clears new memory for each batch. Clones are the same place.
///
/// Memory: at most one batch for each thread; more are dropped.
#[derive(Clone)]
pub struct UsedBatches {
    columns: Arc<Mutex<Vec<HistoryColumns>>>,
    max: usize,
}

impl UsedBatches {
    pub(super) fn new(max: usize) -> Self {
        UsedBatches { columns: Arc::default(), max }
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
