//! The elements of lists as rows, each with the columns of its record.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeListArray, RecordBatch, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{Field, FieldRef, Schema};
use arrow::error::ArrowError;

use super::day_batch::{DayBatch, Places};
use super::slices::rows_at_once;
use crate::exact::usize_of;

/// The rows of a batch of records, in the order of records and elements.
///
/// Memory: the batch, and its rows so many at once that the columns of the record, repeated, fit into a budget.
pub(super) struct ExplodedRows {
    /// The columns of the record.
    records: RecordBatch,
    lists: LargeListArray,
    /// The row number of the first record in the file.
    first_row: u64,
    rows_at_once: usize,
    /// The next record and the next of its elements.
    record: usize,
    element: usize,
    empty: u64,
}

/// The places of some rows: their records, their elements in all lists, and the numbers of these in their lists.
#[derive(Default)]
struct Chosen {
    records: Vec<u64>,
    elements: Vec<u64>,
    numbers: Vec<u64>,
}

impl ExplodedRows {
    /// The rows of a batch as [`super::shape::Shape::flatten`] gives it, whose lists are in the column `list`, at most
    /// `rows` at once.
    pub(super) fn new(
        batch: &RecordBatch,
        list: &str,
        first_row: u64,
        rows: usize,
        budget: usize,
    ) -> Result<Self, ArrowError> {
        let place = batch.schema().index_of(list)?;
        let lists = batch.column(place).as_list_opt::<i64>();
        let lists = lists.ok_or_else(|| ArrowError::SchemaError("what is exploded is no list".to_owned()))?.clone();
        let others: Vec<usize> = (0..batch.num_columns()).filter(|other| *other != place).collect();
        let records = batch.project(&others)?;
        let rows_at_once = rows_at_once(&records, rows.max(1), budget)?;
        Ok(ExplodedRows { records, lists, first_row, rows_at_once, record: 0, element: 0, empty: 0 })
    }

    /// How many records passed so far have no element.
    pub(super) fn empty(&self) -> u64 {
        self.empty
    }

    /// Returns the next rows.
    pub(super) fn take(&mut self) -> Result<Option<DayBatch>, ArrowError> {
        let mut chosen = Chosen::default();
        while chosen.records.len() < self.rows_at_once && self.record < self.lists.len() {
            let (begin, length) = match self.lists.value_offsets().get(self.record..self.record + 2) {
                Some([begin, end]) if self.lists.is_valid(self.record) => (begin.cast_unsigned(), end - begin),
                _ => (0, 0),
            };
            let length = usize_of(length.cast_unsigned());
            self.empty += u64::from(length == 0);
            let end = length.min(self.element + self.rows_at_once - chosen.records.len());
            for element in self.element..end {
                chosen.records.push(self.record as u64);
                chosen.elements.push(begin + element as u64);
                chosen.numbers.push(element as u64 + 1);
            }
            self.element = end;
            if end == length {
                (self.record, self.element) = (self.record + 1, 0);
            }
        }
        if chosen.records.is_empty() {
            return Ok(None);
        }
        let places = chosen.records.iter().map(|record| self.first_row + record).collect();
        let elements = std::mem::take(&mut chosen.numbers);
        let columns = self.rows(chosen)?;
        Ok(Some(DayBatch { columns, places: Places::At(places), elements, written: None, faults: Vec::new() }))
    }

    /// Returns the columns without rows.
    pub(super) fn without_rows(&self) -> Result<RecordBatch, ArrowError> {
        self.rows(Chosen::default())
    }

    fn rows(&self, chosen: Chosen) -> Result<RecordBatch, ArrowError> {
        let (records, elements) = (UInt64Array::from(chosen.records), UInt64Array::from(chosen.elements));
        let mut columns: Vec<(FieldRef, ArrayRef)> = Vec::new();
        let of_records = self.records.schema();
        for (field, column) in of_records.fields().iter().zip(self.records.columns()) {
            columns.push((Arc::clone(field), take(column, &records, None)?));
        }
        let of_elements = self.lists.values().as_struct();
        for (field, column) in of_elements.fields().iter().zip(of_elements.columns()) {
            let nullable = Field::new(field.name(), field.data_type().clone(), true);
            columns.push((Arc::new(nullable), take(column, &elements, None)?));
        }
        let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}
