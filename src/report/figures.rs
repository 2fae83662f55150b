//! What a store tells of its batches and customers.

use serde::Serialize;

use super::histories::HistoryLengths;
use crate::error::Result;
use crate::model::{Day, NamedCounts, TypeTable};
use crate::store::{Batch, Store};

/// One batch, as its record tells.
#[derive(Clone, Debug, Serialize)]
pub struct BatchFigures {
    /// The batch day.
    pub dt: Day,
    /// Files that it came in, and their bytes.
    pub files: usize,
    /// See `files`.
    pub bytes: u64,
    /// Actions in the files, before any cut to `max_history`, those of forgotten customers and pruned days too.
    pub actions: u64,
    /// The same by the names of their types.
    pub types: NamedCounts,
    /// Rows that are no actions, as their source says.
    pub ignored: u64,
    /// Of the actions, those whose day is before the batch day.
    pub late: u64,
    /// Of the actions, those whose day is after the batch day.
    pub early: u64,
    /// Rows set aside in the quarantine.
    pub quarantined: u64,
    /// Customers of whom the store holds at least one action that the batch brought.
    pub customers: u64,
}

/// A store in figures. Memory: some 100 bytes for each batch, and 8 for each length that a history can have.
#[derive(Clone, Debug)]
pub struct StoreFigures {
    /// The batches held, days ascending.
    pub batches: Vec<BatchFigures>,
    /// Days between the first and the newest batch whose batches are missing.
    pub gaps: Vec<Day>,
    /// How long the histories are.
    pub histories: HistoryLengths,
    /// The zone of the days.
    pub time_zone: String,
    /// The first day whose actions are kept, if older ones have been pruned.
    pub horizon: Option<Day>,
    /// Customers who have been forgotten.
    pub forgotten: usize,
    /// Bytes of the store's table files.
    pub bytes: u64,
}

impl StoreFigures {
    /// Reads the records of all batches, and the roster once: no history. Of 10 million customers the roster has some 100 MB.
    pub fn of(store: &Store) -> Result<Self> {
        let (batches, types) = (store.batches()?, &store.settings().types);
        let gaps = batches.newest(None).map_or_else(Vec::new, |newest| batches.missing(newest));
        Ok(StoreFigures {
            batches: batches.iter().map(|(dt, batch)| BatchFigures::of(dt, batch, types)).collect(),
            gaps,
            histories: HistoryLengths::of(store)?,
            time_zone: store.settings().zone.name().to_owned(),
            horizon: store.horizon()?,
            forgotten: store.block_list()?.len(),
            bytes: store.disk_bytes()?,
        })
    }

    /// A figure summed over all batches.
    pub fn sum(&self, figure: impl Fn(&BatchFigures) -> u64) -> u64 {
        self.batches.iter().map(figure).sum()
    }
}

impl BatchFigures {
    fn of(dt: Day, batch: &Batch, types: &TypeTable) -> Self {
        BatchFigures {
            dt,
            files: batch.files,
            bytes: batch.bytes,
            actions: batch.actions.sum(),
            types: batch.actions.named(types),
            ignored: batch.ignored,
            late: batch.late,
            early: batch.early,
            quarantined: batch.quarantined,
            customers: batch.customers,
        }
    }
}
