//! Stdin and stdout. The process at the other end may keep this one waiting for ever, so waiting checks for requests to
//! stop.

use std::fs::File;
use std::io::{self, Error, Read, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use lookback::resources::Cancel;

/// The interval between checks.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Bytes that can be written without waiting to a pipe that is ready for any: PIPE_BUF on Linux.
const WRITE_BYTES: usize = 4_096;

/// Stdin or stdout, unbuffered. Reading and writing fail if they would wait after a request to stop.
pub(super) struct Waiting {
    file: File,
    /// `None` for a file, which has no process at its other end.
    cancel: Option<Cancel>,
}

impl Waiting {
    pub(super) fn stdin(cancel: &Cancel) -> io::Result<Self> {
        Waiting::on(io::stdin(), cancel)
    }

    pub(super) fn stdout(cancel: &Cancel) -> io::Result<Self> {
        Waiting::on(io::stdout(), cancel)
    }

    fn on(stream: impl AsFd, cancel: &Cancel) -> io::Result<Self> {
        let file = File::from(stream.as_fd().try_clone_to_owned()?);
        let is_file = file.metadata()?.is_file();
        Ok(Waiting { file, cancel: (!is_file).then(|| cancel.clone()) })
    }

    fn wait(&self, until: PollFlags) -> io::Result<()> {
        let Some(cancel) = &self.cancel else { return Ok(()) };
        loop {
            match poll(&mut [PollFd::new(&self.file, until)], Some(&LOOK)) {
                Ok(0) | Err(Errno::INTR) => cancel.check().map_err(Error::other)?,
                // Reading or writing will report an error.
                _ => return Ok(()),
            }
        }
    }
}

impl Read for Waiting {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.wait(PollFlags::IN)?;
        self.file.read(bytes)
    }
}

impl Write for Waiting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::OUT)?;
        match bytes.split_at_checked(WRITE_BYTES) {
            Some((first, _)) if self.cancel.is_some() => self.file.write(first),
            _ => self.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
