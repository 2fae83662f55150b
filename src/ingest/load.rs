//! From the stream of changes to one atomic load.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::edits::Edits;
use super::list_writer::ListWriter;
use super::refold::refold_share;
use super::shares::{Share, Shares};
use crate::error::{Error, Kind, Result};
use crate::format::{BatchRecord, Key, Record, Standing, Totals, TouchedDay};
use crate::model::Day;
use crate::progress::Progress;
use crate::store::{BulkLoad, Store};

/// How far threads may be ahead of what is written: so many shares for each of them.
const SHARES_AHEAD: usize = 4;

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

/// Writes the edits of all `shares`, and then `record`, completed with the number of customers, and commits them together.
///
/// Each thread takes the next share and works on it; the table file is written by the calling thread, in order, since it has to be. Of several
/// errors, gives that of the first share.
///
/// Memory: four shares for each thread, with their edits: typically 100 bytes for a customer, and the keyframes since for one whose late action
/// is old.
pub(super) fn load(
    store: &Store,
    batch: Day,
    shares: Shares<'_>,
    mut record: BatchRecord,
    progress: &dyn Progress,
) -> Result<Loaded> {
    let mut writer = Writer::new(store, batch)?;
    let threads = rayon::current_num_threads().max(1);
    let (ordered, in_order) = sync_channel(threads * SHARES_AHEAD);
    let dealer = Mutex::new(Dealer { shares, ordered: Some(ordered) });
    let worker = || {
        let (mut cursor, mut room) = (store.cursor(), Vec::new());
        while let Some((share, results)) = deal(&dealer) {
            let edits = refold_share(&mut cursor, share, batch, store.settings().max_history, &mut room);
            // Nobody waits for it where writing has failed.
            if results.send(edits).is_err() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        // Dropped with the first error, which stops the threads.
        let in_order = in_order;
        for _ in 0..threads {
            std::thread::Builder::new().spawn_scoped(scope, worker).map_err(|error| {
                Error::new(Kind::Io, format!("cannot start a thread ({error})"), "give a smaller --threads")
            })?;
        }
        for result in &in_order {
            // Without a result its thread has panicked, and so does this one when it is joined.
            let Ok(edits) = result.recv() else { break };
            progress.advance(writer.write(edits?)?);
        }
        Ok(())
    })?;
    record.customers = writer.loaded.customers;
    writer.commit(store, batch, &record)
}

/// Gives each thread its next share, and the writer a place in order for what comes of it.
struct Dealer<'store> {
    shares: Shares<'store>,
    /// `None` when there is nothing more to deal.
    ordered: Option<SyncSender<Receiver<Result<Edits>>>>,
}

fn deal(dealer: &Mutex<Dealer<'_>>) -> Option<(Share, SyncSender<Result<Edits>>)> {
    let mut dealer = dealer.lock().unwrap_or_else(PoisonError::into_inner);
    let (results, result) = sync_channel(1);
    // Waits here while the threads are too far ahead.
    dealer.ordered.as_ref()?.send(result).ok()?;
    let share = dealer.shares.share();
    if !matches!(share, Ok(Some(_))) {
        dealer.ordered = None;
    }
    match share {
        Ok(share) => share.map(|share| (share, results)),
        Err(error) => {
            let _ = results.send(Err(error));
            None
        }
    }
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
        let index = ListWriter::new(store.touched_by(batch), batch, |batch, first| Key::Index { batch, first });
        let roster = ListWriter::new(store.roster(), Day::FIRST, |_, first| Key::Roster { first });
        Ok(Writer { bulk: store.bulk_load()?, index, roster, loaded: Loaded::default(), balance: 0 })
    }

    /// Gives the number of customers of the batch among them.
    fn write(&mut self, edits: Edits) -> Result<u64> {
        edits.write(&mut self.bulk)?;
        self.loaded.keyframes += edits.keyframes();
        self.loaded.customers += edits.customers;
        self.loaded.new_customers += edits.new_customers;
        self.balance += edits.balance;
        edits.index.into_iter().try_for_each(|line| self.index.push(&mut self.bulk, line))?;
        edits.roster.into_iter().try_for_each(|line| self.roster.push(&mut self.bulk, line))?;
        Ok(edits.customers)
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
