//! A file at a path that the user has chosen, in a folder or at a URL: written aside, then put in its place whole.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::own_file::OwnFile;
use super::place::{EntryKind, Local, Place};
use super::publish::{self, StagedFile};
use crate::error::{Error, Result};
use crate::text::Shown as _;

/// A file that is written aside until [`Staged::publish`]: beside its path, or for a URL in a scratch file. If dropped
/// before, nothing is left of it.
pub(crate) enum Staged {
    File(StagedFile),
    Object(StagedObject),
}

/// An object that is written to a scratch file and then uploaded.
pub(crate) struct StagedObject {
    place: Place,
    target: PathBuf,
    kind: OwnFile,
    file: File,
}

impl Staged {
    /// Creates the file that will replace `target`, which lies below `place`. Fails if something else than a file of
    /// this kind is there (see [`OwnFile::check_replaceable`]).
    pub(crate) fn create(place: &Place, target: &Path, kind: OwnFile) -> Result<Self> {
        let Some((_, local)) = place.objects() else { return Ok(Staged::File(StagedFile::create(target, kind)?)) };
        check_replaceable(place, target, kind)?;
        let (place, target, file) = (place.clone(), target.to_owned(), (local.new_file)()?);
        Ok(Staged::Object(StagedObject { place, target, kind, file }))
    }

    /// Returns the empty file to write to.
    pub(crate) fn file(&self) -> Result<File> {
        match self {
            Staged::File(staged) => staged.file(),
            Staged::Object(staged) => {
                staged.file.try_clone().map_err(|error| Error::io("write", &staged.target, error))
            }
        }
    }

    /// Puts the complete file in its place. An object is uploaded, in parts if it is large.
    pub(crate) fn publish(self) -> Result<()> {
        match self {
            Staged::File(staged) => staged.publish(),
            Staged::Object(StagedObject { place, target, kind, file }) => {
                let Some((objects, Local { part_bytes, .. })) = place.objects() else {
                    return Err(Error::internal(format!("{} is at no URL", target.shown())));
                };
                // Another object may have appeared there in the meantime.
                check_replaceable(&place, &target, kind)?;
                objects.upload(&target, &file, *part_bytes)
            }
        }
    }
}

/// Removes the file at `target`, which lies below `place`, if there is one. Fails if another kind of file is there.
pub(crate) fn remove_at(place: &Place, target: &Path, kind: OwnFile) -> Result<()> {
    let Some((objects, _)) = place.objects() else { return publish::remove_file(target, kind) };
    if check_replaceable(place, target, kind)? { objects.remove([target]) } else { Ok(()) }
}

/// Returns whether there is an object at `target`. Fails unless it may be replaced: it is empty or of this kind. One
/// list, and one read of the object if it is there.
fn check_replaceable(place: &Place, target: &Path, kind: OwnFile) -> Result<bool> {
    let place = place.afresh();
    if place.kind(target)? != Some(EntryKind::File) {
        return Ok(false);
    }
    for file in place.files(vec![target.to_owned()])? {
        if file.bytes()? > 0 && !(kind.is_kind_of)(&file.open()?) {
            return Err(kind.not_own(target));
        }
    }
    Ok(true)
}
