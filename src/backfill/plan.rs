//! What a backfill will do, worked out before it does anything.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::{Error, Result};
use crate::ingest::{BatchState, Outlines, batch_files, batch_state, source_names};
use crate::input::day_files;
use crate::message::message;
use crate::model::{Day, name_days};
use crate::output::PartitionFolder;
use crate::produce::RowChoice;
use crate::progress::Progress;
use crate::resources::Resources;
use crate::sources::Sources;
use crate::store::{Batches, Store, outdated};
use crate::text::Shown;

/// What to backfill.
#[derive(Clone, Copy, Debug)]
pub struct BackfillOptions<'a> {
    /// The input root.
    pub input: &'a Path,
    /// What is read of it.
    pub sources: &'a Sources,
    /// The first day.
    pub from: Day,
    /// The last day, included.
    pub to: Day,
    /// Where partitions go; `None`: nothing is produced.
    pub out: Option<&'a Path>,
    /// Whether each day is produced as known the day before, and not from the whole store.
    pub as_daily: bool,
    /// Which day it is, as for a single ingest.
    pub today: Option<Day>,
    /// Whether days without any file are taken as empty batches.
    pub allow_empty: bool,
    /// Whether batches are taken whose days are later than tomorrow, or over ten years from every other batch, or from
    /// more than half of their actions.
    pub allow_far_day: bool,
    /// Whether batches are taken that have no file of a source of which all of the last batches had some.
    pub allow_missing_source: bool,
    /// Whether days are produced although batches before the range are missing.
    pub allow_gaps: bool,
    /// Whether days are produced although actions that their rows should have were pruned.
    pub allow_pruned: bool,
    /// Whether only partitions that are there and stale are produced.
    pub stale: bool,
    /// What the rows look like. Of a stale partition, what is not chosen stays as it is.
    pub rows: RowChoice,
    /// Where bad rows go.
    pub quarantine: Option<&'a Path>,
    /// What it may take.
    pub resources: &'a Resources,
}

/// Why a day is ingested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IngestReason {
    /// The store does not hold it.
    New,
    /// Its files are others than those that the store took, or described otherwise.
    Changed,
    /// It has no file, and is taken as an empty batch.
    Empty,
}

impl IngestReason {
    /// As it stands in summaries and plans.
    pub fn name(self) -> &'static str {
        match self {
            IngestReason::New => "new",
            IngestReason::Changed => "changed",
            IngestReason::Empty => "empty",
        }
    }
}

/// What is done with one day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DayPlan {
    /// The day.
    pub day: Day,
    /// Whether and why it is ingested.
    pub ingest: Option<IngestReason>,
    /// Whether the store holds it as it is.
    pub held: bool,
    /// Whether it is produced.
    pub produce: bool,
    /// Whether it has impressions.
    pub shown: bool,
}

/// What is done with each day of the range.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// One entry a day, in order.
    pub days: Vec<DayPlan>,
}

impl Plan {
    /// Compares the folders with what the store holds. Refused, all days named, where a day lacks files, is not like
    /// the other batches, or a row would rest on a gap; and where there is something to be produced, and not one day of
    /// the range has impressions.
    pub fn new(
        options: &BackfillOptions<'_>,
        store: Option<&Store>,
        held: &Batches,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let BackfillOptions { input, sources, from, to, .. } = *options;
        if to < from {
            return Err(Error::usage(
                message![To, " {to} is before ", From, " {from}"],
                message!["give the earlier day with ", From],
            ));
        }
        let mut days = Vec::new();
        let (mut absent, mut gone) = (Vec::new(), Vec::new());
        progress.begin("comparing", "days", Some(from.through(to).count() as u64));
        for day in from.through(to) {
            let shown = !day_files(input, &sources.impressions.pattern, day)?.is_empty();
            let produce = match options.out {
                // Which of them are stale shows when all batches are there.
                Some(out) if options.stale => PartitionFolder::new(out, day).path().is_dir(),
                Some(_) => shown,
                None => false,
            };
            let mut plan = DayPlan { day, ingest: None, held: false, produce, shown };
            let record = store.map(|store| store.batch(day)).transpose()?.flatten();
            match batch_state(input, sources, day, record.as_ref(), options.resources.cancel())? {
                BatchState::Current => plan.held = true,
                BatchState::New => plan.ingest = Some(IngestReason::New),
                BatchState::Changed => plan.ingest = Some(IngestReason::Changed),
                BatchState::FilesGone => gone.push(day),
                // The last day is often the one to be produced, before its own actions have come.
                BatchState::Absent if day == to && shown => {}
                BatchState::Absent if options.allow_empty => plan.ingest = Some(IngestReason::Empty),
                BatchState::Absent => absent.push(day),
            }
            days.push(plan);
            progress.advance(1);
        }
        let plan = Plan { days };
        refuse_absent(&absent, &gone, input)?;
        plan.refuse_odd_batches(options, held)?;
        plan.refuse_without_impressions(options)?;
        if !options.allow_gaps {
            plan.refuse_gaps(held)?;
        }
        Ok(plan)
    }

    /// The days to ingest, in order.
    pub fn to_ingest(&self) -> Vec<(Day, IngestReason)> {
        self.days.iter().filter_map(|plan| Some((plan.day, plan.ingest?))).collect()
    }

    /// The days to produce, in order.
    pub fn to_produce(&self) -> Vec<Day> {
        self.days.iter().filter(|plan| plan.produce).map(|plan| plan.day).collect()
    }

    /// The days of which no rows come, since they have no impressions.
    pub fn without_impressions(&self) -> Vec<Day> {
        self.days.iter().filter(|plan| !plan.shown).map(|plan| plan.day).collect()
    }

    /// As a single ingest refuses a batch: here all days of the range are judged before anything is done, each as if
    /// those before it had been taken. An empty batch is none to which another is near: else a mistyped first day would
    /// bring its own neighbours.
    fn refuse_odd_batches(&self, options: &BackfillOptions<'_>, held: &Batches) -> Result<()> {
        let mut outlines = Outlines::of(held);
        let mut batches = Vec::new();
        for (day, _) in self.to_ingest().iter().filter(|(_, reason)| *reason != IngestReason::Empty) {
            let files = batch_files(options.input, options.sources, *day)?;
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

    /// Some days without are named in the summary; a range without any is a mistake.
    fn refuse_without_impressions(&self, options: &BackfillOptions<'_>) -> Result<()> {
        let BackfillOptions { input, sources, from, to, .. } = options;
        if options.out.is_none() || options.stale || self.days.iter().any(|day| day.shown) {
            return Ok(());
        }
        Err(Error::input(
            format!(
                "no day of {from}..{to} has an impression file in {}: nothing is {}",
                input.shown(),
                sources.impressions.pattern.text_on(*from)
            ),
            message!["check ", Input, " and the range, or leave ", Out, " away to ingest alone"],
        ))
    }

    /// Within the range every batch is there, or will be; but the store may hold an older one, with days between that
    /// are missing.
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
                message!["let the range have these days too, or go on with their times as they are with ", AllowGaps],
            ));
        }
        let missing: Vec<Day> = first.through(last_before).filter(|day| !after.contains(day)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::refused(
            format!("rows of the range would rest on batches that the store does not hold: {}", name_days(&missing)),
            message!["begin the range earlier, or go on without them with ", AllowGaps],
        ))
    }
}

fn refuse_absent(absent: &[Day], gone: &[Day], input: &Path) -> Result<()> {
    if !gone.is_empty() {
        return Err(Error::refused(
            format!("the store holds batches whose files are no longer in {}: {}", input.shown(), name_days(gone)),
            message![
                "bring the files back or leave these days out of the range; to empty one on purpose, use ",
                [Ingest AllowEmpty],
            ],
        ));
    }
    if absent.is_empty() {
        return Ok(());
    }
    Err(Error::input(
        format!("there is no action file in {} for {}", input.shown(), name_days(absent)),
        message!["bring the files, or take these days as empty batches with ", AllowEmpty],
    ))
}
