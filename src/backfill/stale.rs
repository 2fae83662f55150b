//! Selects the partitions that are stale.

use std::collections::BTreeMap;

use super::options::BackfillOptions;
use super::plan::{IngestReason, Plan};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::{Day, name_days};
use crate::output::PartitionFolder;
use crate::produce::RowChoice;
use crate::progress::Progress;
use crate::stale::{Judge, Known};
use crate::store::{Settings, beyond_horizon};

/// The settings of the partitions that may be produced again. Memory: some 100 bytes for each partition.
pub(crate) struct KeptSettings {
    rows: BTreeMap<Day, RowChoice>,
    /// Days whose partitions have no usable manifest.
    pub without_manifest: Vec<Day>,
}

impl KeptSettings {
    /// Reads the manifest of each partition of the plan, and removes partitions without one from the plan. Fails,
    /// before anything is changed, if a chosen option differs from that of a partition in the range, or if a partition
    /// could not be produced again: see [`Judge::reasons`], [`Settings::history_length`] and [`Pruned`].
    pub(crate) fn of(
        plan: &mut Plan,
        options: &BackfillOptions,
        settings: &Settings,
        mut pruned: Option<Pruned<'_>>,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let mut kept = KeptSettings { rows: BTreeMap::new(), without_manifest: Vec::new() };
        let Some(out) = options.out.as_deref() else { return Ok(kept) };
        let out = options.resources.place(out)?;
        for day in plan.days.iter_mut().filter(|day| day.produce) {
            match PartitionFolder::new(&out, day.day).manifest() {
                Ok(manifest) => {
                    let rows = options.rows.kept(&manifest)?;
                    manifest.refuse_other_zone(&settings.zone)?;
                    settings.history_length(rows.max_history)?;
                    pruned.as_mut().map_or(Ok(()), |pruned| pruned.look_at(&manifest, known(options)))?;
                    kept.rows.insert(day.day, rows);
                }
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
        pruned.map_or(Ok(()), Pruned::refuse)?;
        Ok(kept)
    }

    /// Returns the settings of the partition of a day of the plan.
    pub(crate) fn of_day(&self, day: Day) -> Result<RowChoice> {
        self.rows.get(&day).copied().held("each partition of the plan has settings")
    }
}

/// The partitions that reach back beyond the horizon of a pruned store and are stale, or may become so by the batches
/// to ingest. Which of these they will be is known only after the ingest; then it would be too late to refuse them.
pub(crate) struct Pruned<'store> {
    judge: Judge<'store>,
    to_ingest: Vec<(Day, IngestReason)>,
    horizon: Option<Day>,
    stale: Vec<Day>,
    may_become: Vec<Day>,
}

impl<'store> Pruned<'store> {
    pub(crate) fn new(judge: Judge<'store>, to_ingest: Vec<(Day, IngestReason)>) -> Self {
        let horizon = judge.horizon();
        Pruned { judge, to_ingest, horizon, stale: Vec::new(), may_become: Vec::new() }
    }

    fn look_at(&mut self, manifest: &Manifest, known: Known) -> Result<()> {
        let dt = manifest.dt;
        let Some(horizon) = beyond_horizon(self.horizon, dt, manifest.settings.lookback_days) else { return Ok(()) };
        // A batch touches no day before the horizon; an empty one touches none.
        let may_change = |(batch, reason): &(Day, IngestReason)| {
            known.through(dt).is_none_or(|through| *batch <= through)
                && (manifest.batch(*batch).is_some() || (dt > horizon && *reason != IngestReason::Empty))
        };
        if self.judge.reasons(manifest, known)?.is_stale() {
            self.stale.push(dt);
        } else if self.to_ingest.iter().any(may_change) {
            self.may_become.push(dt);
        }
        Ok(())
    }

    fn refuse(self) -> Result<()> {
        let Pruned { horizon: Some(horizon), stale, may_become, .. } = self else { return Ok(()) };
        let (days, how) = match (stale.is_empty(), may_become.is_empty()) {
            (true, true) => return Ok(()),
            (true, false) => (may_become, "may become stale by the batches to ingest"),
            (false, _) => (stale, "are stale"),
        };
        Err(Error::refused(
            format!(
                "the rows of {} reach back beyond {horizon}, before which the store has been pruned, and {how}",
                name_days(&days)
            ),
            message!["leave these days out of the range, or go on with what is left by ", AllowPruned],
        ))
    }
}

/// Returns which batches the rows of a day are made from.
pub(crate) fn known(options: &BackfillOptions) -> Known {
    if options.as_daily { Known::DayBefore } else { Known::All }
}

/// Removes from the plan the days whose partitions are not stale, given the current content.
pub(crate) fn leave_what_is_not_stale(
    plan: &mut Plan,
    judge: &mut Judge<'_>,
    options: &BackfillOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let days: Vec<_> = plan.days.iter_mut().filter(|day| day.produce).collect();
    let (Some(out), false) = (options.out.as_deref(), days.is_empty()) else { return Ok(()) };
    let out = options.resources.place(out)?;
    progress.begin("comparing", "partitions", Some(days.len() as u64));
    for day in days {
        let manifest = PartitionFolder::new(&out, day.day).manifest()?;
        day.produce = judge.reasons(&manifest, known(options))?.is_stale();
        if day.produce && manifest.is_from_memory() {
            progress.note(
                &format!(
                    "the partition of {} is stale, but its impressions came from memory: it is left as it is; produce \
                     it again from memory",
                    day.day
                )
                .into(),
            );
            day.produce = false;
        }
        progress.advance(1);
    }
    Ok(())
}
