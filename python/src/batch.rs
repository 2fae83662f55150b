//! A batch of training rows.

use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, RecordBatch, StructArray};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use lookback::error::Error;
use lookback::output::{ItemCells, RowBatch, TypeCells};
use lookback::training::UsedBatches;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::column::{Cells, Column, Integer};
use crate::errors::Raised;
use crate::own::Own;
use crate::shared_columns::{SentColumn, SharedColumns};

/// The rows of a batch, kept until nothing uses their memory any more, which the next batches then use.
pub(crate) struct Rows {
    content: Mutex<Content>,
    used: Own<UsedBatches>,
}

enum Content {
    Rows(Box<RowBatch>),
    Arrow(RecordBatch),
    Nothing,
}

impl Rows {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        let content = std::mem::replace(&mut *self.lock(), Content::Nothing);
        if let (Content::Rows(rows), Ok(used)) = (content, self.used.get()) {
            used.give(*rows);
        }
    }
}

/// A batch: its numbers, and its columns as memory.
#[pyclass(frozen, module = "lookback._native")]
pub(crate) struct Batch {
    rows: Arc<Rows>,
    columns: Vec<(&'static str, Cells)>,
    /// Who has lent the memory of the histories, for processes that share it.
    lender: Option<Arc<SharedColumns>>,
    layout: &'static str,
    max_history: usize,
    dt: String,
    length: usize,
    filled: usize,
    epoch: u64,
    next_row: u64,
}

// SAFETY: the pointers of the columns lead to memory that `rows` keeps, and are only passed on.
unsafe impl Send for Batch {}
// SAFETY: as above.
unsafe impl Sync for Batch {}

impl Batch {
    pub(crate) fn new(mut batch: RowBatch, used: UsedBatches, lender: Option<Arc<SharedColumns>>) -> Self {
        let columns = columns(&mut batch);
        let RowBatch { dt, filled, epoch, next_row, .. } = batch;
        Batch {
            columns,
            lender,
            layout: batch.histories.shape().layout.name(),
            max_history: batch.histories.shape().max_history,
            dt: dt.to_string(),
            length: batch.rows(),
            filled,
            epoch,
            next_row,
            rows: Arc::new(Rows { content: Mutex::new(Content::Rows(Box::new(batch))), used: Own::new(used) }),
        }
    }
}

#[pymethods]
impl Batch {
    #[getter]
    fn layout(&self) -> &str {
        self.layout
    }

    #[getter]
    fn max_history(&self) -> usize {
        self.max_history
    }

    #[getter]
    fn dt(&self) -> &str {
        &self.dt
    }

    #[getter]
    fn filled(&self) -> usize {
        self.filled
    }

    #[getter]
    fn epoch(&self) -> u64 {
        self.epoch
    }

    #[getter]
    fn next_row(&self) -> u64 {
        self.next_row
    }

    fn __len__(&self) -> usize {
        self.length
    }

    /// The columns by name, in order.
    fn columns(&self) -> Vec<(&'static str, Column)> {
        self.columns.iter().map(|(name, cells)| (*name, Column::new(Arc::<Rows>::clone(&self.rows), *cells))).collect()
    }

    /// The columns as they pass to another process, which takes them once: see [`SharedColumns::send`]. Fails in a
    /// forked process.
    fn send(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, SentColumn)>> {
        // A process without the batch's own memory has none to send.
        self.rows.used.get().raised(py)?;
        Ok(self.lender.as_deref().map_or_else(Vec::new, |lender| lender.send(&self.columns)))
    }

    /// The ranking ids, if they were asked for.
    fn ranking_ids(&self) -> PyResult<Option<Vec<Option<String>>>> {
        match &*self.rows.lock() {
            Content::Rows(rows) => Ok(rows.ranking_ids.clone()),
            Content::Arrow(_) | Content::Nothing => {
                Err(PyValueError::new_err("ask a batch for its ranking ids before its Arrow form"))
            }
        }
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface leaves it to the producer whether to follow a requested schema.
        let _ = requested_schema;
        let mut content = self.rows.lock();
        // The columns stay where they are in memory, and what points to them stays right.
        let arrow = match std::mem::replace(&mut *content, Content::Nothing) {
            Content::Rows(rows) => rows.into_arrow().raised(py)?,
            Content::Arrow(arrow) => arrow,
            Content::Nothing => return Err(PyValueError::new_err("this batch has become Arrow data and failed")),
        };
        *content = Content::Arrow(arrow.clone());
        let (array, schema) = ffi(arrow).raised(py)?;
        let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
        Ok((schema, PyCapsule::new_with_value(py, array, c"arrow_array")?))
    }
}

fn ffi(arrow: RecordBatch) -> lookback::error::Result<(FFI_ArrowArray, FFI_ArrowSchema)> {
    let data = StructArray::from(arrow).into_data();
    to_ffi(&data).map_err(|error| Error::internal("a batch has no Arrow form").caused_by(error))
}

/// Returns where the columns of a batch lie.
fn columns(batch: &mut RowBatch) -> Vec<(&'static str, Cells)> {
    let rows = batch.rows();
    let shape = batch.histories.shape();
    let is_jagged = shape.layout == lookback::output::Layout::Jagged;
    let length = shape.max_history;
    let one = |first: *mut c_void, integer, rows| Cells { first, integer, rows, width: None };
    // In a jagged batch the actions lie one behind the other; otherwise a history is a row.
    let lists = |first: *mut c_void, integer, cells: usize| match is_jagged {
        true => Cells { first, integer, rows: cells, width: None },
        false => Cells { first, integer, rows: cells / length.max(1), width: Some(length) },
    };
    let mut columns = vec![
        ("impressions", one(pointer(&mut batch.impressions), Integer::Int64, rows)),
        ("labels", one(pointer(&mut batch.labels), Integer::Int32, rows)),
        ("customer_ids", one(pointer(&mut batch.customer_ids), Integer::Int64, rows)),
        ("positions", one(pointer(&mut batch.positions), Integer::Int32, rows)),
    ];
    let histories = &mut batch.histories;
    columns.push((
        "actions",
        match &mut histories.actions {
            ItemCells::Int64(items) => lists(pointer(items), Integer::Int64, items.len()),
            ItemCells::Int32(items) => lists(pointer(items), Integer::Int32, items.len()),
        },
    ));
    columns.push((
        "action_types",
        match &mut histories.action_types {
            TypeCells::Int32(types) => lists(pointer(types), Integer::Int32, types.len()),
            TypeCells::Uint8(types) => lists(pointer(types), Integer::Uint8, types.len()),
        },
    ));
    if let Some(lengths) = &mut histories.history_lengths {
        columns.push(("history_length", one(pointer(lengths), Integer::Int32, lengths.len())));
    }
    if let Some(ages) = &mut histories.action_ages {
        columns.push(("action_ages", lists(pointer(ages), Integer::Int32, ages.len())));
    }
    if let Some(times) = &mut histories.action_times {
        columns.push(("action_times", lists(pointer(times), Integer::Int64, times.len())));
    }
    if is_jagged {
        columns
            .push(("actions__offsets", one(pointer(&mut histories.offsets), Integer::Int64, histories.offsets.len())));
    }
    if shape.layout != lookback::output::Layout::Padded {
        columns.push(("inverse", one(pointer(&mut batch.inverse), Integer::Int64, batch.inverse.len())));
    }
    columns
}

fn pointer<T>(cells: &mut [T]) -> *mut c_void {
    cells.as_mut_ptr().cast()
}
