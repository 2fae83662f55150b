//! From the stream of changes to one atomic load.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::change::Change;
use super::refold::{Edit, Edits, refold};
use crate::error::{Error, Result};
use crate::format::{BatchRecord, Key, Keyspace, Record, Totals};
use crate::model::Day;
use crate::progress::Progress;
use crate::store::{BulkLoad, Cursor, Store};

/// Customers that one thread works on before the results are written in order. Their edits wait in memory: typically 20 kB for each, and
/// a snapshot for each active day since for one whose late action is old.
const CUSTOMERS_PER_TURN: usize = 64;

/// What a load did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Loaded {
    /// Customers of the batch as it is now.
    pub customers: u64,
    /// Of them, those that the store did not know before.
    pub new_customers: u64,
    /// Snapshots written or removed.
    pub snapshots: u64,
}

/// Writes the edits of all `changes`, which come in the order of customers, and then `record`, completed with the number of customers, and
/// commits them together.
pub(super) fn load(
    store: &Store,
    batch: Day,
    changes: impl Iterator<Item = Result<Change>>,
    mut record: BatchRecord,
    progress: &dyn Progress,
) -> Result<Loaded> {
    let max_history = store.settings().max_history;
    let mut bulk = store.bulk_load()?;
    let mut cursors: Vec<Cursor<'_>> = (0..rayon::current_num_threads().max(1)).map(|_| store.cursor()).collect();
    let (mut loaded, mut balance) = (Loaded::default(), 0_i64);
    let mut changes = changes.peekable();
    while changes.peek().is_some() {
        let mut turns: Vec<Vec<Change>> = Vec::with_capacity(cursors.len());
        for _ in 0..cursors.len() {
            turns.push(changes.by_ref().take(CUSTOMERS_PER_TURN).collect::<Result<_>>()?);
        }
        let brought = |turn: &Vec<Change>| turn.iter().filter(|change| !change.brought.is_empty()).count() as u64;
        let customers: u64 = turns.iter().map(brought).sum();
        let edits: Vec<Result<Vec<Edits>>> = cursors
            .par_iter_mut()
            .zip(turns.into_par_iter())
            .map(|(cursor, turn)| turn.into_iter().map(|change| refold(cursor, change, batch, max_history)).collect())
            .collect();
        for edits in edits {
            for edits in edits? {
                balance += edits.customers;
                loaded.new_customers += u64::from(edits.customers > 0);
                loaded.snapshots += edits.snapshots.len() as u64;
                set_all(&mut bulk, Keyspace::Index, &edits.index)?;
                set_all(&mut bulk, Keyspace::Portions, &edits.portions)?;
                set_all(&mut bulk, Keyspace::Snapshots, &edits.snapshots)?;
            }
        }
        loaded.customers += customers;
        progress.advance(customers);
    }
    drop(cursors);

    record.customers = loaded.customers;
    let totals = Totals { customers: store.totals()?.customers.checked_add_signed(balance).ok_or_else(negative)? };
    // Both lie before everything else in the order of keys, the totals first, so they share one table file.
    bulk.set(Keyspace::Settings, Key::Totals, Some(&totals.to_bytes()?))?;
    bulk.set(Keyspace::Settings, Key::Batch(batch), Some(&record.to_bytes()?))?;
    bulk.commit()?;
    Ok(loaded)
}

fn set_all(bulk: &mut BulkLoad<'_>, keyspace: Keyspace, edits: &[Edit]) -> Result<()> {
    for (key, value) in edits {
        bulk.set(keyspace, *key, value.as_deref())?;
    }
    Ok(())
}

fn negative() -> Error {
    Error::corrupt("the store counts fewer customers than it loses")
}
