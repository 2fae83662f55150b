//! Writing encoded row groups to part files.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::row_group::EncodedRowGroup;
use super::schema::RowSchema;
use super::settings::RowSettings;
use crate::durable::sync;
use crate::error::{Error, Result};
use crate::files::parquet_error::write_failed;

/// Writes row groups to part files of a folder, in the order in which they come.
///
/// Memory: the row group being written, and the metadata of those written to the open part.
pub struct RowWriter {
    folder: PathBuf,
    part_rows_max: usize,
    schema: Arc<RowSchema>,
    part: Option<(PathBuf, SerializedFileWriter<File>)>,
    parts: usize,
    part_rows: usize,
    rows: u64,
}

impl RowWriter {
    /// A writer into `folder`, which must exist and be empty.
    pub fn new(folder: PathBuf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Self {
        RowWriter {
            folder,
            part_rows_max: settings.sizes.part_rows,
            schema: Arc::clone(schema),
            part: None,
            parts: 0,
            part_rows: 0,
            rows: 0,
        }
    }

    /// Writes one row group. A part that would have more rows than asked for is completed before.
    pub fn append(&mut self, group: EncodedRowGroup) -> Result<()> {
        if self.part_rows > 0 && self.part_rows + group.rows > self.part_rows_max {
            self.close_part()?;
        }
        let rows = group.rows;
        let (path, part) = self.open_part()?;
        write(part, group).map_err(|error| write_failed(path, &error))?;
        self.part_rows += rows;
        self.rows += rows as u64;
        Ok(())
    }

    /// Completes the last part and fsyncs it. Without any row there is one part, with the schema alone. Gives the numbers of rows and parts.
    pub fn finish(mut self) -> Result<(u64, usize)> {
        if self.part.is_none() && self.parts == 0 {
            self.open_part()?;
        }
        self.close_part()?;
        Ok((self.rows, self.parts))
    }

    fn open_part(&mut self) -> Result<&mut (PathBuf, SerializedFileWriter<File>)> {
        let part = match self.part.take() {
            Some(part) => part,
            None => {
                let path = self.folder.join(format!("part-{:05}.parquet", self.parts));
                let file = File::create(&path).map_err(|error| Error::io("create", &path, &error))?;
                let root = self.schema.parquet().root_schema_ptr();
                let writer = SerializedFileWriter::new(file, root, self.schema.properties());
                self.parts += 1;
                (path.clone(), writer.map_err(|error| write_failed(&path, &error))?)
            }
        };
        Ok(self.part.insert(part))
    }

    fn close_part(&mut self) -> Result<()> {
        self.part_rows = 0;
        match self.part.take() {
            Some((path, writer)) => {
                writer.close().map_err(|error| write_failed(&path, &error))?;
                sync(&path)
            }
            None => Ok(()),
        }
    }
}

fn write(part: &mut SerializedFileWriter<File>, group: EncodedRowGroup) -> std::result::Result<(), ParquetError> {
    let mut to = part.next_row_group()?;
    for column in group.columns {
        column.append_to_row_group(&mut to)?;
    }
    for list in group.lists {
        to.append_column(&list.bytes, list.close)?;
    }
    to.close()?;
    Ok(())
}
