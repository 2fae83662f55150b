//! From the stream of changes to one atomic load.

use std::iter::Peekable;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::change::Change;
use super::edits::Edits;
use super::refold::refold;
use crate::error::{Error, Result};
use crate::format::{BatchRecord, Key, Record, Standing, Totals, TouchedDay};
use crate::model::{CustomerId, Day};
use crate::progress::Progress;
use crate::store::{BulkLoad, Cursor, Leaves, ListWriter, Store};

/// Customers that one thread works on before the results are written in order. Their edits wait in memory: typically 100 bytes for each, and
/// the keyframes since for one whose late action is old.
const CUSTOMERS_PER_TURN: usize = 1_024;

/// What a load did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Loaded {
    /// Customers of the batch as it is now.
    pub customers: u64,
    /// Of them, those that the store did not know before.
    pub new_customers: u64,
    /// Keyframes written or removed.
    pub keyframes: u64,
}

/// Writes the edits of all `changes`, which come in the order of customers, and then `record`, completed with the number of customers, and
/// commits them together.
pub(super) fn load(
    store: &Store,
    batch: Day,
    mut changes: impl Iterator<Item = Result<Change>> + Send,
    mut record: BatchRecord,
    progress: &dyn Progress,
) -> Result<Loaded> {
    let max_history = store.settings().max_history;
    let mut writer = Writer::new(store, batch)?;
    let mut standings = Standings { lines: Lines { leaves: store.roster(), open: Vec::new().into_iter() }.peekable() };
    let mut cursors: Vec<Cursor<'_>> = (0..rayon::current_num_threads().max(1)).map(|_| store.cursor()).collect();
    // While one turn is worked on, the turn before is written: the table file has to be written in order, and so by one thread.
    let mut finished: Vec<Edits> = Vec::new();
    loop {
        let mut turns = Vec::with_capacity(cursors.len());
        for _ in 0..cursors.len() {
            let mut turn = Vec::with_capacity(CUSTOMERS_PER_TURN);
            for change in changes.by_ref().take(CUSTOMERS_PER_TURN) {
                let change = change?;
                let standing = standings.of(change.customer)?;
                turn.push((change, standing));
            }
            turns.push(turn);
        }
        let is_last = turns.iter().all(Vec::is_empty);
        let work = || -> Result<Vec<Edits>> {
            let shares = cursors.par_iter_mut().zip(turns.into_par_iter());
            let edits = shares.map(|(cursor, turn)| {
                let mut edits = Edits::default();
                for (change, standing) in turn {
                    refold(cursor, change, standing, batch, max_history, &mut edits)?;
                }
                Ok(edits)
            });
            edits.collect()
        };
        let (written, worked) = rayon::join(|| writer.write(std::mem::take(&mut finished)), work);
        progress.advance(written?);
        finished = worked?;
        if is_last {
            break;
        }
    }
    drop(cursors);
    record.customers = writer.loaded.customers;
    writer.commit(store, batch, &record)
}

/// Writes edits and counts them.
struct Writer<'store> {
    bulk: BulkLoad<'store>,
    index: ListWriter<'store, TouchedDay>,
    roster: ListWriter<'store, Standing>,
    loaded: Loaded,
    /// Customers that have come less those that have left.
    balance: i64,
}

impl<'store> Writer<'store> {
    fn new(store: &'store Store, batch: Day) -> Result<Self> {
        let (index, roster) = (store.index_writer(batch), store.roster_writer());
        Ok(Writer { bulk: store.bulk_load()?, index, roster, loaded: Loaded::default(), balance: 0 })
    }

    /// Gives the number of customers of the batch among them.
    fn write(&mut self, turns: Vec<Edits>) -> Result<u64> {
        let before = self.loaded.customers;
        for edits in turns {
            edits.write(&mut self.bulk)?;
            self.loaded.keyframes += edits.keyframes();
            for edit in edits.customers {
                let is_held = edit.standing.is_some();
                self.loaded.customers += u64::from(!edit.touched.is_empty());
                self.loaded.new_customers += u64::from(is_held && !edit.was_held);
                self.balance += i64::from(is_held) - i64::from(edit.was_held);
                self.index.set(&mut self.bulk, edit.customer, edit.touched.into_iter().map(TouchedDay))?;
                self.roster.set(&mut self.bulk, edit.customer, edit.standing.into_iter())?;
            }
        }
        Ok(self.loaded.customers - before)
    }

    fn commit(mut self, store: &Store, batch: Day, record: &BatchRecord) -> Result<Loaded> {
        self.index.finish(&mut self.bulk)?;
        self.roster.finish(&mut self.bulk)?;
        let negative = || Error::corrupt("the store counts fewer customers than it loses");
        let customers = store.totals()?.customers.checked_add_signed(self.balance).ok_or_else(negative)?;
        self.bulk.set(Key::Batch(batch), Some(&record.to_bytes()?))?;
        self.bulk.set(Key::Totals, Some(&Totals { customers }.to_bytes()?))?;
        self.bulk.commit()?;
        Ok(self.loaded)
    }
}

/// Where customers stand, asked for in ascending order.
struct Standings<'store> {
    lines: Peekable<Lines<'store>>,
}

impl Standings<'_> {
    fn of(&mut self, customer: CustomerId) -> Result<Option<Standing>> {
        let is_before = |line: &Result<(CustomerId, Standing)>| !matches!(line, Ok((found, _)) if *found >= customer);
        while let Some(line) = self.lines.next_if(is_before) {
            line?;
        }
        let found = self.lines.next_if(|line| matches!(line, Ok((found, _)) if *found == customer));
        Ok(found.transpose()?.map(|(_, standing)| standing))
    }
}

struct Lines<'store> {
    leaves: Leaves<'store, Standing>,
    open: std::vec::IntoIter<(CustomerId, Standing)>,
}

impl Iterator for Lines<'_> {
    type Item = Result<(CustomerId, Standing)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.open.next() {
                return Some(Ok(line));
            }
            match self.leaves.next()? {
                Ok(leaf) => self.open = leaf.entries.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
