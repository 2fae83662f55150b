//! Reading index and roster: lists that lie in leaves.

use rocksdb::DBRawIterator;

use super::handle::Store;
use super::open::failure;
use super::options::scanning;
use crate::error::Result;
use crate::format::{Key, Standing, TouchedDay, decode_leaf};
use crate::model::{CustomerId, Day};

/// One leaf with its bytes, so that it can be told whether it has changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredLeaf<E> {
    /// Where it begins.
    pub first: CustomerId,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its lines, customers ascending.
    pub entries: Vec<(CustomerId, E)>,
}

/// Reads the leaf at a key, relative to a day; `None` where the key is of no leaf of the list.
type ReadLeaf<E> = fn(Key, &[u8], Day) -> Result<Option<StoredLeaf<E>>>;

/// Streams the leaves of one list in the order of customers. Memory: one block of each sorted run, and the leaf that is returned.
pub struct Leaves<'store, E> {
    store: &'store Store,
    iterator: DBRawIterator<'store>,
    read: ReadLeaf<E>,
    batch: Day,
}

impl Store {
    /// The days that a batch touched, of each customer the newest first.
    pub fn touched_by(&self, batch: Day) -> Leaves<'_, TouchedDay> {
        let read = |key, bytes: &[u8], batch| match key {
            Key::Index { batch: found, first } if found == batch => {
                let mut entries = Vec::new();
                decode_leaf(first, batch, bytes, &mut entries)?;
                Ok(Some(StoredLeaf { first, bytes: bytes.to_vec(), entries }))
            }
            _ => Ok(None),
        };
        self.leaves(&crate::format::index_prefix(batch), batch, read)
    }

    /// All customers.
    pub fn roster(&self) -> Leaves<'_, Standing> {
        let read = |key, bytes: &[u8], day| match key {
            Key::Roster { first } => {
                let mut entries = Vec::new();
                decode_leaf(first, day, bytes, &mut entries)?;
                Ok(Some(StoredLeaf { first, bytes: bytes.to_vec(), entries }))
            }
            _ => Ok(None),
        };
        self.leaves(&[crate::format::Keyspace::Roster as u8], Day::FIRST, read)
    }

    fn leaves<E>(&self, from: &[u8], batch: Day, read: ReadLeaf<E>) -> Leaves<'_, E> {
        let mut iterator = self.db.raw_iterator_opt(scanning());
        iterator.seek(from);
        Leaves { store: self, iterator, read, batch }
    }
}

impl<E> Iterator for Leaves<'_, E> {
    type Item = Result<StoredLeaf<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some((key, value)) = self.iterator.item() else {
            let status = self.iterator.status();
            return status.err().map(|error| Err(failure("read", &self.store.folder, &error)));
        };
        let leaf = Key::decode(key).and_then(|key| (self.read)(key, value, self.batch)).transpose();
        self.iterator.next();
        leaf
    }
}
