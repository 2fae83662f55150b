//! CSV: the first line that is not empty names the columns, each further one is a row.

use std::path::{Path, PathBuf};

use super::csv_cells::CsvCells;
use super::records::{Ends, Records};
use super::written_rows::{Cell, WrittenRows};
use crate::error::Result;
use crate::input::file_kind::Packing;
use crate::input::wanted::{Wanted, missing_column, two_columns};
use crate::resources::Resources;

/// An open file whose header has been read.
pub(super) struct CsvFile {
    path: PathBuf,
    records: Records,
    header: Vec<u8>,
}

impl CsvFile {
    /// Opens a file. Fails where it has no header.
    pub fn open(path: &Path, packing: Packing, resources: &Resources) -> Result<Self> {
        let mut records = Records::open(path, packing, Ends::LineOutsideQuotes, resources)?;
        let header = loop {
            match records.take()? {
                Some(record) if record.bytes.is_empty() => {}
                Some(record) => break record.bytes.to_vec(),
                None => {
                    return Err(records
                        .broken("it is empty, without even a header", "write it anew with its header, or remove it"));
                }
            }
        };
        Ok(CsvFile { path: path.to_owned(), records, header })
    }

    /// The place of a column, from 0; `None` where there is none of this name. Fails where there are two.
    pub fn place(&self, column: &str) -> Result<Option<usize>> {
        let mut places = self.names().enumerate().filter(|(_, name)| name == column).map(|(place, _)| place);
        let (first, second) = (places.next(), places.next());
        match second {
            None => Ok(first),
            Some(_) => Err(two_columns(&self.path, column)),
        }
    }

    /// The names in the header, without blanks around them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        CsvCells::new(&self.header).map(|cell| String::from_utf8_lossy(&cell.content()).trim().to_owned())
    }

    /// The rows behind the header, each with its cells in these columns. Fails where there is no such column, unless it
    /// may lack.
    pub fn rows(self, wanted: &[Wanted<'_>]) -> Result<CsvRows> {
        let mut columns = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let place = self.place(wanted.name())?;
            if place.is_none() && !wanted.is_optional() {
                let names: Vec<String> = self.names().collect();
                return Err(missing_column(&self.path, wanted.name(), names.iter().map(String::as_str)));
            }
            let is_text = matches!(wanted, Wanted::Text(_) | Wanted::OptionalText(_));
            columns.push(WantedColumn { place, is_text, begin: 0 });
        }
        let count = CsvCells::new(&self.header).count();
        Ok(CsvRows { records: self.records, count, columns })
    }
}

/// The rows of a file, one after the other.
pub(super) struct CsvRows {
    records: Records,
    /// How many cells a row has.
    count: usize,
    columns: Vec<WantedColumn>,
}

struct WantedColumn {
    /// `None`: the file lacks it.
    place: Option<usize>,
    /// Whether quotes with nothing between them are an empty text, and not null.
    is_text: bool,
    /// Where its cell begins in the row at hand.
    begin: usize,
}

impl CsvRows {
    /// Puts the next row into `written`; false behind the last one. Lines with nothing on them are left out.
    pub fn next_into(&mut self, written: &mut WrittenRows) -> Result<bool> {
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
                let reason = "has something behind the quote that closes a cell";
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
