//! The training rows of a day.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lookback::config;
use lookback::error::{Error, Result};
use lookback::input::{Input, MemoryInput};
use lookback::model::{ExtraColumn, ItemType, OrderKind, TypeType};
use lookback::output::Layout;
use lookback::produce::RowChoice;
use lookback::resources::{Cancel, Resources};
use lookback::store::{Folder, Store};
use lookback::text::Shown;
use lookback::training::{BatchOptions, Epoch, PartitionOptions, TrainingDay, TrainingOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::batches::Batches;
use crate::errors::Raised;
use crate::own::Own;
use crate::resources::{Limits, Stop, day_of, named};
use crate::rows_in_memory::open;
use crate::shared_columns::{Lender, SharedColumns};
use crate::shared_day::{DayFiles, FilePlace};
use crate::work::try_run;

/// What is asked of rows wherever they come from. Each field has the name of the setting.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct AskedRows {
    dt: String,
    order: String,
    seed: Option<u64>,
    max_history: Option<usize>,
    item_type: String,
    type_type: String,
    columns: Vec<String>,
    max_rows_per_customer: Option<usize>,
}

/// What is asked besides of rows from a store and impressions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Asked {
    /// The root of the files; `None` with impressions from memory.
    input: Option<PathBuf>,
    /// An object with `__arrow_c_stream__`, and the names of its columns.
    impressions: Option<Py<PyAny>>,
    impression_columns: BTreeMap<String, String>,
    config: Option<PathBuf>,
    lookback_days: Option<u32>,
    known_as_of: Option<String>,
    allow_gaps: bool,
    allow_pruned: bool,
    quarantine: Option<PathBuf>,
}

/// The name of impressions as a source.
const IMPRESSIONS: &str = "impressions";

impl AskedRows {
    fn choice(&self) -> Result<RowChoice> {
        let extra = [ExtraColumn::HistoryLength, ExtraColumn::ActionAges, ExtraColumn::ActionTimes];
        let with = self.columns.iter().map(|column| named("column", &extra, ExtraColumn::name, column));
        Ok(RowChoice::default()
            .order(Some(named("order", &OrderKind::ALL, OrderKind::name, &self.order)?))
            .seed(self.seed)
            .max_history(self.max_history)
            .item_type(Some(named("item_type", &ItemType::ALL, ItemType::name, &self.item_type)?))
            .type_type(Some(named("type_type", &TypeType::ALL, TypeType::name, &self.type_type)?))
            .with(Some(with.collect::<Result<_>>()?)))
    }

    fn most(&self) -> Result<Option<NonZeroUsize>> {
        let most = self.max_rows_per_customer.map(|most| {
            NonZeroUsize::new(most).ok_or_else(|| Error::usage("max_rows_per_customer is 0", "give at least 1"))
        });
        most.transpose()
    }

    fn of_partition(&self, out: PathBuf, resources: &Resources) -> Result<PartitionOptions> {
        Ok(PartitionOptions::new(out, day_of("dt", &self.dt)?)
            .rows(self.choice()?)
            .max_rows_per_customer(self.most()?)
            .resources(resources.clone()))
    }
}

impl Asked {
    /// Returns the options; reads impressions from memory, without the interpreter's lock.
    fn options(&self, rows: &AskedRows, resources: &Resources) -> Result<TrainingOptions> {
        let mut sources = config::sources(self.input.as_deref(), self.config.as_deref(), resources)?;
        config::name_columns(&mut sources, IMPRESSIONS, &self.impression_columns)?;
        let input: Input = match (&self.input, &self.impressions) {
            (Some(root), None) => root.into(),
            (None, Some(stream)) => {
                let mut memory = MemoryInput::new(&sources, resources);
                memory.add_impressions(open(IMPRESSIONS, stream)?)?;
                memory.into()
            }
            (input, _) => {
                let count = if input.is_none() { "no" } else { "two kinds of" };
                let remedy = "give either the root of the files as input, or impressions";
                return Err(Error::usage(format!("the rows have {count} input"), remedy));
            }
        };
        Ok(TrainingOptions::new(input, day_of("dt", &rows.dt)?)
            .sources(sources)
            .rows(rows.choice()?.lookback_days(self.lookback_days))
            .known_as_of(self.known_as_of.as_deref().map(|day| day_of("known_as_of", day)).transpose()?)
            .allow_gaps(self.allow_gaps)
            .allow_pruned(self.allow_pruned)
            .quarantine(self.quarantine.clone())
            .max_rows_per_customer(rows.most()?)
            .resources(resources.clone()))
    }
}

/// Reads the rows of a day, once.
#[pyfunction]
pub(crate) fn prepare(
    py: Python<'_>,
    store: PathBuf,
    asked: &Bound<'_, PyAny>,
    limits: Limits,
    stop: &Stop,
    report: &Bound<'_, PyAny>,
) -> PyResult<Day> {
    let cancel = stop.0.clone();
    let resources = limits.resources(cancel.clone()).raised(py)?;
    let (rows, asked): (AskedRows, Asked) = (asked.extract()?, asked.extract()?);
    let day = try_run(py, &cancel, report, |reports| {
        let options = asked.options(&rows, &resources)?;
        let store = Store::open_reader(&Folder::with(&store, &resources))?;
        TrainingDay::prepare(&store, &options, reports)
    })?;
    Day::of(day, None)
}

/// Names a configuration that lies beside an input root and is not used.
#[pyfunction]
pub(crate) fn unused_configuration(py: Python<'_>, input: PathBuf) -> PyResult<Option<String>> {
    let unused = config::unused(&input).raised(py)?;
    Ok(unused.map(|file| file.shown().to_string()))
}

/// Reads the rows of a day from its partition, once.
#[pyfunction]
pub(crate) fn from_partition(
    py: Python<'_>,
    out: PathBuf,
    asked: &Bound<'_, PyAny>,
    limits: Limits,
    stop: &Stop,
    report: &Bound<'_, PyAny>,
) -> PyResult<Day> {
    let cancel = stop.0.clone();
    let resources = limits.resources(cancel.clone()).raised(py)?;
    let rows: AskedRows = asked.extract()?;
    let options = rows.of_partition(out, &resources).raised(py)?;
    Day::of(try_run(py, &cancel, report, |reports| TrainingDay::from_partition(&options, reports))?, None)
}

/// The rows of a day, read once.
#[pyclass(frozen, module = "lookback._native")]
pub(crate) struct Day {
    day: Own<TrainingDay>,
    /// Where other processes find it, if they do.
    files: Own<Option<DayFiles>>,
    /// The epoch asked for last, which is sorted once.
    epoch: Mutex<Own<Option<Epoch>>>,
    #[pyo3(get)]
    rows: u64,
    #[pyo3(get)]
    fingerprint: String,
    /// JSON.
    #[pyo3(get)]
    summary: String,
}

impl Day {
    fn of(day: TrainingDay, files: Option<DayFiles>) -> PyResult<Self> {
        let summary = serde_json::to_string(day.summary()).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Day {
            fingerprint: day.fingerprint().to_owned(),
            rows: day.rows(),
            summary,
            day: Own::new(day),
            files: Own::new(files),
            epoch: Mutex::new(Own::new(None)),
        })
    }
}

/// How rows are cut into batches. Each field has the name of the setting.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Cut {
    layout: String,
    batch_size: usize,
    batch_actions_max: Option<usize>,
    world_size: usize,
    rank: usize,
    workers: usize,
    worker: usize,
    first_row: u64,
    drop_last: bool,
    ranking_ids: bool,
}

impl Cut {
    fn options(&self) -> Result<BatchOptions> {
        Ok(BatchOptions::default()
            .layout(named("layout", &Layout::ALL, Layout::name, &self.layout)?)
            .batch_size(self.batch_size)
            .batch_actions_max(self.batch_actions_max)
            .world_size(self.world_size)
            .rank(self.rank)
            .workers(self.workers)
            .worker(self.worker)
            .first_row(self.first_row)
            .drop_last(self.drop_last)
            .ranking_ids(self.ranking_ids))
    }
}

impl Day {
    /// Returns the rows of an epoch, sorted once for calls that follow each other.
    fn sorted(&self, epoch: u64) -> Result<Epoch> {
        let mut kept = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_mut()?;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.number() == epoch) {
            return Ok(kept.clone());
        }
        // The one before gives its memory back first.
        *kept = None;
        Ok(kept.insert(self.day.get()?.epoch(epoch)?).clone())
    }
}

/// Returns a day that another process has prepared, if it still has it open.
#[pyfunction]
pub(crate) fn shared_day(
    py: Python<'_>,
    process: u32,
    places: [FilePlace; 3],
    limits: Limits,
) -> PyResult<Option<Day>> {
    let resources = limits.resources(Cancel::default()).raised(py)?;
    let opened = py.detach(|| {
        let files = DayFiles::open(process, &places);
        files.map(|files| Ok((files.day(resources)?, files))).transpose()
    });
    opened.raised(py)?.map(|(day, files)| Day::of(day, Some(files))).transpose()
}

#[pymethods]
impl Day {
    /// Puts the day where other processes find it, and returns it as it is read from there, within other limits.
    fn share(&self, py: Python<'_>, limits: Limits) -> PyResult<Day> {
        let resources = limits.resources(Cancel::default()).raised(py)?;
        let day = self.day.get().raised(py)?;
        let shared = py.detach(|| {
            let files = DayFiles::of(day)?;
            Ok((files.day(resources)?, files))
        });
        let (day, files) = shared.raised(py)?;
        Day::of(day, Some(files))
    }

    /// How another process finds the files of a day that is shared; nothing of another one.
    fn places(&self, py: Python<'_>) -> PyResult<Vec<FilePlace>> {
        let Some(files) = self.files.get().raised(py)? else { return Ok(Vec::new()) };
        Ok(files.places()?)
    }

    /// Begins to make the batches of an epoch, in memory that is lent if there is a lender.
    fn batches(
        &self,
        py: Python<'_>,
        epoch: u64,
        cut: Cut,
        lender: Option<&Lender>,
        report: &Bound<'_, PyAny>,
    ) -> PyResult<Batches> {
        let options = cut.options().raised(py)?;
        let lender = lender.map(|lender| Arc::clone(&lender.0));
        let batches = try_run(py, &Cancel::default(), report, |_| {
            let epoch = self.sorted(epoch)?;
            match &lender {
                Some(lender) => epoch.batches_in(Arc::<SharedColumns>::clone(lender), &options),
                None => epoch.batches(&options),
            }
        })?;
        Ok(Batches::new(batches, lender))
    }

    /// The number of batches of all workers.
    fn count(&self, py: Python<'_>, epoch: u64, cut: Cut, report: &Bound<'_, PyAny>) -> PyResult<u64> {
        let options = cut.options().raised(py)?;
        // Most often it follows from the number of rows, and the epoch need not be sorted.
        if let Some(count) = options.workers(1).worker(0).count(self.rows) {
            return Ok(count);
        }
        try_run(py, &Cancel::default(), report, |_| self.sorted(epoch)?.count(&options))
    }
}
