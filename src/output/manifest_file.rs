//! The manifest as a file of the partition: Parquet with the schema of the rows and no row, the JSON in its metadata.
//!
//! A JSON file would not do, since readers take every file in a partition's folder for data: Polars fails on any file
//! that is neither empty nor Parquet, DuckDB reads the files that match a pattern such as `*.parquet`, Spark and
//! pyarrow skip names that begin with `_`. A file with the right schema and no row harms none of them.

use std::fs::{self, File};
use std::path::Path;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;

use super::rows::RowSchema;
use crate::error::{Error, Result};
use crate::input::parquet::error::write_failed;
use crate::input::parquet::guard::guard;
use crate::manifest::{MANIFEST_BYTES_MAX, Manifest};
use crate::storage::{Place, regular_file, sync};

/// The name of the manifest file.
pub(super) const MANIFEST: &str = "_manifest.parquet";

/// The key of the JSON in the file's key-value metadata.
const KEY: &str = "lookback.manifest";

/// Writes the manifest into a partition's folder and fsyncs it.
pub(super) fn write_manifest(folder: &Path, manifest: &Manifest, schema: &RowSchema) -> Result<()> {
    let path = folder.join(MANIFEST);
    let file = File::create(&path).map_err(|error| Error::io("create", &path, error))?;
    let (json, root) = (manifest.to_json()?, schema.parquet().root_schema_ptr());
    let written = SerializedFileWriter::new(file, root, schema.properties()).and_then(|mut writer| {
        writer.append_key_value_metadata(KeyValue::new(KEY.to_owned(), json));
        writer.close()
    });
    written.map_err(|error| write_failed(&path, error))?;
    sync(&path)
}

/// Reads the manifest of the partition at `folder` in `out`. Fails, with the reason as a phrase, if it is missing or
/// was not written by lookback.
///
/// Memory: a few times the size of the file, which is at most [`MANIFEST_BYTES_MAX`].
pub(super) fn read_manifest(out: &Place, folder: &Path) -> Result<Manifest, String> {
    let path = folder.join(MANIFEST);
    if let Some((objects, _)) = out.objects() {
        let read = objects.read(&path, MANIFEST_BYTES_MAX).map_err(|error| error.what().to_string())?;
        let (bytes, _) = read.ok_or_else(|| "it is missing".to_owned())?;
        return manifest_of(&Bytes::from(bytes));
    }
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err("it is missing".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.len() > MANIFEST_BYTES_MAX {
        return Err(format!("it has {} bytes, more than any that lookback writes", metadata.len()));
    }
    let file = regular_file::open(&path).map_err(|error| error.to_string())?;
    manifest_of(&file)
}

/// Reads a manifest from the content of its file.
pub(super) fn manifest_of(file: &impl ChunkReader) -> Result<Manifest, String> {
    let read = guard(|| ParquetMetaDataReader::new().parse_and_finish(file))
        .and_then(|read| read.map_err(|error: ParquetError| error.to_string()));
    let pairs = read.map_err(|cause| format!("it cannot be read as Parquet: {}", first_line(&cause)))?;
    let pairs = pairs.file_metadata().key_value_metadata().map(Vec::as_slice).unwrap_or_default();
    let json = pairs.iter().find(|pair| pair.key == KEY).and_then(|pair| pair.value.as_deref());
    Manifest::from_json(json.ok_or_else(|| format!("it has no {KEY} in its metadata"))?)
}

fn first_line(text: &str) -> String {
    text.lines().next().into_iter().flat_map(str::chars).take(160).collect()
}
