//! The folder of a day's partition, and its manifest.

use std::fs;
use std::path::PathBuf;

use super::log_folder::is_delta;
use super::manifest_file::{MANIFEST, read_manifest};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::Day;
use crate::storage::{EntryKind, Place, PlacedFile};
use crate::text::Shown;

pub(super) const SUCCESS: &str = "_SUCCESS";

/// The folder of a day's partition, which may not exist yet.
#[derive(Clone, Debug)]
pub struct PartitionFolder {
    pub(super) out: Place,
    pub(super) dt: Day,
}

impl PartitionFolder {
    /// The partition of `dt` below `out`; does not access the disk, and makes no request.
    pub fn new(out: &Place, dt: Day) -> Self {
        PartitionFolder { out: out.clone(), dt }
    }

    /// `OUT/dt=D`.
    pub fn path(&self) -> PathBuf {
        self.out.path().join(format!("dt={}", self.dt))
    }

    /// The day of the partition.
    pub fn dt(&self) -> Day {
        self.dt
    }

    /// The output that it is in.
    pub(crate) fn out(&self) -> &Place {
        &self.out
    }

    /// Whether there is something at its path: a folder, or objects below it.
    pub(crate) fn exists(&self) -> Result<bool> {
        Ok(match self.out.objects() {
            None => self.path().is_dir(),
            Some((objects, _)) => !objects.level(&self.path())?.is_empty(),
        })
    }

    /// Whether it has a manifest, usable or not.
    pub(super) fn has_manifest(&self) -> Result<bool> {
        Ok(self.out.afresh().kind(&self.path().join(MANIFEST))? == Some(EntryKind::File))
    }

    /// Whether files that the manifest does not name may lie beside its parts: those that are being replaced at a URL,
    /// and those of older versions of a Delta table.
    pub(super) fn may_have_more(&self) -> Result<bool> {
        Ok(self.out.objects().is_some() || is_delta(&self.out)?)
    }

    /// Reads the manifest. Fails if the partition is missing, or if its manifest is missing, damaged or of another day.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.path();
        if !self.exists()? {
            return Err(Error::input(
                format!("there is no partition of {} in {}", self.dt, self.out.path().shown()),
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
        read_manifest(&self.out, &self.path()).and_then(|manifest| match manifest.dt == self.dt {
            true => Ok(manifest),
            false => Err(format!("it belongs to {}", manifest.dt)),
        })
    }

    /// Returns every Parquet file in the partition, by name, except the manifest, which has no rows. At a URL and in a
    /// Delta table these are the files that the manifest names: others may lie beside them.
    pub fn files(&self) -> Result<Vec<PlacedFile>> {
        if self.may_have_more()? { self.parts(&self.manifest()?) } else { self.files_in_folder() }
    }

    fn files_in_folder(&self) -> Result<Vec<PlacedFile>> {
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
        Ok(files.into_iter().map(PlacedFile::from).collect())
    }

    /// Returns every Parquet file in the partition, by name, also those that no manifest names.
    pub(crate) fn all_files(&self) -> Result<Vec<PlacedFile>> {
        let Some((objects, _)) = self.out.objects() else { return self.files_in_folder() };
        let is_data = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
        let paths = objects.level(&self.path())?.objects.into_iter().map(|object| object.path);
        self.out.afresh().files(paths.filter(|path| is_data(path) && !path.ends_with(MANIFEST)).collect())
    }

    /// Returns the part files that a manifest names, in its order. Fails at a URL if one is missing.
    pub(crate) fn parts(&self, manifest: &Manifest) -> Result<Vec<PlacedFile>> {
        let path = self.path();
        self.out.afresh().files(manifest.parts.iter().map(|part| path.join(&part.name)).collect())
    }
}

/// Returns the partitions below `out`, by ascending day: every folder with the name of one, whatever it holds.
pub fn partitions(out: &Place) -> Result<Vec<PartitionFolder>> {
    let day_of = |name: &str| name.strip_prefix("dt=").and_then(|day| day.parse::<Day>().ok());
    let mut days = Vec::new();
    match out.objects() {
        Some((objects, _)) => {
            days.extend(objects.level(out.path())?.folders.iter().filter_map(|name| day_of(name)));
        }
        None => {
            let out = out.path();
            for entry in fs::read_dir(out).map_err(|error| Error::io("list", out, error))? {
                let entry = entry.map_err(|error| Error::io("list", out, error))?;
                let day = entry.file_name().to_str().and_then(day_of);
                days.extend(day.filter(|_| entry.path().is_dir()));
            }
        }
    }
    days.sort_unstable();
    Ok(days.into_iter().map(|day| PartitionFolder::new(out, day)).collect())
}
