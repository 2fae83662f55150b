//! Rewrites the batch index and the customer index leaf by leaf, compared with the leaves in the store.

use std::iter::Peekable;

use super::bulk::BulkLoad;
use super::handle::Store;
use super::leaves::{LeafBytes, Leaves};
use crate::error::Result;
use crate::format::{CustomerState, CutLeaf, Entry, Key, LeafCutter, TouchedDay, encode_leaf};
use crate::model::{CustomerId, Day};

/// Takes all lines of a list's new state, and writes only the leaves that differ from the store's.
///
/// Memory: the leaf that receives lines, and one leaf of the old list; some 10 kB each.
pub(crate) struct ListWriter<'store, E> {
    old: Peekable<LeafBytes<'store, E>>,
    key: fn(Day, CustomerId) -> Key,
    anchor: Day,
    cutter: LeafCutter<E>,
    bytes: Vec<u8>,
}

impl Store {
    /// Returns a writer of the index of a batch.
    pub(crate) fn index_writer(&self, batch: Day) -> ListWriter<'_, TouchedDay> {
        ListWriter::new(self.touched_by(batch), batch, |batch, first| Key::Index { batch, first })
    }

    /// Returns a writer of the customer index.
    pub(crate) fn customer_index_writer(&self) -> ListWriter<'_, CustomerState> {
        ListWriter::new(self.customer_index(), Day::FIRST, |_, first| Key::CustomerIndex { first })
    }
}

impl<'store, E: Entry> ListWriter<'store, E> {
    /// Creates a writer. `old` is the list in the store. Leaves are relative to `anchor`; `key` returns a leaf's key
    /// for `anchor` and the customer at which the leaf begins.
    fn new(old: Leaves<'store, E>, anchor: Day, key: fn(Day, CustomerId) -> Key) -> Self {
        let old = old.bytes().peekable();
        ListWriter { old, key, anchor, cutter: LeafCutter::new(), bytes: Vec::new() }
    }

    /// Adds the next line. Customers must come in ascending order.
    pub(crate) fn push(&mut self, bulk: &mut BulkLoad<'_>, (customer, line): (CustomerId, E)) -> Result<()> {
        match self.cutter.push(customer, line) {
            Some(leaf) => self.write(bulk, &leaf),
            None => Ok(()),
        }
    }

    /// Writes the remaining lines.
    pub(crate) fn finish(mut self, bulk: &mut BulkLoad<'_>) -> Result<()> {
        if let Some(leaf) = self.cutter.finish() {
            self.write(bulk, &leaf)?;
        }
        self.remove_before(bulk, None)
    }

    /// Writes a leaf unless the store has an identical one, and removes the obsolete leaves before it.
    fn write(&mut self, bulk: &mut BulkLoad<'_>, (first, lines): &CutLeaf<E>) -> Result<()> {
        self.remove_before(bulk, Some(*first))?;
        self.bytes.clear();
        encode_leaf(*first, self.anchor, lines, &mut self.bytes);
        let held = self.old.next_if(|old| matches!(old, Ok((old, _)) if old == first)).transpose()?;
        if held.is_some_and(|(_, old)| old == self.bytes) {
            return Ok(());
        }
        bulk.set((self.key)(self.anchor, *first), Some(&self.bytes))
    }

    /// Removes the old leaves that begin before `until`, or all remaining old leaves.
    fn remove_before(&mut self, bulk: &mut BulkLoad<'_>, until: Option<CustomerId>) -> Result<()> {
        let is_before = |first: CustomerId| until.is_none_or(|until| first < until);
        while let Some(old) = self.old.next_if(|old| !matches!(old, Ok((first, _)) if !is_before(*first))) {
            bulk.set((self.key)(self.anchor, old?.0), None)?;
        }
        Ok(())
    }
}
