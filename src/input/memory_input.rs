//! The input of an ingest or of rows: a folder of files, or record batches in memory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatchReader;

use super::actions::{self, read_first_actions};
use super::bad_rows::{BadRows, QuarantineFolder};
use super::batch_files::SourceFile;
use super::impressions::{self, read_first_impressions};
use super::layout::{DayFile, day_files};
use super::memory::MemoryRows;
use super::shape::has;
use crate::config::nearest;
use crate::error::{Error, Result};
use crate::model::{Day, Zone};
use crate::resources::Resources;
use crate::sources::{ActionSource, ImpressionSource, Sources};

/// A reader of record batches that a program has in memory.
pub type RecordBatches = Box<dyn RecordBatchReader + Send>;

/// Where rows come from. Options take a path as well as a [`MemoryInput`] in its place.
#[derive(Clone, Debug)]
pub enum Input {
    /// The root folder of the files, or its URL.
    Folder(PathBuf),
    /// Record batches.
    Memory(Arc<MemoryInput>),
}

/// The rows of one day that a program has in memory: actions by the name of their source, and impressions.
///
/// A source has the columns that its files would have, as the [`Sources`] describe them; other columns are dropped.
/// Text, lists and dictionaries may have any of Arrow's encodings. The rows are read from their reader once, and put
/// aside in scratch files that are gone with this value.
///
/// A source whose reader has no rows is as if it had not been given: a reader gives its rows once, and one that was
/// read before must not empty a batch in silence.
///
/// The store records rows in memory under the name `memory://` and that of their source, with a hash that is the same
/// for the same rows in any order and any batches; so a batch of the same rows is the same batch. Commands that compare
/// with files (`audit`, `backfill`) say of such rows that they came from memory.
///
/// Memory: 1 MiB for each source.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// use std::sync::Arc;
///
/// use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray};
/// use lookback::ingest::{IngestOptions, Ingester};
/// use lookback::input::MemoryInput;
/// use lookback::model::Day;
/// use lookback::progress::Silent;
/// use lookback::resources::Resources;
/// use lookback::sources::Sources;
/// use lookback::store::Folder;
///
/// let customers: ArrayRef = Arc::new(Int64Array::from(vec![7, 7]));
/// let items: ArrayRef = Arc::new(Int64Array::from(vec![11, 12]));
/// let times: ArrayRef = Arc::new(StringArray::from(vec!["2026-01-01T08:00:00Z", "2026-01-01T09:30:00Z"]));
/// let columns = [("customer_id", customers), ("item_id", items), ("click_time", times)];
/// let clicks = RecordBatch::try_from_iter(columns)?;
/// let schema = clicks.schema();
/// let mut input = MemoryInput::new(&Sources::default(), &Resources::default());
/// input.add("clicks", Box::new(RecordBatchIterator::new([Ok(clicks)], schema)))?;
///
/// let mut ingester = Ingester::open_or_create(&Folder::new(&at("store")), &Silent)?;
/// let summary = ingester.ingest(&IngestOptions::new(input, "2026-01-01".parse::<Day>()?), &Silent)?;
/// assert_eq!(summary.actions, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryInput {
    sources: Sources,
    resources: Resources,
    actions: Vec<DayFile>,
    impressions: Option<DayFile>,
    keeps_empty: bool,
}

impl MemoryInput {
    /// Returns an input without rows. `sources` describe it, and must be those of the options that it is used with;
    /// `resources` give the memory and the folder for scratch files.
    pub fn new(sources: &Sources, resources: &Resources) -> Self {
        MemoryInput {
            sources: sources.clone(),
            resources: resources.clone(),
            actions: Vec::new(),
            impressions: None,
            keeps_empty: false,
        }
    }

    /// Has data without a row count as data of its source too: those of a task, which has only a part of the rows. Else
    /// they are as if they were not given.
    #[must_use]
    pub fn keeping_empty(self) -> Self {
        MemoryInput { keeps_empty: true, ..self }
    }

    /// Adds the actions of a source, all batches of the reader. Fails if no source has this name, if the source has
    /// actions already, if a column is missing or of a type that files may not have either, and if the reader fails;
    /// then nothing is added.
    ///
    /// Memory: a batch of the reader; and four times a slice of it, which takes at most a 64th of the limit, or is one
    /// row.
    pub fn add(&mut self, source: &str, reader: RecordBatches) -> Result<()> {
        let described = self.sources.named(source).ok_or_else(|| self.unknown(source))?;
        if self.actions.iter().any(|rows| rows.path == Path::new(source)) {
            return Err(given_twice(source));
        }
        let schema = reader.schema();
        let explode = described.explode.as_deref();
        let wanted = actions::wanted(described, |column| Ok(has(&schema, column, explode)))?;
        let mut rows = DayFile::in_memory(source, MemoryRows::new(source, &schema, &wanted, explode)?);
        // Wrong types are refused before anything is read.
        let (zone, mut bad) = (Zone::utc(), BadRows::new(QuarantineFolder::Actions, Day::FIRST, None));
        read_first_actions(described, &rows, &zone, &self.resources, 0, &mut bad, |_, _, _, _| Ok(()))?;
        rows.fill(reader, actions::BATCH_ROWS, &self.resources)?;
        if self.keeps_empty || rows.size()? > 0 {
            self.actions.push(rows);
        }
        Ok(())
    }

    /// Adds the impressions, all batches of the reader. Fails, and takes memory, as [`Self::add`] does.
    pub fn add_impressions(&mut self, reader: RecordBatches) -> Result<()> {
        if self.impressions.is_some() {
            return Err(given_twice(IMPRESSIONS));
        }
        let described = &self.sources.impressions;
        let wanted = impressions::wanted(described);
        let rows = MemoryRows::new(IMPRESSIONS, &reader.schema(), &wanted, None)?;
        let mut rows = DayFile::in_memory(IMPRESSIONS, rows);
        let mut bad = BadRows::new(QuarantineFolder::Impressions, Day::FIRST, None);
        read_first_impressions(described, &rows, &self.resources, 0, &mut bad, |_, _, _, _| Ok(()))?;
        rows.fill(reader, impressions::BATCH_ROWS, &self.resources)?;
        if self.keeps_empty || rows.size()? > 0 {
            self.impressions = Some(rows);
        }
        Ok(())
    }

    /// Returns the rows of actions, in the order of the sources. Fails if these are other sources than those by which
    /// the rows were read.
    pub(crate) fn actions<'a>(&self, sources: &'a Sources) -> Result<Vec<SourceFile<'a>>> {
        refuse_other(self.sources.actions == sources.actions)?;
        let rows = |source: &ActionSource| self.actions.iter().find(|rows| rows.path == Path::new(&source.name));
        Ok(sources.actions.iter().filter_map(|source| Some((source, rows(source)?.clone()))).collect())
    }

    /// Returns the rows of impressions, if there are any. Fails as [`Self::actions`] does.
    pub(crate) fn impressions(&self, source: &ImpressionSource) -> Result<Vec<DayFile>> {
        refuse_other(self.sources.impressions == *source)?;
        Ok(self.impressions.iter().cloned().collect())
    }

    fn unknown(&self, source: &str) -> Error {
        let names = || self.sources.actions.iter().map(|source| source.name.as_str());
        let meant = nearest(source, names()).map_or(String::new(), |meant| format!("; did you mean {meant}?"));
        let names = names().collect::<Vec<_>>().join(", ");
        Error::usage(
            format!("there is no source {source} (there are: {names})"),
            format!("give the data under the name of one of them, or describe the source in lookback.toml{meant}"),
        )
    }
}

/// What messages call the impressions.
const IMPRESSIONS: &str = "impressions";

fn given_twice(source: &str) -> Error {
    Error::usage(
        format!("{source} were given twice in memory"),
        "give all rows of a source as one reader of record batches",
    )
}

fn refuse_other(is_same: bool) -> Result<()> {
    if is_same {
        return Ok(());
    }
    Err(Error::usage(
        "the rows in memory were read by other sources than the options describe",
        "give the options the sources by which the input in memory was made",
    ))
}

impl Input {
    /// Returns the impressions of a day.
    pub(crate) fn impressions(
        &self,
        source: &ImpressionSource,
        dt: Day,
        resources: &Resources,
    ) -> Result<Vec<DayFile>> {
        match self {
            Input::Folder(root) => day_files(&resources.place(root)?, &source.pattern, source.format, dt),
            Input::Memory(memory) => memory.impressions(source),
        }
    }

    /// The root folder or its URL, if it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Input::Folder(root) => Some(root),
            Input::Memory(_) => None,
        }
    }
}

impl<P: AsRef<OsStr> + ?Sized> From<&P> for Input {
    fn from(root: &P) -> Self {
        Input::Folder(root.into())
    }
}

impl From<PathBuf> for Input {
    fn from(root: PathBuf) -> Self {
        Input::Folder(root)
    }
}

impl From<MemoryInput> for Input {
    fn from(memory: MemoryInput) -> Self {
        Input::Memory(Arc::new(memory))
    }
}

impl From<Arc<MemoryInput>> for Input {
    fn from(memory: Arc<MemoryInput>) -> Self {
        Input::Memory(memory)
    }
}
