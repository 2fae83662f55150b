//! Fingerprints of files: size and hash, to detect that a file has changed since it was read.

use std::fs::{self, File, Metadata};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::regular_file;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::text::Shown;

/// Bytes read at once for the hash.
const READ_BYTES: usize = 1 << 20;

/// The size and the hash of a file's content. XXH3-128 detects accidents; it does not protect against malice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    /// Size of the file.
    pub bytes: u64,
    /// XXH3-128 of its content, big-endian.
    pub xxh3_128: [u8; 16],
    /// When the file was last written and changed. Never stored: used only to notice a change while a command runs.
    times: [i64; 4],
}

/// Returns the times of a file. No program can set the second one, so a file that was replaced, or written and given
/// its old time of writing again, has other times.
fn times_of(metadata: &Metadata) -> [i64; 4] {
    [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()]
}

impl Fingerprint {
    /// Reads the whole file. Fails if the work is asked to stop. Memory: 1 MiB.
    pub fn of(path: &Path, cancel: &Cancel) -> Result<Self> {
        let failed = |error: std::io::Error| Error::io("read", path, error);
        let file = regular_file::open(path).map_err(failed)?;
        let times = times_of(&file.metadata().map_err(failed)?);
        Ok(Fingerprint { times, ..Self::of_content(&file, path, cancel)? })
    }

    /// Reads the whole content of what nobody else writes. Fails if the work is asked to stop; messages name `path`.
    /// Memory: 1 MiB.
    pub(crate) fn of_content(mut content: impl Read, path: &Path, cancel: &Cancel) -> Result<Self> {
        let (mut hasher, mut buffer, mut bytes) = (Xxh3::new(), vec![0; READ_BYTES], 0);
        loop {
            cancel.check()?;
            let read = content.read(&mut buffer).map_err(|error| Error::io("read", path, error))?;
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
            hasher.update(part);
            bytes += part.len() as u64;
        }
        Ok(Self::of_rows(bytes, hasher.digest128().to_be_bytes()))
    }

    /// Returns the fingerprint of rows in memory, which nobody changes.
    pub(crate) fn of_rows(bytes: u64, xxh3_128: [u8; 16]) -> Self {
        Fingerprint { bytes, xxh3_128, times: [0; 4] }
    }

    /// Returns the hash as 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.xxh3_128)
    }

    /// Returns only the size of the file, without reading the file.
    pub fn size_of(path: &Path) -> Result<u64> {
        let metadata = fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
        Ok(metadata.len())
    }

    /// Fails if the file has been written or replaced since its fingerprint was begun: the bytes read from it in
    /// between may differ from the bytes fingerprinted.
    pub fn check_unchanged(&self, path: &Path) -> Result<()> {
        let metadata = fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
        if metadata.len() == self.bytes && times_of(&metadata) == self.times {
            return Ok(());
        }
        Err(Error::input(
            format!("the file {} was written while it was being read", path.shown()),
            "run the same command again when the file is complete",
        ))
    }
}

/// Returns the XXH3-128 of some texts, each behind its length, big-endian.
pub(crate) fn hash_of_texts<'a>(texts: impl Iterator<Item = &'a str>) -> [u8; 16] {
    let mut hasher = Xxh3::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.digest128().to_be_bytes()
}

/// Returns the hexadecimal digits of a hash, two for each byte.
fn hex(hash: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*hash))
}

/// A file that is hashed while it is written, front to back.
pub(crate) struct HashedFile {
    file: File,
    hasher: Xxh3,
    bytes: u64,
}

impl HashedFile {
    /// Starts to write an empty file.
    pub(crate) fn new(file: File) -> Self {
        HashedFile { file, hasher: Xxh3::new(), bytes: 0 }
    }

    /// Returns the fingerprint of what was written.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_rows(self.bytes, self.hasher.digest128().to_be_bytes())
    }

    /// Returns the number of bytes written and their hash.
    pub(crate) fn written(&self) -> (u64, String) {
        (self.bytes, hex(&self.hasher.digest128().to_be_bytes()))
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        let (done, _) =
            bytes.split_at_checked(written).ok_or_else(|| std::io::Error::other("more was written than given"))?;
        self.hasher.update(done);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
