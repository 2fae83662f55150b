//! The metadata of a Parquet file from any program: read without trusting it.

use std::fs::File;

use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};

use super::footer::{DEPTH_MAX, schema_depth};
use super::guard::guard;

/// The key of lookback's version, in every file of lookback with metadata.
pub(crate) const VERSION: &str = "lookback.version";

/// Returns the metadata of a Parquet file; `None` if it is missing or unreadable.
pub(crate) fn metadata(file: &File) -> Option<ParquetMetaData> {
    if schema_depth(file).is_none_or(|depth| depth > DEPTH_MAX) {
        return None;
    }
    guard(|| ParquetMetaDataReader::new().parse_and_finish(file)).ok()?.ok()
}

/// Whether the metadata names the version of lookback that wrote the file, as in a part file of rows.
pub(crate) fn has_version(metadata: &ParquetMetaData) -> bool {
    let pairs: &[KeyValue] = metadata.file_metadata().key_value_metadata().map_or(&[], Vec::as_slice);
    pairs.iter().any(|pair| pair.key == VERSION)
}

/// The names of the columns, in order.
pub(crate) fn column_names(metadata: &ParquetMetaData) -> impl Iterator<Item = &str> {
    metadata.file_metadata().schema().get_fields().iter().map(|field| field.name())
}
