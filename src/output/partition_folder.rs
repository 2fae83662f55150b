//! The folder of a day's partition, and its manifest.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest_file::{MANIFEST, read_manifest};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::Day;
use crate::text::Shown;

pub(super) const SUCCESS: &str = "_SUCCESS";

/// The folder of a day's partition, which may not exist yet.
#[derive(Clone, Debug)]
pub struct PartitionFolder {
    pub(super) out: PathBuf,
    pub(super) dt: Day,
}

impl PartitionFolder {
    /// The partition of `dt` below `out`; does not access the disk.
    pub fn new(out: &Path, dt: Day) -> Self {
        PartitionFolder { out: out.to_owned(), dt }
    }

    /// `OUT/dt=D`.
    pub fn path(&self) -> PathBuf {
        self.out.join(format!("dt={}", self.dt))
    }

    /// The day of the partition.
    pub fn dt(&self) -> Day {
        self.dt
    }

    /// Reads the manifest. Fails if the partition is missing, or if its manifest is missing, damaged or of another day.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.path();
        if !path.is_dir() {
            return Err(Error::input(
                format!("there is no partition of {} in {}", self.dt, self.out.shown()),
                message!["check ", Out, " and ", Dt, ", or produce the day with ", [Produce]],
            ));
        }
        self.read_manifest().map_err(|reason| {
            Error::input(
                format!("the manifest {} cannot be used ({reason})", path.join(MANIFEST).shown()),
                message!["produce the day again with ", [Produce], " or ", [Backfill]],
            )
        })
    }

    /// Reads the manifest. Fails with the reason as a phrase.
    pub(super) fn read_manifest(&self) -> Result<Manifest, String> {
        read_manifest(&self.path()).and_then(|manifest| match manifest.dt == self.dt {
            true => Ok(manifest),
            false => Err(format!("it belongs to {}", manifest.dt)),
        })
    }

    /// Returns every Parquet file in the partition, by name, except the manifest, which has no rows.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let path = self.path();
        let mut files = Vec::new();
        for entry in fs::read_dir(&path).map_err(|error| Error::io("list", &path, error))? {
            let found = entry.map_err(|error| Error::io("list", &path, error))?.path();
            let is_data = found.extension().is_some_and(|extension| extension == "parquet");
            if is_data && found.file_name().is_some_and(|name| name != MANIFEST) {
                files.push(found);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Returns the partitions below `out`, by ascending day: every folder with the name of one, whatever it holds.
pub fn partitions(out: &Path) -> Result<Vec<PartitionFolder>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(out).map_err(|error| Error::io("list", out, error))? {
        let entry = entry.map_err(|error| Error::io("list", out, error))?;
        let name = entry.file_name();
        let day = name.to_str().and_then(|name| name.strip_prefix("dt=")).and_then(|day| day.parse::<Day>().ok());
        days.extend(day.filter(|_| entry.path().is_dir()));
    }
    days.sort_unstable();
    Ok(days.into_iter().map(|day| PartitionFolder::new(out, day)).collect())
}
