//! Files of a table that its newest version does not name.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::log::modified_ms;
use super::percent::decoded;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::output::log_folder::is_delta;
use crate::output::partition_folder::PartitionFolder;
use crate::storage::{lock, sync};

/// A Parquet file in the folder of a partition.
pub(super) struct DataFile {
    /// Its name in the folder.
    pub name: String,
    pub path: PathBuf,
    /// When it was written, by the clock of the place, in milliseconds since 1970.
    pub modified_ms: i64,
}

impl PartitionFolder {
    /// Lists the Parquet files of the partition, whoever wrote them, by name.
    pub(super) fn data_files(&self) -> Result<Vec<DataFile>> {
        let is_data = |name: &str| name.ends_with(".parquet") && !name.starts_with(['_', '.']);
        let folder = self.path();
        let mut files = Vec::new();
        if let Some((objects, _)) = self.out.objects() {
            for (name, object) in self.objects(objects)? {
                if is_data(&name) {
                    files.push(DataFile { name, path: object.path, modified_ms: object.modified_ms });
                }
            }
            return Ok(files);
        }
        for entry in std::fs::read_dir(&folder).map_err(|error| Error::io("list", &folder, error))? {
            let path = entry.map_err(|error| Error::io("list", &folder, error))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
            if is_data(&name) {
                files.push(DataFile { name, modified_ms: modified_ms(&path)?, path });
            }
        }
        files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// Removes files in the folder of the partition. Durable on return.
    pub(super) fn remove_files(&self, files: &[DataFile]) -> Result<()> {
        if let Some((objects, _)) = self.out.objects() {
            return objects.remove(files.iter().map(|file| file.path.as_path()));
        }
        for DataFile { path, .. } in files {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", path, error));
                }
                _ => {}
            }
        }
        if files.is_empty() { Ok(()) } else { sync(&self.path()) }
    }

    /// Returns the names of the files in its folder that the newest version of its table has, and of those that the
    /// manifest has.
    pub(super) fn names_in_use(&self, snapshot: &Snapshot) -> BTreeSet<String> {
        let below = |path: &String| Some(decoded(path)?.strip_prefix(&format!("dt={}/", self.dt))?.to_owned());
        let mut names: BTreeSet<String> = snapshot.active.keys().filter_map(below).collect();
        if let Ok(manifest) = self.read_manifest() {
            names.extend(manifest.parts.into_iter().map(|part| part.name));
        }
        names
    }
}

/// Removes the files of a partition that only older versions of its Delta table have, whoever wrote them, and those
/// that no version has. Returns how many, and the first version that can still be read. Nothing in an output that is no
/// Delta table.
///
/// For the erasure of a customer: older versions of the day can no longer be read.
pub(crate) fn remove_remains(folder: &PartitionFolder) -> Result<Option<(usize, u64)>> {
    if !is_delta(&folder.out)? {
        return Ok(None);
    }
    let _turn = folder.out.folder().map(lock).transpose()?;
    let Some(snapshot) = Snapshot::read(&folder.out)? else { return Ok(None) };
    let in_use = folder.names_in_use(&snapshot);
    let files = folder.data_files()?.into_iter().filter(|file| !in_use.contains(&file.name)).collect::<Vec<_>>();
    folder.remove_files(&files)?;
    Ok(Some((files.len(), snapshot.version)))
}
