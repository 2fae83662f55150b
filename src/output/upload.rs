//! Publishes a partition below a URL.
//!
//! An object store has no folders that could change their names, so a partition is published by its manifest:
//!
//! 1. The parts are uploaded under names that follow from their content, beside those that are there. A part that is
//!    there already is not uploaded again.
//! 2. The manifest replaces the one that was there when the run began, on the condition that it still is. So of two
//!    runs one wins, and the other says so. Who reads the names from the manifest sees the old rows or the new.
//! 3. `_SUCCESS` is written if it is missing.
//! 4. Parts that the manifest does not name and that are older than the replaced one are removed: those it named, and
//!    those of runs that did not come to their end. (A run that has uploaded such a part and still works has begun
//!    before that manifest was written, so it will not win.) Until then, who reads all files of the folder sees rows of
//!    both. If only this fails, it is a note, and the next run for the day removes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use super::manifest_file::{MANIFEST, manifest_of};
use super::partition_folder::{PartitionFolder, SUCCESS};
use crate::error::{Error, Kind, Result};
use crate::manifest::{MANIFEST_BYTES_MAX, Manifest, PartFile};
use crate::message::message;
use crate::progress::Progress;
use crate::storage::{Found, Objects, Version, Written, regular_file};
use crate::text::Shown as _;

/// How often a run tries to replace the manifest of its own rows, while others write theirs.
const ATTEMPTS: usize = 10;

/// What is at the URL of a partition when a run begins.
pub(super) struct Replaced {
    /// The bytes of the manifest, and which version of it they are.
    manifest: Option<(Vec<u8>, Version)>,
}

impl Replaced {
    /// Returns the bytes of the manifest; none if there is none.
    pub(super) fn bytes(&self) -> &[u8] {
        self.manifest.as_ref().map(|(bytes, _)| bytes.as_slice()).unwrap_or_default()
    }

    /// Reads the manifest. Fails if anything lies there that lookback did not write.
    pub(super) fn find(folder: &PartitionFolder, objects: &Objects) -> Result<Self> {
        let replaced = Self::read(folder, objects)?;
        folder.listed(objects)?;
        Ok(replaced)
    }

    /// Reads the manifest, whatever else lies there. Fails if it is not lookback's.
    pub(super) fn read(folder: &PartitionFolder, objects: &Objects) -> Result<Self> {
        let manifest = objects.read(&folder.path().join(MANIFEST), MANIFEST_BYTES_MAX)?;
        if let Some((bytes, _)) = &manifest {
            parsed(bytes).map_err(|reason| {
                Error::refused(
                    format!("the manifest of {} is not of lookback, or is damaged ({reason})", folder.path().shown()),
                    message!["remove that partition, or name another place with ", Out],
                )
            })?;
        }
        Ok(Replaced { manifest })
    }
}

impl PartitionFolder {
    /// Lists the objects of the partition, by name.
    pub(super) fn objects(&self, objects: &Objects) -> Result<BTreeMap<String, Found>> {
        objects.level(&self.path()).map(|level| by_name(level.objects))
    }

    /// Lists the objects of the partition, by name. Fails if one is not lookback's, since readers would take it for
    /// rows.
    fn listed(&self, objects: &Objects) -> Result<BTreeMap<String, Found>> {
        let path = self.path();
        let level = objects.level(&path)?;
        let listed = by_name(level.objects);
        let mut names = level.folders.iter().chain(listed.keys());
        match names.find(|name| !is_own_name(name) || level.folders.contains(name)) {
            None => Ok(listed),
            Some(name) => Err(Error::refused(
                format!(
                    "the partition {} would be replaced, but {name} in it was not written by lookback",
                    path.shown()
                ),
                message!["move that entry away, or name another folder with ", Out],
            )),
        }
    }

    /// Removes the parts that the manifest does not name and that are older than it.
    pub(super) fn remove_replaced(&self, objects: &Objects) -> Result<()> {
        let Ok(manifest) = self.read_manifest() else { return Ok(()) };
        let listed = self.listed(objects)?;
        remove_replaced(objects, &manifest, None, &listed)
    }
}

fn by_name(objects: Vec<Found>) -> BTreeMap<String, Found> {
    let name = |object: &Found| object.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    objects.into_iter().map(|object| (name(&object), object)).collect()
}

/// Removes the parts in a list that a manifest does not name, and that the one it has replaced names or that are older
/// than the one in the list.
fn remove_replaced(
    objects: &Objects,
    manifest: &Manifest,
    replaced: Option<&Manifest>,
    listed: &BTreeMap<String, Found>,
) -> Result<()> {
    let Some(since_ms) = listed.get(MANIFEST).map(|object| object.modified_ms) else { return Ok(()) };
    let names = |manifest: &Manifest, name: &str| manifest.parts.iter().any(|part| part.name == name);
    let is_replaced = |name: &str, object: &Found| {
        let is_old = object.modified_ms < since_ms || replaced.is_some_and(|replaced| names(replaced, name));
        is_part_name(name) && !names(manifest, name) && is_old
    };
    let removed = listed.iter().filter(|(name, object)| is_replaced(name, object));
    objects.remove(removed.map(|(_, object)| object.path.as_path()))
}

fn parsed(manifest: &[u8]) -> Result<Manifest, String> {
    manifest_of(&bytes::Bytes::copy_from_slice(manifest))
}

/// Returns the manifest with the names that its parts have at a URL.
pub(super) fn under_their_hashes(manifest: &Manifest) -> Manifest {
    let mut manifest = manifest.clone();
    for (number, part) in manifest.parts.iter_mut().enumerate() {
        part.name = part.name_with_hash(number);
    }
    manifest
}

/// Whether a name has the form `part-00000-<32 hexadecimal digits>.parquet`.
pub(super) fn is_part_name(name: &str) -> bool {
    let parts = name.strip_prefix("part-").and_then(|name| name.strip_suffix(".parquet"));
    parts.and_then(|name| name.split_once('-')).is_some_and(|(number, hash)| {
        number.len() >= 5
            && number.bytes().all(|letter| letter.is_ascii_digit())
            && hash.len() == 32
            && hash.bytes().all(|letter| letter.is_ascii_hexdigit())
    })
}

fn is_own_name(name: &str) -> bool {
    name == MANIFEST || name == SUCCESS || is_part_name(name)
}

/// A partition that is uploaded.
pub(super) struct Upload<'a> {
    pub folder: &'a PartitionFolder,
    pub objects: &'a Objects,
    /// The most bytes of a part of an upload.
    pub part_bytes: usize,
    /// The local folder of the files.
    pub parts: &'a Path,
    /// The statistics of the parts, if tasks have put these at the URL: then the folder has only the manifest.
    pub uploaded: Option<&'a [String]>,
    pub progress: &'a dyn Progress,
}

impl Upload<'_> {
    /// Uploads what is not there, and puts the manifest in the place of the one that was there.
    pub(super) fn publish(&self, manifest: &Manifest, replaced: &Replaced) -> Result<()> {
        let before = self.folder.listed(self.objects)?;
        self.upload_missing(manifest, &before)?;
        let is_new = self.replace_manifest(replaced, || Ok(false))?;
        if is_new {
            self.complete(manifest)?;
        }
        self.mark_complete(&before)?;
        let old = replaced.manifest.as_ref().filter(|_| is_new).and_then(|(bytes, _)| parsed(bytes).ok());
        let removed = remove_replaced(self.objects, manifest, old.as_ref(), &before);
        if let Err(error) = removed {
            self.progress.note(&message![
                ("parts that were replaced are still in {}", self.folder.path().shown()),
                ": ",
                { error.message() },
                " (the next run for the day removes them)"
            ]);
        }
        Ok(())
    }

    /// Uploads the parts of a manifest that are not among the objects `before`.
    pub(super) fn upload_missing(&self, manifest: &Manifest, before: &BTreeMap<String, Found>) -> Result<()> {
        self.progress.begin("uploading", "files", Some(manifest.parts.len() as u64));
        for (number, part) in manifest.parts.iter().enumerate() {
            let is_there = before.get(&part.name).is_some_and(|object| object.bytes == part.bytes);
            if !is_there {
                let path = self.folder.path().join(&part.name);
                self.objects.upload(&path, &self.local_part(number)?, self.part_bytes)?;
            }
            self.progress.advance(1);
        }
        Ok(())
    }

    /// Puts the manifest in the place of the one that was there when the run began; returns whether they differ. If
    /// another run has written one meanwhile, this run replaces it as long as `is_owner` says that the rows are its
    /// own, and else fails.
    pub(super) fn replace_manifest(&self, replaced: &Replaced, is_owner: impl Fn() -> Result<bool>) -> Result<bool> {
        let path = self.folder.path().join(MANIFEST);
        let local = self.parts.join(MANIFEST);
        let bytes = regular_file::read(&local).map_err(|error| Error::io("read", &local, error))?;
        if replaced.manifest.as_ref().is_some_and(|(there, _)| *there == bytes) {
            return Ok(false);
        }
        let mut version = replaced.manifest.as_ref().map(|(_, version)| version.clone());
        for _ in 0..ATTEMPTS {
            if let Written::Done = self.objects.write_if(&path, &bytes, version.as_ref())? {
                return Ok(true);
            }
            // The version before the owner: whoever becomes the owner later writes the manifest later.
            let there = self.objects.read(&path, MANIFEST_BYTES_MAX)?;
            if !is_owner()? {
                break;
            }
            version = there.map(|(_, version)| version);
        }
        Err(Error::new(
            Kind::Busy,
            format!(
                "another run has written the partition {} meanwhile, and its rows stay",
                self.folder.path().shown()
            ),
            "wait for the other run, and run the same command again",
        ))
    }

    /// Writes the mark that is written last, if it was not there before.
    pub(super) fn mark_complete(&self, before: &BTreeMap<String, Found>) -> Result<()> {
        if before.contains_key(SUCCESS) {
            return Ok(());
        }
        self.objects.write(&self.folder.path().join(SUCCESS), &[])
    }

    /// Uploads what is missing although it was there: the run before may have removed a part of this name meanwhile.
    pub(super) fn complete(&self, manifest: &Manifest) -> Result<()> {
        let now = self.folder.objects(self.objects)?;
        for (number, part) in manifest.parts.iter().enumerate().filter(|(_, part)| !now.contains_key(&part.name)) {
            let path = self.folder.path().join(&part.name);
            self.objects.upload(&path, &self.local_part(number)?, self.part_bytes)?;
        }
        Ok(())
    }

    /// Fails if tasks have uploaded the parts, so that none should be missing.
    fn local_part(&self, number: usize) -> Result<File> {
        if self.uploaded.is_some() {
            let what = format!("part {number} of the partition {} has gone meanwhile", self.folder.path().shown());
            return Err(Error::new(Kind::Busy, what, "wait for other runs to end, and run the same command again"));
        }
        let local = self.parts.join(PartFile::name_of(number));
        regular_file::open(&local).map_err(|error| Error::io("open", &local, error))
    }
}
