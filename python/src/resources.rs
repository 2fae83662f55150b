//! What work may use, and values of settings, as Python gives them.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use lookback::error::{Error, Result};
use lookback::model::Day;
use lookback::resources::{Cancel, RequestLimits, Resources};
use lookback::text::Shown as _;
use pyo3::prelude::*;

use crate::errors::Raised;

/// Memory in bytes, threads, and the folder for scratch files; `None`: the default.
#[derive(Clone, FromPyObject)]
pub(crate) struct Limits(Option<u64>, Option<usize>, Option<PathBuf>);

impl Limits {
    /// Returns the resources within these limits, and within those of the environment for requests. Fails if the
    /// environment has something else than numbers for them.
    pub(crate) fn resources(&self, cancel: Cancel) -> Result<Resources> {
        let Limits(memory, threads, scratch) = self;
        let mut resources = Resources::default().with_cancel(cancel).with_request_limits(request_limits()?);
        if let Some(memory) = memory {
            resources = resources.with_memory(*memory);
        }
        if let Some(threads) = threads {
            resources = resources.with_threads(*threads);
        }
        if let Some(scratch) = scratch {
            resources = resources.with_scratch_folder(scratch);
        }
        Ok(resources)
    }
}

/// Returns how requests to object stores are bounded, by the variables that the command line takes.
fn request_limits() -> Result<RequestLimits> {
    let RequestLimits { retries, retry_time, timeout, at_once } = RequestLimits::default();
    let seconds = |seconds: Option<u32>, default| seconds.map_or(default, |number| Duration::from_secs(number.into()));
    Ok(RequestLimits {
        retries: number_of("LOOKBACK_RETRIES", 0)?.unwrap_or(retries),
        retry_time: seconds(number_of("LOOKBACK_RETRY_SECONDS", 0)?, retry_time),
        timeout: seconds(number_of("LOOKBACK_REQUEST_TIMEOUT", 1)?, timeout),
        at_once: number_of("LOOKBACK_REQUESTS_AT_ONCE", 1)?.and_then(at_most).unwrap_or(at_once),
    })
}

/// Returns a number of requests; more than can be are as many as can be.
fn at_most(number: u32) -> Option<NonZeroU16> {
    NonZeroU16::new(u16::try_from(number).unwrap_or(u16::MAX))
}

/// Returns the number that the environment has under this name.
fn number_of(name: &str, least: u32) -> Result<Option<u32>> {
    let Some(text) = std::env::var_os(name) else { return Ok(None) };
    let number = text.to_str().and_then(|text| text.parse().ok()).filter(|number| *number >= least);
    number.map(Some).ok_or_else(|| {
        let what = format!("the environment has {name}={}", text.shown());
        Error::usage(what, format!("set it to an integer from {least} to {}, or unset it", u32::MAX))
    })
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

    /// Fails if a stop was requested.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.0.check().raised(py)
    }
}

/// The memory limit in bytes if none is given.
#[pyfunction]
pub(crate) fn default_memory() -> u64 {
    lookback::resources::memory::half_of_the_machine()
}
