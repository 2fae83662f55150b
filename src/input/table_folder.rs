//! Folders of table formats: a log lists the valid files, so that reading all files would read deleted and replaced
//! rows too.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
use crate::text::Shown;

/// The log at the top of a table's folder, and the table format it shows.
const LOGS: [(&str, &str); 3] =
    [("_delta_log", "a Delta table"), (".hoodie", "a Hudi table"), ("_spark_metadata", "the output of a Spark stream")];

/// The suffix of the files of Iceberg's log; they lie in `metadata`, beside `data`.
const ICEBERG: &str = ".metadata.json";

/// Fails if a folder, or any folder above it, is a table; for the root, which may lie inside a table.
pub(super) fn refuse_above(folder: &Path) -> Result<()> {
    // The real path: the given path may begin in the middle of the table. The caller reports a missing folder.
    let Ok(real) = fs::canonicalize(folder) else { return Ok(()) };
    real.ancestors().try_for_each(refuse)
}

/// Fails if a folder is a table.
pub(super) fn refuse(folder: &Path) -> Result<()> {
    for (log, kind) in LOGS {
        if is_there(&folder.join(log))? {
            return Err(refused(folder, kind, log));
        }
    }
    if is_there(&folder.join("metadata"))? && is_there(&folder.join("data"))? && has_iceberg_log(folder)? {
        return Err(refused(folder, "an Iceberg table", &format!("metadata/*{ICEBERG}")));
    }
    Ok(())
}

fn refused(folder: &Path, kind: &str, log: &str) -> Error {
    Error::input(
        format!(
            "{} is {kind} (it has {log}), not a plain folder of files: it may hold deleted files beside the valid ones",
            folder.shown()
        ),
        "write its content to plain Parquet with a reader of such tables (Spark, DuckDB, delta-rs, PyIceberg), and name that folder",
    )
}

fn is_there(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        // The user may have no access to folders above the root.
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::NotADirectory, ErrorKind::PermissionDenied].contains(&error.kind()) =>
        {
            Ok(false)
        }
        Err(error) => Err(Error::io("look for", path, error)),
    }
}

fn has_iceberg_log(folder: &Path) -> Result<bool> {
    let metadata = folder.join("metadata");
    let entries = match fs::read_dir(&metadata) {
        Err(error) if [ErrorKind::NotADirectory, ErrorKind::PermissionDenied].contains(&error.kind()) => {
            return Ok(false);
        }
        entries => entries.map_err(|error| Error::io("list", &metadata, error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", &metadata, error))?;
        if entry.file_name().as_encoded_bytes().ends_with(ICEBERG.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}
