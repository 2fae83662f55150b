//! Checkpoints: the state of a table at a version, as Parquet, which other programs write.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::json::LineDelimitedWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::schema::types::ColumnDescriptor;

use super::action::{Line, read_lines};
use super::log::unusable;
use crate::error::{Error, Result};
use crate::input::parquet::guard::guard;
use crate::input::parquet::metadata::metadata;

/// Rows that are read at once: one action each.
const BATCH_ROWS: usize = 1_024;

/// Passes each action of a checkpoint to `take`, with the fields that matter here.
///
/// Memory: 1,024 actions, as Arrow and as JSON, and a page of each column.
pub(super) fn read(path: &Path, file: File, mut take: impl FnMut(Line)) -> Result<()> {
    let wrong = |reason: String| unusable(path, &reason);
    let known = metadata(&file).ok_or_else(|| wrong("it cannot be read as Parquet".to_owned()))?;
    let open = || {
        let known =
            ArrowReaderMetadata::try_new(Arc::new(known), ArrowReaderOptions::new().with_skip_arrow_metadata(true))?;
        let columns = known.parquet_schema().columns();
        let wanted = (0..columns.len()).filter(|number| columns.get(*number).is_some_and(|column| is_wanted(column)));
        let mask = ProjectionMask::leaves(known.parquet_schema(), wanted.collect::<Vec<_>>());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, known);
        builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()
    };
    let mut batches = guard(open).and_then(|opened| opened.map_err(|error| error.to_string())).map_err(wrong)?;
    loop {
        let next = guard(|| batches.next().transpose()).and_then(|next| next.map_err(|error| error.to_string()));
        let Some(batch) = next.map_err(wrong)? else { return Ok(()) };
        let mut json = Vec::new();
        let mut writer = LineDelimitedWriter::new(&mut json);
        let written = writer.write(&batch).and_then(|()| writer.finish());
        written.map_err(|error| Error::corrupt(format!("a checkpoint cannot be written as JSON ({error})")))?;
        read_lines(&json, &mut take).map_err(wrong)?;
    }
}

/// Whether a column belongs to the fields of [`super::action`] that a state needs.
fn is_wanted(column: &ColumnDescriptor) -> bool {
    let mut names = column.path().parts().iter().map(String::as_str);
    match (names.next(), names.next()) {
        (Some("protocol" | "metaData"), _) => true,
        (Some("add"), Some(name)) => ["path", "partitionValues", "size"].contains(&name),
        (Some("remove"), Some(name)) => ["path", "deletionTimestamp"].contains(&name),
        _ => false,
    }
}
