//! A removal: what to remove, its counts, and the load that removes it.

use super::history::rewrite;
use super::removed::Removed;
use crate::error::{Error, Result};
use crate::format::{BatchRecord, Key, Purge, Record, Totals, TouchedDay};
use crate::model::{CustomerId, Day};
use crate::progress::Progress;
use crate::store::{BulkLoad, Store};

/// What to remove.
#[derive(Clone, Copy)]
pub(super) enum Goes<'a> {
    /// Everything of these customers, which ascend.
    Customers(&'a [CustomerId]),
    /// The days before this day, of all customers.
    DaysBefore(Day),
}

/// A removal in progress. Dropped before `commit`, it leaves the store unchanged.
///
/// Memory: that of a load, the whole history of one customer, and one leaf of each list.
pub(super) struct Removal<'store> {
    store: &'store Store,
    bulk: BulkLoad<'store>,
    /// Customers who leave the store.
    left: u64,
    /// Actions of the customers whose histories were read.
    seen: u64,
}

impl<'store> Removal<'store> {
    pub(super) fn new(store: &'store Store) -> Result<Self> {
        Ok(Removal { store, bulk: store.bulk_load()?, left: 0, seen: 0 })
    }

    /// Removes the history, and from the customer index every customer without a remaining history. Calls `each` for
    /// every customer concerned, in ascending order.
    pub(super) fn history(
        &mut self,
        goes: Goes<'_>,
        progress: &dyn Progress,
        mut each: impl FnMut(CustomerId, Removed) -> Result<()>,
    ) -> Result<()> {
        let store = self.store;
        let settings = store.settings();
        let (mut cursor, mut customer_index) = (store.cursor(), store.customer_index_writer());
        progress.begin("removing", "customers", Some(store.totals()?.customers));
        for leaf in store.customer_index() {
            for (customer, customer_state) in leaf?.entries {
                progress.advance(1);
                let first_day = match goes {
                    Goes::Customers(customers) if customers.binary_search(&customer).is_err() => {
                        customer_index.push(&mut self.bulk, (customer, customer_state))?;
                        continue;
                    }
                    Goes::Customers(_) => None,
                    Goes::DaysBefore(first_day) => Some(first_day),
                };
                let tail = cursor.tail(customer, Day::FIRST, None)?;
                self.seen += tail.actions();
                let Some(new) = rewrite(customer, tail, first_day, settings) else {
                    customer_index.push(&mut self.bulk, (customer, customer_state))?;
                    continue;
                };
                for (key, bytes) in &new.edits {
                    self.bulk.set_raw(key, bytes.as_deref())?;
                }
                match new.customer_state {
                    Some(customer_state) => customer_index.push(&mut self.bulk, (customer, customer_state))?,
                    None => self.left += 1,
                }
                each(customer, new.removed())?;
            }
        }
        customer_index.finish(&mut self.bulk)
    }

    /// Returns the number of actions in the deltas of all customers concerned; for a removal of days, of all customers.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Removes the customers from the index of each batch, and recounts the customers in the batch's record.
    pub(super) fn batches(&mut self, goes: Goes<'_>, progress: &dyn Progress) -> Result<()> {
        let batches = self.store.batches()?;
        progress.begin("removing", "batches", Some(batches.len() as u64));
        for (batch, held) in batches.iter() {
            let customers = self.index(batch, goes)?;
            if customers != held.customers
                && let Some(record) = self.store.batch(batch)?
            {
                let record = BatchRecord { customers, ..record };
                self.bulk.set(Key::Batch(batch), Some(&record.to_bytes()?))?;
            }
            progress.advance(1);
        }
        Ok(())
    }

    /// Returns how many customers remain in the index of a batch.
    fn index(&mut self, batch: Day, goes: Goes<'_>) -> Result<u64> {
        let stays = |customer: CustomerId, day: Day| match goes {
            Goes::Customers(customers) => customers.binary_search(&customer).is_err(),
            Goes::DaysBefore(first_day) => day >= first_day,
        };
        let mut writer = self.store.index_writer(batch);
        let mut left = 0;
        let mut before = None;
        for leaf in self.store.touched_by(batch) {
            let staying = leaf?.entries.into_iter().filter(|(customer, TouchedDay(day))| stays(*customer, *day));
            for (customer, line) in staying {
                left += u64::from(before != Some(customer));
                before = Some(customer);
                writer.push(&mut self.bulk, (customer, line))?;
            }
        }
        writer.finish(&mut self.bulk)?;
        Ok(left)
    }

    /// Adds one more key to the commit.
    pub(super) fn set(&mut self, key: Key, record: &impl Record) -> Result<()> {
        self.bulk.set(key, Some(&record.to_bytes()?))
    }

    /// Makes the removal visible in one atomic step, durable on return. From then on a purge is owed. Fails if a stop
    /// was requested before.
    pub(super) fn commit(mut self) -> Result<()> {
        self.store.folder().resources().check()?;
        let customers = self.store.totals()?.customers.checked_sub(self.left);
        let customers = customers.ok_or_else(|| Error::corrupt("the store's count of customers would fall below 0"))?;
        self.set(Key::Totals, &Totals { customers })?;
        self.set(Key::Purge, &Purge)?;
        self.bulk.commit()
    }
}

/// Does an owed purge, if any, and returns the store reopened. On failure nothing is lost and the purge stays owed.
pub(crate) fn finish_purge(store: Store, progress: &dyn Progress) -> Result<Store> {
    if !store.needs_purge()? {
        return Ok(store);
    }
    progress.begin("purging", "", None);
    store.purge()?;
    store.reopen()
}
