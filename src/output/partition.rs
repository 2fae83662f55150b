//! Writes one output partition: the parts, the manifest beside them, and the step that publishes all of it.
//!
//! 1. All files are written below `OUT/.dt=D.staging-<drawn>/`, a folder that its process holds a lock on.
//! 2. The parts are fsynced, then the manifest, then `_SUCCESS`.
//! 3. The folder replaces `OUT/dt=D` in one step (see [`crate::storage::put_in_place`]), if that folder is lookback's
//!    (see
//!    [`super::folder`]).
//!
//! Leftover folders of a killed run have no lock; the next run for the same day removes them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::folder::{check_replaceable, claim, give_up};
use super::manifest_file::write_manifest;
use super::partition_folder::{PartitionFolder, SUCCESS};
use super::rows::RowSchema;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::storage::fresh;
use crate::storage::sync;
use crate::storage::{is_left_behind, lock, put_in_place};

impl PartitionFolder {
    /// Removes the leftovers of killed runs for the day beside the partition.
    pub(crate) fn tidy_up(&self) -> Result<()> {
        let _turn = lock(&self.out)?;
        self.remove_left_behind()
    }

    /// The caller must hold the lock on the output folder.
    fn remove_left_behind(&self) -> Result<()> {
        let out = &self.out;
        for entry in fs::read_dir(out).map_err(|error| Error::io("list", out, error))? {
            let entry = entry.map_err(|error| Error::io("list", out, error))?;
            let is_staging = fresh::is_drawn(&entry.file_name().to_string_lossy(), &self.staging_prefix());
            if is_staging && is_left_behind(&entry.path()) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn staging_prefix(&self) -> String {
        format!(".dt={}.staging-", self.dt)
    }
}

/// A partition being written. If it is dropped before `publish`, it leaves no trace.
pub struct Partition {
    folder: PartitionFolder,
    staging: PathBuf,
    is_published: bool,
    /// Held as long as the staging folder is in use.
    _lock: File,
}

impl Partition {
    /// Starts a partition and removes the leftovers of killed runs for the same day. Fails if the output folder, or
    /// what exists at the partition's path, is not lookback's.
    pub fn begin(folder: PartitionFolder) -> Result<Self> {
        // One process at a time cleans up and starts; else it could take a new folder without a lock for a leftover.
        let staged = claim(&folder.out).and_then(|_turn| {
            folder.remove_left_behind()?;
            check_replaceable(&folder)?;
            let staging = fresh::folder(&folder.out, &folder.staging_prefix())?;
            Ok((lock(&staging)?, staging))
        });
        let (held, staging) = staged.inspect_err(|_| give_up(&folder.out))?;
        let partition = Partition { folder, staging, is_published: false, _lock: held };
        let parts = partition.parts();
        fs::create_dir(&parts).map_err(|error| Error::io("create", &parts, error))?;
        Ok(partition)
    }

    /// The folder of the parts.
    pub fn parts(&self) -> PathBuf {
        self.staging.join("parts")
    }

    /// The folder for temporary files, on the disk of the output.
    pub fn scratch(&self) -> PathBuf {
        self.staging.join("scratch")
    }

    /// Publishes the partition with its manifest. The parts must be complete and fsynced.
    pub fn publish(mut self, manifest: &Manifest, schema: &RowSchema) -> Result<()> {
        let parts = self.parts();
        write_manifest(&parts, manifest, schema)?;
        create_empty(&parts.join(SUCCESS))?;
        sync(&parts)?;
        // Another program may have written there since the start.
        check_replaceable(&self.folder)?;
        put_in_place(&parts, &self.folder.path(), &self.staging.join("replaced"))?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        // The next run for the day removes what this run cannot.
        let _ = remove(&self.staging);
        if !self.is_published {
            give_up(&self.folder.out);
        }
    }
}

fn create_empty(path: &Path) -> Result<()> {
    let created = File::create(path).and_then(|file| file.sync_all());
    created.map_err(|error| Error::io("create", path, error))
}

fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).map_err(|error| Error::io("remove", folder, error))
}
