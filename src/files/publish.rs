//! Making files and folders appear whole or not at all: written aside, fsynced, renamed, and the folder above fsynced.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::error::{Error, Result};

/// A file being written beside its place. Dropped before `publish`, it is removed.
pub(super) struct StagedFile {
    target: PathBuf,
    aside: PathBuf,
}

impl StagedFile {
    /// Begins the file that will stand at `target`, and creates the folders above it.
    pub(super) fn create(target: &Path) -> Result<Self> {
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let aside = folder.join(format!(".{name}.staging-{}", std::process::id()));
        Ok(StagedFile { target: target.to_owned(), aside })
    }

    /// The file to write to, empty.
    pub(super) fn file(&self) -> Result<File> {
        File::create(&self.aside).map_err(|error| Error::io("create", &self.aside, &error))
    }

    /// Puts the file, complete now, in its place.
    pub(super) fn publish(self) -> Result<()> {
        sync(&self.aside)?;
        fs::rename(&self.aside, &self.target).map_err(|error| Error::io("put in place", &self.target, &error))?;
        sync(self.target.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.aside);
    }
}

/// Makes the content of a file, or the names in a folder, durable.
pub(super) fn sync(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| Error::io("fsync", path, &error))
}

/// Puts the folder `staged` in the place of `target`; what stood there before, if anything, is then at `staged` or `replaced`.
///
/// Where the file system can exchange two names in one step (ext4, xfs, btrfs, tmpfs and others can), there is no moment without the
/// partition. Elsewhere there is one between two renames, and a crash just then leaves it away until the next run.
pub(super) fn put_in_place(staged: &Path, target: &Path, replaced: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("put in place", target, &error);
    let exists = target.try_exists().map_err(failed)?;
    if !exists {
        fs::rename(staged, target).map_err(failed)?;
    } else if renameat_with(CWD, staged, CWD, target, RenameFlags::EXCHANGE).is_err() {
        fs::rename(target, replaced).map_err(failed)?;
        fs::rename(staged, target).map_err(failed)?;
    }
    sync(target.parent().unwrap_or(Path::new(".")))
}
