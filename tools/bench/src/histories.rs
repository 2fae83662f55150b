//! The impressions of the day, and the histories of their customers, in memory.

use lookback::error::Result;
use lookback::internals::history::History;
use lookback::internals::input::{BadRows, QuarantineFolder, day_files, read_impressions};
use lookback::internals::store::AsOf;
use lookback::model::{CustomerId, HistoryDetail, Impression};
use lookback::resources::Resources;
use lookback::sources::ImpressionSource;
use lookback::store::Store;

use crate::input::Input;

/// The impressions of the day in the order of the rows.
pub fn impressions(input: &Input) -> Result<Vec<Impression>> {
    let mut impressions = Vec::new();
    let mut bad = BadRows::new(QuarantineFolder::Impressions, input.day, None);
    let source = ImpressionSource::default();
    let root = Resources::default().place(&input.root)?;
    for file in day_files(&root, &source.pattern, source.format, input.day)? {
        read_impressions(&source, &file, &Resources::default(), &mut bad, |_, impression| {
            impressions.push(impression);
            Ok(())
        })?;
    }
    bad.finish()?;
    impressions.sort();
    Ok(impressions)
}

/// The customers of the impressions of the day, ascending, each once.
pub fn customers(impressions: &[Impression]) -> Vec<CustomerId> {
    let mut customers: Vec<CustomerId> = impressions.iter().map(|impression| impression.customer).collect();
    customers.dedup();
    customers
}

/// What a produce of the day without options wants of a store.
pub fn wanted(input: &Input, store: &Store) -> AsOf {
    AsOf {
        before: input.day,
        oldest: None,
        known: None,
        max_history: store.settings().max_history,
        detail: HistoryDetail::None,
    }
}

/// The histories of the customers, in their order.
pub fn histories(input: &Input, store: &Store, customers: &[CustomerId]) -> Result<Vec<History>> {
    let (mut cursor, wanted) = (store.cursor_over_many(), wanted(input, store));
    let histories = customers.iter().map(|customer| {
        let mut history = History::default();
        cursor.as_of(*customer, wanted, &mut history)?;
        Ok(history)
    });
    histories.collect()
}
