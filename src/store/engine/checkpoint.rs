//! A checkpoint: hard links to the files of a store, unchanged while a writer goes on.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rocksdb::DB;

use super::failure::{check_files, failure, require};
use super::options::options;
use crate::error::{Error, Result};
use crate::storage::fresh;
use crate::storage::regular_file;
use crate::store::folder::{Folder, create_private};
use crate::store::sst;

/// Number of attempts to take a checkpoint: a writer may delete a file while the store's files are read.
const TRIES: usize = 50;

/// The folder of hard links is created up to this often: processes that remove leftovers may take it for one until it
/// is locked. Each attempt takes microseconds.
const FOLDER_TRIES: usize = 1_000;

/// Runs `work` on a database that uses the table files of a store through hard links: the state committed at one
/// moment, with or without a writer beside it.
///
/// Table files never change. So all table files are linked, then the manifest is copied, which lists the files of the
/// store, then newer files are linked. If a file was deleted in the meantime, the copy fails to open, and everything
/// starts again. The remains of killed processes are removed. The links need no disk space for data.
pub(crate) fn at_checkpoint<T>(of: &Folder, work: impl FnOnce(&DB) -> Result<T>) -> Result<T> {
    require(of)?;
    check_files(&of.database())?;
    sst::check(of)?;
    drop_left_behind(of)?;
    let names = Names::new(of)?;
    let mut tries = 1;
    let db = loop {
        match names.fill(of) {
            Ok(db) => break db,
            Err(error) if tries == TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    };
    work(&db)
}

/// The folder of hard links. Removed when dropped.
struct Names {
    folder: Folder,
    /// Held while the links are in use, to distinguish them from the remains of killed processes.
    _lock: File,
}

impl Names {
    /// Creates and locks the folder, in two steps: another process may remove the folder in between as a leftover, and
    /// then it is created again.
    fn new(of: &Folder) -> Result<Self> {
        let path = of.path().join(format!("{PREFIX}{}", fresh::drawn()?));
        let mut tries = 1;
        loop {
            create_private(&path)?;
            match lock_if_there(&path) {
                Ok(lock) => return Ok(Names { folder: Folder::with(&path, of.resources()), _lock: lock }),
                Err(error) if error.kind() == ErrorKind::NotFound && tries < FOLDER_TRIES => tries += 1,
                Err(error) => return Err(Error::io("lock", &path, error)),
            }
        }
    }

    fn fill(&self, of: &Folder) -> Result<DB> {
        let (from, to) = (of.database(), self.folder.database());
        let _ = fs::remove_dir_all(&to);
        create_private(&to)?;
        link_tables(&from, &to)?;
        let current = copy(&from.join("CURRENT"), &to.join("CURRENT"))?;
        let manifest = String::from_utf8_lossy(&current).trim_end().to_owned();
        copy(&from.join(&manifest), &to.join(&manifest))?;
        copy(&from.join("IDENTITY"), &to.join("IDENTITY"))?;
        link_tables(&from, &to)?;
        let mut options = options();
        options.set_disable_auto_compactions(true);
        DB::open(&options, &to).map_err(|error| failure("open", &self.folder, error))
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        // The next checkpoint or writer removes what cannot be removed now.
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

const PREFIX: &str = "checkpoint-";

/// Locks a folder, after waiting for its holder. Fails with `NotFound` if the name no longer leads to it.
fn lock_if_there(path: &Path) -> std::io::Result<File> {
    let lock = regular_file::open_or_folder(path)?;
    lock.lock()?;
    if is_there(&lock, path) { Ok(lock) } else { Err(ErrorKind::NotFound.into()) }
}

/// Returns whether an open folder still has this name.
pub(crate) fn is_there(open: &File, path: &Path) -> bool {
    let both = open.metadata().and_then(|open| Ok((open, fs::metadata(path)?)));
    both.is_ok_and(|(open, there)| (open.dev(), open.ino()) == (there.dev(), there.ino()))
}

/// Removes the links that killed processes have left: they would keep table files that the store has deleted, with data
/// that was to be forgotten.
pub(crate) fn drop_left_behind(of: &Folder) -> Result<()> {
    let path = of.path();
    for entry in fs::read_dir(path).map_err(|error| Error::io("list", path, error))? {
        let entry = entry.map_err(|error| Error::io("list", path, error))?;
        if !fresh::is_drawn(&entry.file_name().to_string_lossy(), PREFIX) {
            continue;
        }
        let path = entry.path();
        let is_free = |open: &File| open.try_lock().is_ok() && is_there(open, &path);
        // Held until the folder is removed: its creator, if still running, waits for the lock and makes another folder.
        let Some(_lock) = regular_file::open_or_folder(&path).ok().filter(is_free) else { continue };
        fs::remove_dir_all(&path).map_err(|error| Error::io("remove", &path, error))?;
    }
    Ok(())
}

fn link_tables(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).map_err(|error| Error::io("list", from, error))? {
        let path = entry.map_err(|error| Error::io("list", from, error))?.path();
        let (Some(name), true) = (path.file_name(), path.extension().is_some_and(|extension| extension == "sst"))
        else {
            continue;
        };
        match fs::hard_link(&path, to.join(name)) {
            Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
                return Err(Error::io("link", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<Vec<u8>> {
    let bytes = regular_file::read(from).map_err(|error| Error::io("read", from, error))?;
    fs::write(to, &bytes).map_err(|error| Error::io("write", to, error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    const ROUNDS: usize = 2_000;

    #[test]
    fn names_in_use_stay_whoever_cleans_up_meanwhile() {
        let place = tempfile::tempdir().unwrap();
        let of = Folder::new(place.path());
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let cleaners = [(); 2].map(|()| {
                scope.spawn(|| {
                    while !is_done.load(Ordering::SeqCst) {
                        drop_left_behind(&of).unwrap();
                    }
                })
            });
            let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for round in 0..ROUNDS {
                    let names = Names::new(&of).unwrap();
                    let file = names.folder.path().join("file");
                    fs::write(&file, "x").unwrap();
                    std::thread::yield_now();
                    assert!(file.exists(), "removed in round {round}");
                }
            }));
            is_done.store(true, Ordering::SeqCst);
            cleaners.into_iter().for_each(|cleaner| cleaner.join().unwrap());
            made.unwrap();
        });
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
