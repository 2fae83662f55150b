//! One output partition on its way: the parts, the marks beside them, and the moment when all of it appears.
//!
//! 1. Everything is written below `OUT/.dt=D.staging-<process>/`, a folder that its process holds a lock on.
//! 2. The parts and `_SUCCESS` are fsynced.
//! 3. The mark of what stood there before goes, the folder takes the place of `OUT/dt=D` in one step (see [`super::publish`]), and its own
//!    mark is made: an empty file in `OUT/.lookback/` whose name tells from which inputs the partition was produced. A kill between these
//!    leaves a partition without a mark, which is produced again at worst.
//!
//! Folders that a killed run left behind bear no lock; the next run for the same day removes them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::publish::{is_left_behind, lock, put_in_place};
use crate::durable::sync;
use crate::error::{Error, Result};
use crate::model::Day;

const SUCCESS: &str = "_SUCCESS";

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

    /// Whether the partition is there and was produced from inputs of this fingerprint, so that producing it again would change no byte.
    pub fn holds(&self, inputs: &str) -> bool {
        self.path().join(SUCCESS).is_file() && self.marks().join(self.mark(inputs)).is_file()
    }

    /// Not in the partition's own folder, which holds nothing but what follows from its rows. Empty files, because readers such as Polars
    /// take every file with content for data.
    fn marks(&self) -> PathBuf {
        self.out.join(".lookback")
    }

    fn mark(&self, inputs: &str) -> String {
        format!("dt={}.inputs-{inputs}", self.dt)
    }

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
            let is_staging = entry.file_name().to_string_lossy().starts_with(&self.staging_prefix());
            if is_staging && is_left_behind(&entry.path()) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn staging_prefix(&self) -> String {
        format!(".dt={}.staging-", self.dt)
    }

    fn remove_mark(&self) -> Result<()> {
        let marks = self.marks();
        fs::create_dir_all(&marks).map_err(|error| Error::io("create", &marks, &error))?;
        for entry in fs::read_dir(&marks).map_err(|error| Error::io("list", &marks, &error))? {
            let entry = entry.map_err(|error| Error::io("list", &marks, &error))?;
            if entry.file_name().to_string_lossy().starts_with(&self.mark("")) {
                fs::remove_file(entry.path()).map_err(|error| Error::io("remove", &entry.path(), &error))?;
            }
        }
        sync(&marks)
    }
}

/// A partition being written. Dropped before `publish`, it leaves no trace.
pub struct Partition {
    folder: PartitionFolder,
    staging: PathBuf,
    /// Held for as long as the staging folder is in use.
    _lock: File,
}

impl Partition {
    /// Begins a partition and removes what killed runs for the same day left behind.
    pub fn begin(folder: PartitionFolder) -> Result<Self> {
        let out = &folder.out;
        fs::create_dir_all(out).map_err(|error| Error::io("create", out, &error))?;
        // One process at a time tidies up and begins, or it might take a folder not locked yet for one left behind.
        let turn = lock(out)?;
        folder.remove_left_behind()?;
        let staging = out.join(format!("{}{}", folder.staging_prefix(), std::process::id()));
        let parts = staging.join("parts");
        fs::create_dir_all(&parts).map_err(|error| Error::io("create", &parts, &error))?;
        let held = lock(&staging)?;
        drop(turn);
        Ok(Partition { folder, staging, _lock: held })
    }

    /// Where the parts go.
    pub fn parts(&self) -> PathBuf {
        self.staging.join("parts")
    }

    /// Room for temporary files, on the disk of the output.
    pub fn scratch(&self) -> PathBuf {
        self.staging.join("scratch")
    }

    /// Makes the partition appear, marked with the fingerprint of its inputs. The parts must be complete and fsynced.
    pub fn publish(self, inputs: &str) -> Result<()> {
        let parts = self.parts();
        create_empty(&parts.join(SUCCESS))?;
        sync(&parts)?;
        self.folder.remove_mark()?;
        put_in_place(&parts, &self.folder.path(), &self.staging.join("replaced"))?;
        create_empty(&self.folder.marks().join(self.folder.mark(inputs)))
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run for the day.
        let _ = remove(&self.staging);
        // Only where nothing came of it: a folder with a partition is not empty and stays.
        let _ = fs::remove_dir(&self.folder.out);
    }
}

fn create_empty(path: &Path) -> Result<()> {
    let created = File::create(path).and_then(|file| file.sync_all());
    created.map_err(|error| Error::io("create", path, &error))
}

fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).map_err(|error| Error::io("remove", folder, &error))
}
