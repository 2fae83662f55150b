//! CSV: the first line that is not empty names the columns, each line after it is a row. Without a header each line is
//! a row, and columns are called by their numbers, from 1. Before all that the very first line may name the separator,
//! as `sep=;`.

use std::path::PathBuf;

use super::csv_cells::CsvCells;
use super::dialect::Dialect;
use super::records::{Ends, Records};
use super::written_rows::{Cell, WrittenRows};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::input::file_kind::Packing;
use crate::input::layout::DayFile;
use crate::input::subject::Subject;
use crate::input::wanted::{Wanted, missing_column, missing_column_with, two_columns};
use crate::resources::Resources;
use crate::sources::CsvDialect;

/// Separators that a message suggests if the only name of a header has one of them, as `lookback.toml` writes them.
const SEPARATORS: [(char, &str); 4] = [(';', ";"), ('\t', "\\t"), ('|', "|"), (',', ",")];

/// An open file whose columns are known.
pub(super) struct CsvFile {
    path: PathBuf,
    dialect: Dialect,
    has_header: bool,
    nulls: Vec<Vec<u8>>,
    /// The records after the header, if there is one.
    records: Records,
    /// Without whitespace around them. Empty for a file without a header and without any row.
    names: Vec<String>,
}

impl CsvFile {
    /// Opens a file. Fails if it has no header where it should have one.
    pub(super) fn open(day_file: &DayFile, packing: Packing, csv: &CsvDialect, resources: &Resources) -> Result<Self> {
        let path = &day_file.path;
        let open = || open_records(day_file, packing, csv, resources);
        let (mut records, dialect) = open()?;
        let names: Vec<String> = loop {
            match records.take()? {
                Some(record) if record.bytes.is_empty() => {}
                Some(record) => {
                    let cells = CsvCells::new(dialect, record.bytes);
                    break if csv.has_header {
                        cells.map(|cell| String::from_utf8_lossy(&cell.content()).trim().to_owned()).collect()
                    } else {
                        (1..=cells.count()).map(|number| number.to_string()).collect()
                    };
                }
                None if csv.has_header => {
                    return Err(records
                        .broken("it is empty, without even a header", "write it again with its header, or remove it"));
                }
                None => break Vec::new(),
            }
        };
        // Without a header the first line is a row, which is read again.
        let records = if csv.has_header { records } else { open()?.0 };
        let nulls = csv.nulls.iter().map(|null| null.clone().into_bytes()).collect();
        Ok(CsvFile { path: path.clone(), dialect, has_header: csv.has_header, nulls, records, names })
    }

    /// The index of a column, from 0; `None` if no column has this name. Fails if two have it.
    pub(super) fn place(&self, column: &str) -> Result<Option<usize>> {
        let mut places = self.names.iter().enumerate().filter(|(_, name)| *name == column).map(|(place, _)| place);
        let (first, second) = (places.next(), places.next());
        match second {
            None => Ok(first),
            Some(_) => Err(two_columns(self.path.as_path(), column)),
        }
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the rows, each with its cells in these columns. Fails if a column is missing, unless it is optional or
    /// there is no row.
    pub(super) fn rows(self, wanted: &[Wanted<'_>]) -> Result<CsvRows> {
        let mut columns = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let place = self.place(wanted.name())?;
            if place.is_none() && !wanted.is_optional() && !self.names.is_empty() {
                return Err(self.missing(wanted.name()));
            }
            columns.push(WantedColumn { place, is_text: wanted.is_text(), begin: 0 });
        }
        let CsvFile { dialect, has_header, nulls, records, names, .. } = self;
        Ok(CsvRows { records, dialect, has_header, nulls, count: names.len(), columns })
    }

    /// The error that a column is missing; if there is only one column, mostly the separator is another.
    fn missing(&self, column: &str) -> Error {
        let names = self.names.iter().map(String::as_str);
        let meant = match self.names.as_slice() {
            [only] => SEPARATORS.into_iter().find(|(separator, _)| only.contains(*separator)),
            _ => None,
        };
        let Some((_, separator)) = meant else { return missing_column(self.path.as_path(), column, names) };
        let remedy =
            format!("write the file with that column, or give separator = \"{separator}\" in [csv] of lookback.toml");
        missing_column_with(Subject::File(&self.path), column, names, remedy)
    }
}

/// Opens a file at its first record, after a line that names its separator. Fails if the configuration contradicts that
/// line.
fn open_records(
    day_file: &DayFile,
    packing: Packing,
    csv: &CsvDialect,
    resources: &Resources,
) -> Result<(Records, Dialect)> {
    let mut dialect = Dialect::of(csv, &day_file.name);
    let mut records = Records::open(day_file, packing, Ends::LineOutsideQuotes(dialect), resources)?;
    let Some(separator) = Dialect::named_separator(records.rest()) else { return Ok((records, dialect)) };
    let meanings = [("separator", csv.separator, true), ("quote", csv.quote, false), ("escape", csv.escape, false)];
    for (key, given, is_to_be_same) in meanings {
        if let Some(given) = given
            && (given == separator) != is_to_be_same
        {
            let (named, given) = (char::from(separator), char::from(given));
            let cause = format!("its first line names the separator {named:?}, but {key} in [csv] is {given:?}");
            return Err(records.broken(&cause, "correct that line, or [csv] in lookback.toml"));
        }
    }
    records.take()?.held("the line that names the separator is there")?;
    dialect.separator = separator;
    records.end_at(Ends::LineOutsideQuotes(dialect));
    Ok((records, dialect))
}

/// The rows of a file, in order.
pub(super) struct CsvRows {
    records: Records,
    dialect: Dialect,
    has_header: bool,
    nulls: Vec<Vec<u8>>,
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
            let mut row = CsvCells::new(self.dialect, record.bytes);
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
                let first = if self.has_header { "header" } else { "first row" };
                written.push_line(record.line, format!("has {has} where the {first} has {}", self.count), record.bytes);
            } else if !is_whole {
                let reason = "has something after the quote that closes a cell";
                written.push_line(record.line, reason.to_owned(), record.bytes);
            } else {
                let contents = self.columns.iter().map(|column| {
                    column.place?;
                    let cell =
                        record.bytes.get(column.begin..).and_then(|rest| CsvCells::new(self.dialect, rest).next());
                    cell.filter(|cell| !cell.is_null(column.is_text, &self.nulls)).map(|cell| cell.content())
                });
                written.push(record.line, contents.map(|content| content.map_or(Cell::Null, Cell::of)));
            }
            return Ok(true);
        }
    }
}
