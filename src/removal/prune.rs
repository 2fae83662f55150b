//! Pruning days before a horizon.

use serde::Serialize;

use super::remove::{Goes, Removal, finish_purge};
use crate::error::Result;
use crate::format::{Horizon, Key};
use crate::progress::Progress;
use crate::store::{Folder, Store};

/// What pruning did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PruneSummary {
    /// The first day whose actions the store keeps now; `None` if it keeps all.
    pub horizon: Option<String>,
    /// Customers who had actions before it.
    pub customers: u64,
    /// Of them, those who had no others, and so have left the store.
    pub customers_left: u64,
    /// Portions removed, and the actions in them.
    pub portions: u64,
    /// See `portions`.
    pub actions: u64,
    /// Bytes of the table files before and after.
    pub bytes_before: u64,
    /// See `bytes_before`.
    pub bytes_after: u64,
}

/// Removes the actions of days more than `keep_days` before the newest batch, from the store and from its files, and records from which day on the
/// store is complete. Later batches' actions from before that day are left out too.
///
/// Where there are none, nothing is changed and no horizon recorded; a horizon never moves back. Memory: that of a removal.
pub fn prune(folder: &Folder, keep_days: u32, progress: &dyn Progress) -> Result<PruneSummary> {
    let store = Store::open_writer(folder)?;
    let mut summary = PruneSummary { bytes_before: store.disk_bytes()?, ..PruneSummary::default() };
    let held = store.horizon()?;
    let wanted = store.batches()?.newest(None).map(|newest| newest.minus(keep_days));
    if let Some(first_day) = wanted.filter(|wanted| held.is_none_or(|held| *wanted > held)) {
        let goes = Goes::DaysBefore(first_day);
        let before = store.totals()?.customers;
        let mut removal = Removal::new(&store)?;
        removal.history(goes, progress, |_, removed| {
            summary.customers += 1;
            summary.portions += removed.portions;
            summary.actions += removed.actions;
            Ok(())
        })?;
        if summary.portions > 0 {
            removal.batches(goes, progress)?;
            removal.set(Key::Horizon, &Horizon { first_day: first_day.number().unsigned_abs() })?;
            removal.commit()?;
            summary.customers_left = before.saturating_sub(store.totals()?.customers);
        }
    }
    let store = finish_purge(store, progress)?;
    summary.horizon = store.horizon()?.map(|day| day.to_string());
    summary.bytes_after = store.disk_bytes()?;
    Ok(summary)
}
