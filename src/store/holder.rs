//! Who holds the write lock of a store.

use std::fs;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::folder::Folder;
use crate::storage::regular_file;

/// The other process that writes to the store, by its number and where the system tells it its command; `None` if there
/// is none any more.
///
/// The lock is the system's own, on RocksDB's file `LOCK`; it ends with its process, so that nobody is named who is
/// gone. Must not be asked by a process that writes to the store itself: closing the file gives up its lock.
pub(super) fn holder(folder: &Folder) -> Option<String> {
    let file = regular_file::open(&folder.database().join("LOCK")).ok()?;
    let held = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).ok()??;
    let process = held.pid?.as_raw_nonzero();
    let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words: Vec<_> = command.split(|byte| *byte == 0).filter(|word| !word.is_empty()).collect();
    let words = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
    Some(if words.is_empty() { format!("process {process}") } else { format!("process {process}, {words:?}") })
}
