//! A folder for files that live as long as one command.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// A folder that is created with its first file and removed, with all that is in it, when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    files: usize,
    /// Folders above it that were not there before, innermost first.
    created: Vec<PathBuf>,
}

impl Scratch {
    /// A scratch folder at `path`, for this command alone; nothing is created yet.
    pub fn new(path: PathBuf) -> Self {
        Scratch { path, files: 0, created: Vec::new() }
    }

    /// A scratch folder in the system's folder for temporary files (`TMPDIR`), for commands that read and write no folder of their own. Its name is by
    /// chance, so that nobody else can have put anything there.
    pub fn temporary() -> Result<Self> {
        let mut name = [0; 8];
        let drawn = rustix::rand::getrandom(&mut name, rustix::rand::GetRandomFlags::empty());
        if !drawn.is_ok_and(|bytes| bytes == name.len()) {
            return Err(Error::new(Kind::Io, "the system gives no random bytes", "mend the system and run again"));
        }
        let name = format!("lookback-{:016x}", u64::from_le_bytes(name));
        Ok(Scratch::new(std::env::temp_dir().join(name)))
    }

    /// Creates the next file, open for reading and writing, readable by its owner alone.
    pub fn file(&mut self) -> Result<(PathBuf, File)> {
        if self.files == 0 {
            let above = self.path.ancestors().skip(1).take_while(|folder| !folder.exists());
            self.created = above.map(Path::to_owned).collect();
        }
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        created.map_err(|error| Error::io("create", &self.path, &error))?;
        let path = self.path.join(format!("run-{:05}", self.files));
        self.files += 1;
        let file = File::options().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.map_err(|error| Error::io("create", &path, &error))?;
        Ok((path, file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.files > 0 {
            // Left behind at worst: the next run empties the same folder.
            let _ = fs::remove_dir_all(&self.path);
            // Those above it too, where they were made for this one and nothing else has come into them.
            for folder in &self.created {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}
