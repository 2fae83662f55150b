//! One data file of a day, whatever it is written as: wanted columns in batches, with the place of each row.

use std::path::Path;

use arrow::array::RecordBatch;

use super::bad_rows::Cells;
use super::column::Reason;
use super::file_kind::Content;
use super::layout::DayFile;
use super::magic::packing;
use super::parquet::file::{Batches, ParquetFile};
use super::text::{TextBatches, TextFile};
use crate::error::{Error, Result};
use crate::sources::Int96;
use crate::text::Shown;

/// How many columns of a file a message names.
const NAMED_COLUMNS: usize = 50;

/// A column that is asked for, by its name in the file, and what its cells are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted<'a> {
    /// Integers.
    Id(&'a str),
    /// Times, for [`super::time_column::TimeColumn`]; of text files they come as the text that was written.
    Time(&'a str),
    /// Text.
    Text(&'a str),
    /// Text that is null in all rows of a file without such a column.
    OptionalText(&'a str),
    /// Lists of structs with these two fields, an integer and a flag, of which the flag may lack.
    List { name: &'a str, item: &'a str, label: &'a str },
}

impl<'a> Wanted<'a> {
    /// The name of the column.
    pub fn name(self) -> &'a str {
        match self {
            Wanted::Id(name)
            | Wanted::Time(name)
            | Wanted::Text(name)
            | Wanted::OptionalText(name)
            | Wanted::List { name, .. } => name,
        }
    }

    /// Whether a file may lack the column.
    pub fn is_optional(self) -> bool {
        matches!(self, Wanted::OptionalText(_))
    }
}

/// An open data file, not yet read.
pub(super) struct DayReader {
    source: Source,
}

enum Source {
    Parquet(ParquetFile),
    Text(TextFile),
}

impl DayReader {
    /// Opens a file by what its name says that it is, and what its bytes say that it is packed with. Fails where they say that it is something else.
    ///
    /// Times in INT96, which only Parquet has, are what `int96` says; `None`: what their writer is known for.
    pub fn open(day_file: &DayFile, int96: Option<Int96>) -> Result<Self> {
        let (content, named) = day_file.kind()?;
        let packing = packing(day_file, content, named)?;
        let source = match content {
            Content::Parquet => Source::Parquet(ParquetFile::open(day_file, int96)?),
            Content::Csv | Content::JsonLines => Source::Text(TextFile::open(day_file, content, packing)?),
        };
        Ok(DayReader { source })
    }

    /// Whether there is a column of this name: of JSON lines, whether any line has it, for which the file is read as far as it takes.
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

    /// The wanted columns with the types that the file says, without any row; `None` of text files, where the reader chooses the types. Fails where there is no
    /// such column, or are two.
    pub fn typed(&self, wanted: &[Wanted<'_>]) -> Result<Option<RecordBatch>> {
        match &self.source {
            Source::Parquet(file) => file.without_rows(wanted).map(Some),
            Source::Text(_) => Ok(None),
        }
    }

    /// Streams the columns in batches of at most `batch_rows` rows. Fails where there is no such column.
    ///
    /// Memory: as [`ParquetFile::read`] or [`TextFile::read`] says.
    pub fn read(self, wanted: &[Wanted<'_>], batch_rows: usize) -> Result<DayBatches> {
        let batches = match self.source {
            Source::Parquet(file) => DayBatches::Parquet { batches: file.read(wanted, batch_rows)?, next_row: 1 },
            Source::Text(file) => DayBatches::Text(file.read(wanted, batch_rows)?),
        };
        Ok(batches)
    }
}

/// The batches of one file, in the order of its rows.
pub(super) enum DayBatches {
    Parquet { batches: Batches, next_row: u64 },
    Text(TextBatches),
}

impl Iterator for DayBatches {
    type Item = Result<DayBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            DayBatches::Parquet { batches, next_row } => batches.next().map(|batch| {
                let columns = batch?;
                let first = *next_row;
                *next_row += columns.num_rows() as u64;
                Ok(DayBatch { columns, places: Places::From(first), written: None, faults: Vec::new() })
            }),
            DayBatches::Text(batches) => batches.next(),
        }
    }
}

/// Some rows of a file.
pub(super) struct DayBatch {
    /// The wanted columns by their names. Null also where a cell could not be read; [`DayBatch::fault`] then tells.
    pub columns: RecordBatch,
    /// Where the rows stand.
    pub places: Places,
    /// The cells as they stood, where that is not what the columns have.
    pub written: Option<RecordBatch>,
    /// What could not be read, in ascending order of rows, at most one of each row.
    pub faults: Vec<Fault>,
}

/// Where each row of a batch stands in its file, from 1.
pub(super) enum Places {
    /// One after the other from this one on.
    From(u64),
    /// Each for itself.
    At(Vec<u64>),
}

/// What makes a row of a text file a bad one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    /// Its row in the batch.
    pub index: usize,
    /// The column that is at fault; empty where it is the whole line.
    pub column: String,
    /// What is wrong, as a phrase behind the column's name or the place.
    pub reason: Reason,
    /// The line as it stood, where it has no cells.
    pub line: Option<String>,
}

impl DayBatch {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.columns.num_rows()
    }

    /// The place of a row in the file, from 1: its number, or in a text file the line on which it begins.
    pub fn place(&self, index: usize) -> u64 {
        match &self.places {
            Places::From(first) => first + index as u64,
            Places::At(places) => places.get(index).copied().unwrap_or_default(),
        }
    }

    /// Why a row could not be read, if it could not.
    pub fn fault(&self, index: usize) -> Option<&Fault> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.binary_search_by_key(&index, |fault| fault.index).ok().and_then(|place| self.faults.get(place))
    }

    /// The cells of a row as they stood.
    pub fn cells(&self, index: usize) -> Cells<'_> {
        match self.fault(index).and_then(|fault| fault.line.as_deref()) {
            Some(line) => Cells::Line(line),
            None => Cells::Row(self.written.as_ref().unwrap_or(&self.columns), index),
        }
    }
}

/// That a column is there twice: neither is the right one by itself.
pub(super) fn two_columns(path: &Path, column: &str) -> Error {
    Error::input(format!("the file {} has two columns {column}", path.shown()), "write the file with one of them")
}

/// That a file lacks a column; `names` are those that it has.
pub(super) fn missing_column<'a>(path: &Path, column: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let mut listed = String::new();
    for (place, name) in names.take(NAMED_COLUMNS + 1).enumerate() {
        if place == NAMED_COLUMNS {
            listed.push_str(", …");
            break;
        }
        listed.push_str(if place == 0 { "" } else { ", " });
        listed.extend(name.chars().take(60).flat_map(char::escape_debug));
    }
    Error::input(
        format!("the file {} has no column {column} (it has: {listed})", path.shown()),
        "write the file with that column",
    )
}
