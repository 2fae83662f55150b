//! Rebuilds the data that is derived from the deltas.

use serde::Serialize;

use super::fault::{Fault, Remedy};
use super::pass::check;
use crate::error::{Error, Kind, Result};
use crate::format::Key;
use crate::message::message;
use crate::progress::Progress;
use crate::store::Store;
use crate::text::Shown;

/// The number of keys of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct KeyCounts {
    /// Keyframes.
    pub keyframes: u64,
    /// Leaves of the index.
    pub index_leaves: u64,
    /// Leaves of the customer index.
    #[serde(rename = "roster_leaves")]
    pub customer_index_leaves: u64,
    /// Batch records, of which only the number of customers is derived.
    pub batch_records: u64,
    /// The totals.
    pub totals: u64,
}

impl KeyCounts {
    /// Returns the sum over all kinds.
    pub fn all(&self) -> u64 {
        let KeyCounts { keyframes, index_leaves, customer_index_leaves, batch_records, totals } = *self;
        keyframes + index_leaves + customer_index_leaves + batch_records + totals
    }

    fn add(&mut self, key: Key) -> Result<()> {
        match key {
            Key::Keyframe { .. } => self.keyframes += 1,
            Key::Index { .. } => self.index_leaves += 1,
            Key::CustomerIndex { .. } => self.customer_index_leaves += 1,
            Key::Batch(_) => self.batch_records += 1,
            Key::Totals => self.totals += 1,
            Key::Store | Key::Delta { .. } | Key::Types | Key::ZoneRules | Key::Ids | Key::DropDuplicates => {
                return Err(Error::corrupt("only derived data may be repaired"));
            }
            Key::BlockList | Key::Forgotten(_) | Key::Horizon | Key::Purge => {
                return Err(Error::corrupt("only derived data may be repaired"));
            }
        }
        Ok(())
    }
}

/// The result of a repair.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RepairSummary {
    /// Whether this was a dry run, which only counts.
    pub dry_run: bool,
    /// Keys that received the value derived from the deltas.
    pub set: KeyCounts,
    /// Keys that were removed, since they should not exist.
    pub removed: KeyCounts,
}

/// Rebuilds keyframes, batch index, customer index, totals and the records' numbers of customers from the deltas, in
/// one atomic step.
///
/// Writes only what differs. The store must be open for writing, except with `dry_run`. Fails, changing nothing, if
/// there is a fault in data that is not derived from the deltas. Memory: that of a verification, and of a load.
pub fn repair(store: &Store, dry_run: bool, progress: &dyn Progress) -> Result<RepairSummary> {
    let mut bulk = if dry_run { None } else { Some(store.bulk_load()?) };
    let mut summary = RepairSummary { dry_run, set: KeyCounts::default(), removed: KeyCounts::default() };
    let (mut beyond, mut first) = (0_u64, None::<Fault>);
    check(store, true, progress, &mut |fault| {
        let Remedy::Rebuild(value) = &fault.remedy else {
            beyond += 1;
            first.get_or_insert(fault);
            return Ok(());
        };
        if let Some(bulk) = &mut bulk {
            bulk.set_raw(&fault.key, value.as_deref())?;
        }
        let counts = if value.is_some() { &mut summary.set } else { &mut summary.removed };
        counts.add(Key::decode(&fault.key)?)
    })?;
    if let Some(fault) = first {
        let more = if beyond > 1 { format!(", and {} more", beyond - 1) } else { String::new() };
        return Err(Error::new(
            Kind::Corrupt,
            format!(
                "the store at {} has damage that cannot be repaired from its other data: {} (key {}): {}{more}",
                store.folder().path().shown(),
                fault.place(),
                fault.key_hex(),
                fault.what,
            ),
            message![{ fault.remedy.said() }, ", then repair again"],
        ));
    }
    if let Some(bulk) = bulk {
        store.folder().resources().check()?;
        bulk.commit()?;
    }
    Ok(summary)
}
