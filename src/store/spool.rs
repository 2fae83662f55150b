//! Keys and values that wait until all earlier keys are written.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// The most that waits in memory; the rest waits on disk.
const SPOOL_BYTES: usize = 16 << 20;

/// Takes keys and values and returns them in the same order.
///
/// Memory: 16 MiB. The rest goes to a file in the staging folder of the store.
pub(super) struct Spool {
    path: PathBuf,
    waiting: Vec<u8>,
    file: Option<BufWriter<File>>,
}

impl Spool {
    /// Creates an empty spool, which spills to the file `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        Spool { path, waiting: Vec::new(), file: None }
    }

    /// Adds a key with its value, or with `None` if the key is to be removed.
    pub(super) fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        for part in [Some(key), value] {
            // Lengths are stored plus one, so that 0 means no value.
            let length = part.map_or(0, |part| part.len() as u64 + 1);
            self.waiting.extend_from_slice(&length.to_le_bytes());
            self.waiting.extend_from_slice(part.unwrap_or_default());
        }
        if self.waiting.len() >= SPOOL_BYTES {
            let failed = |error: std::io::Error| Error::io("write", &self.path, error);
            if self.file.is_none() {
                let file = File::options().read(true).write(true).create(true).truncate(true).open(&self.path);
                self.file = Some(BufWriter::new(file.map_err(failed)?));
            }
            if let Some(file) = &mut self.file {
                file.write_all(&self.waiting).map_err(failed)?;
            }
            self.waiting.clear();
        }
        Ok(())
    }

    /// Gives all keys and values to `take`.
    pub(super) fn drain(self, mut take: impl FnMut(&[u8], Option<&[u8]>) -> Result<()>) -> Result<()> {
        let failed = |error: std::io::Error| Error::io("read", &self.path, error);
        let file = self.file.map(|file| file.into_inner().map_err(|error| failed(error.into_error()))).transpose()?;
        let mut on_disk: Box<dyn Read> = match file {
            Some(mut file) => {
                file.rewind().map_err(failed)?;
                Box::new(BufReader::new(file))
            }
            None => Box::new(std::io::empty()),
        };
        let mut all = on_disk.by_ref().chain(self.waiting.as_slice());
        let (mut key, mut value) = (Vec::new(), Vec::new());
        while read_part(&mut all, &mut key).map_err(failed)?.is_some_and(|there| there) {
            let there = read_part(&mut all, &mut value).map_err(failed)?;
            take(&key, there.is_some_and(|there| there).then_some(value.as_slice()))?;
        }
        Ok(())
    }
}

/// Reads one part into `part`. Returns whether the part has a value; `None` at the end.
fn read_part(from: &mut impl Read, part: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    let mut length = [0; 8];
    let mut head = from.by_ref().take(8);
    let mut filled = 0;
    while let Some(rest) = length.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match head.read(rest)? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    part.clear();
    let Some(length) = u64::from_le_bytes(length).checked_sub(1) else { return Ok(Some(false)) };
    let read = from.by_ref().take(length).read_to_end(part)?;
    if read as u64 == length { Ok(Some(true)) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_memory_and_through_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for value_bytes in [10_usize, 3 << 20] {
            let path = folder.path().join(value_bytes.to_string());
            let mut spool = Spool::new(path.clone());
            let entry = |number: u8| (vec![number], (!number.is_multiple_of(3)).then(|| vec![number; value_bytes]));
            for number in 0..12 {
                let (key, value) = entry(number);
                spool.push(&key, value.as_deref()).unwrap();
            }
            assert_eq!(path.exists(), value_bytes > 1_000);
            let mut expected = 0;
            spool
                .drain(|key, value| {
                    assert_eq!((key.to_vec(), value.map(<[u8]>::to_vec)), entry(expected));
                    expected += 1;
                    Ok(())
                })
                .unwrap();
            assert_eq!(expected, 12);
        }
    }
}
