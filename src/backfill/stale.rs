//! Producing only what is stale.

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

/// The settings of the partitions that may be produced again. Memory: some 100 bytes for each of them.
pub(super) struct KeptSettings {
    rows: BTreeMap<Day, RowChoice>,
    /// Days whose partitions have no manifest that can be used.
    pub without_manifest: Vec<Day>,
}

impl KeptSettings {
    /// Reads the manifest of each partition of the plan, and takes those without one out of it. Refused, before
    /// anything is done, where an option was chosen that a partition of the range was not produced with.
    pub fn of(plan: &mut Plan, options: &BackfillOptions<'_>, progress: &dyn Progress) -> Result<Self> {
        let mut kept = KeptSettings { rows: BTreeMap::new(), without_manifest: Vec::new() };
        let Some(out) = options.out else { return Ok(kept) };
        for day in plan.days.iter_mut().filter(|day| day.produce) {
            match PartitionFolder::new(out, day.day).manifest() {
                Ok(manifest) => drop(kept.rows.insert(day.day, options.rows.kept(&manifest)?)),
                Err(error) => {
                    progress.note(&message![("whether {} is stale cannot be told, and it is left: ", day.day), {
                        error.message()
                    },]);
                    kept.without_manifest.push(day.day);
                    day.produce = false;
                }
            }
        }
        Ok(kept)
    }

    /// The settings of the partition of a day.
    pub fn of_day(&self, day: Day) -> Option<RowChoice> {
        self.rows.get(&day).copied()
    }
}

/// Which batches count for the rows of a day.
pub(super) fn known(options: &BackfillOptions<'_>) -> Known {
    if options.as_daily { Known::DayBefore } else { Known::All }
}

/// Takes the days out of the plan whose partitions are not stale, by what the store holds now.
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
