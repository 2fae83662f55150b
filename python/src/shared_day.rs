//! A prepared day that the processes of a dataset share: one of them prepares it, and each reads it where it lies.
//!
//! Its parts are files without a name: in memory, sealed so that they never change, or scratch files. Another process
//! opens them through one that has them open, and is told its numbers of them; they are gone with the last process.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use lookback::error::{Error, Result};
use lookback::resources::{Resources, Spool, SpoolContent};
use lookback::training::{DayParts, TrainingDay};
use pyo3::prelude::*;

use crate::errors::Raised;
use crate::shared_memory::{file_in_memory, mapped};

/// What keeps a file in memory as it is.
const SEALS: i32 = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;

/// What is known of a day, its histories and its impressions, each in a file.
pub(crate) struct DayFiles([File; 3]);

/// How another process finds a file of a process: the number of its descriptor; device and inode, which tell whether
/// the number has become another file's.
pub(crate) type FilePlace = (i32, u64, u64);

impl DayFiles {
    /// Puts the parts of a day into files: what is in memory is copied.
    pub(crate) fn of(day: &TrainingDay) -> Result<Self> {
        let DayParts { about, histories, impressions } = day.parts()?;
        let put = |content| put(content).map_err(|error| Error::io("share", Path::new("a prepared day"), error));
        Ok(DayFiles([put(SpoolContent::Memory(&about))?, put(histories)?, put(impressions)?]))
    }

    /// Opens the files that a process has open. `None` if it has them no more, or they cannot be opened.
    pub(crate) fn open(process: u32, places: &[FilePlace; 3]) -> Option<Self> {
        let open = |(number, device, inode): &FilePlace| {
            let file = File::open(format!("/proc/{process}/fd/{number}")).ok()?;
            let found = file.metadata().ok()?;
            (found.dev() == *device && found.ino() == *inode).then_some(file)
        };
        let [about, histories, impressions] = places;
        Some(DayFiles([open(about)?, open(histories)?, open(impressions)?]))
    }

    /// Returns the day, which reads the files where they lie.
    pub(crate) fn day(&self, resources: Resources) -> Result<TrainingDay> {
        let [about, histories, impressions] = &self.0;
        let read = |error| Error::io("read", Path::new("a prepared day"), error);
        let mut known = Vec::new();
        // Through the path, since those who share a descriptor share its position.
        reopened(about).and_then(|mut about| about.read_to_end(&mut known)).map_err(read)?;
        let spools = (spool(histories).map_err(read)?, spool(impressions).map_err(read)?);
        TrainingDay::of_parts(&known, spools.0, spools.1, resources)
    }

    /// Returns how another process finds the files.
    pub(crate) fn places(&self) -> io::Result<Vec<FilePlace>> {
        let place = |file: &File| file.metadata().map(|found| (file.as_raw_fd(), found.dev(), found.ino()));
        self.0.iter().map(place).collect()
    }
}

fn reopened(file: &File) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn put(content: SpoolContent<'_>) -> io::Result<File> {
    let bytes = match content {
        SpoolContent::Memory(bytes) => bytes,
        SpoolContent::File(file) => return file.try_clone(),
    };
    let mut file = file_in_memory(libc::MFD_ALLOW_SEALING)?;
    file.write_all(bytes)?;
    // SAFETY: it changes what may be done with the file, and no memory.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

fn spool(file: &File) -> io::Result<Spool> {
    // SAFETY: it asks for a number.
    let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
    let length = file.metadata()?.len();
    if seals < 0 || seals & SEALS != SEALS {
        return Ok(Spool::of_file(PathBuf::from("a scratch file of rows"), reopened(file)?, length));
    }
    Ok(match usize::try_from(length).map_err(io::Error::other)? {
        0 => Spool::of_memory(Arc::new(Vec::new())),
        bytes => Spool::of_memory(Arc::new(Mapped { address: mapped(file, bytes, libc::PROT_READ)?, bytes })),
    })
}

/// A sealed file in memory, as memory.
struct Mapped {
    address: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the address is that of a mapping that lives as long as this, whose bytes nobody can change.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping has so many bytes, which its seals keep as they are.
        unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.bytes) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: it is this mapping, whose last user in this process has gone.
        unsafe { libc::munmap(self.address.as_ptr().cast(), self.bytes) };
    }
}

/// The file in memory in which the processes of a dataset tell each other of the days that they have open. It belongs
/// to whoever made it; others open it through that process.
#[pyclass(frozen, module = "lookback._native")]
pub(crate) struct Board(File);

#[pymethods]
impl Board {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        let made = file_in_memory(0);
        made.map(Board).map_err(|error| Error::io("create", Path::new("a file in memory"), error)).raised(py)
    }

    #[getter]
    fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

/// Locks bytes of an open file for the holder of this descriptor, until it is closed; also by the end of the process,
/// however it ends. Returns whether it did: somebody else may have locked them.
#[pyfunction]
pub(crate) fn lock(py: Python<'_>, descriptor: i32, first: i64, bytes: i64) -> PyResult<bool> {
    // SAFETY: all fields are numbers, for which 0 is a value.
    let mut range: libc::flock = unsafe { std::mem::zeroed() };
    (range.l_type, range.l_whence) = (libc::F_WRLCK as libc::c_short, libc::SEEK_SET as libc::c_short);
    (range.l_start, range.l_len) = (first, bytes);
    // SAFETY: the range is read only.
    if unsafe { libc::fcntl(descriptor, libc::F_OFD_SETLK, &range) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => Ok(false),
        _ => Err(Error::io("lock", Path::new("the days of a dataset"), error)).raised(py),
    }
}
