//! The sums of what the deltas and the index hold of each batch.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::format::{CutLeaf, LeafCutter, TouchedDay, encode_leaf};
use crate::model::{Action, CustomerId, Day, TypeCounts};

/// Returns what a leaf adds to the sum of a list, whatever the order. Two lists with equal sums count as equal;
/// different lists have equal sums with a probability of 2^-64.
fn leaf_sum(first: CustomerId, value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, first.0.cast_unsigned())
}

/// Action counts: of each type, and of late and early actions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ActionCounts {
    pub types: TypeCounts,
    pub late: u64,
    pub early: u64,
}

impl ActionCounts {
    fn add(&mut self, batch: Day, day: Day, actions: &[Action]) {
        for alike in actions.chunk_by(|one, other| one.action_type == other.action_type) {
            if let [first, ..] = alike {
                self.types.add(first.action_type.number(), alike.len() as u64);
            }
        }
        self.late += if day < batch { actions.len() as u64 } else { 0 };
        self.early += if day > batch { actions.len() as u64 } else { 0 };
    }

    fn add_all(&mut self, ActionCounts { types, late, early }: &ActionCounts) {
        self.types.add_all(types);
        self.late += late;
        self.early += early;
    }
}

/// What the keys of a range hold of one batch. Memory: 16 bytes for each delta.
#[derive(Default)]
pub(super) struct RangeTally {
    /// The lines that the index should have for the deltas, in the order of the keys.
    lines: Vec<(CustomerId, TouchedDay)>,
    actions: ActionCounts,
    may_be_cut: bool,
    doubtful: bool,
    stored: u64,
}

impl RangeTally {
    /// Adds the next delta in the order of the keys; `actions` is `None` for a delta that is unreliable.
    pub(super) fn delta(&mut self, customer: CustomerId, day: Day, batch: Day, actions: Option<&[Action]>, max: usize) {
        self.lines.push((customer, TouchedDay(day)));
        match actions {
            Some(actions) => {
                self.actions.add(batch, day, actions);
                self.may_be_cut |= actions.len() >= max;
            }
            None => self.doubtful = true,
        }
    }

    /// Adds a leaf of the index as the store holds it.
    pub(super) fn stored_leaf(&mut self, first: CustomerId, value: &[u8]) {
        self.stored = self.stored.wrapping_add(leaf_sum(first, value));
    }
}

/// The counts of one batch. Memory: the open leaf of its index, about 10 kB.
#[derive(Default)]
pub(super) struct Counters {
    pub deltas: u64,
    pub customers: u64,
    pub actions: ActionCounts,
    /// Whether a delta has the maximum size, and so may have been cut.
    pub may_be_cut: bool,
    /// Whether a delta was unreliable.
    pub doubtful: bool,
    last: Option<CustomerId>,
    cutter: LeafCutter<TouchedDay>,
    expected: u64,
    stored: u64,
}

/// All batches that deltas or index name.
#[derive(Default)]
pub(super) struct Tallies {
    batches: BTreeMap<Day, Counters>,
    /// Whether some of the history cannot be read, so that no batch is known.
    pub gap: bool,
    bytes: Vec<u8>,
}

impl Tallies {
    /// Adds what the next range in the order of the keys holds of a batch.
    pub(super) fn add(&mut self, batch: Day, range: RangeTally) {
        let RangeTally { lines, actions, may_be_cut, doubtful, stored } = range;
        let counters = self.batches.entry(batch).or_default();
        counters.deltas += lines.len() as u64;
        counters.actions.add_all(&actions);
        counters.may_be_cut |= may_be_cut;
        counters.doubtful |= doubtful;
        counters.stored = counters.stored.wrapping_add(stored);
        for (customer, day) in lines {
            if counters.last.replace(customer) != Some(customer) {
                counters.customers += 1;
            }
            if let Some(leaf) = counters.cutter.push(customer, day) {
                counters.expect(batch, &leaf, &mut self.bytes);
            }
        }
    }

    /// Returns the batches whose index differs from what their deltas imply, with the number of their deltas. Call it
    /// after all leaves have been added.
    pub(super) fn suspects(&mut self) -> Vec<(Day, u64)> {
        for (batch, counters) in &mut self.batches {
            if let Some(leaf) = counters.cutter.finish() {
                counters.expect(*batch, &leaf, &mut self.bytes);
            }
        }
        let suspects = self.batches.iter().filter(|(_, counters)| self.gap || counters.expected != counters.stored);
        suspects.map(|(batch, counters)| (*batch, counters.deltas)).collect()
    }

    /// Returns the counts of a batch.
    pub(super) fn get(&self, batch: Day) -> Option<&Counters> {
        self.batches.get(&batch)
    }

    /// Iterates over all batches, by day.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Day, &Counters)> {
        self.batches.iter().map(|(batch, counters)| (*batch, counters))
    }
}

impl Counters {
    fn expect(&mut self, batch: Day, (first, lines): &CutLeaf<TouchedDay>, bytes: &mut Vec<u8>) {
        bytes.clear();
        encode_leaf(*first, batch, lines, bytes);
        self.expected = self.expected.wrapping_add(leaf_sum(*first, bytes));
    }
}
