//! Scratch files of fetched objects: a file of its own for each object, as long as the system's limit on open files
//! allows, and one file together for those beyond.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::exact::usize_of;
use crate::storage::regular_file;

/// Creates an empty scratch file, open for reading and writing.
pub(super) type NewFile = dyn Fn() -> Result<File> + Send + Sync;

/// One in so many of the files that this process may have open can be an object's own: the store and several fetches
/// at once need files too.
const RATIO: u64 = 8;

/// The most bytes that are copied before the request to stop is looked at again.
const COPY_BYTES: u64 = 64 << 20;

/// Gives the objects that one command fetches their files.
#[derive(Debug, Default)]
pub(super) struct ScratchFiles {
    /// How many more objects may have a file of their own; the system's limit is read at the first.
    own: OnceLock<Arc<Semaphore>>,
    shared: Mutex<Shared>,
}

/// The file for objects without a file of their own, as long as there is one of them, and where the next is put.
#[derive(Debug, Default)]
struct Shared {
    file: Weak<File>,
    end: u64,
}

/// Where the content of one object is put: in a file, from an offset on. If dropped, its space is free.
#[derive(Debug)]
pub(super) struct ScratchFile {
    pub file: Arc<File>,
    /// Where it begins in the file.
    pub from: u64,
    bytes: u64,
    /// Whether the file is the object's own.
    is_own: bool,
    /// Of a file of its own that counts against the limit; dropped after the file.
    _permit: Option<OwnedSemaphorePermit>,
}

impl ScratchFiles {
    /// Returns where the next object, which has so many bytes, is put.
    pub(super) fn next(&self, bytes: u64, new_file: &NewFile) -> Result<ScratchFile> {
        let own = self.own.get_or_init(|| {
            let most = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize_of(most / RATIO));
            Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
        });
        if let Ok(permit) = Arc::clone(own).try_acquire_owned() {
            return ScratchFile::own(bytes, new_file, Some(permit));
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match shared.file.upgrade() {
            Some(file) => file,
            None => {
                let file = Arc::new(new_file()?);
                *shared = Shared { file: Arc::downgrade(&file), end: 0 };
                file
            }
        };
        let from = shared.end;
        shared.end += bytes;
        Ok(ScratchFile { file, from, bytes, is_own: false, _permit: None })
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        if !self.is_own && self.bytes > 0 {
            // Where the file system cannot do that, the space is free once no object uses the file.
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&*self.file, hole, self.from, self.bytes);
        }
    }
}

impl ScratchFile {
    /// Returns the very file that `new_file` gives for an object.
    pub(super) fn own(bytes: u64, new_file: &NewFile, permit: Option<OwnedSemaphorePermit>) -> Result<Self> {
        Ok(ScratchFile { file: Arc::new(new_file()?), from: 0, bytes, is_own: true, _permit: permit })
    }

    /// Opens the content at a position of its own: the file itself, or a copy out of the file that objects share, which
    /// lasts as long as it is open. `object` is for messages.
    pub(super) fn open(&self, new_file: &NewFile, object: &Path, cancel: &Cancel) -> Result<File> {
        if self.is_own {
            return self.reopened().map_err(|error| Error::io("open", object, error));
        }
        let failed = |error| Error::io("write", Path::new("a scratch file"), error);
        let (mut content, mut copy, mut left) = (self.content().map_err(failed)?, new_file()?, self.bytes);
        while left > 0 {
            cancel.check()?;
            let copied = io::copy(&mut (&mut content).take(left.min(COPY_BYTES)), &mut copy).map_err(failed)?;
            if copied == 0 {
                return Err(failed(io::ErrorKind::UnexpectedEof.into()));
            }
            left -= copied;
        }
        copy.rewind().map_err(failed)?;
        Ok(copy)
    }

    /// Opens the file where the content begins; in a shared file, others' content follows.
    pub(super) fn content(&self) -> io::Result<File> {
        let mut file = self.reopened()?;
        file.seek(SeekFrom::Start(self.from))?;
        Ok(file)
    }

    /// Another opening of the same file, with a position of its own.
    fn reopened(&self) -> io::Result<File> {
        regular_file::open(Path::new(&format!("/proc/self/fd/{}", self.file.as_raw_fd())))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::*;

    #[test]
    fn objects_beyond_the_limit_share_a_file_whose_space_goes_with_them() {
        const BYTES: usize = 1 << 20;
        let files = ScratchFiles { own: OnceLock::from(Arc::new(Semaphore::new(1))), shared: Mutex::default() };
        let new_file = || Ok(tempfile::tempfile().unwrap());
        let put = |byte: u8| {
            let put = files.next(BYTES as u64, &new_file).unwrap();
            put.file.write_all_at(&vec![byte; BYTES], put.from).unwrap();
            put
        };
        let [own, one, two, three] = [1, 2, 3, 4].map(put);
        assert!(!Arc::ptr_eq(&own.file, &one.file) && Arc::ptr_eq(&one.file, &two.file));
        for (scratch, byte) in [(&own, 1), (&one, 2), (&two, 3), (&three, 4)] {
            let mut content = Vec::new();
            scratch.open(&new_file, Path::new("x"), &Cancel::default()).unwrap().read_to_end(&mut content).unwrap();
            assert!(content == vec![byte; BYTES], "{byte}");
        }
        // What a file system keeps beside the content is less than half of an object.
        let taken = |file: &File| (file.metadata().unwrap().blocks() * 512 + BYTES as u64 / 2) / BYTES as u64;
        let file = Arc::clone(&one.file);
        let before = taken(&file);
        drop(two);
        assert_eq!(taken(&file), before - 1);
        // A file that nobody uses any more is not gone on with; a file of one's own is free again.
        drop((one, three, own));
        assert_eq!(taken(&file), before - 3);
        drop(file);
        let (own, next) = (put(5), put(6));
        assert!(own.is_own && !next.is_own);
        assert_eq!(next.from, 0);
    }
}
