//! One file of one table, filled row by row: rows gather in columns, columns go to the file batch by batch.

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::failure::Failure;
use crate::writer::PartFile;

/// Values (rows, or list elements where a row is a list) gathered before they go to the file: half a megabyte a column.
const BATCH_VALUES: usize = 65_536;
/// Values in a row group, which the file's writer holds encoded and compressed: a few megabytes.
const ROW_GROUP_VALUES: usize = 4 * BATCH_VALUES;

/// Rows gathered as columns.
pub trait Columns {
    type Row;

    /// The columns' names and types.
    fn schema(&self) -> SchemaRef;

    /// Adds a row.
    fn push(&mut self, row: &Self::Row);

    /// Gives the rows gathered so far and starts anew.
    fn take(&mut self) -> Result<RecordBatch, ArrowError>;
}

/// One file being filled. Dropped before [`Table::publish`], it leaves nothing that counts as data.
#[derive(Debug)]
pub struct Table<C> {
    columns: C,
    file: PartFile,
    rows: usize,
    batch_rows: usize,
}

impl<C: Columns> Table<C> {
    /// Starts part `number` in `folder`, of rows with at most `row_values` values in a column.
    pub fn create(folder: &Path, number: u32, columns: C, row_values: usize) -> Result<Self, Failure> {
        let rows = |values: usize| (values / row_values.max(1)).max(1);
        let file = PartFile::create(folder, number, columns.schema(), rows(ROW_GROUP_VALUES))?;
        Ok(Self { columns, file, rows: 0, batch_rows: rows(BATCH_VALUES) })
    }

    /// Adds a row.
    pub fn push(&mut self, row: &C::Row) -> Result<(), Failure> {
        self.columns.push(row);
        self.rows += 1;
        if self.rows == self.batch_rows {
            self.flush()?;
        }
        Ok(())
    }

    /// Completes the file and gives it its name.
    pub fn publish(mut self) -> Result<(), Failure> {
        self.flush()?;
        self.file.publish()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.rows = 0;
        let batch = self.columns.take().map_err(Failure::at("write", self.file.path()))?;
        self.file.write(&batch)
    }
}
