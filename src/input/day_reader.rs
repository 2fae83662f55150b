//! One data file of a day, of any type, or rows in memory: wanted columns in batches, with the row or line number of
//! each row.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::day_batch::{DayBatch, Places};
use super::exploded::ExplodedRows;
use super::file_kind::Content;
use super::layout::DayFile;
use super::memory::{MemoryBatches, MemoryRows};
use super::parquet;
use super::parquet::file::ParquetFile;
use super::read_options::ReadOptions;
use super::shape::Shape;
use super::text::{TextBatches, TextFile};
use super::wanted::Wanted;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::resources::Resources;
use crate::text::Shown;

/// An open data file before its rows are read.
pub(super) struct DayReader {
    source: Source,
    explode: Option<String>,
    resources: Resources,
}

/// The invariant that columns lie where the schema of the file says.
const AS_ANNOUNCED: &str = "a batch has the columns of its file";

enum Source {
    Parquet(ParquetFile),
    Text(Box<TextFile>),
    Memory(Arc<MemoryRows>),
}

impl DayReader {
    /// Opens a file of the type and compression of [`DayFile::kind`].
    pub(super) fn open(day_file: &DayFile, options: ReadOptions<'_>, resources: &Resources) -> Result<Self> {
        let explode = options.explode.map(str::to_owned);
        if let Some(rows) = &day_file.rows {
            let source = Source::Memory(Arc::clone(rows));
            return Ok(DayReader { source, explode, resources: resources.clone() });
        }
        let (content, packing) = day_file.kind()?;
        let source = match content {
            Content::Parquet => Source::Parquet(ParquetFile::open(day_file, options.int96)?),
            Content::Csv if explode.is_some() => return Err(no_lists(day_file)),
            Content::Csv => Source::Text(Box::new(TextFile::open_csv(day_file, packing, options.csv, resources)?)),
            Content::JsonLines => {
                Source::Text(Box::new(TextFile::open_json_lines(day_file, packing, options.explode, resources)?))
            }
        };
        Ok(DayReader { source, explode, resources: resources.clone() })
    }

    /// Whether the file has a column of this name; for JSON lines, whether any line has it, which reads the file up to
    /// that line.
    pub(super) fn has(&self, column: &str) -> Result<bool> {
        match &self.source {
            Source::Parquet(file) => Ok(file.has(column, self.explode.as_deref())),
            Source::Text(file) => file.has(column),
            Source::Memory(rows) => Ok(rows.has(column, self.explode.as_deref())),
        }
    }

    /// Returns its columns in file order, each with the name of its type; for JSON lines, those of the first object.
    pub(super) fn columns(&self) -> Result<Vec<(String, String)>> {
        match &self.source {
            Source::Parquet(file) => Ok(file.columns()),
            Source::Text(file) => Ok(file.columns()?.into_iter().map(|name| (name, "text".to_owned())).collect()),
            Source::Memory(rows) => Ok(rows.columns()),
        }
    }

    /// Returns the wanted columns with the file's types and without rows; `None` for text files, where the reader
    /// chooses the types. Fails if a column is missing or there twice.
    pub(super) fn typed(&self, wanted: &[Wanted<'_>]) -> Result<Option<RecordBatch>> {
        let explode = self.explode.as_deref();
        let batch = match &self.source {
            Source::Parquet(file) => file.without_rows(wanted, explode)?,
            Source::Text(_) => return Ok(None),
            Source::Memory(rows) => rows.without_rows(),
        };
        let Some(list) = explode else { return Ok(Some(batch)) };
        let rows = ExplodedRows::new(&batch, list, 1, 0, 0).and_then(|rows| rows.without_rows());
        rows.held(AS_ANNOUNCED).map(Some)
    }

    /// Streams the columns in batches of at most `batch_rows` rows. Fails if a column is missing, or after a request to
    /// stop.
    ///
    /// Memory: see [`ParquetFile::read`], [`TextFile::read`] or [`MemoryRows::read`].
    pub(super) fn read(self, wanted: &[Wanted<'_>], batch_rows: usize) -> Result<DayBatches> {
        let source = match self.source {
            Source::Parquet(file) => {
                let shape = file.shape(wanted, self.explode.as_deref())?;
                let batches = file.read(&shape, batch_rows, &self.resources)?;
                Batches::Parquet { batches, next_row: 1, shape: (!shape.is_flat()).then_some(shape) }
            }
            Source::Text(file) => Batches::Text(Box::new(file.read(wanted, batch_rows)?)),
            Source::Memory(rows) => Batches::Memory { batches: rows.read(batch_rows)?, next_row: 1 },
        };
        let (explode, resources) = (self.explode, self.resources);
        Ok(DayBatches { source, explode, open: None, empty: 0, batch_rows, resources })
    }
}

/// The batches of one file, in the order of its rows.
pub(super) struct DayBatches {
    source: Batches,
    explode: Option<String>,
    /// The batch whose elements are being read.
    open: Option<ExplodedRows>,
    empty: u64,
    batch_rows: usize,
    resources: Resources,
}

enum Batches {
    Parquet {
        batches: parquet::file::Batches,
        next_row: u64,
        /// `None` if batches are flat already.
        shape: Option<Shape>,
    },
    Text(Box<TextBatches>),
    Memory {
        batches: MemoryBatches,
        next_row: u64,
    },
}

impl DayBatches {
    /// How many records read so far have a null, missing or empty list where it is exploded.
    pub(super) fn empty(&self) -> u64 {
        match &self.source {
            Batches::Text(batches) => batches.empty(),
            Batches::Parquet { .. } | Batches::Memory { .. } => self.empty,
        }
    }

    /// Returns the next batch; one of records to be exploded is put into `open` instead.
    fn step(&mut self) -> Result<Option<DayBatch>> {
        if let Some(open) = &mut self.open {
            let batch = open.take().held(AS_ANNOUNCED)?;
            if batch.is_none() {
                self.empty += open.empty();
                self.open = None;
            }
            return Ok(batch);
        }
        let (columns, next_row) = match &mut self.source {
            Batches::Parquet { batches, next_row, shape } => {
                let Some(columns) = batches.next().transpose()? else { return Ok(None) };
                let flat = shape.as_ref().map(|shape| shape.flatten(&columns).held(AS_ANNOUNCED)).transpose()?;
                (flat.unwrap_or(columns), next_row)
            }
            Batches::Memory { batches, next_row } => {
                let Some(columns) = batches.next().transpose()? else { return Ok(None) };
                (columns, next_row)
            }
            Batches::Text(batches) => return batches.next().transpose(),
        };
        let first = *next_row;
        *next_row += columns.num_rows() as u64;
        let Some(list) = &self.explode else {
            let (elements, places) = (Vec::new(), Places::From(first));
            return Ok(Some(DayBatch { columns, places, elements, written: None, faults: Vec::new() }));
        };
        let rows = ExplodedRows::new(&columns, list, first, self.batch_rows, self.resources.line_bytes());
        self.open = Some(rows.held(AS_ANNOUNCED)?);
        Ok(None)
    }
}

impl Iterator for DayBatches {
    type Item = Result<DayBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let was_open = self.open.is_some();
            let step = self.resources.check().and_then(|()| self.step()).transpose();
            // Between two batches of records there is none to give.
            if step.is_some() || !was_open && self.open.is_none() {
                return step;
            }
        }
    }
}

/// The error that a source whose lists are exploded has a file of CSV.
fn no_lists(day_file: &DayFile) -> Error {
    Error::input(
        format!("the file {} is CSV, which has no lists to explode", day_file.path.shown()),
        "write it as JSON lines or Parquet, or describe it as a source of its own, without explode",
    )
}
