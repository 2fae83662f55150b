//! Some rows of a file: their columns, their places, and what could not be read of them.

use arrow::array::RecordBatch;

use super::bad_rows::Cells;
use super::column::Reason;
use crate::error::Result;
use crate::exact::Held;

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
    pub fn place(&self, index: usize) -> Result<u64> {
        match &self.places {
            Places::From(first) => Ok(first + index as u64),
            Places::At(places) => places.get(index).copied().held("each row of a batch has a place"),
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
