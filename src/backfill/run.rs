//! Carrying out a plan.

use serde::Serialize;

use super::plan::{BackfillOptions, Plan};
use crate::error::Result;
use crate::ingest::{IngestOptions, IngestSummary, Ingester};
use crate::model::Day;
use crate::produce::{ProduceOptions, ProduceSummary, produce_sized};
use crate::progress::Progress;
use crate::sort::SORT_BYTES_DEFAULT;
use crate::store::{Batches, Folder, Store};

/// What a backfill did, or with a dry run would do.
#[derive(Clone, Debug, Serialize)]
pub struct BackfillSummary {
    /// The first day.
    pub from: String,
    /// The last day, included.
    pub to: String,
    /// Whether nothing was done and only the plan was made.
    pub dry_run: bool,
    /// Days to be ingested, with the reason.
    pub to_ingest: Vec<(String, &'static str)>,
    /// Days that the store holds as they are.
    pub held: usize,
    /// Days to be produced.
    pub to_produce: Vec<String>,
    /// What each ingest did.
    pub ingested: Vec<IngestSummary>,
    /// What each produce did.
    pub produced: Vec<ProduceSummary>,
}

/// Brings the store up to date over a range and produces its days. With `dry_run`, only says what it would do.
///
/// Memory: that of one ingest or one produce; they follow one another.
pub fn backfill(
    folder: &Folder,
    options: &BackfillOptions<'_>,
    dry_run: bool,
    progress: &dyn Progress,
) -> Result<(Plan, BackfillSummary)> {
    let held = if folder.holds_store()? { Store::open_reader(folder)?.batches()? } else { Batches::default() };
    let plan = Plan::new(options, &held, progress)?;
    let mut summary = BackfillSummary {
        from: options.from.to_string(),
        to: options.to.to_string(),
        dry_run,
        to_ingest: plan.to_ingest().iter().map(|(day, reason)| (day.to_string(), reason.name())).collect(),
        held: plan.days.iter().filter(|plan| plan.held).count(),
        to_produce: plan.to_produce().iter().map(Day::to_string).collect(),
        ingested: Vec::new(),
        produced: Vec::new(),
    };
    if !dry_run {
        summary.ingested = ingest_all(folder, options, &plan, progress)?;
        summary.produced = produce_all(folder, options, &plan, progress)?;
    }
    Ok((plan, summary))
}

fn ingest_all(
    folder: &Folder,
    options: &BackfillOptions<'_>,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Vec<IngestSummary>> {
    let days = plan.to_ingest();
    // With nothing to ingest the write lock is not needed, and another ingest may go on.
    let mut ingester = if days.is_empty() { return Ok(Vec::new()) } else { Ingester::open(folder)? };
    let mut summaries = Vec::new();
    for (index, (day, _)) in days.iter().enumerate() {
        progress.item(&format!("ingest {day}"), index + 1, days.len());
        let day_options = IngestOptions {
            input: options.input,
            dt: *day,
            allow_empty: options.allow_empty,
            quarantine: options.quarantine,
            sort_bytes: SORT_BYTES_DEFAULT,
        };
        summaries.push(ingester.ingest(&day_options, progress)?);
    }
    ingester.settle(progress);
    Ok(summaries)
}

fn produce_all(
    folder: &Folder,
    options: &BackfillOptions<'_>,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Vec<ProduceSummary>> {
    let days = plan.to_produce();
    let (Some(out), false) = (options.out, days.is_empty()) else { return Ok(Vec::new()) };
    let store = Store::open_reader(folder)?;
    let mut summaries = Vec::new();
    for (index, day) in days.iter().enumerate() {
        progress.item(&format!("produce {day}"), index + 1, days.len());
        let day_options = ProduceOptions {
            input: options.input,
            dt: *day,
            out,
            max_history: options.max_history,
            lookback_days: options.lookback_days,
            // Before the first day nothing can be known; a day before it stands for that.
            known_as_of: if options.as_daily { Some(day.previous().unwrap_or(Day::FIRST)) } else { None },
            compression: options.compression,
            // The plan has looked for gaps over the whole range.
            allow_gaps: true,
            quarantine: options.quarantine,
            sort_bytes: SORT_BYTES_DEFAULT,
            keep_current: true,
        };
        summaries.push(produce_sized(&store, &day_options, options.sizes, progress)?);
    }
    Ok(summaries)
}
