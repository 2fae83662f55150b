//! A Parquet file that gets its name only when it is complete, so that an interrupted run leaves no half file among the
//! data: until then it has a name beginning with a dot, which no reader of such folders takes for data.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::failure::Failure;
use crate::folder::part_name;

/// A part of a day folder, being written.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: ArrowWriter<File>,
}

impl PartFile {
    /// Starts `part-<number>.parquet` in `folder`, which must exist. A leftover of an interrupted run is overwritten.
    pub fn create(folder: &Path, number: u32, schema: SchemaRef, row_group_rows: usize) -> Result<Self, Failure> {
        let name = part_name(number);
        let path = folder.join(&name);
        let temporary = folder.join(format!(".{name}.tmp"));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(row_group_rows))
            .build();
        let file = File::create(&temporary).map_err(Failure::at("create", &temporary))?;
        let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(Failure::at("write", &temporary))?;
        Ok(Self { path, temporary, writer })
    }

    /// The name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.writer.write(batch).map_err(Failure::at("write", &self.temporary))
    }

    /// Completes the file and gives it its name. It is not forced to the disk: what a power cut takes can be made
    /// again.
    pub fn publish(self) -> Result<(), Failure> {
        self.writer.close().map_err(Failure::at("write", &self.temporary))?;
        fs::rename(&self.temporary, &self.path).map_err(Failure::at("publish", &self.path))
    }
}
