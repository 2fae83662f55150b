//! How many actions of each batch a store has got, so that its record can say so.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::format::{BatchRecord, Delta};
use crate::model::{Day, TypeCounts};

/// The actions of each batch in the deltas that came to one store. Memory: some 100 bytes for each batch.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    max_history: usize,
    of_batches: BTreeMap<Day, OfBatch>,
}

#[derive(Clone, Debug, Default)]
struct OfBatch {
    types: TypeCounts,
    late: u64,
    early: u64,
    customers: u64,
    /// Whether a delta is as long as any can be, so that actions of its batch may have been cut.
    may_be_cut: bool,
}

impl Counts {
    pub(super) fn new(max_history: usize) -> Self {
        Counts { max_history, of_batches: BTreeMap::new() }
    }

    /// Adds the delta of a day that a batch brought.
    pub(super) fn add(&mut self, batch: Day, day: Day, delta: &[u8]) -> Result<()> {
        let actions = Delta::read(delta)?.actions(day)?;
        let of_batch = self.of_batches.entry(batch).or_default();
        for action in &actions {
            of_batch.types.add(action.action_type.number(), 1);
        }
        of_batch.late += if day < batch { actions.len() as u64 } else { 0 };
        of_batch.early += if day > batch { actions.len() as u64 } else { 0 };
        of_batch.may_be_cut |= actions.len() >= self.max_history;
        Ok(())
    }

    /// Adds a customer of whom a batch brought actions.
    pub(super) fn add_customer(&mut self, batch: Day) {
        self.of_batches.entry(batch).or_default().customers += 1;
    }
}

/// Shares out the record of a batch: returns it for each store.
///
/// The record counts the actions in the files; those that were cut from deltas are known of nobody. So each store
/// counts those in its deltas, and the others count where actions may have been cut: in the first such store, or in the
/// first of all if there is none. What is counted of files and rows counts in the first.
pub(super) fn shared_out(batch: Day, record: &BatchRecord, counts: &[Counts]) -> Vec<BatchRecord> {
    let of = |counts: &Counts| counts.of_batches.get(&batch).cloned().unwrap_or_default();
    let each: Vec<OfBatch> = counts.iter().map(of).collect();
    let sum = |count: &dyn Fn(&OfBatch) -> u64| each.iter().map(count).sum::<u64>();
    let rest = each.iter().position(|of_batch| of_batch.may_be_cut).unwrap_or(0);
    let with_rest = |number: usize, own: u64, all: u64, total: u64| {
        if number == rest { own + total.saturating_sub(all) } else { own }
    };
    let record_of = |(number, own): (usize, &OfBatch)| {
        let mut shared = BatchRecord { customers: own.customers, ..record.clone() };
        let types = record.actions.iter().map(|(of_type, total)| {
            let all = sum(&|of_batch| of_batch.types.of(of_type));
            (of_type, with_rest(number, own.types.of(of_type), all, total))
        });
        shared.actions = types.collect();
        shared.late = with_rest(number, own.late, sum(&|of_batch| of_batch.late), record.late);
        shared.early = with_rest(number, own.early, sum(&|of_batch| of_batch.early), record.early);
        if number > 0 {
            (shared.ignored, shared.quarantined) = (0, 0);
            shared.left_out = crate::format::LeftOutRows::default();
        }
        shared
    };
    each.iter().enumerate().map(record_of).collect()
}
