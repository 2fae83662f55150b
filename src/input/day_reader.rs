//! One data file of a day, of any type, or rows in memory: wanted columns in batches, with the row or line number of
//! each row.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::day_batch::{DayBatch, Places};
use super::file_kind::Content;
use super::layout::DayFile;
use super::memory::{MemoryBatches, MemoryRows};
use super::parquet;
use super::parquet::file::ParquetFile;
use super::text::{TextBatches, TextFile};
use super::wanted::Wanted;
use crate::error::Result;
use crate::resources::{Cancel, Resources};
use crate::sources::Int96;

/// An open data file before its rows are read.
pub(super) struct DayReader {
    source: Source,
    resources: Resources,
}

enum Source {
    Parquet(ParquetFile),
    Text(TextFile),
    Memory(Arc<MemoryRows>),
}

impl DayReader {
    /// Opens a file of the type and compression of [`DayFile::kind`].
    ///
    /// `int96` says what INT96 times mean, a type that only Parquet has; `None`: what the program that wrote them is
    /// known for.
    pub(super) fn open(day_file: &DayFile, int96: Option<Int96>, resources: &Resources) -> Result<Self> {
        if let Some(rows) = &day_file.rows {
            return Ok(DayReader { source: Source::Memory(Arc::clone(rows)), resources: resources.clone() });
        }
        let (content, packing) = day_file.kind()?;
        let source = match content {
            Content::Parquet => Source::Parquet(ParquetFile::open(day_file, int96)?),
            Content::Csv | Content::JsonLines => Source::Text(TextFile::open(day_file, content, packing, resources)?),
        };
        Ok(DayReader { source, resources: resources.clone() })
    }

    /// Whether the file has a column of this name; for JSON lines, whether any line has it, which reads the file up to
    /// that line.
    pub(super) fn has(&self, column: &str) -> Result<bool> {
        match &self.source {
            Source::Parquet(file) => Ok(file.has(column)),
            Source::Text(file) => file.has(column),
            Source::Memory(rows) => Ok(rows.has(column)),
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
        match &self.source {
            Source::Parquet(file) => file.without_rows(wanted).map(Some),
            Source::Text(_) => Ok(None),
            Source::Memory(rows) => rows.without_rows(wanted).map(Some),
        }
    }

    /// Streams the columns in batches of at most `batch_rows` rows. Fails if a column is missing, or after a request to
    /// stop.
    ///
    /// Memory: see [`ParquetFile::read`], [`TextFile::read`] or [`MemoryRows::read`].
    pub(super) fn read(self, wanted: &[Wanted<'_>], batch_rows: usize) -> Result<DayBatches> {
        let source = match self.source {
            Source::Parquet(file) => {
                Batches::Parquet { batches: file.read(wanted, batch_rows, &self.resources)?, next_row: 1 }
            }
            Source::Text(file) => Batches::Text(file.read(wanted, batch_rows)?),
            Source::Memory(rows) => Batches::Memory { batches: rows.read(batch_rows)?, next_row: 1 },
        };
        Ok(DayBatches { source, cancel: self.resources.cancel().clone() })
    }
}

/// The batches of one file, in the order of its rows.
pub(super) struct DayBatches {
    source: Batches,
    cancel: Cancel,
}

enum Batches {
    Parquet { batches: parquet::file::Batches, next_row: u64 },
    Text(TextBatches),
    Memory { batches: MemoryBatches, next_row: u64 },
}

impl Iterator for DayBatches {
    type Item = Result<DayBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(cancelled) = self.cancel.check() {
            return Some(Err(cancelled));
        }
        let (batch, next_row) = match &mut self.source {
            Batches::Parquet { batches, next_row } => (batches.next(), next_row),
            Batches::Memory { batches, next_row } => (batches.next(), next_row),
            Batches::Text(batches) => return batches.next(),
        };
        batch.map(|batch| {
            let columns = batch?;
            let first = *next_row;
            *next_row += columns.num_rows() as u64;
            Ok(DayBatch { columns, places: Places::From(first), written: None, faults: Vec::new() })
        })
    }
}
