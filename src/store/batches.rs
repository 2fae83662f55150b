//! The batches that a store holds, and the missing ones.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{BatchRecord, ZoneUse, files_fingerprint};
use crate::model::Day;

/// Summary of a batch, without the list of its files and the counts of each type, which [`super::Store::batch`]
/// returns.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Names of the sources of its files.
    pub sources: BTreeSet<String>,
    /// Number of its files.
    pub files: usize,
    /// One hash over all its files: see [`files_fingerprint`].
    pub fingerprint: String,
    /// Actions of all types: see [`BatchRecord::actions`].
    pub actions: u64,
    /// Numbers of the action types that occur in it, ascending.
    pub types: Box<[u8]>,
    /// See [`BatchRecord::late`].
    pub late: u64,
    /// See [`BatchRecord::customers`].
    pub customers: u64,
    /// See [`BatchRecord::zone_use`].
    pub zone_use: ZoneUse,
}

impl From<BatchRecord> for Batch {
    fn from(record: BatchRecord) -> Self {
        Batch {
            sources: record.sources_of_files().map(str::to_owned).collect(),
            files: record.files.len(),
            fingerprint: files_fingerprint(&record),
            actions: record.actions.sum(),
            types: record.actions.iter().map(|(number, _)| number).collect(),
            late: record.late,
            customers: record.customers,
            zone_use: record.zone_use,
        }
    }
}

/// All batches held, by batch day. Memory: some 300 bytes for each batch and one byte for each of its types, whatever
/// the number of its files.
#[derive(Clone, Debug, Default)]
pub struct Batches(BTreeMap<Day, Batch>);

impl Batches {
    pub(super) fn new(batches: BTreeMap<Day, Batch>) -> Self {
        Batches(batches)
    }

    /// Returns all batches, by day.
    pub fn iter(&self) -> impl Iterator<Item = (Day, &Batch)> {
        self.0.iter().map(|(day, batch)| (*day, batch))
    }

    /// Returns the number of batches.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether no batch is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns all batches but one.
    pub(crate) fn without(&self, day: Day) -> Self {
        let mut others = self.clone();
        others.0.remove(&day);
        others
    }

    /// Returns the first batch held.
    pub fn first(&self) -> Option<Day> {
        self.0.keys().next().copied()
    }

    /// Returns the newest batch held, or with `known` the newest up to and including that day.
    pub fn newest(&self, known: Option<Day>) -> Option<Day> {
        self.0.range(..=known.unwrap_or(Day::LAST)).next_back().map(|(day, _)| *day)
    }

    /// Returns `known` if it excludes any batch. `None` means that all batches count, so that keyframes can be read.
    pub fn limit(&self, known: Option<Day>) -> Option<Day> {
        known.filter(|known| self.newest(None) > Some(*known))
    }

    /// Returns the missing batch days from the first batch held through `through`; empty if no batch is held.
    pub(crate) fn missing(&self, through: Day) -> Vec<Day> {
        let days = self.first().into_iter().flat_map(|first| first.through(through));
        days.filter(|day| !self.0.contains_key(day)).collect()
    }
}
