//! Bytes that are written once, one after the other, and read anywhere.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::Scratch;
use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};

/// Bytes in memory up to a bound, and beyond it in a scratch file.
///
/// Memory: `memory_max` bytes, and as much again for the moment in which it moves them to the file or grows.
pub struct Spool {
    scratch: Scratch,
    memory: Vec<u8>,
    memory_max: usize,
    file: Option<(PathBuf, File)>,
    length: u64,
}

impl Spool {
    /// Returns an empty spool, which creates a file in `scratch` when it has more than `memory_max` bytes.
    pub fn new(scratch: Scratch, memory_max: usize) -> Self {
        Spool { scratch, memory: Vec::new(), memory_max, file: None, length: 0 }
    }

    /// Returns the number of bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes. Returns the offset of the first.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let offset = self.length;
        if self.file.is_none() && self.memory.len() + bytes.len() <= self.memory_max {
            self.memory.extend_from_slice(bytes);
        } else {
            if self.file.is_none() {
                let file = self.file.insert(self.scratch.file()?);
                write(file, &std::mem::take(&mut self.memory))?;
            }
            write(self.file.as_mut().held("a spool beyond its bound has a file")?, bytes)?;
        }
        self.length += bytes.len() as u64;
        Ok(offset)
    }

    /// Returns `length` bytes from `offset` on; `buffer` is used for those of the file. Fails if they were not written.
    pub fn read<'bytes>(&'bytes self, offset: u64, length: usize, buffer: &'bytes mut Vec<u8>) -> Result<&'bytes [u8]> {
        const WRITTEN: &str = "the bytes read from a spool were written to it";
        let Some((path, file)) = &self.file else {
            let begin = usize_of(offset);
            return self.memory.get(begin..begin.saturating_add(length)).held(WRITTEN);
        };
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        let buffer = buffer.get_mut(..length).held(WRITTEN)?;
        file.read_exact_at(buffer, offset).map_err(|error| Error::io("read", path, error))?;
        Ok(buffer)
    }
}

fn write((path, file): &mut (PathBuf, File), bytes: &[u8]) -> Result<()> {
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
            drop(spool);
            prop_assert!(!scratch.exists());
        }
    }
}
