//! Writing index and roster anew, leaf by leaf, beside what the store holds of them.

use std::collections::VecDeque;

use super::bulk::BulkLoad;
use super::handle::Store;
use super::leaves::Leaves;
use crate::error::Result;
use crate::format::{CutLeaf, Entry, Key, LeafCutter, Standing, TouchedDay, encode_leaf};
use crate::model::{CustomerId, Day};

/// Takes the new lines of some customers, keeps those of all others, and writes the leaves that have changed.
///
/// Memory: the leaves of the list that the lines of one leaf come from and go to; some 10 kB each.
pub struct ListWriter<'store, E> {
    old: Leaves<'store, E>,
    key: fn(Day, CustomerId) -> Key,
    anchor: Day,
    /// Leaves of the old list that have been read and not been compared yet.
    old_leaves: VecDeque<(CustomerId, Vec<u8>)>,
    /// Their lines that have not been passed yet.
    old_lines: VecDeque<(CustomerId, E)>,
    cutter: LeafCutter<E>,
}

impl Store {
    /// Writes the index of a batch anew.
    pub fn index_writer(&self, batch: Day) -> ListWriter<'_, TouchedDay> {
        ListWriter::new(self.touched_by(batch), batch, |batch, first| Key::Index { batch, first })
    }

    /// Writes the roster anew.
    pub fn roster_writer(&self) -> ListWriter<'_, Standing> {
        ListWriter::new(self.roster(), Day::FIRST, |_, first| Key::Roster { first })
    }
}

impl<'store, E: Entry> ListWriter<'store, E> {
    /// `old` is the list as the store holds it. Leaves are relative to `anchor` and have the keys that `key` gives for it and where they begin.
    fn new(old: Leaves<'store, E>, anchor: Day, key: fn(Day, CustomerId) -> Key) -> Self {
        ListWriter {
            old,
            key,
            anchor,
            old_leaves: VecDeque::new(),
            old_lines: VecDeque::new(),
            cutter: LeafCutter::new(),
        }
    }

    /// Gives a customer the lines `new` in place of those that it has. Customers must come in ascending order.
    pub fn set(&mut self, bulk: &mut BulkLoad<'_>, customer: CustomerId, new: impl Iterator<Item = E>) -> Result<()> {
        self.pass(bulk, Some(customer))?;
        for line in new {
            self.push(bulk, customer, line)?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self, bulk: &mut BulkLoad<'_>) -> Result<()> {
        self.pass(bulk, None)?;
        if let Some(leaf) = self.cutter.finish() {
            self.write(bulk, &leaf)?;
        }
        for (first, _) in std::mem::take(&mut self.old_leaves) {
            bulk.set((self.key)(self.anchor, first), None)?;
        }
        Ok(())
    }

    /// Keeps the old lines of customers before `until` and drops those of `until` itself; without it, keeps all that are left.
    fn pass(&mut self, bulk: &mut BulkLoad<'_>, until: Option<CustomerId>) -> Result<()> {
        loop {
            while let Some((customer, line)) = self.old_lines.front().copied() {
                match until {
                    Some(until) if customer > until => return Ok(()),
                    Some(until) if customer == until => {}
                    _ => self.push(bulk, customer, line)?,
                }
                self.old_lines.pop_front();
            }
            let Some(leaf) = self.old.next().transpose()? else { return Ok(()) };
            self.old_leaves.push_back((leaf.first, leaf.bytes));
            self.old_lines.extend(leaf.entries);
        }
    }

    fn push(&mut self, bulk: &mut BulkLoad<'_>, customer: CustomerId, line: E) -> Result<()> {
        match self.cutter.push(customer, line) {
            Some(leaf) => self.write(bulk, &leaf),
            None => Ok(()),
        }
    }

    /// Writes a leaf unless the store holds it as it is, and removes the old ones before it that are no more.
    fn write(&mut self, bulk: &mut BulkLoad<'_>, (first, lines): &CutLeaf<E>) -> Result<()> {
        let mut bytes = Vec::new();
        encode_leaf(*first, self.anchor, lines, &mut bytes);
        while let Some((gone, _)) = self.old_leaves.pop_front_if(|(old, _)| *old < *first) {
            bulk.set((self.key)(self.anchor, gone), None)?;
        }
        let held = self.old_leaves.pop_front_if(|(old, _)| *old == *first);
        if held.is_some_and(|(_, old)| old == bytes) {
            return Ok(());
        }
        bulk.set((self.key)(self.anchor, *first), Some(&bytes))
    }
}
