//! One Parquet file of the input, read as record batches of chosen columns.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as PhysicalType;

use super::batch_rows::fitting_rows;
use super::footer::{DEPTH_MAX, schema_depth};
use super::guard::{guarded, unreadable};
use super::uuid_columns::UuidColumns;
use crate::error::Result;
use crate::exact::Held;
use crate::input::layout::DayFile;
use crate::input::shape::{self, Shape};
use crate::input::subject::Subject;
use crate::input::wanted::Wanted;
use crate::resources::Resources;
use crate::sources::Int96;

/// An open Parquet file whose columns are known, before its rows are read.
pub(crate) struct ParquetFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    uuids: UuidColumns,
}

impl ParquetFile {
    /// Opens a file and reads its schema. For `int96` see [`crate::input::read_options::ReadOptions`].
    pub(crate) fn open(day_file: &DayFile, int96: Option<Int96>) -> Result<Self> {
        let path = &day_file.path;
        let file = day_file.open()?;
        if schema_depth(&file).is_some_and(|depth| depth > DEPTH_MAX) {
            return Err(unreadable(path, format!("its columns are nested more than {DEPTH_MAX} levels deep")));
        }
        let load = || {
            let read =
                |skip| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new().with_skip_arrow_metadata(skip));
            // A file may also have the schema of the program that wrote it, with types that the reader does not know.
            // The columns alone decide.
            let metadata = read(false).or_else(|error| read(true).map_err(|_| error))?;
            with_int96(metadata, int96)
        };
        let metadata = guarded(path, load)?;
        let uuids = UuidColumns::of(metadata.parquet_schema());
        Ok(ParquetFile { path: path.clone(), file, metadata, uuids })
    }

    /// Whether there is a column of this name, or in elements of the list that is exploded.
    pub(in crate::input) fn has(&self, column: &str, explode: Option<&str>) -> bool {
        shape::has(self.metadata.schema(), column, explode)
    }

    /// Returns a batch of the columns without rows, to check the types in which they are read, as [`Shape::flatten`]
    /// gives it. Fails if a column is missing or there twice.
    pub(in crate::input) fn without_rows(&self, wanted: &[Wanted<'_>], explode: Option<&str>) -> Result<RecordBatch> {
        let shape = self.shape(wanted, explode)?;
        let roots = self.metadata.schema().fields().iter().filter(|field| shape.has_root(field.name()));
        let roots = RecordBatch::new_empty(Arc::new(Schema::new(roots.map(Arc::clone).collect::<Vec<_>>())));
        let roots = guarded(&self.path, || self.uuids.as_text(roots))?;
        if shape.is_flat() { Ok(roots) } else { shape.flatten(&roots).held("a schema has the columns found in it") }
    }

    /// Returns the top-level columns in file order, each with the name of its type.
    pub(crate) fn columns(&self) -> Vec<(String, String)> {
        let fields = self.metadata.schema().fields().iter();
        fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect()
    }

    /// Returns where the columns are. Fails if one is missing, unless it is optional, or there twice.
    pub(in crate::input) fn shape(&self, wanted: &[Wanted<'_>], explode: Option<&str>) -> Result<Shape> {
        Shape::of(Subject::File(&self.path), self.metadata.schema(), wanted, explode)
    }

    /// Streams the columns in batches of at most `batch_rows` records; of structs and lists, only the wanted fields. A
    /// missing optional column is left out. UUIDs become their text.
    ///
    /// Memory: the decoded batch and one page of each column; each is at most the budget for a page, see
    /// [`Resources::page_bytes`]. Batches of large values have fewer rows; a page or a list that exceeds the budget is
    /// an error before it is read.
    pub(in crate::input) fn read(self, shape: &Shape, batch_rows: usize, resources: &Resources) -> Result<Batches> {
        let descriptor = self.metadata.parquet_schema();
        let wanted = descriptor.columns().iter().enumerate().filter(|(_, leaf)| shape.has_leaf(leaf.path().parts()));
        let mask = ProjectionMask::leaves(descriptor, wanted.map(|(index, _)| index));
        let batch_rows = fitting_rows(&self.path, &self.file, self.metadata.metadata(), &mask, batch_rows, resources)?;
        let rows = self.metadata.metadata().file_metadata().num_rows();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata)
            .with_projection(mask)
            .with_batch_size(batch_rows);
        let reader = guarded(&self.path, || builder.build())?;
        Ok(Batches { path: self.path, reader, uuids: self.uuids, missing_rows: rows, failed: false })
    }
}

/// The record batches of one file, in the order of its rows.
pub(crate) struct Batches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    uuids: UuidColumns,
    /// The rows that the file announces, less the rows read.
    missing_rows: i64,
    /// A reader that has failed must not be used again.
    failed: bool,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = || self.reader.next().transpose()?.map(|batch| self.uuids.as_text(batch)).transpose();
        let batch = guarded(&self.path, next).transpose();
        let batch = match batch {
            Some(Ok(batch)) => {
                self.missing_rows = self.missing_rows.saturating_sub_unsigned(batch.num_rows() as u64);
                Some(Ok(batch))
            }
            // The reader mistakes a page that ends early for the end of the file.
            None if self.missing_rows != 0 => {
                let cause = format!("its footer and its pages differ by {} rows", self.missing_rows.unsigned_abs());
                Some(Err(unreadable(&self.path, cause)))
            }
            batch => batch,
        };
        self.failed = matches!(batch, Some(Err(_)));
        batch
    }
}

/// Returns a column of a batch by name. Fails if the batch lacks it, although the file announced it.
pub(crate) fn column<'batch>(batch: &'batch RecordBatch, name: &str, path: &Path) -> Result<&'batch ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| unreadable(path, format!("column {name} is missing")))
}

/// Reads INT96 columns as the type "microseconds since 1970-01-01 UTC", or on the wall clock.
///
/// INT96 carries no zone. Spark writes instants (`spark.sql.parquet.outputTimestampType`), Impala writes wall time (its
/// `convert_legacy_hive_parquet_utc_timestamps` is for reading the times of other programs). As nanoseconds, times
/// outside 1677 to 2262 would wrap around; they must be refused.
fn with_int96(metadata: ArrowReaderMetadata, int96: Option<Int96>) -> parquet::errors::Result<ArrowReaderMetadata> {
    let descriptor = metadata.parquet_schema();
    let mut int96s: Vec<Vec<bool>> = vec![Vec::new(); metadata.schema().fields().len()];
    for (index, leaf) in descriptor.columns().iter().enumerate() {
        if let Some(of_root) = int96s.get_mut(descriptor.get_column_root_idx(index)) {
            of_root.push(leaf.physical_type() == PhysicalType::INT96);
        }
    }
    if !int96s.iter().any(|of_root| of_root.contains(&true)) {
        return Ok(metadata);
    }
    let writer = metadata.metadata().file_metadata().created_by().unwrap_or_default();
    let zone = match int96.unwrap_or_else(|| Int96::of_writer(writer)) {
        Int96::Utc => Some("UTC".into()),
        Int96::WallTime => None,
    };
    let instant = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let fields = metadata.schema().fields().iter().zip(int96s);
    let fields = fields.map(|(field, int96s)| with_leaves(field, &mut int96s.into_iter(), &instant));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), ArrowReaderOptions::new().with_schema(schema))
}

/// Returns a field in which the leaves that `is_int96` says have the type `instant`; it says this of each leaf in turn.
fn with_leaves(field: &FieldRef, is_int96: &mut impl Iterator<Item = bool>, instant: &DataType) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| with_leaves(field, is_int96, instant)).collect())
        }
        DataType::List(element) => DataType::List(with_leaves(element, is_int96, instant)),
        DataType::LargeList(element) => DataType::LargeList(with_leaves(element, is_int96, instant)),
        DataType::ListView(element) => DataType::ListView(with_leaves(element, is_int96, instant)),
        DataType::LargeListView(element) => DataType::LargeListView(with_leaves(element, is_int96, instant)),
        DataType::FixedSizeList(element, length) => {
            DataType::FixedSizeList(with_leaves(element, is_int96, instant), *length)
        }
        DataType::Map(entry, is_sorted) => DataType::Map(with_leaves(entry, is_int96, instant), *is_sorted),
        leaf => {
            if is_int96.next() == Some(true) {
                instant.clone()
            } else {
                leaf.clone()
            }
        }
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}
