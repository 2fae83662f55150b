//! Reads produced rows with the ordinary Parquet reader; nothing here knows how the pages were written.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type, SchemaRef, TimestampMicrosecondType, UInt8Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::schema::types::SchemaDescriptor;

use super::rows::data_type;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};
use crate::input::cells::text_column;
use crate::input::parquet::file::column;
use crate::input::parquet::guard::guarded;
use crate::input::wrong_type;
use crate::message::message;
use crate::model::{ExtraColumn, ExtraColumns, ItemType, RowColumn, RowColumns, TypeType};
use crate::storage::PlacedFile;
use crate::text::Shown;

/// Rows decoded at once: 3 MB with 1,000 actions.
const BATCH_ROWS: usize = 256;

/// Rows decoded at once when only the customer is read.
const CUSTOMER_ROWS: usize = 65_536;

/// One training row as the file has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProducedRow {
    /// Its number in the file, from 1.
    pub row: u64,
    /// Column `dt`, if the file has it.
    pub dt: Option<String>,
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
    /// Column `history_length`, if the file has it.
    pub history_length: Option<i32>,
    /// Column `action_ages`, with its padding, if the file has it.
    pub action_ages: Option<Vec<i32>>,
    /// Column `action_times`, with its padding, in microseconds since 1970-01-01 UTC, if the file has it.
    pub action_times: Option<Vec<i64>>,
}

/// A part file whose footer was read.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// # use lookback::{ingest::{IngestOptions, Ingester}, model::Day, progress::Silent, store::{Folder, Settings, Store}};
/// # let store_folder = Folder::new(&at("store"));
/// # Store::create(&store_folder, Settings::default())?;
/// # let batch = IngestOptions::new(at("input"), "2026-01-01".parse::<Day>()?);
/// # Ingester::open(&store_folder, &Silent)?.ingest(&batch, &Silent)?;
/// # use lookback::produce::{ProduceOptions, produce};
/// # let store = Store::open_reader(&store_folder)?;
/// # produce(&store, &ProduceOptions::new(at("input"), "2026-01-02".parse::<Day>()?, at("out")), &Silent)?;
/// use lookback::output::{PartitionFolder, ProducedFile};
/// use lookback::resources::{Cancel, Resources};
///
/// let out = Resources::default().place(&at("out"))?;
/// for file in PartitionFolder::new(&out, "2026-01-02".parse()?).files()? {
///     let mut rows = ProducedFile::open(&file, &Cancel::default())?.read(None)?;
///     while let Some(row) = rows.take()? {
///         assert_eq!((row.customer_id, &row.actions[..3]), (7, &[12, 11, 0][..]));
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct ProducedFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    columns: RowColumns,
    /// Checked before each batch of rows.
    pub(super) cancel: Cancel,
}

impl ProducedFile {
    /// Opens a part file for reading until `cancel` requests a stop. Fails if it is not Parquet, or if its columns
    /// differ from the contract.
    pub fn open(placed: &PlacedFile, cancel: &Cancel) -> Result<Self> {
        let (path, file) = (placed.path(), placed.open()?);
        let metadata = guarded(path, || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
        let Some(columns) = columns_of(metadata.schema()) else {
            let names = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
            let found = names(&mut metadata.schema().fields().iter().map(|field| field.name().as_str()));
            let wanted = names(&mut RowColumns::default().list().into_iter().map(RowColumn::name));
            return Err(Error::input(
                format!("the file {} has the columns {found}, not {wanted}", path.shown()),
                message!["produce the day again with ", [Produce]],
            ));
        };
        Ok(ProducedFile { path: path.to_owned(), file, metadata, columns, cancel: cancel.clone() })
    }

    /// The columns of the file.
    pub fn columns(&self) -> RowColumns {
        self.columns
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of rows by the footer.
    pub fn rows(&self) -> u64 {
        self.metadata.metadata().file_metadata().num_rows().max(0).cast_unsigned()
    }

    /// Returns a value of its key-value metadata.
    pub fn metadata_value(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// Passes the customer and index (from 0) of every row to `take`. Memory: 65,536 customers and one page.
    pub fn customers(&self, mut take: impl FnMut(usize, i64)) -> Result<()> {
        let mask = ProjectionMask::columns(self.metadata.parquet_schema(), ["customer_id"]);
        let mut reader = self.reader(|builder| builder.with_projection(mask).with_batch_size(CUSTOMER_ROWS))?;
        let mut index = 0;
        while let Some(batch) = guarded(&self.path, || reader.next().transpose())? {
            self.cancel.check()?;
            let numbers: Vec<u64> = (index as u64 + 1..).take(batch.num_rows()).collect();
            let cells = Cells { batch: &batch, path: &self.path, numbers: &numbers };
            for customer in cells.numbers(RowColumn::CustomerId, self.columns)? {
                take(index, customer);
                index += 1;
            }
        }
        Ok(())
    }

    /// Reads the rows in these ranges of indices, which ascend and do not touch; `None` for all rows.
    ///
    /// Memory: 256 rows, once decoded and once as returned, and one page of each column.
    pub fn read(self, ranges: Option<Vec<Range<usize>>>) -> Result<ProducedRows> {
        let total = usize_of(self.rows());
        let numbers: Box<dyn Iterator<Item = usize>> = match &ranges {
            Some(ranges) => Box::new(ranges.clone().into_iter().flatten()),
            None => Box::new(0..total),
        };
        self.rows_of(numbers, |builder| match ranges {
            Some(ranges) => {
                builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges.into_iter(), total))
            }
            None => builder,
        })
    }

    /// Returns the numbers of rows of the row groups, in order.
    pub(crate) fn row_groups(&self) -> Vec<u64> {
        let groups = self.metadata.metadata().row_groups();
        groups.iter().map(|group| group.num_rows().max(0).cast_unsigned()).collect()
    }

    /// Reads the rows of one row group, the first of which has this index in the file. Memory: as [`Self::read`].
    pub(crate) fn read_row_group(&self, group: usize, first: u64) -> Result<ProducedRows> {
        self.rows_of(Box::new(usize_of(first)..), |builder| builder.with_row_groups(vec![group]))
    }

    fn rows_of(
        &self,
        numbers: Box<dyn Iterator<Item = usize>>,
        which: impl FnOnce(ParquetRecordBatchReaderBuilder<File>) -> ParquetRecordBatchReaderBuilder<File>,
    ) -> Result<ProducedRows> {
        let reader = self.reader(|builder| which(builder.with_batch_size(BATCH_ROWS)))?;
        let (columns, path, decoded) = (self.columns, self.path.clone(), Vec::new().into_iter());
        Ok(ProducedRows { columns, path, reader, numbers, decoded, cancel: self.cancel.clone() })
    }

    pub(super) fn parquet_schema(&self) -> &SchemaDescriptor {
        self.metadata.parquet_schema()
    }

    pub(super) fn reader(
        &self,
        settings: impl FnOnce(ParquetRecordBatchReaderBuilder<File>) -> ParquetRecordBatchReaderBuilder<File>,
    ) -> Result<ParquetRecordBatchReader> {
        let file = self.file.try_clone().map_err(|error| Error::io("open", &self.path, error))?;
        let metadata = self.metadata.clone();
        guarded(&self.path, || settings(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)).build())
    }
}

/// The rows of one file, in order. After an error, no more rows follow.
pub struct ProducedRows {
    path: PathBuf,
    columns: RowColumns,
    reader: ParquetRecordBatchReader,
    /// The indices of the remaining rows.
    numbers: Box<dyn Iterator<Item = usize>>,
    decoded: std::vec::IntoIter<ProducedRow>,
    cancel: Cancel,
}

impl ProducedRows {
    /// Returns the next row; `None` at the end. Fails, naming row and column, at a null that the contract forbids.
    pub fn take(&mut self) -> Result<Option<ProducedRow>> {
        loop {
            if let Some(row) = self.decoded.next() {
                return Ok(Some(row));
            }
            self.cancel.check()?;
            let Some(batch) = guarded(&self.path, || self.reader.next().transpose())? else { return Ok(None) };
            self.decoded = self.rows(&batch)?.into_iter();
        }
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<ProducedRow>> {
        let numbers: Vec<u64> = self.numbers.by_ref().take(batch.num_rows()).map(|index| index as u64 + 1).collect();
        let cells = Cells { batch, path: &self.path, numbers: &numbers };
        let with = self.columns.with;
        let days = with.has(ExtraColumn::Dt).then(|| cells.text("dt", false)).transpose()?;
        let ranking_ids = cells.text("ranking_id", true)?;
        let numbers_of = |column| cells.numbers(column, self.columns);
        let lists_of = |column| cells.lists(column, self.columns);
        let (customers, items) = (numbers_of(RowColumn::CustomerId)?, numbers_of(RowColumn::ImpressionItemId)?);
        let (positions, labels) = (numbers_of(RowColumn::ImpressionPos)?, numbers_of(RowColumn::Label)?);
        let (actions, action_types) = (lists_of(RowColumn::Actions)?, lists_of(RowColumn::ActionTypes)?);
        let extra = |column: ExtraColumn| with.has(column).then_some(column.column());
        let lengths = extra(ExtraColumn::HistoryLength).map(numbers_of).transpose()?;
        let ages = extra(ExtraColumn::ActionAges).map(lists_of).transpose()?;
        let times = extra(ExtraColumn::ActionTimes).map(lists_of).transpose()?;
        let cell = |column: &[i64], index: usize| column.get(index).copied().held("each row has a cell in each column");
        let rows = numbers.iter().enumerate().map(|(index, row)| {
            Ok(ProducedRow {
                row: *row,
                dt: days.as_ref().map(|days| days.value(index).to_owned()),
                ranking_id: ranking_ids.is_valid(index).then(|| ranking_ids.value(index).to_owned()),
                customer_id: cell(&customers, index)?,
                impression_pos: small(cell(&positions, index)?)?,
                impression_item_id: cell(&items, index)?,
                label: small(cell(&labels, index)?)?,
                actions: integers(&actions.value(index)),
                action_types: all_small(&action_types.value(index))?,
                history_length: lengths.as_ref().map(|lengths| small(cell(lengths, index)?)).transpose()?,
                action_ages: ages.as_ref().map(|ages| all_small(&ages.value(index))).transpose()?,
                action_times: times.as_ref().map(|times| integers(&times.value(index))),
            })
        });
        rows.collect()
    }
}

/// Returns which columns a file has; `None` if they are not those of training rows.
fn columns_of(schema: &SchemaRef) -> Option<RowColumns> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let with: ExtraColumns = ExtraColumn::ALL.into_iter().filter(|column| names.contains(&column.name())).collect();
    let type_of = |column: RowColumn| schema.field_with_name(column.name()).ok().map(|field| field.data_type());
    let item_type = match type_of(RowColumn::ImpressionItemId)? {
        DataType::Int32 => ItemType::Int32,
        _ => ItemType::Int64,
    };
    let type_type = match type_of(RowColumn::ActionTypes)? {
        DataType::List(element) if *element.data_type() == DataType::UInt8 => TypeType::Uint8,
        _ => TypeType::Int32,
    };
    let columns = RowColumns { with, item_type, type_type };
    columns.list().into_iter().map(RowColumn::name).eq(names).then_some(columns)
}

/// Converts an integer of a column of 32 bits or fewer.
fn small(number: i64) -> Result<i32> {
    i32::try_from(number).held("a column of 32 bits has no larger integers")
}

fn all_small(array: &ArrayRef) -> Result<Vec<i32>> {
    integers(array).into_iter().map(small).collect()
}

/// Returns the integers of an array of any type that rows have.
pub(super) fn integers(array: &ArrayRef) -> Vec<i64> {
    match array.data_type() {
        DataType::Int32 => array.as_primitive::<Int32Type>().values().iter().copied().map(i64::from).collect(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().values().iter().copied().map(i64::from).collect(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().values().to_vec(),
        _ => array.as_primitive::<Int64Type>().values().to_vec(),
    }
}

/// Typed access to the columns of one batch, without nulls.
pub(super) struct Cells<'batch> {
    pub batch: &'batch RecordBatch,
    pub path: &'batch Path,
    /// The numbers of the rows in the file, from 1.
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
        match self.numbers.get(index).held("each row of a batch has a number") {
            Ok(row) => Error::input(
                format!("the file {} row {row} column {name} {what}", self.path.shown()),
                message!["produce the day again with ", [Produce]],
            ),
            Err(error) => error,
        }
    }

    /// Returns a column of integers.
    pub(super) fn numbers(&self, column: RowColumn, columns: RowColumns) -> Result<Vec<i64>> {
        Ok(integers(self.column(column.name(), &data_type(columns.type_of(column).cell))?))
    }

    fn text(&self, name: &str, nullable: bool) -> Result<StringArray> {
        let found = column(self.batch, name, self.path)?;
        let text = text_column(found).ok_or_else(|| wrong_type(self.path, name, found.data_type(), "text"))?;
        if !nullable {
            self.without_null(name, &text)?;
        }
        Ok(text)
    }

    /// Returns a column of lists of integers.
    pub(super) fn lists(&self, column_: RowColumn, columns: RowColumns) -> Result<ListArray> {
        let (name, element) = (column_.name(), data_type(columns.type_of(column_).cell));
        let found = column(self.batch, name, self.path)?;
        let wrong = || wrong_type(self.path, name, found.data_type(), &format!("a list of {element}"));
        let lists = found.as_list_opt::<i32>().filter(|lists| lists.value_type() == element).ok_or_else(wrong)?;
        self.without_null(name, lists)?;
        if lists.values().null_count() > 0 {
            // A null outside all lists, which arrays may have, is reported for the first row.
            let index = (0..lists.len()).find(|index| lists.value(*index).null_count() > 0).unwrap_or(0);
            return Err(self.null(index, name, "holds a null"));
        }
        Ok(lists.clone())
    }
}
