//! Finds the process that holds the write lock of a store.

use std::fs;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::folder::Folder;
use crate::storage::regular_file;

/// Returns the number of the other process that writes to the store and, if the system reveals it, its command; `None`
/// if no other process writes.
///
/// The lock is the system's lock on RocksDB's file `LOCK`. It ends with its process, so an ended process is never
/// named. A process that writes to the store must not call this: closing the file releases its own lock.
pub(super) fn holder(folder: &Folder) -> Option<String> {
    let file = regular_file::open(&folder.database().join("LOCK")).ok()?;
    let held = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).ok()??;
    let process = held.pid?.as_raw_nonzero();
    let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words: Vec<_> = command.split(|byte| *byte == 0).filter(|word| !word.is_empty()).collect();
    let words = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
    Some(if words.is_empty() { format!("process {process}") } else { format!("process {process}, {words:?}") })
}
