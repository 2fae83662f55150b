//! Scratch files of fetched objects: a file of its own for each object, as long as the system's limit on open files
//! allows, and one file together for those beyond.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

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

/// How many more objects may have a scratch file of their own.
#[derive(Debug, Default)]
pub(super) struct OwnFiles(OnceLock<Arc<Semaphore>>);

impl OwnFiles {
    /// Takes one of them; `None` if there is none left. The limit is read at the first call.
    fn take(&self) -> Option<OwnedSemaphorePermit> {
        let left = self.0.get_or_init(|| {
            let most = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize_of(most / RATIO));
            Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
        });
        Arc::clone(left).try_acquire_owned().ok()
    }
}

/// Where the content of one object is put: in a file, from an offset on.
pub(super) struct ScratchFile {
    pub file: Arc<File>,
    /// Where it begins in the file.
    pub from: u64,
    /// Of a file of its own; dropped after the file.
    permit: Option<OwnedSemaphorePermit>,
}

/// Gives the objects of one fetch their files.
#[derive(Default)]
pub(super) struct ScratchFiles {
    /// The file for objects without a file of their own, and how much of it they take.
    shared: Option<(Arc<File>, u64)>,
}

impl ScratchFiles {
    /// Returns where the next object, which has so many bytes, is put.
    pub(super) fn next(&mut self, bytes: u64, own: &OwnFiles, new_file: &NewFile) -> Result<ScratchFile> {
        if let Some(permit) = own.take() {
            return Ok(ScratchFile { file: Arc::new(new_file()?), from: 0, permit: Some(permit) });
        }
        let (file, taken) = match &mut self.shared {
            Some(shared) => shared,
            shared => shared.insert((Arc::new(new_file()?), 0)),
        };
        let from = *taken;
        *taken += bytes;
        Ok(ScratchFile { file: Arc::clone(file), from, permit: None })
    }
}

impl ScratchFile {
    /// Opens the content, of so many bytes, at a position of its own: the file itself, or a copy out of the file that
    /// objects share, which lasts as long as it is open. `object` is for messages.
    pub(super) fn open(&self, bytes: u64, new_file: &NewFile, object: &Path, cancel: &Cancel) -> Result<File> {
        if self.permit.is_some() {
            return self.reopened().map_err(|error| Error::io("open", object, error));
        }
        let failed = |error| Error::io("write", Path::new("a scratch file"), error);
        let (mut content, mut copy, mut left) = (self.content().map_err(failed)?, new_file()?, bytes);
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
