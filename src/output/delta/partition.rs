//! Publishes a partition of a Delta table: the parts, then the commit, then the manifest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use super::action::Add;
use super::commit::Commit;
use super::log::modified_ms;
use super::schema::Schema;
use super::snapshot::{ActiveFile, Snapshot};
use super::statistics::statistics_of;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::manifest::{Manifest, PartFile};
use crate::model::{RowColumn, RowColumns};
use crate::output::folder::check_folder;
use crate::output::manifest_file::MANIFEST;
use crate::output::partition_folder::{PartitionFolder, SUCCESS};
use crate::output::upload::{Replaced, Upload};
use crate::storage::{lock, regular_file, sync, sync_with_folders_above};

/// A partition of a Delta table, while its rows are made.
pub(in crate::output) struct DeltaPartition {
    schema: Schema,
    /// The table when the run began; `None` if there was none.
    snapshot: Option<Snapshot>,
    /// The files of the day then.
    replaced: BTreeMap<String, ActiveFile>,
}

impl DeltaPartition {
    /// Reads the table. Fails if it needs what this program does not know, or if rows with these columns do not fit it.
    pub(in crate::output) fn begin(folder: &PartitionFolder, columns: RowColumns) -> Result<Self> {
        let schema = Schema::of(columns)?;
        let snapshot = Snapshot::read(&folder.out)?;
        snapshot.iter().try_for_each(|snapshot| snapshot.check(&folder.out, &schema))?;
        let replaced = snapshot.as_ref().map(|snapshot| snapshot.of_day(folder.dt)).unwrap_or_default();
        Ok(DeltaPartition { schema, snapshot, replaced })
    }

    /// Publishes the files in the folder `parts`, which are complete and fsynced, on the same disk. Returns the version
    /// of the table that has the rows.
    ///
    /// Runs on one machine take turns, so that the manifest is that of the newest commit.
    pub(in crate::output) fn publish_on_disk(
        self,
        folder: &PartitionFolder,
        parts: &Path,
        manifest: &Manifest,
    ) -> Result<u64> {
        let (out, target) = (folder.out.path(), folder.path());
        let adds = adds(folder, manifest, described(parts, manifest)?)?;
        let staging = parts.parent().held("parts are staged in a folder")?;
        let _turn = lock(out)?;
        check_folder(&target)?;
        match fs::create_dir(&target) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Error::io("create", &target, error)),
            _ => {}
        }
        for (number, part) in manifest.parts.iter().enumerate() {
            put(&parts.join(PartFile::name_of(number)), &target.join(&part.name))?;
        }
        sync(&target)?;
        sync_with_folders_above(out)?;
        let commit = self.commit(folder, &adds, modified_ms(&parts.join(MANIFEST))?, staging);
        let version = commit.make(self.snapshot.clone())?;
        let success = target.join(SUCCESS);
        let created = File::options().append(true).create(true).open(&success).and_then(|file| file.sync_all());
        created.map_err(|error| Error::io("create", &success, error))?;
        put(&parts.join(MANIFEST), &target.join(MANIFEST))?;
        sync(&target)?;
        Ok(version)
    }

    /// Publishes the files of an upload. Returns the version of the table that has the rows.
    pub(in crate::output) fn publish_at_url(
        self,
        upload: &Upload<'_>,
        manifest: &Manifest,
        replaced: &Replaced,
    ) -> Result<u64> {
        let now_ms = modified_ms(&upload.parts.join(MANIFEST))?;
        let described = match upload.uploaded {
            Some(statistics) => statistics.iter().map(|of_part| (of_part.clone(), now_ms)).collect(),
            None => described(upload.parts, manifest)?,
        };
        let adds = adds(upload.folder, manifest, described)?;
        let before = upload.folder.objects(upload.objects)?;
        upload.upload_missing(manifest, &before)?;
        let commit = self.commit(upload.folder, &adds, now_ms, upload.parts);
        let version = commit.make(self.snapshot.clone())?;
        upload.complete(manifest)?;
        upload.replace_manifest(replaced, || commit.is_newest())?;
        upload.mark_complete(&before)?;
        Ok(version)
    }

    fn commit<'a>(
        &'a self,
        folder: &'a PartitionFolder,
        adds: &'a [Add],
        now_ms: i64,
        staging: &'a Path,
    ) -> Commit<'a> {
        let DeltaPartition { schema, replaced, .. } = self;
        Commit { out: &folder.out, dt: folder.dt, schema, replaced, adds, now_ms, staging }
    }
}

/// Returns the statistics of each part of a manifest, and when it was written, in milliseconds since 1970. The local
/// folder `parts` has them as they were written.
fn described(parts: &Path, manifest: &Manifest) -> Result<Vec<(String, i64)>> {
    let of_part = |(number, part): (usize, &PartFile)| {
        let local = parts.join(PartFile::name_of(number));
        let file = regular_file::open(&local).map_err(|error| Error::io("open", &local, error))?;
        Ok((statistics_of(part, &file)?, modified_ms(&local)?))
    };
    manifest.parts.iter().enumerate().map(of_part).collect()
}

/// Returns the actions that add the parts of a manifest, so described.
fn adds(folder: &PartitionFolder, manifest: &Manifest, described: Vec<(String, i64)>) -> Result<Vec<Add>> {
    let dt = RowColumn::Dt.name();
    let add = |(part, (statistics, modified_ms)): (&PartFile, (String, i64))| {
        Ok(Add {
            path: format!("{dt}={}/{}", folder.dt, part.name),
            partition_values: BTreeMap::from([(dt.to_owned(), Some(folder.dt.to_string()))]),
            size: i64::try_from(part.bytes).held("a file has less than 2^63 bytes")?,
            modification_time: modified_ms,
            data_change: true,
            stats: Some(statistics),
        })
    };
    manifest.parts.iter().zip(described).map(add).collect()
}

/// Moves a complete file to its place, in the place of one of the same name.
fn put(staged: &Path, target: &Path) -> Result<()> {
    fs::rename(staged, target).map_err(|error| Error::io("put in place", target, error))
}
