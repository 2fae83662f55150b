//! Writes encoded row groups to part files.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;

use super::early_sync::EarlySync;
use super::row_group::{EncodedColumn, EncodedRowGroup};
use super::schema::RowSchema;
use super::settings::RowSettings;
use crate::error::{Error, Result};
use crate::input::parquet::error::write_failed;
use crate::manifest::PartFile;
use crate::model::display_utc;
use crate::storage::HashedFile;
use crate::storage::sync;

/// The key of the newest action's time in a part's key-value metadata; [`RowSettings::key_values`] has the others.
pub(crate) const NEWEST_ACTION: &str = "lookback.newest_action";

/// Writes row groups to part files of a folder, in the order in which they arrive.
///
/// Memory: the row group being written, and the metadata of the row groups already in the open part.
pub struct RowWriter {
    folder: PathBuf,
    part_rows_max: usize,
    schema: Arc<RowSchema>,
    part: Option<OpenPart>,
    part_rows: usize,
    /// The newest action of the open part's rows.
    part_newest_us: Option<i64>,
    written: Vec<PartFile>,
}

/// A part file being written.
struct OpenPart {
    path: PathBuf,
    writer: SerializedFileWriter<HashedFile>,
    early_sync: EarlySync,
}

impl RowWriter {
    /// A writer into `folder`, which must exist and be empty.
    pub fn new(folder: PathBuf, settings: &RowSettings, schema: &Arc<RowSchema>) -> Self {
        RowWriter {
            folder,
            part_rows_max: settings.sizes.part_rows,
            schema: Arc::clone(schema),
            part: None,
            part_rows: 0,
            part_newest_us: None,
            written: Vec::new(),
        }
    }

    /// Writes one row group. If the open part would exceed its limit of rows, it is completed first.
    pub fn append(&mut self, group: EncodedRowGroup) -> Result<()> {
        if self.part_rows > 0 && self.part_rows + group.rows > self.part_rows_max {
            self.close_part()?;
        }
        let (rows, newest_us) = (group.rows, group.newest_us);
        let OpenPart { path, writer, early_sync } = self.open_part()?;
        write(writer, group).map_err(|error| write_failed(path, error))?;
        let written = writer.bytes_written() as u64;
        early_sync.written(written).map_err(|error| Error::io("fsync", path, error))?;
        self.part_rows += rows;
        self.part_newest_us = self.part_newest_us.max(newest_us);
        Ok(())
    }

    /// Completes the last part and fsyncs it. Without rows there is one part, with only the schema. Returns the parts
    /// for the manifest.
    pub fn finish(mut self) -> Result<Vec<PartFile>> {
        if self.part.is_none() && self.written.is_empty() {
            self.open_part()?;
        }
        self.close_part()?;
        Ok(self.written)
    }

    fn open_part(&mut self) -> Result<&mut OpenPart> {
        let part = match self.part.take() {
            Some(part) => part,
            None => {
                let path = self.folder.join(PartFile::name_of(self.written.len()));
                let file = File::create(&path).map_err(|error| Error::io("create", &path, error))?;
                let early_sync = EarlySync::of(&file);
                let root = self.schema.parquet().root_schema_ptr();
                let writer = SerializedFileWriter::new(HashedFile::new(file), root, self.schema.properties());
                let writer = writer.map_err(|error| write_failed(&path, error))?;
                OpenPart { path, writer, early_sync }
            }
        };
        Ok(self.part.insert(part))
    }

    fn close_part(&mut self) -> Result<()> {
        let Some(OpenPart { path, mut writer, mut early_sync }) = self.part.take() else { return Ok(()) };
        let newest_action = self.part_newest_us.take().map(display_utc);
        // Absent if no row has a history.
        if let Some(newest_action) = &newest_action {
            writer.append_key_value_metadata(KeyValue::new(NEWEST_ACTION.to_owned(), newest_action.clone()));
        }
        writer.finish().map_err(|error| write_failed(&path, error))?;
        early_sync.end().map_err(|error| Error::io("fsync", &path, error))?;
        sync(&path)?;
        let (bytes, xxh3_128) = writer.inner().written();
        let rows = std::mem::take(&mut self.part_rows) as u64;
        let name = PartFile::name_of(self.written.len());
        self.written.push(PartFile { name, bytes, rows, xxh3_128, newest_action });
        Ok(())
    }
}

fn write(part: &mut SerializedFileWriter<HashedFile>, group: EncodedRowGroup) -> std::result::Result<(), ParquetError> {
    let mut to = part.next_row_group()?;
    for column in group.columns {
        match column {
            EncodedColumn::Ordinary(column) => column.append_to_row_group(&mut to)?,
            EncodedColumn::List(list) => to.append_column(&list.bytes, list.close)?,
        }
    }
    to.close()?;
    Ok(())
}
