//! Syncs a file to disk while it grows, so that its last fsync has little left to wait for.

use std::fs::File;
use std::io;
use std::thread::JoinHandle;

/// A sync starts after this many new bytes: enough that a disk writes them in a few milliseconds, and that small files
/// need no sync.
const BYTES_EACH: u64 = 4 << 20;

/// Syncs a file in the background, one sync at a time. Only speed depends on it: the complete file is fsynced in any
/// case.
///
/// Memory: a thread at times.
pub(super) struct EarlySync {
    /// Another handle of the file; `None` if the system refuses one.
    file: Option<File>,
    /// The file size at the start of the last sync.
    synced_from_bytes: u64,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl EarlySync {
    /// For an empty file.
    pub(super) fn of(file: &File) -> Self {
        EarlySync { file: file.try_clone().ok(), synced_from_bytes: 0, running: None }
    }

    /// Records that the file has reached this many bytes. Fails if a sync has failed.
    pub(super) fn written(&mut self, bytes: u64) -> io::Result<()> {
        let is_due = bytes >= self.synced_from_bytes + BYTES_EACH;
        if !is_due || self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            return Ok(());
        }
        self.end()?;
        let Some(file) = self.file.as_ref().and_then(|file| file.try_clone().ok()) else { return Ok(()) };
        self.synced_from_bytes = bytes;
        // Without a thread, the last fsync does the work.
        self.running = std::thread::Builder::new().spawn(move || file.sync_data()).ok();
        Ok(())
    }

    /// Waits for the running sync. Fails if that sync has failed: the system reports an error once, so the last fsync
    /// might miss it.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match self.running.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(synced)) => synced,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for EarlySync {
    fn drop(&mut self) {
        // The file may be removed next.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_sync_begins_with_each_four_megabytes() {
        let mut file = tempfile::tempfile().unwrap();
        let mut early = EarlySync::of(&file);
        let mut started = Vec::new();
        for bytes in (1..=9).map(|mega| mega << 20) {
            file.write_all(&vec![7; 1 << 20]).unwrap();
            early.written(bytes).unwrap();
            started.push(early.synced_from_bytes >> 20);
            // So that the next sync is not skipped.
            early.end().unwrap();
        }
        assert_eq!(started, [0, 0, 0, 4, 4, 4, 4, 8, 8]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_error_is_told_at_the_next_step() {
        // A pipe cannot be synced.
        let (_reader, writer) = std::io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let mut early = EarlySync::of(&file);
        early.written(BYTES_EACH).unwrap();
        assert!(early.end().is_err());
        early.written(3 * BYTES_EACH).unwrap();
        while !early.running.as_ref().unwrap().is_finished() {
            std::thread::yield_now();
        }
        assert!(early.written(9 * BYTES_EACH).is_err());
    }
}
