//! What a version names of a checkpoint of a store.

use std::path::PathBuf;

use rocksdb::DB;

use super::document::Origin;
use super::upload::LocalFile;
use crate::error::{Error, Result};
use crate::format::{IdsRecord, Key, Record as _};
use crate::model::Ids;
use crate::storage::{fresh, regular_file};
use crate::store::engine::failure::failure;
use crate::store::folder::Folder;

impl Origin {
    /// Returns what a checkpoint is of, for a run of its own.
    pub(crate) fn of(db: &DB, store: &Folder) -> Result<Origin> {
        let record = db.get(Key::Store.encode()).map_err(|error| failure("read", store, error))?;
        let version = record.and_then(|bytes| bytes.first().copied());
        let format_version = version.ok_or_else(|| Error::corrupt("the store does not record its format version"))?;
        let path = db.path().join("IDENTITY");
        let identity = regular_file::read(&path).map_err(|error| Error::io("read", &path, error))?;
        Ok(Origin {
            run: fresh::drawn()?,
            lookback: env!("CARGO_PKG_VERSION").to_owned(),
            store: String::from_utf8_lossy(&identity).trim().to_owned(),
            format_version,
        })
    }
}

/// Returns what ids are in the input of a store, as a checkpoint of it has them.
pub(crate) fn ids_of(db: &DB, store: &Folder) -> Result<Ids> {
    let record = db.get(Key::Ids.encode()).map_err(|error| failure("read", store, error))?;
    record.map_or(Ok(Ids::default()), |bytes| IdsRecord::from_bytes(&bytes)?.ids())
}

impl LocalFile {
    /// Returns the files of a checkpoint that a store consists of: its table files, and what names them.
    pub(crate) fn of(db: &DB, store: &Folder) -> Result<Vec<Self>> {
        let folder: PathBuf = db.path().to_owned();
        let file =
            |name: &str, is_bundled| LocalFile { name: format!("db/{name}"), path: folder.join(name), is_bundled };
        let current = folder.join("CURRENT");
        let manifest = regular_file::read(&current).map_err(|error| Error::io("read", &current, error))?;
        let manifest = String::from_utf8_lossy(&manifest).trim_end().to_owned();
        let mut files: Vec<LocalFile> = ["CURRENT", &manifest, "IDENTITY"].map(|name| file(name, true)).into();
        let tables = db.live_files().map_err(|error| failure("read", store, error))?;
        files.extend(tables.iter().map(|table| file(table.name.trim_start_matches('/'), false)));
        files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }
}
