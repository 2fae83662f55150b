//! Removes a batch: afterwards the store is identical, key by key, to one that never had the batch.

use serde::Serialize;

use super::load::{NewSettings, load};
use super::outlines::Outlines;
use super::run::Ingester;
use super::work_units::WorkUnits;
use crate::error::{Error, Result};
use crate::format::BatchRecord;
use crate::message::message;
use crate::model::{Day, NamedCounts};
use crate::progress::Progress;
use crate::sort::Buckets;
use crate::store::{Folder, Store};

/// The result of removing a batch, or of a dry run.
#[derive(Clone, Debug, Serialize)]
pub struct RemoveSummary {
    /// The batch.
    pub dt: String,
    /// Whether this was a dry run, which changes nothing.
    pub dry_run: bool,
    /// Files that the batch came in.
    pub files: usize,
    /// Actions in these files, as counted when the batch was ingested.
    pub actions: u64,
    /// The actions by the names of their types.
    pub types: NamedCounts,
    /// Customers of whom the store held actions that the batch had brought.
    pub customers: u64,
    /// Of them, those who have left the store, having no other actions; `None` in a dry run, which does not count.
    pub customers_left: Option<u64>,
    /// Batches left in the store.
    pub batches: usize,
    /// Days without a batch between the first and the newest of these batches.
    pub gaps: Vec<Day>,
}

/// Returns what removing a batch would do. Fails if the store does not hold it. Changes nothing, and takes no lock.
pub fn would_remove(folder: &Folder, dt: Day) -> Result<RemoveSummary> {
    summary(&Store::open_reader(folder)?, dt, true)
}

impl Ingester {
    /// Removes a batch in one atomic step: deltas, index, record, and derived data. Fails if the store does not hold
    /// the batch. Action type names that came with it stay: the table of types only grows.
    ///
    /// Memory: that of a load.
    pub fn remove(&mut self, dt: Day, progress: &dyn Progress) -> Result<RemoveSummary> {
        let store = self.opened()?;
        let before = summary(store, dt, false)?;
        progress.begin("removing", "", None);
        let nothing = Buckets::Apart(Vec::new().into_iter());
        let loaded = load(store, dt, WorkUnits::new(store, dt, nothing), None, NewSettings::default(), progress)?;
        let batches = store.batches()?;
        self.outlines = Outlines::of(&batches);
        let gaps = batches.newest(None).map_or_else(Vec::new, |newest| batches.missing(newest));
        Ok(RemoveSummary { customers_left: Some(loaded.customers_left), batches: batches.len(), gaps, ..before })
    }
}

fn summary(store: &Store, dt: Day, dry_run: bool) -> Result<RemoveSummary> {
    let batches = store.batches()?;
    let Some(BatchRecord { files, actions, customers, .. }) = store.batch(dt)? else {
        return Err(Error::refused(
            format!("the store holds no batch of {dt}"),
            message!["check ", Dt, "; ", [Status], " lists the batches in the store"],
        ));
    };
    let left = batches.without(dt);
    Ok(RemoveSummary {
        dt: dt.to_string(),
        dry_run,
        files: files.len(),
        actions: actions.sum(),
        types: actions.named(&store.settings().types),
        customers,
        customers_left: None,
        batches: left.len(),
        gaps: left.newest(None).map_or_else(Vec::new, |newest| left.missing(newest)),
    })
}
