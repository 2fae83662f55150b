//! The batches of an epoch, in order.

use std::sync::{Arc, Mutex, PoisonError};

use lookback::training::{RowBatches, UsedBatches};
use pyo3::prelude::*;

use crate::batch::Batch;
use crate::errors::Raised;
use crate::own::Own;
use crate::shared_columns::SharedColumns;

/// An iterator over batches, which are made ahead in the background.
#[pyclass(frozen, module = "lookback._native")]
pub(crate) struct Batches {
    batches: Mutex<Own<Option<RowBatches>>>,
    used: UsedBatches,
    lender: Option<Arc<SharedColumns>>,
}

impl Batches {
    pub(crate) fn new(batches: RowBatches, lender: Option<Arc<SharedColumns>>) -> Self {
        Batches { used: batches.used(), batches: Mutex::new(Own::new(Some(batches))), lender }
    }
}

#[pymethods]
impl Batches {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let next = py.detach(|| {
            let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
            batches.get_mut().and_then(|batches| batches.as_mut().and_then(Iterator::next).transpose())
        });
        let next = next.raised(py)?;
        if let (Some(_), Some(lender)) = (&next, &self.lender) {
            lender.batch_is_made();
        }
        Ok(next.map(|batch| Batch::new(batch, self.used.clone(), self.lender.clone())))
    }

    /// Ends the threads in the background; nothing follows.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let closed = py.detach(|| {
            let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
            batches.get_mut().map(|batches| drop(batches.take()))
        });
        closed.raised(py)
    }
}
