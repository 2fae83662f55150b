//! A sorted run on disk: a sequence of records, each preceded by its length.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;

use super::record::Record;
use crate::error::{Error, Result};
use crate::resources::{Cancel, Scratch};

/// Size of the read or write buffer of a run; a merge has one buffer per run.
const RUN_BUFFER_BYTES: usize = 64 << 10;

/// Reads the records of a run in order. Memory: its buffer and one record.
pub(super) struct RunReader {
    path: PathBuf,
    file: BufReader<File>,
    left: u64,
    bytes: Vec<u8>,
}

/// Writes sorted records to a new file, those that can be one as one, and returns a reader of the file. Fails if a
/// stop is requested meanwhile.
pub(super) fn spill<R: Record>(
    records: impl Iterator<Item = Result<R>>,
    scratch: &mut Scratch,
    cancel: &Cancel,
) -> Result<RunReader> {
    let (path, file) = scratch.file()?;
    let failed = |error: std::io::Error| Error::io("write", &path, error);
    let mut writer = BufWriter::with_capacity(RUN_BUFFER_BYTES, file);
    let (mut bytes, mut left) = (Vec::new(), 0);
    let mut records = records.peekable();
    while let Some(record) = records.next() {
        cancel.check()?;
        let mut record = record?;
        while records.next_if(|next| next.as_ref().is_ok_and(|next| record.absorb(next))).is_some() {}
        left += 1;
        bytes.clear();
        record.encode(&mut bytes);
        writer.write_all(&(bytes.len() as u64).to_le_bytes()).map_err(failed)?;
        writer.write_all(&bytes).map_err(failed)?;
    }
    let mut file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    file.rewind().map_err(failed)?;
    let file = BufReader::with_capacity(RUN_BUFFER_BYTES, file);
    Ok(RunReader { path, file, left, bytes: Vec::new() })
}

impl RunReader {
    /// Returns the next record; `None` at the end.
    pub(super) fn next<R: Record>(&mut self) -> Result<Option<R>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let failed = |path: &PathBuf, error: std::io::Error| Error::io("read", path, error);
        let mut length = [0; 8];
        self.file.read_exact(&mut length).map_err(|error| failed(&self.path, error))?;
        self.bytes.clear();
        let mut record = self.file.by_ref().take(u64::from_le_bytes(length));
        record.read_to_end(&mut self.bytes).map_err(|error| failed(&self.path, error))?;
        R::decode(&self.bytes).map(Some).ok_or_else(|| {
            let changed = std::io::Error::other("its content is not what was written");
            failed(&self.path, changed)
        })
    }
}
