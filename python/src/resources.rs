//! What work may use, and values of settings, as Python gives them.

use std::path::PathBuf;

use lookback::error::{Error, Result};
use lookback::model::Day;
use lookback::resources::{Cancel, Resources};
use pyo3::prelude::*;

/// Memory in bytes, threads, and the folder for scratch files; `None`: the default.
#[derive(Clone, FromPyObject)]
pub(crate) struct Limits(Option<u64>, Option<usize>, Option<PathBuf>);

impl Limits {
    /// Returns the resources within these limits.
    pub(crate) fn resources(&self, cancel: Cancel) -> Resources {
        let Limits(memory, threads, scratch) = self;
        let mut resources = Resources::default().with_cancel(cancel);
        if let Some(memory) = memory {
            resources = resources.with_memory(*memory);
        }
        if let Some(threads) = threads {
            resources = resources.with_threads(*threads);
        }
        if let Some(scratch) = scratch {
            resources = resources.with_scratch_folder(scratch);
        }
        resources
    }
}

/// Returns the day of a setting.
pub(crate) fn day_of(setting: &str, day: &str) -> Result<Day> {
    day.parse().map_err(|wrong: String| Error::usage(format!("{setting}: {wrong}"), "give a day such as 2026-01-31"))
}

/// Returns the one of this name.
pub(crate) fn named<T: Copy>(setting: &str, all: &[T], name: impl Fn(T) -> &'static str, wanted: &str) -> Result<T> {
    all.iter().copied().find(|one| name(*one) == wanted).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        Error::usage(format!("there is no {setting} {wanted:?}"), format!("give one of: {}", names.join(", ")))
    })
}

/// A request to stop that another thread of Python can make.
#[pyclass(frozen, module = "lookback._native")]
pub(crate) struct Stop(pub Cancel);

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Stop(Cancel::default())
    }

    fn stop(&self) {
        self.0.cancel();
    }
}

/// The memory limit in bytes if none is given.
#[pyfunction]
pub(crate) fn default_memory() -> u64 {
    lookback::resources::memory::half_of_the_machine()
}
