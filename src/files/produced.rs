//! Produced rows, read back with the ordinary Parquet reader: nothing here knows how the pages were written.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::schema::types::SchemaDescriptor;

use super::column::text_column;
use super::parquet_file::{column, guarded, wrong_type};
use crate::error::{Error, Result};

/// Rows decoded at once: with 1,000 actions 3 MB.
const BATCH_ROWS: usize = 256;

/// Rows decoded at once where only the customer is read.
const CUSTOMER_ROWS: usize = 65_536;

/// The columns of the contract, in their order. Source: SPEC, "Output".
const COLUMNS: [&str; 8] =
    ["dt", "ranking_id", "customer_id", "impression_pos", "impression_item_id", "label", "actions", "action_types"];

/// One training row as it stands in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProducedRow {
    /// Its place in the file, from 1.
    pub row: u64,
    /// Column `dt`.
    pub dt: String,
    /// Column `ranking_id`.
    pub ranking_id: Option<String>,
    /// Column `customer_id`.
    pub customer_id: i64,
    /// Column `impression_pos`.
    pub impression_pos: i32,
    /// Column `impression_item_id`.
    pub impression_item_id: i64,
    /// Column `label`.
    pub label: i32,
    /// Column `actions`, with its padding.
    pub actions: Vec<i64>,
    /// Column `action_types`, with its padding.
    pub action_types: Vec<i32>,
}

/// A part file whose footer has been read.
pub struct ProducedFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
}

impl ProducedFile {
    /// Opens a part file. Fails where it is no Parquet, or has other columns than the contract says.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
        let metadata = guarded(path, || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
        let names: Vec<&str> = metadata.schema().fields().iter().map(|field| field.name().as_str()).collect();
        if names != COLUMNS {
            return Err(Error::input(
                format!(
                    "the file {} has the columns {}, and not {}",
                    path.display(),
                    names.join(", "),
                    COLUMNS.join(", ")
                ),
                "produce the day again with `lookback produce`",
            ));
        }
        Ok(ProducedFile { path: path.to_owned(), file, metadata })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows it has, as its footer says.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// What its key-value metadata says.
    pub fn said(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// Gives the customer of every row to `take`, with the row's index, from 0. Memory: 65,536 of them and one page.
    pub fn customers(&self, mut take: impl FnMut(usize, i64)) -> Result<()> {
        let mask = ProjectionMask::columns(self.metadata.parquet_schema(), ["customer_id"]);
        let mut reader = self.reader(|builder| builder.with_projection(mask).with_batch_size(CUSTOMER_ROWS))?;
        let mut index = 0;
        while let Some(batch) = guarded(&self.path, || reader.next().transpose())? {
            let numbers: Vec<u64> = (index as u64 + 1..).take(batch.num_rows()).collect();
            for customer in (Cells { batch: &batch, path: &self.path, numbers: &numbers }).int64("customer_id")? {
                take(index, customer);
                index += 1;
            }
        }
        Ok(())
    }

    /// The rows in these ranges of indices, which ascend and do not touch; `None` for all rows.
    ///
    /// Memory: 256 rows, decoded and once more as they are given, and one page of each column.
    pub fn read(self, ranges: Option<Vec<Range<usize>>>) -> Result<ProducedRows> {
        let total = usize::try_from(self.rows()).unwrap_or(usize::MAX);
        let numbers: Box<dyn Iterator<Item = usize>> = match &ranges {
            Some(ranges) => Box::new(ranges.clone().into_iter().flatten()),
            None => Box::new(0..total),
        };
        let reader = self.reader(|builder| {
            let builder = builder.with_batch_size(BATCH_ROWS);
            match ranges {
                Some(ranges) => {
                    builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges.into_iter(), total))
                }
                None => builder,
            }
        })?;
        Ok(ProducedRows { path: self.path, reader, numbers, decoded: Vec::new().into_iter() })
    }

    pub(super) fn parquet_schema(&self) -> &SchemaDescriptor {
        self.metadata.parquet_schema()
    }

    pub(super) fn reader(
        &self,
        settings: impl FnOnce(ParquetRecordBatchReaderBuilder<File>) -> ParquetRecordBatchReaderBuilder<File>,
    ) -> Result<ParquetRecordBatchReader> {
        let file = self.file.try_clone().map_err(|error| Error::io("open", &self.path, &error))?;
        let metadata = self.metadata.clone();
        guarded(&self.path, || settings(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)).build())
    }
}

/// Rows of one file, in their order. After an error there is no more to be had.
pub struct ProducedRows {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// The indices of the rows to come.
    numbers: Box<dyn Iterator<Item = usize>>,
    decoded: std::vec::IntoIter<ProducedRow>,
}

impl ProducedRows {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next row; `None` at the end. Fails, naming row and column, on a null where the contract has none.
    pub fn take(&mut self) -> Result<Option<ProducedRow>> {
        loop {
            if let Some(row) = self.decoded.next() {
                return Ok(Some(row));
            }
            let Some(batch) = guarded(&self.path, || self.reader.next().transpose())? else { return Ok(None) };
            self.decoded = self.rows(&batch)?.into_iter();
        }
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<ProducedRow>> {
        let numbers: Vec<u64> = self.numbers.by_ref().take(batch.num_rows()).map(|index| index as u64 + 1).collect();
        let cells = Cells { batch, path: &self.path, numbers: &numbers };
        let (days, ranking_ids) = (cells.text("dt", false)?, cells.text("ranking_id", true)?);
        let (customers, items) = (cells.int64("customer_id")?, cells.int64("impression_item_id")?);
        let (positions, labels) = (cells.int32("impression_pos")?, cells.int32("label")?);
        let actions = cells.lists("actions", &DataType::Int64)?;
        let action_types = cells.lists("action_types", &DataType::Int32)?;
        let cell = |column: &[i64], index: usize| column.get(index).copied().unwrap_or_default();
        let small_cell = |column: &[i32], index: usize| column.get(index).copied().unwrap_or_default();
        let rows = numbers.iter().enumerate().map(|(index, row)| ProducedRow {
            row: *row,
            dt: days.value(index).to_owned(),
            ranking_id: ranking_ids.is_valid(index).then(|| ranking_ids.value(index).to_owned()),
            customer_id: cell(&customers, index),
            impression_pos: small_cell(&positions, index),
            impression_item_id: cell(&items, index),
            label: small_cell(&labels, index),
            actions: actions.value(index).as_primitive::<Int64Type>().values().to_vec(),
            action_types: action_types.value(index).as_primitive::<Int32Type>().values().to_vec(),
        });
        Ok(rows.collect())
    }
}

/// The columns of one batch, typed, without nulls.
pub(super) struct Cells<'batch> {
    pub batch: &'batch RecordBatch,
    pub path: &'batch Path,
    /// The places of the rows in the file, from 1.
    pub numbers: &'batch [u64],
}

impl Cells<'_> {
    fn column(&self, name: &str, wanted: &DataType) -> Result<&ArrayRef> {
        let found = column(self.batch, name, self.path)?;
        if found.data_type() != wanted {
            return Err(wrong_type(self.path, name, found.data_type(), &wanted.to_string()));
        }
        self.without_null(name, found)?;
        Ok(found)
    }

    fn without_null(&self, name: &str, column: &dyn Array) -> Result<()> {
        match (0..column.len()).find(|index| column.is_null(*index)) {
            None => Ok(()),
            Some(index) => Err(self.null(index, name, "is null")),
        }
    }

    fn null(&self, index: usize, name: &str, what: &str) -> Error {
        let row = self.numbers.get(index).copied().unwrap_or(0);
        Error::input(
            format!("the file {} row {row} column {name} {what}", self.path.display()),
            "produce the day again with `lookback produce`",
        )
    }

    fn int64(&self, name: &str) -> Result<Vec<i64>> {
        Ok(self.column(name, &DataType::Int64)?.as_primitive::<Int64Type>().values().to_vec())
    }

    pub fn int32(&self, name: &str) -> Result<Vec<i32>> {
        Ok(self.column(name, &DataType::Int32)?.as_primitive::<Int32Type>().values().to_vec())
    }

    fn text(&self, name: &str, nullable: bool) -> Result<StringArray> {
        let found = column(self.batch, name, self.path)?;
        let text = text_column(found).ok_or_else(|| wrong_type(self.path, name, found.data_type(), "text"))?;
        if !nullable {
            self.without_null(name, &text)?;
        }
        Ok(text)
    }

    pub fn lists(&self, name: &str, element: &DataType) -> Result<arrow::array::ListArray> {
        let found = column(self.batch, name, self.path)?;
        let wrong = || wrong_type(self.path, name, found.data_type(), &format!("a list of {element}"));
        let lists = found.as_list_opt::<i32>().filter(|lists| lists.value_type() == *element).ok_or_else(wrong)?;
        self.without_null(name, lists)?;
        if lists.values().null_count() > 0 {
            let index = (0..lists.len()).find(|index| lists.value(*index).null_count() > 0).unwrap_or(0);
            return Err(self.null(index, name, "holds a null"));
        }
        Ok(lists.clone())
    }
}
