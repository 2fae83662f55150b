//! Compares the part files of a partition with its manifest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::delta::TableFiles;
use super::partition_folder::{PartitionFolder, SUCCESS};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::message::message;
use crate::progress::Progress;
use crate::storage::{Fingerprint, PlacedFile};
use crate::text::Shown;

impl PartitionFolder {
    /// Whether the partition exists, is complete, and was produced from inputs with this fingerprint, so that producing
    /// it again would change no byte; in a Delta table, also whether `table` has its parts. Only the names and sizes of
    /// the part files are compared.
    pub(crate) fn holds(&self, inputs: &str, table: Option<&TableFiles>) -> bool {
        let manifest = self.manifest();
        let is_current = |manifest: &Manifest| {
            manifest.inputs == inputs
                && check_sizes(self, manifest).is_ok()
                && table.is_none_or(|table| table.are_those_of(manifest))
        };
        manifest.is_ok_and(|manifest| is_current(&manifest)) && self.is_complete()
    }

    /// Whether it has the mark that is written last.
    fn is_complete(&self) -> bool {
        match self.out.objects() {
            None => self.path().join(SUCCESS).is_file(),
            Some((objects, _)) => {
                let level = objects.level(&self.path());
                level.is_ok_and(|level| level.objects.iter().any(|object| object.path.ends_with(SUCCESS)))
            }
        }
    }
}

/// Fails, naming the first file, if a part file is missing, or if there is one that the manifest does not list, since
/// readers would read its rows too. At a URL, and in a Delta table, parts that were replaced may lie beside its own.
pub(crate) fn check_names(folder: &PartitionFolder, manifest: &Manifest) -> Result<()> {
    let path = folder.path();
    if folder.out.objects().is_some() {
        return folder.parts(manifest).map(drop);
    }
    let may_have_more = folder.may_have_more()?;
    for part in &manifest.parts {
        let file = path.join(&part.name);
        match fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(other(&file, "is not a file")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(other(&file, "is missing")),
            Err(error) => return Err(Error::io("read", &file, error)),
        }
    }
    if may_have_more {
        return Ok(());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).map_err(|error| Error::io("list", &path, error))? {
        let entry = entry.map_err(|error| Error::io("list", &path, error))?;
        names.push(entry.file_name());
    }
    names.sort_unstable();
    let parts: BTreeSet<&str> = manifest.parts.iter().map(|part| part.name.as_str()).collect();
    let known = |name: &str| name.starts_with(['_', '.']) || parts.contains(name);
    match names.iter().find(|name| !name.to_str().is_some_and(known)) {
        Some(name) => Err(other(&path.join(name), "is not in the manifest")),
        None => Ok(()),
    }
}

/// Like [`check_names`], and fails if a part file has another size.
pub(crate) fn check_sizes(folder: &PartitionFolder, manifest: &Manifest) -> Result<()> {
    checked_parts(folder, manifest).map(drop)
}

fn checked_parts(folder: &PartitionFolder, manifest: &Manifest) -> Result<Vec<PlacedFile>> {
    check_names(folder, manifest)?;
    let files = folder.parts(manifest)?;
    for (part, file) in manifest.parts.iter().zip(&files) {
        let bytes = file.bytes()?;
        if bytes != part.bytes {
            return Err(other(file.path(), &format!("has {bytes} bytes where the manifest says {}", part.bytes)));
        }
    }
    Ok(files)
}

/// Like [`check_sizes`], and reads every part file: fails, naming the first, if its content has changed. Returns the
/// number of bytes read.
///
/// Memory: that of [`check_content`].
pub fn check_hashes(
    folder: &PartitionFolder,
    manifest: &Manifest,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<u64> {
    check_content(folder, manifest, cancel, progress)?;
    Ok(manifest.parts.iter().map(|part| part.bytes).sum())
}

/// Like [`check_hashes`], and returns each part file with its fingerprint, which tells after reading it whether it was
/// written meanwhile.
///
/// Memory: 1 MiB, and 60 bytes for each part file.
pub(crate) fn check_content(
    folder: &PartitionFolder,
    manifest: &Manifest,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<Vec<(PlacedFile, Fingerprint)>> {
    let files = checked_parts(folder, manifest)?;
    progress.begin("checking", "files", Some(manifest.parts.len() as u64));
    let mut checked = Vec::with_capacity(files.len());
    for (part, file) in manifest.parts.iter().zip(files) {
        let fingerprint = file.fingerprint(cancel)?;
        if fingerprint.hex() != part.xxh3_128 {
            return Err(other(file.path(), "has changed since it was written (its hash is not that of the manifest)"));
        }
        checked.push((file, fingerprint));
        progress.advance(1);
    }
    Ok(checked)
}

fn other(file: &Path, what: &str) -> Error {
    Error::input(
        format!("the file {} {what}", file.shown()),
        message!["produce the day again with ", [Produce], " or ", [Backfill]],
    )
}
