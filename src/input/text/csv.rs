//! CSV: the first line that is not empty names the columns, each line after it is a row.

use std::path::{Path, PathBuf};

use super::csv_cells::CsvCells;
use super::records::{Ends, Records};
use super::written_rows::{Cell, WrittenRows};
use crate::error::Result;
use crate::input::file_kind::Packing;
use crate::input::wanted::{Wanted, missing_column, two_columns};
use crate::resources::Resources;

/// An open file after its header was read.
pub(super) struct CsvFile {
    path: PathBuf,
    records: Records,
    header: Vec<u8>,
}

impl CsvFile {
    /// Opens a file. Fails if it has no header.
    pub(super) fn open(path: &Path, packing: Packing, resources: &Resources) -> Result<Self> {
        let mut records = Records::open(path, packing, Ends::LineOutsideQuotes, resources)?;
        let header = loop {
            match records.take()? {
                Some(record) if record.bytes.is_empty() => {}
                Some(record) => break record.bytes.to_vec(),
                None => {
                    return Err(records
                        .broken("it is empty, without even a header", "write it again with its header, or remove it"));
                }
            }
        };
        Ok(CsvFile { path: path.to_owned(), records, header })
    }

    /// The index of a column, from 0; `None` if no column has this name. Fails if two have it.
    pub(super) fn place(&self, column: &str) -> Result<Option<usize>> {
        let mut places = self.names().enumerate().filter(|(_, name)| name == column).map(|(place, _)| place);
        let (first, second) = (places.next(), places.next());
        match second {
            None => Ok(first),
            Some(_) => Err(two_columns(self.path.as_path(), column)),
        }
    }

    /// The names in the header, without whitespace around them.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        CsvCells::new(&self.header).map(|cell| String::from_utf8_lossy(&cell.content()).trim().to_owned())
    }

    /// Returns the rows after the header, each with its cells in these columns. Fails if a column is missing, unless it
    /// is optional.
    pub(super) fn rows(self, wanted: &[Wanted<'_>]) -> Result<CsvRows> {
        let mut columns = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let place = self.place(wanted.name())?;
            if place.is_none() && !wanted.is_optional() {
                let names: Vec<String> = self.names().collect();
                return Err(missing_column(self.path.as_path(), wanted.name(), names.iter().map(String::as_str)));
            }
            columns.push(WantedColumn { place, is_text: wanted.is_text(), begin: 0 });
        }
        let count = CsvCells::new(&self.header).count();
        Ok(CsvRows { records: self.records, count, columns })
    }
}

/// The rows of a file, in order.
pub(super) struct CsvRows {
    records: Records,
    /// How many cells a row has.
    count: usize,
    columns: Vec<WantedColumn>,
}

struct WantedColumn {
    /// The index of the column; `None` if the file lacks it.
    place: Option<usize>,
    /// Whether empty quotes mean an empty text, and not null.
    is_text: bool,
    /// Where its cell begins in the current row.
    begin: usize,
}

impl CsvRows {
    /// Puts the next row into `written`; false after the last row. Empty lines are skipped.
    pub(super) fn next_into(&mut self, written: &mut WrittenRows) -> Result<bool> {
        loop {
            let Some(record) = self.records.take()? else { return Ok(false) };
            if record.bytes.is_empty() {
                continue;
            }
            let (mut count, mut is_whole) = (0, true);
            let mut row = CsvCells::new(record.bytes);
            loop {
                let begin = record.bytes.len() - row.rest().len();
                let Some(cell) = row.next() else { break };
                for column in self.columns.iter_mut().filter(|column| column.place == Some(count)) {
                    column.begin = begin;
                }
                is_whole &= cell.is_whole;
                count += 1;
            }
            if count != self.count {
                let has = if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
                written.push_line(record.line, format!("has {has} where the header has {}", self.count), record.bytes);
            } else if !is_whole {
                let reason = "has something after the quote that closes a cell";
                written.push_line(record.line, reason.to_owned(), record.bytes);
            } else {
                let contents = self.columns.iter().map(|column| {
                    column.place?;
                    let cell = record.bytes.get(column.begin..).and_then(|rest| CsvCells::new(rest).next());
                    cell.filter(|cell| !cell.is_null(column.is_text)).map(|cell| cell.content())
                });
                written.push(record.line, contents.map(|content| content.map_or(Cell::Null, Cell::of)));
            }
            return Ok(true);
        }
    }
}
