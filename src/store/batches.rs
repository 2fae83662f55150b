//! The batches that a store holds, and those that it lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{BatchRecord, ZoneUse, files_fingerprint};
use crate::model::Day;

/// What the store knows of a batch as a whole, without the list of its files and the counts of each type, which
/// [`super::Store::batch`] gives.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The names of the sources that it has files of.
    pub sources: BTreeSet<String>,
    /// How many files it came in.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
    /// One hash over all of them: see [`files_fingerprint`].
    pub fingerprint: String,
    /// See [`BatchRecord::actions`]: those of all types.
    pub actions: u64,
    /// The numbers of the types that they have, ascending.
    pub types: Box<[u8]>,
    /// See [`BatchRecord::late`].
    pub late: u64,
    /// See [`BatchRecord::early`].
    pub early: u64,
    /// See [`BatchRecord::quarantined`].
    pub quarantined: u64,
    /// See [`BatchRecord::ignored`].
    pub ignored: u64,
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
            bytes: record.files.iter().map(|file| file.bytes).sum(),
            fingerprint: files_fingerprint(&record),
            actions: record.actions.sum(),
            types: record.actions.iter().map(|(number, _)| number).collect(),
            late: record.late,
            early: record.early,
            quarantined: record.quarantined,
            ignored: record.ignored,
            customers: record.customers,
            zone_use: record.zone_use,
        }
    }
}

/// All batches held, by batch day. Memory: some 300 bytes for each, and one for each type that it has, however many
/// files they came in.
#[derive(Clone, Debug, Default)]
pub struct Batches(BTreeMap<Day, Batch>);

impl Batches {
    pub(super) fn new(batches: BTreeMap<Day, Batch>) -> Self {
        Batches(batches)
    }

    /// What is known of a batch.
    pub fn get(&self, day: Day) -> Option<&Batch> {
        self.0.get(&day)
    }

    /// All of them, by day.
    pub fn iter(&self) -> impl Iterator<Item = (Day, &Batch)> {
        self.0.iter().map(|(day, batch)| (*day, batch))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All but one.
    pub fn without(&self, day: Day) -> Self {
        let mut others = self.clone();
        others.0.remove(&day);
        others
    }

    /// The first batch held.
    pub fn first(&self) -> Option<Day> {
        self.0.keys().next().copied()
    }

    /// The newest batch held, or with `known` the newest up to and including it.
    pub fn newest(&self, known: Option<Day>) -> Option<Day> {
        self.0.range(..=known.unwrap_or(Day::LAST)).next_back().map(|(day, _)| *day)
    }

    /// The same limit, if it leaves anything out. Without one, everything counts, and keyframes can be read.
    pub fn limit(&self, known: Option<Day>) -> Option<Day> {
        known.filter(|known| self.newest(None) > Some(*known))
    }

    /// The days from the first batch held to `through` whose batches are not held; none if no batch is held.
    pub fn missing(&self, through: Day) -> Vec<Day> {
        let days = self.first().into_iter().flat_map(|first| first.through(through));
        days.filter(|day| !self.0.contains_key(day)).collect()
    }
}
