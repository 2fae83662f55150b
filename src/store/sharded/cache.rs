//! Table files on this machine, from which shards are put together.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};

use crate::error::{Error, Result};
use crate::storage::{WorkFolder, regular_file};
use crate::store::folder::create_private;
use crate::store::versions::ObjectName;

/// What the names of folders begin with in which shards are put together.
const WORK: &str = "lookback-shard-";

/// Files by the names of their objects, and beside them the folders that have links to them.
///
/// A file in the cache is complete, and is never written to. Several processes may use one cache.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    /// The most bytes that stay in it.
    bytes_max: u64,
    /// There if the cache lasts only as long as this value.
    _own: Option<WorkFolder>,
}

impl Cache {
    /// Opens a cache in a folder, which is created if it is missing. At most `bytes_max` bytes stay in it.
    pub(super) fn open(folder: &Path, bytes_max: u64) -> Result<Self> {
        create_private(&folder.join("files"))?;
        Ok(Cache { folder: folder.to_owned(), bytes_max, _own: None })
    }

    /// Makes a cache in the folder for scratch files in which nothing stays: a file lasts as long as the shard that has
    /// it, so that work on one shard after the other needs the disk for one.
    pub(super) fn of_its_own(scratch: &Path) -> Result<Self> {
        let own = WorkFolder::create(scratch, WORK)?;
        let folder = own.path().to_owned();
        create_private(&folder.join("files"))?;
        Ok(Cache { folder, bytes_max: 0, _own: Some(own) })
    }

    /// Makes a folder beside the files.
    pub(super) fn work_folder(&self) -> Result<WorkFolder> {
        WorkFolder::create(&self.folder, WORK)
    }

    /// Gives the file of an object a second name, `to`, if it is there; it then counts as used now. Returns whether it
    /// is there.
    pub(super) fn lend(&self, object: &ObjectName, to: &Path) -> Result<bool> {
        let path = self.path_of(object);
        match link(&path, to) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            linked => linked.map_err(|error| Error::io("link", &path, error))?,
        }
        if let Ok(file) = regular_file::open(&path) {
            // Only decides what is removed first.
            let now = || Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
            let _ = futimens(&file, &Timestamps { last_access: now(), last_modification: now() });
        }
        Ok(true)
    }

    /// Keeps the complete and durable file of an object, under a second name.
    pub(super) fn keep(&self, object: &ObjectName, file: &Path) -> Result<()> {
        match fs::hard_link(file, self.path_of(object)) {
            // Another process has kept it meanwhile.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            // A file system without second names has no cache.
            Err(error) if error.kind() == ErrorKind::Unsupported || error.kind() == ErrorKind::PermissionDenied => {
                Ok(())
            }
            kept => kept.map_err(|error| Error::io("link", file, error)),
        }
    }

    fn path_of(&self, object: &ObjectName) -> PathBuf {
        self.folder.join("files").join(object.to_string())
    }

    /// Removes the files that were not used for longest, until the others have at most the allowed bytes. A shard that
    /// has a link to one keeps it.
    pub(super) fn trim(&self) -> Result<()> {
        let folder = self.folder.join("files");
        let failed = |error: io::Error| Error::io("list", &folder, error);
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // Another process may have removed it since.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            files.push((metadata.modified().map_err(failed)?, metadata.len(), path));
        }
        files.sort_unstable();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, of_file, path) in files {
            if bytes <= self.bytes_max {
                break;
            }
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path, error));
                }
                _ => bytes -= of_file,
            }
        }
        Ok(())
    }
}

/// Makes a second name for a file; a copy where the file system has no such names.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {
            fs::copy(from, to).map(drop)
        }
        linked => linked,
    }
}

/// Returns what tells a file from all others that there are at the same time on this machine.
pub(super) fn identity(path: &Path) -> Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let file = fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
    Ok((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_cache_of_its_own_nothing_stays_but_what_a_shard_has() {
        let scratch = tempfile::tempdir().unwrap();
        let cache = Cache::of_its_own(scratch.path()).unwrap();
        let object: ObjectName = format!("{}-3-00000000deadbeef", "ab".repeat(16)).parse().unwrap();
        let work = cache.work_folder().unwrap();
        let table = work.path().join("table");
        fs::write(&table, "abc").unwrap();
        cache.keep(&object, &table).unwrap();
        cache.trim().unwrap();
        assert!(!cache.lend(&object, &work.path().join("other")).unwrap());
        assert_eq!(fs::read(&table).unwrap(), b"abc");
        drop((work, cache));
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
