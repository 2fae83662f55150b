//! Going over keys in ascending order, whatever the table files say.

use rocksdb::DBRawIterator;

use super::engine::failure::failure;
use super::folder::Folder;
use crate::error::{Error, Result};
use crate::format::hex;

/// An iterator whose keys rise: where one does not, it fails. RocksDB believes the order of keys in a block whose
/// checksum is right, and may come back to where it was.
///
/// Memory: that of the iterator, and a key.
pub(super) struct Scan<'store> {
    iterator: DBRawIterator<'store>,
    folder: &'store Folder,
    /// The key before, or what was sought.
    last: Vec<u8>,
    /// Where it stands.
    place: Place,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    /// On what was sought, or behind it.
    Sought,
    /// On what comes behind the key before.
    Next,
    /// On the key before, which has been given.
    Given,
}

impl<'store> Scan<'store> {
    /// Over an iterator of the store in this folder; stands nowhere yet.
    pub fn new(iterator: DBRawIterator<'store>, folder: &'store Folder) -> Self {
        Scan { iterator, folder, last: Vec::new(), place: Place::Sought }
    }

    /// Goes to the first key that is not below this one.
    pub fn seek(&mut self, key: impl AsRef<[u8]>) {
        self.iterator.seek(key.as_ref());
        self.last.clear();
        self.last.extend_from_slice(key.as_ref());
        self.place = Place::Sought;
    }

    /// The key and the value where it stands; `None` behind the last. Fails where that cannot be read, or does not lie
    /// behind the one before.
    pub fn entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
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
            return Err(Error::corrupt(format!("keys of the store do not rise behind {}", hex(&self.last))));
        }
        if self.place != Place::Given {
            self.last.clear();
            self.last.extend_from_slice(key);
            self.place = Place::Given;
        }
        Ok(Some((key, value)))
    }

    /// Fails where work on the store is asked to stop.
    pub fn check_cancelled(&self) -> Result<()> {
        self.folder.resources().check()
    }

    /// Goes to the next key.
    pub fn next(&mut self) {
        self.iterator.next();
        self.place = Place::Next;
    }
}
