//! Some rows of a file: their columns, their rows or lines in the file, and the cells that could not be read.

use arrow::array::RecordBatch;

use super::bad_rows::Cells;
use super::cells::Reason;
use crate::error::Result;
use crate::exact::Held;

/// Some rows of a file.
pub(super) struct DayBatch {
    /// The wanted columns by name. A cell that could not be read is null too; [`DayBatch::fault`] returns its fault.
    pub columns: RecordBatch,
    /// The row or line number of each row.
    pub places: Places,
    /// The number of each row in the exploded list of its record, from 1, or 0 for a row that is a record; empty if all
    /// of them are.
    pub elements: Vec<u64>,
    /// The cells as the file has them, if they differ from the columns.
    pub written: Option<RecordBatch>,
    /// The cells or lines that could not be read, ordered by row, at most one for each row.
    pub faults: Vec<Fault>,
}

/// The row or line number of each row of a batch in its file, from 1.
pub(super) enum Places {
    /// Consecutive numbers from this one on.
    From(u64),
    /// A number for each row.
    At(Vec<u64>),
}

/// The reason why a row of a text file is bad.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    /// The index of the row in the batch.
    pub index: usize,
    /// The column at fault; empty if it is the whole line.
    pub column: String,
    /// The reason, as a phrase that follows the column's name, or the row or line.
    pub reason: Reason,
    /// The line as the file has it, if it has no cells.
    pub line: Option<String>,
}

impl Fault {
    /// Whether it is a fault of another cell than that of this column, so that this one was read.
    pub(super) fn is_beside(&self, column: &str) -> bool {
        self.line.is_none() && self.column != column
    }
}

impl DayBatch {
    /// Returns the number of rows.
    pub(super) fn rows(&self) -> usize {
        self.columns.num_rows()
    }

    /// Returns a row's number in the file, from 1; in a text file, the line on which the row begins.
    pub(super) fn place(&self, index: usize) -> Result<u64> {
        match &self.places {
            Places::From(first) => Ok(first + index as u64),
            Places::At(places) => places.get(index).copied().held("each row of a batch has a place"),
        }
    }

    /// Returns a reason with the number of the element, if the row is one.
    pub(super) fn reason(&self, index: usize, reason: Reason) -> Reason {
        match self.elements.get(index) {
            None | Some(0) => reason,
            Some(element) => format!("{reason} (element {element})"),
        }
    }

    /// Returns why a row could not be read, if so.
    pub(super) fn fault(&self, index: usize) -> Option<&Fault> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.binary_search_by_key(&index, |fault| fault.index).ok().and_then(|place| self.faults.get(place))
    }

    /// The cells of a row as the file has them.
    pub(super) fn cells(&self, index: usize) -> Cells<'_> {
        match self.fault(index).and_then(|fault| fault.line.as_deref()) {
            Some(line) => Cells::Line(line),
            None => Cells::Row(self.written.as_ref().unwrap_or(&self.columns), index),
        }
    }
}
