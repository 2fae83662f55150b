//! Folders for files that a library opens by their names, and that nobody else may see: gone when the work ends.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::fresh;
use super::publish::is_left_behind;
use super::regular_file;
use crate::error::{Error, Result};

/// How often a folder is made again that a cleaning process has taken for a leftover before it was locked.
const TRIES: usize = 50;

/// A folder under a random name that only its owner may enter, removed when dropped. What a killed process has left,
/// the next one removes that makes a folder beside it.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
    /// Held as long as the folder is in use.
    _lock: File,
}

impl WorkFolder {
    /// Makes a folder in `above`, which is created if it is missing; its name begins with `prefix`.
    pub(crate) fn create(above: &Path, prefix: &str) -> Result<Self> {
        fs::create_dir_all(above).map_err(|error| Error::io("create", above, error))?;
        remove_left_behind(above, prefix)?;
        let mut tries = 1;
        loop {
            let path = fresh::folder(above, prefix)?;
            let locked = fs::set_permissions(&path, Permissions::from_mode(0o700))
                .and_then(|()| regular_file::open_or_folder(&path))
                .and_then(|lock| lock.lock().map(|()| lock))
                .and_then(|lock| {
                    let (open, there) = (lock.metadata()?, fs::metadata(&path)?);
                    Ok(((open.dev(), open.ino()) == (there.dev(), there.ino())).then_some(lock))
                });
            match locked {
                Ok(Some(lock)) => return Ok(WorkFolder { path, _lock: lock }),
                _ if tries < TRIES => tries += 1,
                Ok(None) => return Err(Error::internal("a folder under a random name is removed again and again")),
                Err(error) => return Err(Error::io("lock", &path, error)),
            }
        }
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // What cannot be removed now, the next folder beside it removes.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn remove_left_behind(above: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(above).map_err(|error| Error::io("list", above, error))? {
        let entry = entry.map_err(|error| Error::io("list", above, error))?;
        let is_own = fresh::is_drawn(&entry.file_name().to_string_lossy(), prefix);
        if is_own && is_left_behind(&entry.path()) {
            // It may belong to another user.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}
