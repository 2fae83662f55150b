//! Memory that processes share. It has no name in the system, and is gone with the last process that uses it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The bytes before the content. They hold the number of users, of all processes.
const HEAD_BYTES: usize = 4 << 10;

/// Returns a new file in memory without a name, open for reading and writing.
pub(crate) fn file_in_memory(flags: libc::c_uint) -> io::Result<File> {
    // SAFETY: the name is a string that ends with a zero.
    let number = unsafe { libc::memfd_create(c"lookback".as_ptr(), libc::MFD_CLOEXEC | flags) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and this file's own.
    Ok(unsafe { File::from_raw_fd(number) })
}

/// Maps the first bytes of a file, which are at least one.
pub(crate) fn mapped(file: &File, bytes: usize, access: libc::c_int) -> io::Result<NonNull<u8>> {
    // SAFETY: the system chooses where; nothing is mapped over.
    let address = unsafe { libc::mmap(ptr::null_mut(), bytes, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    let address = if address == libc::MAP_FAILED { None } else { NonNull::new(address.cast()) };
    address.ok_or_else(io::Error::last_os_error)
}

/// A piece of memory.
pub(crate) struct SharedMemory {
    /// Of whoever made it: others open it through its process, and need it no longer once it is mapped.
    file: Option<File>,
    address: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the address is that of a mapping that lives as long as this; its number of users is atomic, and the content is
// used by the holders of leases.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Returns new memory for so many bytes, which nobody uses.
    pub(crate) fn create(bytes: usize) -> io::Result<Self> {
        let file = file_in_memory(0)?;
        file.set_len((HEAD_BYTES + bytes) as u64)?;
        let mut memory = Self::map(&file)?;
        memory.file = Some(file);
        Ok(memory)
    }

    /// Opens the memory behind a descriptor of another process.
    pub(crate) fn open(process: u32, number: i32) -> io::Result<Self> {
        Self::map(&OpenOptions::new().read(true).write(true).open(format!("/proc/{process}/fd/{number}"))?)
    }

    fn map(file: &File) -> io::Result<Self> {
        let bytes = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        if bytes < HEAD_BYTES {
            return Err(io::Error::other("it is no memory of batches"));
        }
        let address = mapped(file, bytes, libc::PROT_READ | libc::PROT_WRITE)?;
        Ok(SharedMemory { file: None, address, bytes: bytes - HEAD_BYTES })
    }

    fn users(&self) -> &AtomicU32 {
        // SAFETY: the mapping begins with the number, on a page's boundary; all processes use it as an atomic one.
        unsafe { AtomicU32::from_ptr(self.address.as_ptr().cast()) }
    }

    pub(crate) fn is_free(&self) -> bool {
        self.users().load(Ordering::Acquire) == 0
    }

    /// Adds a user in another process, who opens it by this process and the number returned; `None` if another process
    /// has made it.
    pub(crate) fn send(&self) -> Option<i32> {
        let number = self.file.as_ref()?.as_raw_fd();
        self.users().fetch_add(1, Ordering::AcqRel);
        Some(number)
    }

    /// The first byte of the content, which begins on a page's boundary.
    pub(crate) fn content(&self) -> *mut u8 {
        // SAFETY: the mapping is longer than its head.
        unsafe { self.address.as_ptr().add(HEAD_BYTES) }
    }

    /// The bytes of the content.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: it is this mapping, whose last user in this process has gone.
        unsafe { libc::munmap(self.address.as_ptr().cast(), HEAD_BYTES + self.bytes) };
    }
}

/// A use of memory. A forked process has a copy, which counts for nothing.
pub(crate) struct Lease {
    memory: Arc<SharedMemory>,
    process: u32,
}

impl Lease {
    /// Returns the use of memory that nobody uses.
    pub(crate) fn begin(memory: Arc<SharedMemory>) -> Self {
        memory.users().fetch_add(1, Ordering::AcqRel);
        Self::sent(memory)
    }

    /// Returns the use that another process has added for this one.
    pub(crate) fn sent(memory: Arc<SharedMemory>) -> Self {
        Lease { memory, process: std::process::id() }
    }

    pub(crate) fn memory(&self) -> &SharedMemory {
        &self.memory
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            self.memory.users().fetch_sub(1, Ordering::AcqRel);
        }
    }
}
