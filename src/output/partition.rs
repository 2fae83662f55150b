//! Writes one output partition: the parts, the manifest beside them, and the step that publishes all of it.
//!
//! 1. All files are written below `OUT/.dt=D.staging-<drawn>/`, a folder that its process holds a lock on.
//! 2. The parts are fsynced, then the manifest, then `_SUCCESS`.
//! 3. The folder replaces `OUT/dt=D` in one step (see [`crate::storage::put_in_place`]), if that folder is lookback's
//!    (see
//!    [`super::folder`]).
//!
//! In a Delta table the files go into `OUT/dt=D` one by one, beside those of older versions (see [`super::delta`]).
//!
//! Leftover folders of a killed run have no lock; the next run for the same day removes them. For an output at a URL
//! see [`super::upload`].

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::delta::DeltaPartition;
use super::folder::{check_folder, check_replaceable, claim, claim_objects, give_up};
use super::log_folder::is_delta;
use super::manifest_file::write_manifest;
use super::partition_folder::{PartitionFolder, SUCCESS};
use super::rows::RowSchema;
use super::upload::{Replaced, Upload, under_their_hashes};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::model::{RowColumns, TableFormat};
use crate::progress::Progress;
use crate::storage::{fresh, is_left_behind, lock, lock_created, put_in_place, sync};

impl PartitionFolder {
    /// Removes the leftovers of killed runs for the day beside the partition.
    pub(crate) fn tidy_up(&self) -> Result<()> {
        match self.out.objects() {
            Some((objects, _)) if !is_delta(&self.out)? => self.remove_replaced(objects),
            Some(_) => Ok(()),
            None => {
                let _turn = lock(self.out.path())?;
                self.remove_left_behind(self.out.path())
            }
        }
    }

    /// The caller must hold the lock on the folder that has the staging folders.
    fn remove_left_behind(&self, out: &Path) -> Result<()> {
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
///
/// Its files are staged beside the partition; at a URL in the folder for scratch files, from where they are uploaded.
pub struct Partition {
    folder: PartitionFolder,
    staging: PathBuf,
    /// What is at the URL when the partition is begun.
    replaced: Option<Replaced>,
    /// In a Delta table: what the table has when the partition is begun.
    delta: Option<DeltaPartition>,
    is_published: bool,
    /// Held as long as the staging folder is in use.
    _lock: File,
}

impl Partition {
    /// Starts a partition of rows with these columns and removes the leftovers of killed runs for the same day. Fails
    /// if the output folder, or what exists at the partition's path, is not lookback's; at a URL also if its store
    /// takes no conditional writes; and if the rows do not fit the Delta table.
    pub fn begin(folder: PartitionFolder, table: Option<TableFormat>, columns: RowColumns) -> Result<Self> {
        let is_delta = table == Some(TableFormat::Delta);
        let replaced = match folder.out.objects() {
            None => None,
            Some((objects, _)) => {
                claim_objects(&folder.out, objects)?;
                Some(if is_delta { Replaced::read } else { Replaced::find }(&folder, objects)?)
            }
        };
        let above = match folder.out.objects() {
            None => folder.out.path().to_owned(),
            Some((_, local)) => local.folder.join("lookback-uploads"),
        };
        // One process at a time cleans up and starts; else it could take a new folder without a lock for a leftover.
        let turn = if replaced.is_some() { lock_created(&above) } else { claim(&above) };
        let staged = turn.and_then(|_turn| {
            folder.remove_left_behind(&above)?;
            if is_delta {
                check_folder(&folder.path())?;
            } else if replaced.is_none() {
                check_replaceable(&folder)?;
            }
            let delta = is_delta.then(|| DeltaPartition::begin(&folder, columns)).transpose()?;
            let staging = fresh::folder(&above, &folder.staging_prefix())?;
            Ok((lock(&staging)?, staging, delta))
        });
        let (held, staging, delta) = staged.inspect_err(|_| give_up(&above))?;
        let partition = Partition { folder, staging, replaced, delta, is_published: false, _lock: held };
        let parts = partition.parts();
        fs::create_dir(&parts).map_err(|error| Error::io("create", &parts, error))?;
        Ok(partition)
    }

    /// The folder of the parts.
    pub fn parts(&self) -> PathBuf {
        self.staging.join("parts")
    }

    /// The folder for temporary files, on the disk of the output; at a URL on that of scratch files.
    pub fn scratch(&self) -> PathBuf {
        self.staging.join("scratch")
    }

    /// Publishes the partition with its manifest. The parts must be complete and fsynced. Returns the version of the
    /// Delta table that has the rows, if it is one.
    pub fn publish(self, manifest: &Manifest, schema: &RowSchema, progress: &dyn Progress) -> Result<Option<u64>> {
        self.publish_as(manifest, None, schema, progress)
    }

    /// Returns the bytes of the manifest at the URL that was there when the partition was begun, none if there was
    /// none; `None` for a partition on a disk.
    pub(super) fn replaced_manifest(&self) -> Option<&[u8]> {
        self.replaced.as_ref().map(Replaced::bytes)
    }

    /// Publishes the partition. `uploaded` has the statistics of its parts if these are at the URL already.
    pub(super) fn publish_as(
        mut self,
        manifest: &Manifest,
        uploaded: Option<&[String]>,
        schema: &RowSchema,
        progress: &dyn Progress,
    ) -> Result<Option<u64>> {
        let parts = self.parts();
        let (replaced, delta) = (self.replaced.take(), self.delta.take());
        let by_hash = uploaded.is_none() && (replaced.is_some() || delta.is_some());
        let named = by_hash.then(|| under_their_hashes(manifest));
        let manifest = named.as_ref().unwrap_or(manifest);
        write_manifest(&parts, manifest, schema)?;
        if let (Some(replaced), Some((objects, local))) = (replaced, self.folder.out.objects()) {
            let (folder, part_bytes) = (&self.folder, local.part_bytes);
            let upload = Upload { folder, objects, part_bytes, parts: &parts, uploaded, progress };
            return match delta {
                Some(delta) => delta.publish_at_url(&upload, manifest, &replaced).map(Some),
                None => upload.publish(manifest, &replaced).map(|()| None),
            };
        }
        if let Some(delta) = delta {
            let version = delta.publish_on_disk(&self.folder, &parts, manifest)?;
            self.is_published = true;
            return Ok(Some(version));
        }
        create_empty(&parts.join(SUCCESS))?;
        sync(&parts)?;
        // Another program may have written there since the start.
        check_replaceable(&self.folder)?;
        put_in_place(&parts, &self.folder.path(), &self.staging.join("replaced"))?;
        self.is_published = true;
        Ok(None)
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        // The next run for the day removes what this run cannot.
        let _ = remove(&self.staging);
        if !self.is_published
            && let Some(above) = self.staging.parent()
        {
            give_up(above);
        }
    }
}

fn create_empty(path: &Path) -> Result<()> {
    let created = File::create(path).and_then(|file| file.sync_all());
    created.map_err(|error| Error::io("create", path, error))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        // The process that made it has just ended, and removed it itself.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|error| Error::io("remove", folder, error)),
    }
}
