//! Rows that Python has in memory, by the Arrow C stream interface.

use std::collections::BTreeMap;

use arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use lookback::cli::given::RowsInMemory;
use lookback::error::{Error, Result};
use lookback::input::RecordBatches;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// What a caller gives: objects with `__arrow_c_stream__` by the name of their source, and names of columns by source.
#[derive(FromPyObject)]
pub(crate) struct Given<'py>(Vec<(String, Bound<'py, PyAny>)>, Vec<(String, BTreeMap<String, String>)>);

impl Given<'_> {
    /// Returns the rows. A stream is asked for when it is read, without the interpreter's lock; a stream that calls
    /// Python takes the lock itself.
    pub(crate) fn rows(self) -> RowsInMemory {
        let Given(streams, columns) = self;
        let mut rows = RowsInMemory::default();
        for (source, columns) in columns {
            rows = rows.columns(&source, columns);
        }
        for (source, stream) in streams {
            let stream = stream.unbind();
            rows = rows.add(&source.clone(), move || open(&source, &stream));
        }
        rows
    }
}

/// Asks the data given as a source for its stream. The caller does not have the interpreter's lock.
pub(crate) fn open(source: &str, stream: &Py<PyAny>) -> Result<RecordBatches> {
    Python::attach(|py| reader(stream.bind(py))).map_err(|error| {
        let (what, remedy) = (format!("the data given as {source} cannot be read: {error}"), "give other data");
        Error::input(what, remedy).caused_by(error)
    })
}

fn reader(stream: &Bound<'_, PyAny>) -> PyResult<RecordBatches> {
    let capsule = stream.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: a capsule of this name points to an ArrowArrayStream that nobody else uses, by the C stream interface;
    // what is moved out of it is marked as released, so that the capsule does not release it again.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr().cast()) };
    let reader = RecordBatchStreamReader::try_new(stream).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(Box::new(reader))
}
