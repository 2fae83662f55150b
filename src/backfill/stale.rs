//! Selects the partitions that are stale.

use std::collections::BTreeMap;

use super::plan::{BackfillOptions, Plan};
use crate::error::Result;
use crate::message::message;
use crate::model::Day;
use crate::output::PartitionFolder;
use crate::produce::RowChoice;
use crate::progress::Progress;
use crate::stale::{Judge, Known};
use crate::store::{Folder, Store};

/// The settings of the partitions that may be produced again. Memory: some 100 bytes for each partition.
pub(super) struct KeptSettings {
    rows: BTreeMap<Day, RowChoice>,
    /// Days whose partitions have no usable manifest.
    pub without_manifest: Vec<Day>,
}

impl KeptSettings {
    /// Reads the manifest of each partition of the plan, and removes partitions without one from the plan. Fails,
    /// before anything is changed, if a chosen option differs from that of a partition in the range.
    pub fn of(plan: &mut Plan, options: &BackfillOptions<'_>, progress: &dyn Progress) -> Result<Self> {
        let mut kept = KeptSettings { rows: BTreeMap::new(), without_manifest: Vec::new() };
        let Some(out) = options.out else { return Ok(kept) };
        for day in plan.days.iter_mut().filter(|day| day.produce) {
            match PartitionFolder::new(out, day.day).manifest() {
                Ok(manifest) => drop(kept.rows.insert(day.day, options.rows.kept(&manifest)?)),
                Err(error) => {
                    progress.note(&message![
                        ("cannot determine whether {} is stale, so its partition is left as it is: ", day.day),
                        { error.message() },
                    ]);
                    kept.without_manifest.push(day.day);
                    day.produce = false;
                }
            }
        }
        Ok(kept)
    }

    /// Returns the settings of the partition of a day.
    pub fn of_day(&self, day: Day) -> Option<RowChoice> {
        self.rows.get(&day).copied()
    }
}

/// Returns which batches the rows of a day are made from.
pub(super) fn known(options: &BackfillOptions<'_>) -> Known {
    if options.as_daily { Known::DayBefore } else { Known::All }
}

/// Removes from the plan the days whose partitions are not stale, given the store's current content.
pub(super) fn leave_what_is_not_stale(
    plan: &mut Plan,
    folder: &Folder,
    options: &BackfillOptions<'_>,
    progress: &dyn Progress,
) -> Result<()> {
    let days: Vec<_> = plan.days.iter_mut().filter(|day| day.produce).collect();
    let (Some(out), false) = (options.out, days.is_empty()) else { return Ok(()) };
    let store = Store::open_reader(folder)?;
    let mut judge = Judge::new(&store)?;
    progress.begin("comparing", "partitions", Some(days.len() as u64));
    for day in days {
        let manifest = PartitionFolder::new(out, day.day).manifest()?;
        day.produce = judge.reasons(&manifest, known(options))?.is_stale();
        progress.advance(1);
    }
    Ok(())
}
