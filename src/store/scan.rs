//! Scans keys in ascending order, whatever the table files contain.

use rocksdb::DBRawIterator;

use super::engine::failure::failure;
use super::folder::Folder;
use crate::error::{Error, Result};
use crate::format::hex;

/// An iterator that fails if its keys do not ascend. RocksDB trusts the order of keys in a block with a correct
/// checksum, and may otherwise return to an earlier key.
///
/// Memory: the memory of the iterator, and a key.
pub(super) struct Scan<'store> {
    iterator: DBRawIterator<'store>,
    folder: &'store Folder,
    /// The previous key, or the key that was sought.
    last: Vec<u8>,
    /// The position of the iterator.
    place: Place,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    /// On the key that was sought, or after it.
    Sought,
    /// On the entry after the previous key.
    Next,
    /// On the previous key, which has already been returned.
    Given,
}

impl<'store> Scan<'store> {
    /// Wraps an iterator of the store in this folder; it has no position yet.
    pub(super) fn new(iterator: DBRawIterator<'store>, folder: &'store Folder) -> Self {
        Scan { iterator, folder, last: Vec::new(), place: Place::Sought }
    }

    /// Goes to the first key that is not below `key`.
    pub(super) fn seek(&mut self, key: impl AsRef<[u8]>) {
        self.iterator.seek(key.as_ref());
        self.last.clear();
        self.last.extend_from_slice(key.as_ref());
        self.place = Place::Sought;
    }

    /// Returns the current key and value; `None` after the last key. Fails if the entry is unreadable or does not come
    /// after the previous key.
    pub(super) fn entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        let Some((key, value)) = self.iterator.item() else {
            return match self.iterator.status() {
                Ok(()) => Ok(None),
                Err(error) => Err(failure("read", self.folder, error)),
            };
        };
        let rises = match self.place {
            Place::Sought => key >= self.last.as_slice(),
            Place::Next => key > self.last.as_slice(),
            Place::Given => true,
        };
        if !rises {
            return Err(Error::corrupt(format!("keys of the store do not ascend after {}", hex(&self.last))));
        }
        if self.place != Place::Given {
            self.last.clear();
            self.last.extend_from_slice(key);
            self.place = Place::Given;
        }
        Ok(Some((key, value)))
    }

    /// Fails if work on the store is asked to stop.
    pub(super) fn check_cancelled(&self) -> Result<()> {
        self.folder.resources().check()
    }

    /// Goes to the next key.
    pub(super) fn next(&mut self) {
        self.iterator.next();
        self.place = Place::Next;
    }
}
