//! Making files and folders appear whole or not at all: written aside, fsynced, renamed, and the folder above fsynced.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::durable::{sync, sync_with_folders_above};
use crate::error::{Error, Result};

/// A file being written beside its place. Dropped before `publish`, it is removed; what a killed process has left is removed by the next one
/// that comes to the same place.
pub(super) struct StagedFile {
    target: PathBuf,
    aside: PathBuf,
    /// Locked for as long as it is being written.
    file: File,
}

impl StagedFile {
    /// Begins the file that will stand at `target`, and creates the folders above it.
    pub(super) fn create(target: &Path) -> Result<Self> {
        let folder = folder_of(target);
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
        // One process at a time tidies up and begins, or it might take a file not locked yet for one left behind.
        let turn = lock(folder)?;
        remove_left_behind(target)?;
        let aside = folder.join(format!("{}{}", aside_prefix(target), std::process::id()));
        let file = File::create(&aside).map_err(|error| Error::io("create", &aside, &error))?;
        let staged = StagedFile { target: target.to_owned(), aside, file };
        staged.file.lock().map_err(|error| Error::io("lock", &staged.aside, &error))?;
        drop(turn);
        Ok(staged)
    }

    /// The file to write to, empty.
    pub(super) fn file(&self) -> Result<File> {
        self.file.try_clone().map_err(|error| Error::io("open", &self.aside, &error))
    }

    /// Puts the file, complete now, in its place.
    pub(super) fn publish(self) -> Result<()> {
        self.file.sync_all().map_err(|error| Error::io("fsync", &self.aside, &error))?;
        fs::rename(&self.aside, &self.target).map_err(|error| Error::io("put in place", &self.target, &error))?;
        sync_with_folders_above(folder_of(&self.target))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.aside);
    }
}

/// Removes the file at `target`, if there is one, and what killed processes have left beside it.
pub(super) fn remove_file(target: &Path) -> Result<()> {
    let folder = folder_of(target);
    if !folder.exists() {
        return Ok(());
    }
    let _turn = lock(folder)?;
    remove_left_behind(target)?;
    match fs::remove_file(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|error| Error::io("remove", target, &error)).and_then(|()| sync(folder)),
    }
}

fn remove_left_behind(target: &Path) -> Result<()> {
    let (folder, prefix) = (folder_of(target), aside_prefix(target));
    for entry in fs::read_dir(folder).map_err(|error| Error::io("list", folder, &error))? {
        let path = entry.map_err(|error| Error::io("list", folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(&prefix) && is_left_behind(&path) {
            fs::remove_file(&path).map_err(|error| Error::io("remove", &path, &error))?;
        }
    }
    Ok(())
}

fn aside_prefix(target: &Path) -> String {
    format!(".{}.staging-", target.file_name().unwrap_or_default().to_string_lossy())
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
    sync_with_folders_above(folder_of(target))
}

/// The folder in which a name stands.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits for the lock on a file or folder, which is held as long as what is returned is there.
pub(super) fn lock(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
    file.lock().map_err(|error| Error::io("lock", path, &error))?;
    Ok(file)
}

/// Whether something killed has left this behind: nobody has the lock on it.
pub(super) fn is_left_behind(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}
