//! One Parquet file of the input, read as record batches of chosen columns.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as PhysicalType;

use super::footer::{DEPTH_MAX, schema_depth};
use super::guard::guard;
use super::layout::DayFile;
use super::page_header::largest_page;
use crate::error::{Error, Result};
use crate::memory;

/// An open Parquet file whose columns are known and not yet read.
pub struct ParquetFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Opens a data file and reads its schema. Refuses files whose name says that they are something else.
    pub fn open(day_file: &DayFile) -> Result<Self> {
        let path = &day_file.path;
        let lower = day_file.name.to_lowercase();
        if ![".parquet", ".parq", ".pq"].iter().any(|ending| lower.ends_with(ending)) {
            return Err(Error::input(
                format!("the file {} is of no kind that is read (its name does not end in .parquet)", path.display()),
                "rename it if it is Parquet; begin its name with _ or . if it is no data",
            ));
        }
        let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
        if schema_depth(&file).is_some_and(|depth| depth > DEPTH_MAX) {
            return Err(unreadable(path, &format!("its columns are nested more than {DEPTH_MAX} levels deep")));
        }
        let load = || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).and_then(with_int96_as_instants);
        let metadata = guarded(path, load)?;
        Ok(ParquetFile { path: path.clone(), file, metadata })
    }

    /// Whether there is a top-level column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.metadata.schema().column_with_name(column).is_some()
    }

    /// A batch of the columns without any row, by which it can be told whether their types can be used. Fails where one is missing.
    pub fn without_rows(&self, columns: &[&str]) -> Result<RecordBatch> {
        if let Some(missing) = columns.iter().find(|column| !self.has(column)) {
            return Err(self.missing(missing));
        }
        Ok(RecordBatch::new_empty(Arc::clone(self.metadata.schema())))
    }

    /// The top-level columns, each with the name of its type, in the order of the file.
    pub fn columns(&self) -> Vec<(String, String)> {
        let fields = self.metadata.schema().fields().iter();
        fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect()
    }

    /// Streams the columns in batches of at most `batch_rows` rows; of a nested column, only the leaves named in `leaves`.
    ///
    /// Memory: the decoded batch and one page of each column. Refused, before it is read, where a page is larger than the process's share for
    /// one, see [`crate::memory`].
    pub fn read(self, columns: &[&str], leaves: &[&str], batch_rows: usize) -> Result<Batches> {
        for column in columns {
            if !self.has(column) {
                return Err(self.missing(column));
            }
        }
        let descriptor = self.metadata.parquet_schema();
        let wanted = descriptor.columns().iter().enumerate().filter(|(_, leaf)| match leaf.path().parts() {
            [root] => columns.contains(&root.as_str()),
            [root, .., last] => columns.contains(&root.as_str()) && leaves.contains(&last.as_str()),
            [] => false,
        });
        let mask = ProjectionMask::leaves(descriptor, wanted.map(|(index, _)| index));
        self.refuse_large_pages(&mask)?;
        let rows = self.metadata.metadata().file_metadata().num_rows();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata)
            .with_projection(mask)
            .with_batch_size(batch_rows);
        let reader = guarded(&self.path, || builder.build())?;
        Ok(Batches { path: self.path, reader, missing_rows: rows, failed: false })
    }

    fn refuse_large_pages(&self, mask: &ProjectionMask) -> Result<()> {
        let share = memory::page_bytes() as u64;
        for group in self.metadata.metadata().row_groups() {
            let columns = group.columns().iter().enumerate().filter(|(index, _)| mask.leaf_included(*index));
            for (_, column) in columns {
                let (begin, length) = guarded(&self.path, || Ok::<_, Error>(column.byte_range()))?;
                let range = (begin, begin.saturating_add(length));
                let largest = largest_page(&self.file, range, column.compression(), share);
                let largest = largest.ok_or_else(|| unreadable(&self.path, "where a page should be there is none"))?;
                // A list may have all the values of a page; each takes at least eight bytes when it is decoded.
                let is_list = column.column_descr().max_rep_level() > 0;
                let bytes = if is_list { largest.bytes.max(largest.values.saturating_mul(8)) } else { largest.bytes };
                if bytes > share {
                    return Err(Error::input(
                        format!(
                            "the file {} has a page of {bytes} bytes in column {}, more than there is room for ({share})",
                            self.path.display(),
                            column.column_path().string()
                        ),
                        format!("write it with smaller pages, or give --memory-limit {}", bytes.saturating_mul(16)),
                    ));
                }
            }
        }
        Ok(())
    }

    fn missing(&self, column: &str) -> Error {
        let names: Vec<&str> = self.metadata.schema().fields().iter().map(|field| field.name().as_str()).collect();
        Error::input(
            format!("the file {} has no column {column} (it has: {})", self.path.display(), names.join(", ")),
            "write the file with that column",
        )
    }
}

/// Record batches of one file, in the order of its rows.
pub struct Batches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// How many rows the file says that it has, less those read.
    missing_rows: i64,
    /// A reader that has failed is in no state to go on.
    failed: bool,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = guarded(&self.path, || self.reader.next().transpose()).transpose();
        let batch = match batch {
            Some(Ok(batch)) => {
                self.missing_rows = self.missing_rows.saturating_sub_unsigned(batch.num_rows() as u64);
                Some(Ok(batch))
            }
            // The reader takes pages that end early for the end of the file.
            None if self.missing_rows != 0 => {
                let cause = format!("its footer and its pages differ by {} rows", self.missing_rows.unsigned_abs());
                Some(Err(unreadable(&self.path, &cause)))
            }
            batch => batch,
        };
        self.failed = matches!(batch, Some(Err(_)));
        batch
    }
}

/// A column of a batch by name. Fails where the file promised it and did not deliver.
pub fn column<'batch>(batch: &'batch RecordBatch, name: &str, path: &Path) -> Result<&'batch ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| unreadable(path, &format!("column {name} is missing")))
}

/// That a column has a type that cannot be used. `wanted` completes "needs".
pub fn wrong_type(path: &Path, column: &str, found: &DataType, wanted: &str) -> Error {
    Error::input(
        format!("the file {} has a column {column} of type {found}, which needs {wanted}", path.display()),
        "write the column with such a type",
    )
}

/// Runs a step of the reader; its error or panic names the file.
pub(super) fn guarded<T, E: std::fmt::Display>(path: &Path, read: impl FnOnce() -> Result<T, E>) -> Result<T> {
    match guard(read) {
        Ok(result) => result.map_err(|error| unreadable(path, &error.to_string())),
        Err(panic) => Err(unreadable(path, &panic)),
    }
}

fn unreadable(path: &Path, cause: &str) -> Error {
    Error::input(
        format!("the file {} cannot be read as Parquet ({cause})", path.display()),
        "write the file anew, or begin its name with _ if it is no data",
    )
}

/// Gives INT96 columns the type "microseconds since 1970-01-01 UTC".
///
/// INT96 carries no zone, but what Spark writes so is an instant (`spark.sql.parquet.outputTimestampType`), and read as nanoseconds it
/// would wrap around outside 1677 to 2262 where it has to be refused.
fn with_int96_as_instants(metadata: ArrowReaderMetadata) -> parquet::errors::Result<ArrowReaderMetadata> {
    let descriptor = metadata.parquet_schema();
    let mut is_int96 = vec![false; metadata.schema().fields().len()];
    for (index, leaf) in descriptor.columns().iter().enumerate() {
        if leaf.physical_type() == PhysicalType::INT96
            && let [_] = leaf.path().parts()
            && let Some(flag) = is_int96.get_mut(descriptor.get_column_root_idx(index))
        {
            *flag = true;
        }
    }
    if !is_int96.contains(&true) {
        return Ok(metadata);
    }
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields = metadata.schema().fields().iter().zip(is_int96).map(|(field, int96)| {
        if int96 { Arc::new(Field::new(field.name(), instant.clone(), field.is_nullable())) } else { Arc::clone(field) }
    });
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), ArrowReaderOptions::new().with_schema(schema))
}
