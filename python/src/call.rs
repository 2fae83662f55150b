//! Commands, by the words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use lookback::cli;
use lookback::cli::given;
use lookback::resources::Cancel;
use lookback::shards::Engine;
use pyo3::prelude::*;

use crate::errors::exception;
use crate::rows_in_memory::Given;
use crate::work::{Reports, run};

/// Runs a command, which may take rows in memory, or whose tasks `report` runs; returns its JSON summary.
#[pyfunction]
pub(crate) fn call(
    py: Python<'_>,
    words: Vec<OsString>,
    given: Given<'_>,
    report: &Bound<'_, PyAny>,
    runs_tasks: bool,
    scratch: Option<PathBuf>,
) -> PyResult<String> {
    let cancel = Cancel::default();
    let rows = given.rows();
    let work = |reports: &Reports| {
        let engine = runs_tasks.then(|| Box::new(reports.clone()) as Box<dyn Engine>);
        cli::call(&words, given::Given { rows, engine, scratch }, Arc::new(reports.clone()), cancel.clone())
    };
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
