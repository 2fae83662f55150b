//! Carrying out a plan.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use serde::Serialize;

use super::plan::{BackfillOptions, Plan};
use super::stale::{KeptSettings, known, leave_what_is_not_stale};
use crate::error::{Kind, Result};
use crate::ingest::{IngestOptions, IngestSummary, Ingester, ReadBatch};
use crate::memory;
use crate::model::{Day, OrderKind};
use crate::produce::{ProduceOptions, ProduceSummary, RowChoice, produce_sized, refuse_pruned};
use crate::progress::{Progress, Silent};
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
    /// Days whose partitions were left, since without a manifest it cannot be told whether they are stale.
    pub without_manifest: Vec<String>,
    /// What each ingest did.
    pub ingested: Vec<IngestSummary>,
    /// What each produce did.
    pub produced: Vec<ProduceSummary>,
}

/// Brings the store up to date over a range and produces its days. With `dry_run`, only says what it would do.
///
/// Memory: that of one ingest or produce, but for the threads' row groups, which are twice as many: two days at a time share the memory for sorting.
pub fn backfill(
    folder: &Folder,
    options: &BackfillOptions<'_>,
    dry_run: bool,
    progress: &dyn Progress,
) -> Result<(Plan, BackfillSummary)> {
    let (held, horizon) = if folder.holds_store()? {
        let store = Store::open_reader(folder)?;
        (store.batches()?, store.horizon()?)
    } else {
        (Batches::default(), None)
    };
    // Wrong usage is told before anything is done.
    options.rows.order()?;
    let mut plan = Plan::new(options, &held, progress)?;
    let kept = if options.stale { Some(KeptSettings::of(&mut plan, options, progress)?) } else { None };
    let mut summary = BackfillSummary {
        from: options.from.to_string(),
        to: options.to.to_string(),
        dry_run,
        to_ingest: plan.to_ingest().iter().map(|(day, reason)| (day.to_string(), reason.name())).collect(),
        held: plan.days.iter().filter(|plan| plan.held).count(),
        to_produce: Vec::new(),
        without_manifest: kept.iter().flat_map(|kept| &kept.without_manifest).map(Day::to_string).collect(),
        ingested: Vec::new(),
        produced: Vec::new(),
    };
    // Of partitions that are there, which are stale is not known yet; producing one of them is refused by itself then.
    if !options.allow_pruned && !options.stale {
        plan.to_produce().into_iter().try_for_each(|day| refuse_pruned(horizon, day, options.rows.lookback_days))?;
    }
    if !dry_run {
        summary.ingested = ingest_all(folder, options, &plan, progress)?;
        if options.stale {
            leave_what_is_not_stale(&mut plan, folder, options, progress)?;
        }
    }
    summary.to_produce = plan.to_produce().iter().map(Day::to_string).collect();
    if !dry_run {
        summary.produced = produce_all(folder, options, &plan, kept.as_ref(), progress)?;
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
    if days.is_empty() {
        // The write lock is not needed, and another ingest may go on.
        return tidy_up(folder).map(|()| Vec::new());
    }
    let mut ingester = Ingester::open(folder)?;
    let reader = ingester.reader()?;
    let read = |day: Day, progress: &dyn Progress| {
        let day_options = IngestOptions {
            input: options.input,
            sources: options.sources,
            dt: day,
            allow_empty: options.allow_empty,
            quarantine: options.quarantine,
            sort_bytes: memory::sort_bytes() / DAYS_AT_ONCE,
        };
        reader.read(&day_options, progress)
    };
    // While one batch is loaded, the next is read; only the first is waited for.
    let summaries = std::thread::scope(|scope| {
        let (read, mut summaries, mut waiting) = (&read, Vec::new(), None::<ScopedJoinHandle<'_, Result<ReadBatch>>>);
        for (index, (day, _)) in days.iter().enumerate() {
            progress.item(&format!("ingest {day}"), index + 1, days.len());
            let batch = match waiting.take() {
                Some(reading) => reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
                None => read(*day, progress)?,
            };
            if let Some((next, _)) = days.get(index + 1) {
                let next = *next;
                waiting = Some(scope.spawn(move || read(next, &Silent)));
            }
            summaries.push(ingester.load(batch, progress)?);
        }
        Ok(summaries)
    })?;
    progress.end_items();
    ingester.settle(progress);
    Ok(summaries)
}

/// Removes what a killed ingest has left in the store, which opening for writing does; where another process writes, it is not left behind.
fn tidy_up(folder: &Folder) -> Result<()> {
    match folder.has_leftovers().then(|| Store::open_writer(folder)).transpose() {
        Err(error) if error.kind() != Kind::Busy => Err(error),
        _ => Ok(()),
    }
}

/// Days that are worked on at once. One alone leaves cores idle while it reads its files and while it waits for the disk.
const DAYS_AT_ONCE: usize = 2;

/// Produces the days of the plan, and gives their summaries in order. Of several errors, gives that of the earliest day.
fn produce_all(
    folder: &Folder,
    options: &BackfillOptions<'_>,
    plan: &Plan,
    kept: Option<&KeptSettings>,
    progress: &dyn Progress,
) -> Result<Vec<ProduceSummary>> {
    let days = plan.to_produce();
    let (Some(out), false) = (options.out, days.is_empty()) else { return Ok(Vec::new()) };
    let store = Store::open_reader(folder)?;
    progress.begin("producing", "days", Some(days.len() as u64));
    let rows_of = |day: Day| kept.and_then(|kept| kept.of_day(day)).unwrap_or(options.rows);
    // Row groups in an order by chance take too much memory for two days side by side.
    let by_chance = days.iter().any(|day| rows_of(*day).order.unwrap_or_default() != OrderKind::Customer);
    let most = if by_chance { 1 } else { DAYS_AT_ONCE };
    let sort_bytes = memory::sort_bytes() / most;
    let at_once = most.min(rayon::current_num_threads()).clamp(1, days.len());
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one_after_the_other = || -> Vec<(usize, Result<ProduceSummary>)> {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(day) = days.get(number) else { break };
            // Days side by side have no common progress but that of the whole.
            let rows = rows_of(*day);
            let summary = options_of(options, rows, out, *day, sort_bytes)
                .and_then(|options| produce_sized(&store, &options, rows.sizes(), &Silent));
            failed.fetch_or(summary.is_err(), Ordering::Relaxed);
            progress.advance(1);
            done.push((number, summary));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..at_once).map(|_| scope.spawn(one_after_the_other)).collect();
        let mut done = one_after_the_other();
        for other in others {
            match other.join() {
                Ok(of_other) => done.extend(of_other),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, summary)| summary).collect()
}

fn options_of<'a>(
    options: &BackfillOptions<'a>,
    rows: RowChoice,
    out: &'a Path,
    day: Day,
    sort_bytes: usize,
) -> Result<ProduceOptions<'a>> {
    Ok(ProduceOptions {
        input: options.input,
        impressions: &options.sources.impressions,
        dt: day,
        out,
        max_history: rows.max_history,
        lookback_days: rows.lookback_days,
        known_as_of: known(options).through(day),
        compression: rows.compression(),
        columns: rows.columns(),
        order: rows.order()?,
        // The plan has looked for gaps over the whole range.
        allow_gaps: true,
        allow_pruned: options.allow_pruned,
        quarantine: options.quarantine,
        sort_bytes,
        keep_current: true,
    })
}
