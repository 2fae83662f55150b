//! Adopts the offered rules in one atomic load.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::history::{MovedActions, day_of, redate};
use crate::error::{Error, Result};
use crate::format::{BatchRecord, Key, Record, TouchedDay, ZoneRulesRecord, ZoneUse};
use crate::message::message;
use crate::model::{CustomerId, Day, Zone};
use crate::progress::Progress;
use crate::store::{BulkLoad, Folder, OfferedRules, Store};

/// The result of adopting rules, or of its dry run.
#[derive(Clone, Debug, Serialize)]
pub struct TakenRules {
    /// The zone.
    pub time_zone: String,
    /// The edition of tzdata before; `None` if unknown.
    pub from: Option<String>,
    /// The edition now.
    pub to: Option<String>,
    /// The source of the rules: a folder, or the program.
    pub source: String,
    /// Days with actions whose beginning or end has changed.
    pub moved_days: Vec<Day>,
    /// Actions whose day has changed.
    pub moved_actions: u64,
    /// Batches that must be ingested again.
    pub to_ingest: Vec<Day>,
}

/// Moves every action of the store to its day by the machine's rules of the store's zone, and records these rules.
/// Returns `None` if they equal the recorded rules. With `dry_run`, only reports what would change. Holds the store's
/// write lock; dropped or killed before its one commit, it leaves the store unchanged.
///
/// Fails if the machine has older rules, or if the beginning of the first day that a pruned store keeps would change.
///
/// Memory: that of a load, the whole history of one customer, one leaf of each list, and about 100 bytes for each
/// batch.
pub fn take_rules(folder: &Folder, dry_run: bool, progress: &dyn Progress) -> Result<Option<TakenRules>> {
    let store = Store::open_writer(folder)?;
    let Some(offered) = store.offered_rules()? else { return Ok(None) };
    let taking = Taking::new(&store, &offered)?;
    let mut bulk = store.bulk_load()?;
    let batches = taking.history(&mut bulk, progress)?;
    let (moved_days, to_ingest) = taking.batches(&mut bulk, &batches, progress)?;
    bulk.set(Key::ZoneRules, Some(&ZoneRulesRecord::of(offered.zone.rules()).to_bytes()?))?;
    let version = |zone: &Zone| zone.rules().version().map(str::to_owned);
    let taken = TakenRules {
        time_zone: offered.zone.name().to_owned(),
        from: version(taking.recorded),
        to: version(&offered.zone),
        source: offered.source.plain(),
        moved_days: moved_days.into_iter().collect(),
        moved_actions: batches.values().map(|moved| moved.actions).sum(),
        to_ingest,
    };
    if !dry_run {
        folder.resources().check()?;
        bulk.commit()?;
        progress.begin("compacting", "", None);
        store.finish_compaction()?;
    }
    Ok(Some(taken))
}

struct Taking<'store> {
    store: &'store Store,
    recorded: &'store Zone,
    zone: &'store Zone,
    /// Days whose beginning or end has changed.
    moved: BTreeSet<Day>,
    /// Days on which wall times have other instants.
    timed: BTreeSet<Day>,
}

impl<'store> Taking<'store> {
    fn new(store: &'store Store, offered: &'store OfferedRules) -> Result<Self> {
        let (recorded, zone) = (&store.settings().zone, &offered.zone);
        if recorded.rules().is_newer_than(zone.rules()) {
            return Err(Error::refused(
                format!(
                    "the machine has older rules of {} ({}) than the store records ({})",
                    recorded.name(),
                    offered.edition(),
                    recorded.rules().edition()
                ),
                "install newer tzdata or a newer lookback, or set TZDIR to a folder of newer time zones",
            ));
        }
        let moved = offered.moved_days(recorded);
        if let Some(horizon) = store.horizon()?.filter(|day| zone.start_of(*day) != recorded.start_of(*day)) {
            return Err(Error::refused(
                format!(
                    "the store has been pruned up to {horizon}, a day that begins at another time by the rules in {}",
                    offered.edition()
                ),
                message!["prune it to a day that these rules do not move, or fill a new store with ", [Backfill]],
            ));
        }
        Ok(Taking { store, recorded, zone, moved, timed: offered.days_with_other_times(recorded) })
    }

    /// Redates the history of each customer with actions on moved days, and rewrites the customer index. Returns what
    /// was moved of each batch.
    fn history(&self, bulk: &mut BulkLoad<'_>, progress: &dyn Progress) -> Result<BTreeMap<Day, MovedActions>> {
        let (store, settings) = (self.store, self.store.settings());
        let (mut cursor, mut customer_index) = (store.cursor(), store.customer_index_writer());
        let mut batches: BTreeMap<Day, MovedActions> = BTreeMap::new();
        progress.begin("redating", "customers", Some(store.totals()?.customers));
        for leaf in store.customer_index() {
            for (customer, customer_state) in leaf?.entries {
                progress.advance(1);
                let may_rest = self.moved.first().is_some_and(|first| *first <= customer_state.newest);
                let tail = if may_rest { Some(cursor.tail(customer, Day::FIRST, None)?) } else { None };
                let redated = tail.map(|tail| redate(customer, tail, self.zone, &self.moved, settings));
                let Some(redated) = redated.transpose()?.flatten() else {
                    customer_index.push(bulk, (customer, customer_state))?;
                    continue;
                };
                for (key, bytes) in &redated.edits {
                    bulk.set_raw(key, bytes.as_deref())?;
                }
                customer_index.push(bulk, (customer, redated.customer_state))?;
                for (batch, moved) in redated.moved {
                    let of_batch = batches.entry(batch).or_default();
                    of_batch.actions += moved.actions;
                    of_batch.late += moved.late;
                    of_batch.early += moved.early;
                    of_batch.may_be_cut |= moved.may_be_cut;
                }
            }
        }
        customer_index.finish(bulk)?;
        Ok(batches)
    }

    /// Rewrites the index and the record of each batch with moved actions. Returns the days with moved actions, and the
    /// batches that must be ingested again.
    fn batches(
        &self,
        bulk: &mut BulkLoad<'_>,
        moved: &BTreeMap<Day, MovedActions>,
        progress: &dyn Progress,
    ) -> Result<(BTreeSet<Day>, Vec<Day>)> {
        let batches = self.store.batches()?;
        let (mut days, mut to_ingest) = (BTreeSet::new(), Vec::new());
        progress.begin("redating", "batches", Some(batches.len() as u64));
        for (batch, known) in batches.iter() {
            progress.advance(1);
            let of_batch = moved.get(&batch).copied();
            let has_wall_times = known.zone_use == ZoneUse::WallTimes;
            if of_batch.is_none() && !has_wall_times {
                to_ingest.extend(Some(batch).filter(|_| known.zone_use == ZoneUse::Outdated));
                continue;
            }
            let has_other_times = self.index(bulk, batch, of_batch.is_some(), &mut days)? && has_wall_times;
            let of_batch = of_batch.unwrap_or_default();
            let is_outdated = has_other_times || of_batch.may_be_cut || known.zone_use == ZoneUse::Outdated;
            let count = |number: u64, more: i64| {
                let less =
                    || Error::corrupt(format!("the record of the batch of {batch} counts fewer actions than it has"));
                number.checked_add_signed(more).ok_or_else(less)
            };
            // The record is read with its list of files.
            let lacks = || Error::corrupt(format!("the store lacks the record of the batch of {batch}"));
            let record = self.store.batch(batch)?.ok_or_else(lacks)?;
            let new = BatchRecord {
                late: count(record.late, of_batch.late)?,
                early: count(record.early, of_batch.early)?,
                zone_use: if is_outdated { ZoneUse::Outdated } else { record.zone_use },
                ..record.clone()
            };
            to_ingest.extend(Some(batch).filter(|_| is_outdated));
            if new != record {
                bulk.set(Key::Batch(batch), Some(&new.to_bytes()?))?;
            }
        }
        Ok((days, to_ingest))
    }

    /// Rewrites the index of a batch if it `is_moved`, and adds the moved days that it touches to `days`. Returns
    /// whether it touches a day on which wall times have other instants.
    fn index(&self, bulk: &mut BulkLoad<'_>, batch: Day, is_moved: bool, days: &mut BTreeSet<Day>) -> Result<bool> {
        let mut has_other_times = false;
        let mut writer = self.store.index_writer(batch);
        for leaf in self.store.touched_by(batch) {
            for of_customer in leaf?.entries.chunk_by(|(one, _), (next, _)| one == next) {
                let touched = || of_customer.iter().map(|(_, TouchedDay(day))| *day);
                has_other_times |= touched().any(|day| self.timed.contains(&day));
                days.extend(touched().filter(|day| self.moved.contains(day)));
                let Some((customer, _)) = of_customer.first().filter(|_| is_moved) else { continue };
                for day in self.redated_days(*customer, batch, touched())?.into_iter().rev() {
                    writer.push(bulk, (*customer, TouchedDay(day)))?;
                }
            }
        }
        if is_moved {
            writer.finish(bulk)?;
        }
        Ok(has_other_times)
    }

    /// Returns the days of a customer that a batch touches by the new rules.
    fn redated_days(&self, customer: CustomerId, batch: Day, days: impl Iterator<Item = Day>) -> Result<BTreeSet<Day>> {
        let mut redated = BTreeSet::new();
        for day in days {
            if !self.moved.contains(&day) {
                redated.insert(day);
                continue;
            }
            let actions = self.store.delta(customer, day, batch)?;
            let lacks = || {
                Error::corrupt(format!(
                    "the store lacks the delta of the batch of {batch} for customer {} on {day}",
                    customer.0
                ))
            };
            for action in actions.ok_or_else(lacks)? {
                redated.insert(day_of(self.zone, &action)?);
            }
        }
        Ok(redated)
    }
}
