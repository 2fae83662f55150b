//! One data file of a day, whatever it is written as: wanted columns in batches, with the place of each row.

use arrow::array::RecordBatch;

use super::day_batch::{DayBatch, Places};
use super::file_kind::Content;
use super::layout::DayFile;
use super::magic::packing;
use super::parquet;
use super::parquet::file::ParquetFile;
use super::text::{TextBatches, TextFile};
use super::wanted::Wanted;
use crate::error::Result;
use crate::resources::{Cancel, Resources};
use crate::sources::Int96;

/// An open data file, not yet read.
pub(super) struct DayReader {
    source: Source,
    resources: Resources,
}

enum Source {
    Parquet(ParquetFile),
    Text(TextFile),
}

impl DayReader {
    /// Opens a file by what its name says that it is, and what its bytes say that it is packed with. Fails where they
    /// say that it is something else.
    ///
    /// Times in INT96, which only Parquet has, are what `int96` says; `None`: what their writer is known for.
    pub fn open(day_file: &DayFile, int96: Option<Int96>, resources: &Resources) -> Result<Self> {
        let (content, named) = day_file.kind()?;
        let packing = packing(day_file, content, named)?;
        let source = match content {
            Content::Parquet => Source::Parquet(ParquetFile::open(day_file, int96)?),
            Content::Csv | Content::JsonLines => Source::Text(TextFile::open(day_file, content, packing, resources)?),
        };
        Ok(DayReader { source, resources: resources.clone() })
    }

    /// Whether there is a column of this name: of JSON lines, whether any line has it, for which the file is read as
    /// far as it takes.
    pub fn has(&self, column: &str) -> Result<bool> {
        match &self.source {
            Source::Parquet(file) => Ok(file.has(column)),
            Source::Text(file) => file.has(column),
        }
    }

    /// Its columns, each with the name of its type, in its own order: of JSON lines, those of the first object.
    pub fn columns(&self) -> Result<Vec<(String, String)>> {
        match &self.source {
            Source::Parquet(file) => Ok(file.columns()),
            Source::Text(file) => Ok(file.columns()?.into_iter().map(|name| (name, "text".to_owned())).collect()),
        }
    }

    /// The wanted columns with the types that the file says, without any row; `None` of text files, where the reader
    /// chooses the types. Fails where there is no such column, or are two.
    pub fn typed(&self, wanted: &[Wanted<'_>]) -> Result<Option<RecordBatch>> {
        match &self.source {
            Source::Parquet(file) => file.without_rows(wanted).map(Some),
            Source::Text(_) => Ok(None),
        }
    }

    /// Streams the columns in batches of at most `batch_rows` rows. Fails where there is no such column, and where it
    /// is asked to stop.
    ///
    /// Memory: as [`ParquetFile::read`] or [`TextFile::read`] says.
    pub fn read(self, wanted: &[Wanted<'_>], batch_rows: usize) -> Result<DayBatches> {
        let source = match self.source {
            Source::Parquet(file) => {
                Batches::Parquet { batches: file.read(wanted, batch_rows, &self.resources)?, next_row: 1 }
            }
            Source::Text(file) => Batches::Text(file.read(wanted, batch_rows)?),
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
}

impl Iterator for DayBatches {
    type Item = Result<DayBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(cancelled) = self.cancel.check() {
            return Some(Err(cancelled));
        }
        match &mut self.source {
            Batches::Parquet { batches, next_row } => batches.next().map(|batch| {
                let columns = batch?;
                let first = *next_row;
                *next_row += columns.num_rows() as u64;
                Ok(DayBatch { columns, places: Places::From(first), written: None, faults: Vec::new() })
            }),
            Batches::Text(batches) => batches.next(),
        }
    }
}
