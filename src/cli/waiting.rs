//! Stdin and stdout. Whoever is at their other ends may keep this process waiting for ever, so it looks meanwhile
//! whether it is asked to stop.

use std::fs::File;
use std::io::{self, Error, Read, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::exact::at_most;
use crate::resources::Cancel;

/// How often it looks.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// So much can be written without waiting to a pipe that takes anything at all: PIPE_BUF on Linux.
const WRITE_BYTES: usize = 4_096;

/// One of the two, without a buffer. Reading and writing fail where they would wait and it is asked to stop.
pub(super) struct Waiting {
    file: File,
    /// `None`: nobody is at the other end of a file.
    cancel: Option<Cancel>,
}

impl Waiting {
    pub fn stdin(cancel: &Cancel) -> io::Result<Self> {
        Waiting::on(io::stdin(), cancel)
    }

    pub fn stdout(cancel: &Cancel) -> io::Result<Self> {
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
                // What is wrong with it, reading or writing tells.
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
        let most = if self.cancel.is_some() { WRITE_BYTES } else { usize::MAX };
        self.file.write(at_most(bytes, most))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
