//! Prunes days before a horizon.

use serde::Serialize;

use super::history::rewrite;
use super::remove::{Goes, Removal, finish_purge};
use super::removed::Removed;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::format::{Horizon, Key};
use crate::message::message;
use crate::model::Day;
use crate::options::options;
use crate::progress::Progress;
use crate::store::{Folder, Store};
use crate::text::{count, percent};

options! {
    /// The options of a prune: the days before the newest batch whose actions are kept, besides those of the batch's
    /// own day.
    #[derive(Copy)]
    PruneOptions(keep_days: u32) {
        /// Whether to only count what would be removed.
        dry_run: bool = false,
        /// Whether more than a tenth of the actions may be removed at once.
        allow_large_removal: bool = false,
    }
}

/// The result of a prune, or of its dry run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PruneSummary {
    /// Whether this was a dry run, which removes nothing.
    pub dry_run: bool,
    /// The newest batch, from which days are counted back; `None` for a store without batches.
    pub newest_batch: Option<Day>,
    /// The first day whose actions the store now keeps; `None` if it keeps all.
    pub horizon: Option<String>,
    /// Customers who had actions before the horizon.
    pub customers: u64,
    /// Customers among them without later actions, who have left the store.
    pub customers_left: u64,
    /// Deltas removed, and the actions in them.
    #[serde(rename = "portions")]
    pub deltas: u64,
    /// See `deltas`.
    pub actions: u64,
    /// Actions in the store's deltas before; `None` if nothing had to be searched.
    pub actions_before: Option<u64>,
    /// Bytes of the table files before and after.
    pub bytes_before: u64,
    /// See `bytes_before`.
    pub bytes_after: u64,
}

/// One action in this many may be removed without permission: a mistyped batch day, or number of days, removes far more
/// than a nightly batch adds.
const LARGE_REMOVAL_OF: u64 = 10;

/// Removes the actions of days more than `keep_days` before the newest batch, from the store and from its files, and
/// records the first day from which the store is complete. Later batches' actions from before that day are skipped too.
///
/// Without such actions, nothing changes and no horizon is recorded; a horizon never moves back. Fails, with nothing
/// changed, if more than a tenth of the actions would be removed and that is not allowed. A dry run takes no lock and
/// never fails for that reason. Memory: that of a removal.
pub fn prune(folder: &Folder, options: PruneOptions, progress: &dyn Progress) -> Result<PruneSummary> {
    let store = if options.dry_run { Store::open_reader(folder)? } else { Store::open_writer(folder)? };
    let mut summary = PruneSummary {
        dry_run: options.dry_run,
        newest_batch: store.batches()?.newest(None),
        bytes_before: store.disk_bytes()?,
        ..PruneSummary::default()
    };
    let held = store.horizon()?;
    let wanted = summary.newest_batch.map(|newest| newest.minus(options.keep_days));
    let first_day = wanted.filter(|wanted| held.is_none_or(|held| *wanted > held));
    if options.dry_run {
        if let Some(first_day) = first_day {
            would_remove(&store, first_day, &mut summary, progress)?;
        }
        let horizon = first_day.filter(|_| summary.deltas > 0).or(held);
        summary.horizon = horizon.map(|day| day.to_string());
        summary.bytes_after = summary.bytes_before;
        return Ok(summary);
    }
    if let Some(first_day) = first_day {
        remove(&store, first_day, options.allow_large_removal, &mut summary, progress)?;
    }
    let store = finish_purge(store, progress)?;
    summary.horizon = store.horizon()?.map(|day| day.to_string());
    summary.bytes_after = store.disk_bytes()?;
    Ok(summary)
}

impl PruneSummary {
    fn add(&mut self, removed: Removed) {
        self.customers += 1;
        self.deltas += removed.deltas;
        self.actions += removed.actions;
    }
}

fn remove(
    store: &Store,
    first_day: Day,
    allow_large_removal: bool,
    summary: &mut PruneSummary,
    progress: &dyn Progress,
) -> Result<()> {
    let goes = Goes::DaysBefore(first_day);
    let before = store.totals()?.customers;
    let mut removal = Removal::new(store)?;
    removal.history(goes, progress, |_, removed| {
        summary.add(removed);
        Ok(())
    })?;
    let all = removal.seen();
    summary.actions_before = Some(all);
    if summary.deltas == 0 {
        return Ok(());
    }
    if !allow_large_removal {
        refuse_large(summary, all, first_day)?;
    }
    removal.batches(goes, progress)?;
    removal.set(Key::Horizon, &Horizon { first_day: first_day.number().unsigned_abs() })?;
    removal.commit()?;
    summary.customers_left = before.checked_sub(store.totals()?.customers).held("a removal adds no customer")?;
    Ok(())
}

fn refuse_large(summary: &PruneSummary, all: u64, first_day: Day) -> Result<()> {
    let going = summary.actions;
    if going.saturating_mul(LARGE_REMOVAL_OF) <= all {
        return Ok(());
    }
    let newest = summary.newest_batch.held("days are counted back from the newest batch")?;
    Err(Error::refused(
        format!(
            "{} of {} actions ({}) are from before {first_day} and would be removed, counted back from the newest batch, {newest}",
            count(going),
            count(all),
            percent(going as f64 / all as f64),
        ),
        message![
            "check ",
            KeepDays,
            " and that batch (a mistyped one is removed with ",
            [Remove],
            "), then remove these actions with ",
            AllowLargeRemoval
        ],
    ))
}

/// Counts what a removal would remove.
fn would_remove(store: &Store, first_day: Day, summary: &mut PruneSummary, progress: &dyn Progress) -> Result<()> {
    let settings = store.settings();
    let mut cursor = store.cursor();
    let mut seen = 0;
    progress.begin("counting", "customers", Some(store.totals()?.customers));
    for leaf in store.customer_index() {
        for (customer, _) in leaf?.entries {
            progress.advance(1);
            let tail = cursor.tail(customer, Day::FIRST, None)?;
            seen += tail.actions();
            if let Some(new) = rewrite(customer, tail, Some(first_day), settings) {
                summary.add(new.removed());
                summary.customers_left += u64::from(new.customer_state.is_none());
            }
        }
    }
    summary.actions_before = Some(seen);
    Ok(())
}
