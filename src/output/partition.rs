//! One output partition on its way: the parts, the manifest beside them, and the moment when all of it appears.
//!
//! 1. Everything is written below `OUT/.dt=D.staging-<drawn>/`, a folder that its process holds a lock on.
//! 2. The parts are fsynced, then the manifest, then `_SUCCESS`.
//! 3. The folder takes the place of `OUT/dt=D` in one step (see [`crate::storage::publish`]), if that is lookback's (see
//!    [`super::folder`]).
//!
//! Folders that a killed run left behind bear no lock; the next run for the same day removes them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::check::check_sizes;
use super::folder::{check_replaceable, claim, give_up};
use super::manifest_file::{MANIFEST, read_manifest, write_manifest};
use super::rows::RowSchema;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::model::Day;
use crate::storage::fresh;
use crate::storage::sync;
use crate::storage::{is_left_behind, lock, put_in_place};
use crate::text::Shown;

pub(super) const SUCCESS: &str = "_SUCCESS";

/// Where the partition of a day stands, or will stand.
#[derive(Clone, Debug)]
pub struct PartitionFolder {
    out: PathBuf,
    dt: Day,
}

impl PartitionFolder {
    /// The partition of `dt` below `out`; touches nothing.
    pub fn new(out: &Path, dt: Day) -> Self {
        PartitionFolder { out: out.to_owned(), dt }
    }

    /// `OUT/dt=D`.
    pub fn path(&self) -> PathBuf {
        self.out.join(format!("dt={}", self.dt))
    }

    /// The day.
    pub fn dt(&self) -> Day {
        self.dt
    }

    /// What the partition says of itself. Fails where there is none, or where its manifest is missing, damaged or of another day.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.path();
        if !path.is_dir() {
            return Err(Error::input(
                format!("there is no partition of {} in {}", self.dt, self.out.shown()),
                "check --out and --dt, or produce the day with `lookback produce`",
            ));
        }
        self.read_manifest().map_err(|reason| {
            Error::input(
                format!("the manifest {} cannot be used ({reason})", path.join(MANIFEST).shown()),
                "produce the day again with `lookback produce` or `lookback backfill`",
            )
        })
    }

    /// The same, with the reason as a phrase.
    pub(super) fn read_manifest(&self) -> Result<Manifest, String> {
        read_manifest(&self.path()).and_then(|manifest| match manifest.dt == self.dt {
            true => Ok(manifest),
            false => Err(format!("it is that of {}", manifest.dt)),
        })
    }

    /// Whether the partition is there, complete, and was produced from inputs of this fingerprint, so that producing it again would change no byte.
    /// Of the part files, names and sizes are looked at.
    pub fn holds(&self, inputs: &str) -> bool {
        let manifest = self.manifest();
        let current = manifest.is_ok_and(|manifest| manifest.inputs == inputs && check_sizes(self, &manifest).is_ok());
        current && self.path().join(SUCCESS).is_file()
    }
}

impl PartitionFolder {
    /// Removes what killed runs for the day have left beside the partition.
    pub fn tidy_up(&self) -> Result<()> {
        let _turn = lock(&self.out)?;
        self.remove_left_behind()
    }

    /// The lock on the folder of the output must be held.
    fn remove_left_behind(&self) -> Result<()> {
        let out = &self.out;
        for entry in fs::read_dir(out).map_err(|error| Error::io("list", out, &error))? {
            let entry = entry.map_err(|error| Error::io("list", out, &error))?;
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

    /// Every Parquet file in the partition, by name, but for the manifest, which has no rows.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let path = self.path();
        let mut files = Vec::new();
        for entry in fs::read_dir(&path).map_err(|error| Error::io("list", &path, &error))? {
            let found = entry.map_err(|error| Error::io("list", &path, &error))?.path();
            let is_data = found.extension().is_some_and(|extension| extension == "parquet");
            if is_data && found.file_name().is_some_and(|name| name != MANIFEST) {
                files.push(found);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The partitions below `out`, days ascending: every folder that is named as one, whatever is in it.
pub fn partitions(out: &Path) -> Result<Vec<PartitionFolder>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(out).map_err(|error| Error::io("list", out, &error))? {
        let entry = entry.map_err(|error| Error::io("list", out, &error))?;
        let name = entry.file_name();
        let day = name.to_str().and_then(|name| name.strip_prefix("dt=")).and_then(|day| day.parse::<Day>().ok());
        days.extend(day.filter(|_| entry.path().is_dir()));
    }
    days.sort_unstable();
    Ok(days.into_iter().map(|day| PartitionFolder::new(out, day)).collect())
}

/// A partition being written. Dropped before `publish`, it leaves no trace.
pub struct Partition {
    folder: PartitionFolder,
    staging: PathBuf,
    is_published: bool,
    /// Held for as long as the staging folder is in use.
    _lock: File,
}

impl Partition {
    /// Begins a partition and removes what killed runs for the same day left behind. Refused where the folder of the
    /// output, or what stands in the place of the partition, is not lookback's.
    pub fn begin(folder: PartitionFolder) -> Result<Self> {
        // One process at a time tidies up and begins, or it might take a folder not locked yet for one left behind.
        let staged = claim(&folder.out).and_then(|_turn| {
            folder.remove_left_behind()?;
            check_replaceable(&folder)?;
            let staging = fresh::folder(&folder.out, &folder.staging_prefix())?;
            Ok((lock(&staging)?, staging))
        });
        let (held, staging) = staged.inspect_err(|_| give_up(&folder.out))?;
        let partition = Partition { folder, staging, is_published: false, _lock: held };
        let parts = partition.parts();
        fs::create_dir(&parts).map_err(|error| Error::io("create", &parts, &error))?;
        Ok(partition)
    }

    /// Where the parts go.
    pub fn parts(&self) -> PathBuf {
        self.staging.join("parts")
    }

    /// Room for temporary files, on the disk of the output.
    pub fn scratch(&self) -> PathBuf {
        self.staging.join("scratch")
    }

    /// Makes the partition appear, with its manifest. The parts must be complete and fsynced.
    pub fn publish(mut self, manifest: &Manifest, schema: &RowSchema) -> Result<()> {
        let parts = self.parts();
        write_manifest(&parts, manifest, schema)?;
        create_empty(&parts.join(SUCCESS))?;
        sync(&parts)?;
        // Something may have come there since it was begun.
        check_replaceable(&self.folder)?;
        put_in_place(&parts, &self.folder.path(), &self.staging.join("replaced"))?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run for the day.
        let _ = remove(&self.staging);
        if !self.is_published {
            give_up(&self.folder.out);
        }
    }
}

fn create_empty(path: &Path) -> Result<()> {
    let created = File::create(path).and_then(|file| file.sync_all());
    created.map_err(|error| Error::io("create", path, &error))
}

fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).map_err(|error| Error::io("remove", folder, &error))
}
