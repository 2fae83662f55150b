//! Reads the batch index and the customer index: lists stored in leaves.

use std::marker::PhantomData;

use super::engine::options::scanning;
use super::handle::Store;
use super::scan::Scan;
use crate::error::Result;
use crate::format::{CustomerState, Entry, Key, TouchedDay, decode_leaf};
use crate::model::{CustomerId, Day};

/// One decoded leaf.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredLeaf<E> {
    /// The customer at which the leaf begins.
    pub first: CustomerId,
    /// Lines of the leaf, customers ascending.
    pub entries: Vec<(CustomerId, E)>,
}

/// Streams the leaves of one list in the order of customers. Memory: one block of each sorted run, and the leaf that is
/// returned.
pub struct Leaves<'store, E> {
    scan: Scan<'store>,
    /// Returns the customer at which the leaf with a key begins; `None` if the key is not a leaf of the list, whose
    /// leaves are relative to a day.
    first: fn(Key, Day) -> Option<CustomerId>,
    anchor: Day,
    entry: PhantomData<E>,
}

impl Store {
    /// Returns the days that a batch touched, newest first for each customer.
    pub(crate) fn touched_by(&self, batch: Day) -> Leaves<'_, TouchedDay> {
        let first = |key, batch| match key {
            Key::Index { batch: found, first } if found == batch => Some(first),
            _ => None,
        };
        self.leaves(&crate::format::index_prefix(batch), first, batch)
    }

    /// Returns the states of all customers.
    #[doc(hidden)]
    pub fn customer_index(&self) -> Leaves<'_, CustomerState> {
        let first = |key, _| match key {
            Key::CustomerIndex { first } => Some(first),
            _ => None,
        };
        self.leaves(&[crate::format::Keyspace::CustomerIndex as u8], first, Day::FIRST)
    }

    fn leaves<E>(&self, from: &[u8], first: fn(Key, Day) -> Option<CustomerId>, anchor: Day) -> Leaves<'_, E> {
        let mut scan = Scan::new(self.db.raw_iterator_opt(scanning()), &self.folder);
        scan.seek(from);
        Leaves { scan, first, anchor, entry: PhantomData }
    }
}

impl<'store, E> Leaves<'store, E> {
    /// Returns the same leaves undecoded.
    pub fn bytes(self) -> LeafBytes<'store, E> {
        LeafBytes(self)
    }

    /// Applies `read` to the next leaf: the customer at which it begins, the day that it is relative to, and its bytes.
    fn read<T>(&mut self, read: impl FnOnce(CustomerId, Day, &[u8]) -> Result<T>) -> Option<Result<T>> {
        if let Err(cancelled) = self.scan.check_cancelled() {
            return Some(Err(cancelled));
        }
        let (key, value) = match self.scan.entry() {
            Ok(found) => found?,
            Err(error) => return Some(Err(error)),
        };
        let leaf = Key::decode(key).map(|key| (self.first)(key, self.anchor)).transpose()?;
        let leaf = leaf.and_then(|first| read(first, self.anchor, value));
        self.scan.next();
        Some(leaf)
    }
}

impl<E: Entry> Iterator for Leaves<'_, E> {
    type Item = Result<StoredLeaf<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read(|first, anchor, bytes| {
            let mut entries = Vec::new();
            decode_leaf(first, anchor, bytes, &mut entries)?;
            Ok(StoredLeaf { first, entries })
        })
    }
}

/// Streams the start and the bytes of leaves, to detect changes. Memory: as for [`Leaves`].
pub struct LeafBytes<'store, E>(Leaves<'store, E>);

impl<E> Iterator for LeafBytes<'_, E> {
    type Item = Result<(CustomerId, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.read(|first, _, bytes| Ok((first, bytes.to_vec())))
    }
}
