//! Bytes that are written once, one after the other, and read anywhere.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Scratch;
use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};

/// Bytes in memory up to a bound, and beyond it in a scratch file.
///
/// Memory: `memory_max` bytes, and as much again for the moment in which it moves them to the file or grows.
pub struct Spool {
    content: Content,
    /// Where a file is created; `None` for what was written elsewhere.
    scratch: Option<Scratch>,
    memory_max: usize,
    length: u64,
}

enum Content {
    Memory(Vec<u8>),
    Shared(SharedBytes),
    File(PathBuf, File),
}

/// Bytes in memory that processes share. They never change.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Where the bytes of a spool are.
pub enum SpoolContent<'a> {
    /// In memory.
    Memory(&'a [u8]),
    /// In a file, from its beginning on.
    File(&'a File),
}

impl Spool {
    /// Returns an empty spool, which creates a file in `scratch` when it has more than `memory_max` bytes.
    pub fn new(scratch: Scratch, memory_max: usize) -> Self {
        Spool { content: Content::Memory(Vec::new()), scratch: Some(scratch), memory_max, length: 0 }
    }

    /// Returns a spool of bytes that were written before.
    pub fn of_memory(bytes: SharedBytes) -> Self {
        let length = (*bytes).as_ref().len() as u64;
        Spool { content: Content::Shared(bytes), scratch: None, memory_max: 0, length }
    }

    /// Returns a spool of the first `length` bytes of a file, whose path is for messages.
    pub fn of_file(path: PathBuf, file: File, length: u64) -> Self {
        Spool { content: Content::File(path, file), scratch: None, memory_max: 0, length }
    }

    /// Returns the number of bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns where the bytes are.
    pub fn content(&self) -> SpoolContent<'_> {
        match &self.content {
            Content::Memory(bytes) => SpoolContent::Memory(bytes),
            Content::Shared(bytes) => SpoolContent::Memory((**bytes).as_ref()),
            Content::File(_, file) => SpoolContent::File(file),
        }
    }

    /// Appends bytes. Returns the offset of the first.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let offset = self.length;
        let scratch = self.scratch.as_mut().held("nothing is appended to what was written before")?;
        match &mut self.content {
            Content::Memory(memory) if memory.len() + bytes.len() <= self.memory_max => memory.extend_from_slice(bytes),
            Content::Memory(memory) => {
                let (path, mut file) = scratch.file()?;
                for part in [&std::mem::take(memory), bytes] {
                    write(&path, &mut file, part)?;
                }
                self.content = Content::File(path, file);
            }
            Content::File(path, file) => write(path, file, bytes)?,
            Content::Shared(_) => None.held("what was written before has no scratch folder")?,
        }
        self.length += bytes.len() as u64;
        Ok(offset)
    }

    /// Returns `length` bytes from `offset` on; `buffer` is used for those of the file. Fails if they were not written.
    pub fn read<'bytes>(&'bytes self, offset: u64, length: usize, buffer: &'bytes mut Vec<u8>) -> Result<&'bytes [u8]> {
        const WRITTEN: &str = "the bytes read from a spool were written to it";
        let (path, file) = match &self.content {
            Content::File(path, file) => (path, file),
            Content::Memory(bytes) => return part(bytes, offset, length).held(WRITTEN),
            Content::Shared(bytes) => return part((**bytes).as_ref(), offset, length).held(WRITTEN),
        };
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        let buffer = buffer.get_mut(..length).held(WRITTEN)?;
        file.read_exact_at(buffer, offset).map_err(|error| Error::io("read", path, error))?;
        Ok(buffer)
    }
}

fn part(bytes: &[u8], offset: u64, length: usize) -> Option<&[u8]> {
    let begin = usize_of(offset);
    bytes.get(begin..begin.saturating_add(length))
}

fn write(path: &Path, file: &mut File, bytes: &[u8]) -> Result<()> {
    file.write_all(bytes).map_err(|error| Error::io("write", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_appended_is_read_in_memory_and_on_disk(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20),
            memory_max in 0..600_usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let scratch = folder.path().join("scratch");
            let mut spool = Spool::new(Scratch::new(scratch.clone()), memory_max);
            let places: Vec<u64> = parts.iter().map(|part| spool.append(part).unwrap()).collect();
            let all: usize = parts.iter().map(Vec::len).sum();
            prop_assert_eq!(spool.length(), all as u64);
            prop_assert_eq!(scratch.exists(), all > memory_max);
            let mut buffer = Vec::new();
            for (place, part) in places.into_iter().zip(&parts).rev() {
                prop_assert_eq!(spool.read(place, part.len(), &mut buffer).unwrap(), &part[..]);
            }
            let beyond = spool.read(all as u64, 1, &mut buffer).unwrap_err().kind();
            prop_assert_eq!(beyond, if all > memory_max { Kind::Io } else { Kind::Internal });
            // What is read elsewhere is the same, and complete.
            let mut again = match spool.content() {
                SpoolContent::Memory(bytes) => Spool::of_memory(Arc::new(bytes.to_vec())),
                SpoolContent::File(file) => Spool::of_file(scratch.clone(), file.try_clone().unwrap(), all as u64),
            };
            let mut other = Vec::new();
            prop_assert_eq!(again.read(0, all, &mut other).unwrap(), spool.read(0, all, &mut buffer).unwrap());
            prop_assert_eq!(again.append(&[1]).unwrap_err().kind(), Kind::Internal);
            prop_assert_eq!(again.length(), all as u64);
            drop(spool);
            prop_assert!(!scratch.exists());
        }
    }
}
