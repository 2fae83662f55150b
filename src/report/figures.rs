//! The figures of a store's batches and customers.

use super::histories::HistoryLengths;
use super::shown_types::ShownTypes;
use crate::error::Result;
use crate::format::{BatchRecord, LeftOutRows};
use crate::model::{Day, TypeCounts};
use crate::store::Store;

/// The figures of one batch, from its record.
#[derive(Clone, Debug)]
pub struct BatchFigures {
    /// The batch day.
    pub dt: Day,
    /// Files of the batch, and their bytes.
    pub files: usize,
    /// See `files`.
    pub bytes: u64,
    /// Actions in the files, before any cut to `max_history`, including those of forgotten customers and pruned days.
    pub actions: u64,
    /// Actions by type: of each that [`StoreFigures::types`] names, and, if there are others, the sum of the others.
    pub types: Vec<u64>,
    /// Actions whose day is before the batch day.
    pub late: u64,
    /// Actions whose day is after the batch day.
    pub early: u64,
    /// Rows set aside in the quarantine.
    pub quarantined: u64,
    /// Customers with at least one action in the store that the batch brought.
    pub customers: u64,
}

/// The figures of a store. Memory: about 200 bytes for each batch, 4 for each day without a batch, and 8 for each
/// possible length of a history.
#[derive(Clone, Debug)]
pub struct StoreFigures {
    /// The batches held, days ascending.
    pub batches: Vec<BatchFigures>,
    /// Actions of all batches, by type.
    pub actions: TypeCounts,
    /// The types shown in the figures of each batch.
    pub types: ShownTypes,
    /// Rows of all batches that are no actions, by the description of their source.
    pub ignored: u64,
    /// Rows of all batches that rules of their source leave out.
    pub left_out: LeftOutRows,
    /// Days between the first and the newest batch whose batches are missing.
    pub gaps: Vec<Day>,
    /// The lengths of the histories.
    pub histories: HistoryLengths,
    /// The zone of the days.
    pub time_zone: String,
    /// The first day whose actions are kept, if older days have been pruned.
    pub horizon: Option<Day>,
    /// Customers who have been forgotten.
    pub forgotten: usize,
    /// Bytes of the store's table files.
    pub bytes: u64,
}

impl StoreFigures {
    /// Reads the records of all batches twice, and the customer index once, but no history. The customer index of 10
    /// million customers has about 100 MB.
    pub fn of(store: &Store) -> Result<Self> {
        let (mut actions, mut ignored) = (TypeCounts::default(), 0_u64);
        let mut left_out = LeftOutRows::default();
        for entry in store.batch_records() {
            let (_, record) = entry?;
            actions.add_all(&record.actions);
            ignored = ignored.saturating_add(record.ignored);
            left_out.add(&record.left_out);
        }
        let types = ShownTypes::of(&actions, &store.settings().types);
        let figures =
            store.batch_records().map(|entry| entry.map(|(dt, record)| BatchFigures::of(dt, &record, &types)));
        let batches = figures.collect::<Result<Vec<_>>>()?;
        Ok(StoreFigures {
            gaps: days_between(&batches),
            batches,
            actions,
            types,
            ignored,
            left_out,
            histories: HistoryLengths::of(store)?,
            time_zone: store.settings().zone.name().to_owned(),
            horizon: store.horizon()?,
            forgotten: store.block_list()?.len(),
            bytes: store.disk_bytes()?,
        })
    }

    /// Sums a figure over all batches.
    pub fn sum(&self, figure: impl Fn(&BatchFigures) -> u64) -> u64 {
        self.batches.iter().map(figure).sum()
    }
}

impl BatchFigures {
    fn of(dt: Day, record: &BatchRecord, types: &ShownTypes) -> Self {
        BatchFigures {
            dt,
            files: record.files.len(),
            bytes: record.files.iter().map(|file| file.bytes).sum(),
            actions: record.actions.sum(),
            types: types.counts(&record.actions),
            late: record.late,
            early: record.early,
            quarantined: record.quarantined,
            customers: record.customers,
        }
    }
}

/// Returns the days between batches, which ascend.
fn days_between(batches: &[BatchFigures]) -> Vec<Day> {
    let pairs = batches.iter().zip(batches.iter().skip(1));
    let between = pairs.filter_map(|(one, next)| Some(one.dt.next()?.through(next.dt.previous()?)));
    between.flatten().collect()
}
