//! Rows as a text has them, gathered into a batch.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use crate::input::cells::NOT_UTF8;
use crate::input::day_batch::Fault;

/// A batch ends with the row that brings it to this size, however few rows it has.
const BATCH_BYTES: usize = 1 << 20;

/// A cell of a row, for [`WrittenRows::push`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    /// A bad cell: its content, and the reason, as a phrase that follows the column's name.
    Bad(Cow<'a, str>, &'static str),
}

impl<'a> Cell<'a> {
    /// The same cell for as long as the text is kept elsewhere.
    pub(super) fn borrowed(&self) -> Cell<'_> {
        match self {
            Cell::Null => Cell::Null,
            Cell::Text(text) => Cell::Text(Cow::Borrowed(text)),
            Cell::Bad(text, reason) => Cell::Bad(Cow::Borrowed(text), reason),
        }
    }

    /// The same cell with a text of its own.
    pub(super) fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Null => Cell::Null,
            Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Cell::Bad(text, reason) => Cell::Bad(Cow::Owned(text.into_owned()), reason),
        }
    }

    /// The cell of any bytes.
    pub(super) fn of(content: Cow<'a, [u8]>) -> Self {
        let (text, is_sound) = match content {
            Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => (Cow::Borrowed(text), true),
                Err(_) => (String::from_utf8_lossy(bytes), false),
            },
            Cow::Owned(bytes) => match String::from_utf8(bytes) {
                Ok(text) => (Cow::Owned(text), true),
                Err(error) => (Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), false),
            },
        };
        if is_sound { Cell::Text(text) } else { Cell::Bad(text, NOT_UTF8) }
    }
}

/// Rows with a text for each column, and the lines on which they begin.
///
/// Memory: a mebibyte and a row, the spare capacity of the vectors, and the reasons of the bad rows.
pub(super) struct WrittenRows {
    names: Vec<String>,
    columns: Vec<StringBuilder>,
    lines: Vec<u64>,
    elements: Vec<u64>,
    faults: Vec<Fault>,
    bytes: usize,
}

/// The rows gathered for a batch.
pub(super) struct Gathered {
    /// The texts, by column name.
    pub written: RecordBatch,
    /// The line of each row.
    pub lines: Vec<u64>,
    /// The number of each row in the list of its record, from 1; 0 for a row that is a record itself.
    pub elements: Vec<u64>,
    /// The cells or lines that could not be read, in ascending order of rows, at most one for each row.
    pub faults: Vec<Fault>,
}

impl WrittenRows {
    /// An empty batch with these column names.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = names.map(str::to_owned).collect();
        let columns = names.iter().map(|_| StringBuilder::new()).collect();
        WrittenRows { names, columns, lines: Vec::new(), elements: Vec::new(), faults: Vec::new(), bytes: 0 }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Whether the batch is complete.
    pub(super) fn is_full(&self, rows: usize) -> bool {
        self.rows() >= rows || self.bytes >= BATCH_BYTES
    }

    /// Adds a row with a cell for each column.
    pub(super) fn push<'a>(&mut self, line: u64, row: impl Iterator<Item = Cell<'a>>) {
        self.push_element(line, 0, row);
    }

    /// Adds a row that is an element of a record's list; `element` counts from 1.
    pub(super) fn push_element<'a>(&mut self, line: u64, element: u64, row: impl Iterator<Item = Cell<'a>>) {
        let index = self.rows();
        for ((name, column), cell) in self.names.iter().zip(&mut self.columns).zip(row) {
            match cell {
                Cell::Null => column.append_null(),
                Cell::Text(text) => {
                    column.append_value(&*text);
                    self.bytes += text.len();
                }
                Cell::Bad(text, reason) => {
                    column.append_value(&*text);
                    self.bytes += text.len();
                    if self.faults.last().is_none_or(|last| last.index != index) {
                        self.faults.push(Fault { index, column: name.clone(), reason: reason.to_owned(), line: None });
                    }
                }
            }
        }
        self.lines.push(line);
        self.elements.push(element);
    }

    /// Adds a fault to the last row, unless it has one.
    pub(super) fn fault(&mut self, column: &str, reason: String) {
        let index = self.rows().saturating_sub(1);
        if self.faults.last().is_none_or(|last| last.index != index) {
            self.faults.push(Fault { index, column: column.to_owned(), reason, line: None });
        }
    }

    /// Adds a line that has no cells, with the reason, as a phrase that follows the line number.
    pub(super) fn push_line(&mut self, line: u64, reason: String, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.bytes += text.len();
        self.faults.push(Fault { index: self.rows(), column: String::new(), reason, line: Some(text) });
        self.columns.iter_mut().for_each(StringBuilder::append_null);
        self.lines.push(line);
        self.elements.push(0);
    }

    /// Returns all rows and starts an empty batch.
    pub(super) fn take(&mut self) -> Result<Gathered, ArrowError> {
        self.bytes = 0;
        let columns: Vec<ArrayRef> =
            self.columns.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }).collect();
        let fields: Vec<Field> = self.names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        Ok(Gathered {
            written: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?,
            lines: std::mem::take(&mut self.lines),
            elements: std::mem::take(&mut self.elements),
            faults: std::mem::take(&mut self.faults),
        })
    }
}
