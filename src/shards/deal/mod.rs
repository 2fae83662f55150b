//! Deals the customers of some stores out to others, without the input that they came from: a store to the shards of a
//! sharded store, each shard to two, and all shards to one store.
//!
//! Each customer is in one of the stores that are read, and comes to one of those that are written, with all deltas and
//! keyframes as they are. Both lists (batch index and customer index) are cut anew, since they have other customers. A
//! batch record goes to every store; its counts of actions are shared out ([`counts`]).

mod counts;
mod lists;
mod merged;
mod records;
mod source;

use counts::Counts;
use lists::{count_customers, deal_customer_index, deal_indexes};
use merged::Merged;
use records::deal_records;
pub(super) use source::From;
use source::ONE_OF_THEM;

use crate::error::{Error, Result};
use crate::exact::Held;
use crate::format::{Key, Keyspace};
use crate::model::CustomerId;
use crate::progress::Progress;
use crate::store::{BulkLoad, Entry, Folder, NewStore, Settings};

/// Deals customers out to stores, some of them at a time.
///
/// Memory: some 100 bytes for each batch and store; for each store that is read, a block of each sorted run.
pub(super) struct Dealer<'a, F> {
    from: &'a [From],
    settings: Settings,
    /// Returns the number of a customer's store.
    of: F,
    /// What each store will have of each batch.
    counts: Vec<Counts>,
}

impl<'a, F: Fn(CustomerId) -> usize> Dealer<'a, F> {
    /// Prepares to deal all customers of `from` out to so many stores; `of` returns the number of a customer's store.
    /// Reads all of them once.
    pub(super) fn new(from: &'a [From], stores: usize, of: F, progress: &dyn Progress) -> Result<Self> {
        let settings = common_settings(from)?;
        let mut counts = vec![Counts::new(settings.max_history); stores];
        progress.begin("counting", "keys", None);
        each_of_history(from, progress, |key, _, value| {
            let Key::Delta { customer, day, batch } = key else { return Ok(()) };
            counts.get_mut(of(customer)).held(ONE_OF_THEM)?.add(batch, day, value)
        })?;
        count_customers(from, &of, &mut counts)?;
        Ok(Dealer { from, settings, of, counts })
    }

    /// Makes the stores with these numbers, where none exist.
    ///
    /// Memory: for each of them that of a [`BulkLoad`].
    pub(super) fn make(&self, numbers: &[usize], to: &[Folder], progress: &dyn Progress) -> Result<()> {
        let made =
            to.iter().map(|folder| NewStore::begin(folder, self.settings.clone())).collect::<Result<Vec<_>>>()?;
        let mut loads = made.iter().map(|made| made.store().bulk_load()).collect::<Result<Vec<_>>>()?;
        let place_of = |customer| {
            let number = (self.of)(customer);
            numbers.iter().position(|one| *one == number)
        };
        progress.begin("dealing", "keys", None);
        each_of_history(self.from, progress, |key, bytes, value| {
            let (Key::Delta { customer, .. } | Key::Keyframe { customer, .. }) = key else { return Ok(()) };
            let Some(place) = place_of(customer) else { return Ok(()) };
            loads.get_mut(place).held(ONE_OF_THEM)?.set_raw(bytes, Some(value))
        })?;
        deal_indexes(self.from, &made, &mut loads, &place_of)?;
        let customers = deal_customer_index(self.from, &made, &mut loads, &place_of)?;
        deal_records(self.from, &mut loads, numbers, &self.counts, &customers)?;
        loads.into_iter().try_for_each(BulkLoad::commit)?;
        made.into_iter().try_for_each(NewStore::put_in_place)
    }
}

/// Returns the settings that all have. Fails if one has others.
fn common_settings(from: &[From]) -> Result<Settings> {
    let all = || from.iter().map(|from| from.store.settings());
    let first = all().next().ok_or_else(|| Error::internal("no store is dealt out"))?;
    let mut settings = first.clone();
    for other in all() {
        let same = |one: &Settings| (one.max_history, one.zone.name().to_owned(), one.duplicates);
        if same(other) != same(first) {
            return Err(Error::internal("shards have different settings"));
        }
        // Types are added by batches, and all shards have the same batches.
        if other.types.iter().count() > settings.types.iter().count() {
            settings.types = other.types.clone();
        }
    }
    Ok(settings)
}

/// Gives the keys of all histories, in their order, with their bytes and values.
fn each_of_history(
    from: &[From],
    progress: &dyn Progress,
    mut take: impl FnMut(Key, &[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    let is_history =
        |entry: &Result<Entry>| entry.as_ref().map_or(true, |(key, _)| key.first() == Some(&(Keyspace::History as u8)));
    let entries = from.iter().map(|from| from.raw.entries(&[Keyspace::History as u8]).take_while(is_history));
    let mut merged = Merged::new(entries.collect(), |(key, _): &Entry| key.clone())?;
    while let Some((key, value)) = merged.next()? {
        progress.advance(1);
        take(Key::decode(&key)?, &key, &value)?;
    }
    Ok(())
}
