//! The plan of a backfill, computed before anything is changed.

use std::collections::BTreeSet;
use std::path::Path;

use super::options::BackfillOptions;
use crate::error::{Error, Result};
use crate::ingest::{BatchState, Outlines, batch_state, source_names};
use crate::input::{batch_files, day_files};
use crate::message::{message, named};
use crate::model::{Day, name_days};
use crate::output::PartitionFolder;
use crate::progress::Progress;
use crate::storage::Place;
use crate::store::{Batches, Settings, Store, outdated, refuse_pruned};
use crate::text::Shown;

named! {
    /// The reason why a day is ingested.
    pub enum IngestReason {
        /// The store does not hold the batch.
        New = "new",
        /// The files or their description differ from those of the store's version.
        Changed = "changed",
        /// The day has no file and is ingested as an empty batch.
        Empty = "empty",
    }
}

/// The steps planned for one day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DayPlan {
    /// The day.
    pub day: Day,
    /// Whether and why it is ingested.
    pub ingest: Option<IngestReason>,
    /// Whether the store's version of the batch is current.
    pub held: bool,
    /// Whether the day is produced.
    pub produce: bool,
    /// Whether the day has impressions.
    pub shown: bool,
}

/// The steps planned for each day of the range.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// One entry per day, in order.
    pub days: Vec<DayPlan>,
}

impl Plan {
    /// Returns the plan, by comparing the folders with the store. Fails, naming all days, if days lack files, are
    /// unlike the other batches, or rows would depend on a missing batch; and if there is an output but no day of the
    /// range has impressions.
    pub fn new(
        options: &BackfillOptions,
        store: Option<&Store>,
        held: &Batches,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let BackfillOptions { input, sources, from, to, .. } = options;
        let (from, to) = (*from, *to);
        if to < from {
            return Err(Error::usage(
                message![To, " {to} is before ", From, " {from}"],
                message!["give the earlier day with ", From],
            ));
        }
        let place = options.resources.place(input)?;
        let out = options.out.as_deref().map(|out| options.resources.place(out)).transpose()?;
        let mut days = Vec::new();
        let (mut absent, mut gone) = (Vec::new(), Vec::new());
        progress.begin("comparing", "days", Some(from.through(to).count() as u64));
        for day in from.through(to) {
            let shown = !day_files(&place, &sources.impressions.pattern, sources.impressions.format, day)?.is_empty();
            let produce = match &out {
                // Which partitions are stale is known only after all batches are ingested.
                Some(out) if options.stale => PartitionFolder::new(out, day).exists()?,
                Some(_) => shown,
                None => false,
            };
            let mut plan = DayPlan { day, ingest: None, held: false, produce, shown };
            let record = store.map(|store| store.batch(day)).transpose()?.flatten();
            match batch_state(&place, sources, day, record.as_ref(), options.resources.cancel())? {
                BatchState::Current => plan.held = true,
                BatchState::New => plan.ingest = Some(IngestReason::New),
                BatchState::Changed => plan.ingest = Some(IngestReason::Changed),
                BatchState::FilesGone => gone.push(day),
                BatchState::FromMemory => {
                    progress.note(
                        &format!(
                            "the batch of {day} came from memory, and {} has no file of it: it is left as it is",
                            input.shown()
                        )
                        .into(),
                    );
                    plan.held = true;
                }
                // The last day is often produced before its own actions arrive.
                BatchState::Absent if day == to && (shown || produce) => {}
                BatchState::Absent if options.allow_empty => plan.ingest = Some(IngestReason::Empty),
                BatchState::Absent => absent.push(day),
            }
            days.push(plan);
            progress.advance(1);
        }
        let plan = Plan { days };
        refuse_absent(&absent, &gone, input)?;
        plan.refuse_suspicious_batches(options, &place, held)?;
        plan.refuse_without_impressions(options)?;
        if !options.allow_gaps {
            plan.refuse_gaps(held)?;
        }
        Ok(plan)
    }

    /// Returns the days to ingest, in order, with the reason.
    pub fn to_ingest(&self) -> Vec<(Day, IngestReason)> {
        self.days.iter().filter_map(|plan| Some((plan.day, plan.ingest?))).collect()
    }

    /// Returns the days to produce, in order.
    pub fn to_produce(&self) -> Vec<Day> {
        self.days.iter().filter(|plan| plan.produce).map(|plan| plan.day).collect()
    }

    /// Returns the days without impressions, which yield no rows.
    pub fn without_impressions(&self) -> Vec<Day> {
        self.days.iter().filter(|plan| !plan.shown).map(|plan| plan.day).collect()
    }

    /// Fails if the store keeps fewer actions than the rows are to have, or has pruned some of them. With `stale`, the
    /// settings that are kept have been checked.
    pub(crate) fn refuse_rows(
        &self,
        options: &BackfillOptions,
        settings: &Settings,
        horizon: Option<Day>,
    ) -> Result<()> {
        if options.stale {
            return Ok(());
        }
        if options.out.is_some() {
            settings.history_length(options.rows.max_history)?;
        }
        if options.allow_pruned {
            return Ok(());
        }
        self.to_produce().into_iter().try_for_each(|day| refuse_pruned(horizon, day, options.rows.lookback_days))
    }

    /// Refuses the batches that a single ingest would refuse: judges all days of the range before anything is changed,
    /// each as if the days before it were ingested. Empty batches do not count as near ones: otherwise a mistyped first
    /// day would supply its own neighbours.
    fn refuse_suspicious_batches(&self, options: &BackfillOptions, input: &Place, held: &Batches) -> Result<()> {
        let mut outlines = Outlines::of(held);
        let mut batches = Vec::new();
        for (day, _) in self.to_ingest().iter().filter(|(_, reason)| *reason != IngestReason::Empty) {
            let files = batch_files(input, &options.sources, *day)?;
            let sources = source_names(&files);
            outlines.expect(*day, sources.iter().copied());
            batches.push((*day, sources));
        }
        if !options.allow_far_day {
            let days: Vec<Day> = self.to_ingest().into_iter().map(|(day, _)| day).collect();
            outlines.refuse_far_days(&days, options.today)?;
        }
        for (day, _) in self.to_ingest().iter().filter(|(_, reason)| *reason == IngestReason::Empty) {
            outlines.expect(*day, std::iter::empty());
        }
        if options.allow_missing_source { Ok(()) } else { outlines.refuse_missing_sources(&batches) }
    }

    /// Fails if no day of the range has impressions. If only some have none, the summary names them.
    fn refuse_without_impressions(&self, options: &BackfillOptions) -> Result<()> {
        let BackfillOptions { input, sources, from, to, .. } = options;
        if options.out.is_none() || options.stale || self.days.iter().any(|day| day.shown) {
            return Ok(());
        }
        Err(Error::input(
            format!(
                "no day of {from}..{to} has an impression file in {}: nothing matches {}",
                input.shown(),
                sources.impressions.pattern.text_on(*from)
            ),
            message!["check ", Input, " and the range, or leave out ", Out, " to ingest only"],
        ))
    }

    /// Fails if rows would depend on batches of outdated time zone rules, or on missing ones between the store's oldest
    /// batch and the range. The range's own batches exist or are planned.
    fn refuse_gaps(&self, held: &Batches) -> Result<()> {
        let Some(last_before) = self.to_produce().last().and_then(|day| day.previous()) else { return Ok(()) };
        let ingested = self.to_ingest().into_iter().map(|(day, _)| day);
        let after: BTreeSet<Day> = held.iter().map(|(day, _)| day).chain(ingested).collect();
        let Some(first) = after.first() else { return Ok(()) };
        let again = self.to_ingest().into_iter().map(|(day, _)| day).collect::<BTreeSet<_>>();
        let outdated = outdated(held.iter().filter(|(day, _)| !again.contains(day)));
        if !outdated.is_empty() {
            return Err(Error::refused(
                format!(
                    "rows of the range would rest on batches that were ingested by older rules of the time zone: {}",
                    name_days(&outdated)
                ),
                message!["extend the range to these days, or accept their times as they are with ", AllowGaps],
            ));
        }
        let missing: Vec<Day> = first.through(last_before).filter(|day| !after.contains(day)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::refused(
            format!("rows of the range would rest on batches that the store does not hold: {}", name_days(&missing)),
            message!["begin the range earlier, or continue without these batches with ", AllowGaps],
        ))
    }
}

fn refuse_absent(absent: &[Day], gone: &[Day], input: &Path) -> Result<()> {
    if !gone.is_empty() {
        return Err(Error::refused(
            format!("the store holds batches whose files are no longer in {}: {}", input.shown(), name_days(gone)),
            message![
                "restore the files or leave these days out of the range; to replace a batch by an empty one, use ",
                [Ingest AllowEmpty],
            ],
        ));
    }
    if absent.is_empty() {
        return Ok(());
    }
    Err(Error::input(
        format!("there is no action file in {} for {}", input.shown(), name_days(absent)),
        message!["add the files, or ingest these days as empty batches with ", AllowEmpty],
    ))
}
