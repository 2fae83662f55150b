//! Scratch files, which last at most as long as one command, however the command ends.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::{Error, Result};
use crate::storage::fresh;

/// How often a folder is created again when another process removes it before it has a file.
const TRIES: usize = 50;

/// A folder for temporary files, created with a file if it is missing, and then removed on drop.
///
/// A file has no name. A file system without nameless files gives it a name for a moment: the file is created only at a
/// free path, under a random name, readable by its owner alone, and the name is removed at once. So nobody can put
/// another file in its place, and its disk space is free when the process ends, killed or not.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// Folders that this value created, innermost first.
    created: Vec<PathBuf>,
}

impl Scratch {
    /// Temporary files in `folder`; nothing is created yet.
    pub fn new(folder: PathBuf) -> Self {
        Scratch { folder, created: Vec::new() }
    }

    /// Returns further temporary files in the same folder, which last as long as the value returned.
    pub fn beside(&self) -> Self {
        Scratch::new(self.folder.clone())
    }

    /// Creates a file, open for reading and writing. Also returns its former name, or its folder, for messages.
    pub fn file(&mut self) -> Result<(PathBuf, File)> {
        self.create(nameless)
    }

    fn create(&mut self, nameless: fn(&Path) -> Option<File>) -> Result<(PathBuf, File)> {
        let folder = &self.folder;
        let mut tries = 1;
        let (path, file) = loop {
            // Again for each file: another value may have created the folder, and removed it since.
            let missing = folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned);
            let missing: Vec<PathBuf> = missing.collect();
            if missing.len() > self.created.len() {
                self.created = missing;
            }
            let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            created.map_err(|error| Error::io("create", folder, error))?;
            if let Some(file) = nameless(folder) {
                return Ok((folder.clone(), file));
            }
            match fresh::file(folder, "lookback-", File::options().read(true).mode(0o600)) {
                Err(_) if tries < TRIES && !folder.exists() => tries += 1,
                made => break made?,
            }
        };
        match fs::remove_file(&path) {
            // A cleanup by another process took the file for a leftover.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed.map_err(|error| Error::io("remove", &path, error))?,
        }
        Ok((path, file))
    }
}

/// Creates a file without a name, if the file system can do that.
fn nameless(folder: &Path) -> Option<File> {
    let how = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::open(folder, how, Mode::RUSR | Mode::WUSR).ok().map(File::from)
}

/// Returns the free bytes of the disk that a folder, which may not exist yet, is on; 0 if the system does not tell.
pub(super) fn free_bytes(folder: &Path) -> u64 {
    let there = folder.ancestors().find(|folder| folder.exists());
    let disk = there.and_then(|folder| rustix::fs::statvfs(folder).ok());
    disk.map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The system's folder for temporary files (`TMPDIR`).
pub(super) fn system_folder() -> PathBuf {
    std::env::temp_dir()
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Only if they are still empty. At worst, an empty folder is left.
        for folder in &self.created {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_have_no_name_and_folders_go() {
        has_no_name(nameless);
        // As on a file system without nameless files.
        has_no_name(|_| None);
    }

    fn has_no_name(nameless: fn(&Path) -> Option<File>) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("above/scratch");
        let mut scratch = Scratch::new(folder.clone());
        assert!(!place.path().join("above").exists());
        let (_, mut one) = scratch.create(nameless).unwrap();
        let (_, mut other) = scratch.create(nameless).unwrap();
        one.write_all(b"one").unwrap();
        other.write_all(b"other").unwrap();
        for (file, wanted) in [(&mut one, "one"), (&mut other, "other")] {
            let mut text = String::new();
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, wanted);
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "a killed process leaves nothing");
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        drop(scratch);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_was_there_stays_and_one_that_goes_meanwhile_is_made_again() {
        let place = tempfile::tempdir().unwrap();
        let mut scratch = Scratch::new(place.path().join("shared"));
        let mut other = Scratch::new(place.path().join("shared"));
        scratch.file().unwrap();
        other.file().unwrap();
        drop(scratch);
        other.file().unwrap();
        let mut in_old = Scratch::new(place.path().to_owned());
        in_old.file().unwrap();
        drop(in_old);
        assert!(place.path().exists());
        drop(other);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "who has made it again removes it");
    }
}
