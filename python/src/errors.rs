//! Errors of the library as the exceptions of `lookback.errors`.

use lookback::cli::words::{error_line, typed};
use lookback::error::{Error, Kind};
use lookback::text::escaped;
use pyo3::prelude::*;

/// Returns the exception for an error; `summary` is the JSON summary of a command that fails because of its findings,
/// or empty.
pub(crate) fn exception(py: Python<'_>, error: &Error, summary: &str) -> PyErr {
    let class = match error.kind() {
        Kind::Usage => "Usage",
        Kind::Input => "Input",
        Kind::Refused => "Refused",
        Kind::Different => "Different",
        Kind::Busy => "Busy",
        Kind::Io => "Io",
        Kind::Corrupt => "Corrupt",
        Kind::Cancelled => "Cancelled",
        Kind::Internal => "Internal",
    };
    let (what, remedy) = (escaped(&typed(error.what())).into_owned(), escaped(&typed(error.remedy())).into_owned());
    let make = || {
        let class = py.import("lookback.errors")?.getattr(class)?;
        class.call1((error_line(error), what, remedy, summary))
    };
    make().map_or_else(|failed| failed, PyErr::from_value)
}

/// Turns the errors of the library into exceptions.
pub(crate) trait Raised<T> {
    /// Returns the value, or the exception.
    fn raised(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> Raised<T> for Result<T, Error> {
    fn raised(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error, ""))
    }
}
