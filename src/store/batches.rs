//! The batches that a store holds, and those that it lacks.

use std::collections::BTreeMap;

use crate::format::BatchRecord;
use crate::model::Day;

/// The records of all batches held, by batch day.
#[derive(Clone, Debug, Default)]
pub struct Batches(BTreeMap<Day, BatchRecord>);

impl Batches {
    pub(super) fn new(batches: BTreeMap<Day, BatchRecord>) -> Self {
        Batches(batches)
    }

    /// The record of a batch.
    pub fn get(&self, day: Day) -> Option<&BatchRecord> {
        self.0.get(&day)
    }

    /// All of them, by day.
    pub fn iter(&self) -> impl Iterator<Item = (Day, &BatchRecord)> {
        self.0.iter().map(|(day, record)| (*day, record))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
