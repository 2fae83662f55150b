//! Commands, by the words of the command line.

use std::ffi::OsString;
use std::sync::Arc;

use lookback::cli;
use lookback::resources::Cancel;
use pyo3::prelude::*;

use crate::errors::exception;
use crate::rows_in_memory::Given;
use crate::work::run;

/// Runs a command, which may take rows in memory; returns its JSON summary.
#[pyfunction]
pub(crate) fn call(
    py: Python<'_>,
    words: Vec<OsString>,
    given: Given<'_>,
    report: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let cancel = Cancel::default();
    let rows = given.rows();
    let work = |reports: &_| cli::call(&words, rows, Arc::new(Clone::clone(reports)), cancel.clone());
    let (summary, result) = run(py, &cancel, report, work)?;
    match result {
        Ok(()) => Ok(summary),
        Err(error) => Err(exception(py, &error, &summary)),
    }
}

/// Runs the program `lookback` with these arguments, the first of which is its name; returns its exit code. The process
/// has to be the program's own.
#[pyfunction]
pub(crate) fn program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| cli::run(&arguments))
}
