//! Writes one output partition: the parts, the manifest beside them, and the step that publishes all of it.
//!
//! 1. All files are written below `OUT/.dt=D.staging-<drawn>/`, a folder that its process holds a lock on.
//! 2. The parts are fsynced, then the manifest, then `_SUCCESS`.
//! 3. The folder replaces `OUT/dt=D` in one step (see [`crate::storage::put_in_place`]), if that folder is lookback's
//!    (see
//!    [`super::folder`]).
//!
//! Leftover folders of a killed run have no lock; the next run for the same day removes them. For an output at a URL
//! see [`super::upload`].

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::folder::{check_replaceable, claim, claim_objects, give_up};
use super::manifest_file::write_manifest;
use super::partition_folder::{PartitionFolder, SUCCESS};
use super::rows::RowSchema;
use super::upload::{Replaced, Upload, under_their_hashes};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::progress::Progress;
use crate::storage::{fresh, is_left_behind, lock, lock_created, put_in_place, sync};

impl PartitionFolder {
    /// Removes the leftovers of killed runs for the day beside the partition.
    pub(crate) fn tidy_up(&self) -> Result<()> {
        match self.out.objects() {
            Some((objects, _)) => self.remove_replaced(objects),
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
    is_published: bool,
    /// Held as long as the staging folder is in use.
    _lock: File,
}

impl Partition {
    /// Starts a partition and removes the leftovers of killed runs for the same day. Fails if the output folder, or
    /// what exists at the partition's path, is not lookback's; at a URL also if its store takes no conditional writes.
    pub fn begin(folder: PartitionFolder) -> Result<Self> {
        let replaced = match folder.out.objects() {
            None => None,
            Some((objects, _)) => {
                claim_objects(&folder.out, objects)?;
                Some(Replaced::find(&folder, objects)?)
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
            if replaced.is_none() {
                check_replaceable(&folder)?;
            }
            let staging = fresh::folder(&above, &folder.staging_prefix())?;
            Ok((lock(&staging)?, staging))
        });
        let (held, staging) = staged.inspect_err(|_| give_up(&above))?;
        let partition = Partition { folder, staging, replaced, is_published: false, _lock: held };
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

    /// Publishes the partition with its manifest. The parts must be complete and fsynced.
    pub fn publish(mut self, manifest: &Manifest, schema: &RowSchema, progress: &dyn Progress) -> Result<()> {
        let parts = self.parts();
        if let (Some(replaced), Some((objects, local))) = (self.replaced.take(), self.folder.out.objects()) {
            let manifest = under_their_hashes(manifest);
            write_manifest(&parts, &manifest, schema)?;
            return Upload { folder: &self.folder, objects, part_bytes: local.part_bytes, parts: &parts, progress }
                .publish(&manifest, &replaced);
        }
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
    fs::remove_dir_all(folder).map_err(|error| Error::io("remove", folder, error))
}
