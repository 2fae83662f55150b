//! Writing a file to disk while it grows, so that its last fsync has little left to wait for.

use std::fs::File;
use std::io;
use std::thread::JoinHandle;

/// What is written is brought to disk whenever it has become so much more. Enough that a disk does it in a few
/// milliseconds, and that small files are left alone.
const BYTES_EACH: u64 = 4 << 20;

/// Syncs a file in the background, one sync at a time. Nothing rests on it but time: the file is fsynced when it is
/// complete, whatever was done before.
///
/// Memory: a thread at times.
pub(super) struct EarlySync {
    /// Another handle of the file; `None` where there is none to be had.
    file: Option<File>,
    /// How much of the file a sync has begun for.
    begun_bytes: u64,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl EarlySync {
    /// For a file that is empty.
    pub fn of(file: &File) -> Self {
        EarlySync { file: file.try_clone().ok(), begun_bytes: 0, running: None }
    }

    /// Takes note that the file has come to so many bytes. Fails if a sync has failed.
    pub fn written(&mut self, bytes: u64) -> io::Result<()> {
        let is_due = bytes >= self.begun_bytes + BYTES_EACH;
        if !is_due || self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            return Ok(());
        }
        self.end()?;
        let Some(file) = self.file.as_ref().and_then(|file| file.try_clone().ok()) else { return Ok(()) };
        self.begun_bytes = bytes;
        // Without a thread it is left to the last fsync.
        self.running = std::thread::Builder::new().spawn(move || file.sync_data()).ok();
        Ok(())
    }

    /// Waits for the sync that runs. Fails if it has failed: the system tells of an error once, so the last fsync may
    /// not.
    pub fn end(&mut self) -> io::Result<()> {
        match self.running.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(synced)) => synced,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for EarlySync {
    fn drop(&mut self) {
        // Its file may be removed next.
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
        let mut begun = Vec::new();
        for bytes in (1..=9).map(|mega| mega << 20) {
            file.write_all(&vec![7; 1 << 20]).unwrap();
            early.written(bytes).unwrap();
            begun.push(early.begun_bytes >> 20);
            // So that the next one need not be left out.
            early.end().unwrap();
        }
        assert_eq!(begun, [0, 0, 0, 4, 4, 4, 4, 8, 8]);
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
