//! Folders of table formats: a log lists the valid files, so that reading all files would read deleted and replaced
//! rows too.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
use crate::exact::Held;
use crate::storage::Place;
use crate::text::Shown;

/// The log at the top of a table's folder, and the table format it shows.
const LOGS: [(&str, &str); 3] =
    [("_delta_log", "a Delta table"), (".hoodie", "a Hudi table"), ("_spark_metadata", "the output of a Spark stream")];

/// The suffix of the files of Iceberg's log; they lie in `metadata`, beside `data`.
const ICEBERG: &str = ".metadata.json";

/// Fails if the root, or any folder above it, is a table; the root may lie inside one.
pub(super) fn refuse_above(root: &Place) -> Result<()> {
    let Some(folder) = root.folder() else {
        if let Some((table, place)) = root.above_with(&LOGS.map(|(log, _)| log))? {
            let (log, kind) = LOGS.get(place).held("one of the logs was found")?;
            return Err(refused(&table, kind, log));
        }
        return refuse(root, root.path());
    };
    // The real path: the given path may begin in the middle of the table. The caller reports a missing folder.
    let Ok(real) = fs::canonicalize(folder) else { return Ok(()) };
    real.ancestors().try_for_each(refuse_on_disk)
}

/// Fails if a folder is a table.
pub(super) fn refuse(root: &Place, folder: &Path) -> Result<()> {
    if root.folder().is_some() {
        return refuse_on_disk(folder);
    }
    let is_log = |name: &str| LOGS.iter().any(|(log, _)| *log == name) || ["metadata", "data"].contains(&name);
    let names: Vec<String> = root.entries(folder, &is_log)?.into_iter().map(|entry| entry.name).collect();
    let has = |name: &str| names.iter().any(|found| found == name);
    if let Some((log, kind)) = LOGS.iter().find(|(log, _)| has(log)) {
        return Err(refused(folder, kind, log));
    }
    let is_metadata = |name: &str| name.ends_with(ICEBERG);
    if has("metadata") && has("data") && !root.entries(&folder.join("metadata"), &is_metadata)?.is_empty() {
        return Err(refused(folder, "an Iceberg table", &format!("metadata/*{ICEBERG}")));
    }
    Ok(())
}

fn refuse_on_disk(folder: &Path) -> Result<()> {
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
