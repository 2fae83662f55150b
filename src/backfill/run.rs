//! Carries out the plan of a backfill.

use std::sync::mpsc::sync_channel;

use serde::Serialize;

use super::options::BackfillOptions;
use super::plan::Plan;
use super::rows::produce_all;
use super::stale::{KeptSettings, Pruned, leave_what_is_not_stale};
use crate::error::{Kind, Result};
use crate::ingest::{IngestSummary, Ingester};
use crate::model::Day;
use crate::output::{check_output, check_table, vacuum};
use crate::produce::ProduceSummary;
use crate::progress::{Progress, Silent};
use crate::resources::{Resources, threads};
use crate::stale::Judge;
use crate::storage::refuse_overlaps;
use crate::store::{Batches, Folder, Settings, Store};
use crate::text::Shown as _;

/// The result of a backfill, or of a dry run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BackfillSummary {
    /// The first day.
    pub from: String,
    /// The last day, included.
    pub to: String,
    /// Whether this was a dry run, which only makes the plan.
    pub dry_run: bool,
    /// Days to ingest, with the reason.
    pub to_ingest: Vec<(String, &'static str)>,
    /// Whether the store did not exist and is created (in a dry run: would be).
    pub created: bool,
    /// Days whose batch in the store is current.
    pub held: usize,
    /// Days to produce.
    pub to_produce: Vec<String>,
    /// With an output, the days of the range without impressions, and so without rows. Empty if only stale partitions
    /// are produced.
    pub without_impressions: Vec<Day>,
    /// Days whose partitions were left as they are: without a manifest, staleness is unknown.
    pub without_manifest: Vec<String>,
    /// The summary of each ingest.
    pub ingested: Vec<IngestSummary>,
    /// The summary of each produced day.
    pub produced: Vec<ProduceSummary>,
    /// Files of older versions of the Delta table that were removed.
    pub vacuumed: u64,
    /// Histories that were read through RocksDB; see [`Store::read_through_rocksdb`].
    #[serde(skip)]
    pub read_through_rocksdb: u64,
}

/// Brings the store up to date over a range and produces its days. A dry run only reports what it would do.
///
/// Memory: that of one ingest, or of the days produced at once, among which the memory for sorting is divided (see
/// [`super::rows`]).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// use lookback::backfill::{BackfillOptions, backfill};
/// use lookback::model::Day;
/// use lookback::progress::Silent;
/// use lookback::store::Folder;
///
/// let (from, to): (Day, Day) = ("2026-01-01".parse()?, "2026-01-02".parse()?);
/// let options = BackfillOptions::new(at("input"), from, to).out(Some(at("out"))).allow_gaps(true);
/// let (_, summary) = backfill(&Folder::new(&at("store")), &options, &Silent)?;
/// assert_eq!((summary.ingested.len(), summary.produced.len()), (1, 1));
/// # Ok(())
/// # }
/// ```
pub fn backfill(
    folder: &Folder,
    options: &BackfillOptions,
    progress: &dyn Progress,
) -> Result<(Plan, BackfillSummary)> {
    let dry_run = options.dry_run;
    let created = !folder.holds_store()?;
    if created {
        let verb = if dry_run { "would create" } else { "creates" };
        progress.note(&format!("there is no store at {} yet; this {verb} one", folder.path().shown()).into());
    }
    let store = if created { None } else { Some(Store::open_reader(folder)?) };
    let (held, horizon) = match &store {
        Some(store) => (store.batches()?, store.horizon()?),
        None => (Batches::default(), None),
    };
    // Wrong usage is reported before anything is changed.
    options.rows.row_order()?;
    refuse_overlaps(Some(&options.input), folder.path(), options.out.as_deref(), options.quarantine.as_deref())?;
    if let Some(out) = options.out.as_deref() {
        let out = options.resources.place(out)?;
        check_output(&out)?;
        check_table(&out, options.table, options.rows.row_columns())?;
    }
    let mut plan = Plan::new(options, store.as_ref(), &held, progress)?;
    let settings = store.as_ref().map_or_else(Settings::default, |store| store.settings().clone());
    let kept = if options.stale {
        let judged = store.as_ref().filter(|_| !options.allow_pruned).map(Judge::new).transpose()?;
        let pruned = judged.map(|judge| Pruned::new(judge, plan.to_ingest()));
        Some(KeptSettings::of(&mut plan, options, &settings, pruned, progress)?)
    } else {
        None
    };
    plan.refuse_rows(options, &settings, horizon)?;
    drop(store);
    let mut summary = BackfillSummary { created, ..BackfillSummary::of(options, &plan, kept.as_ref()) };
    if !dry_run {
        summary.ingested = ingest_all(folder, options, &plan, progress)?;
        if options.stale && plan.days.iter().any(|day| day.produce) {
            let store = Store::open_reader(folder)?;
            leave_what_is_not_stale(&mut plan, &mut Judge::new(&store)?, options, progress)?;
        }
    }
    summary.to_produce = plan.to_produce().iter().map(Day::to_string).collect();
    if !dry_run {
        (summary.produced, summary.read_through_rocksdb) =
            produce_all(folder, options, &plan, kept.as_ref(), progress)?;
        if let (Some(out), Some(age)) = (options.out.as_deref(), options.vacuum) {
            summary.vacuumed = vacuum(&options.resources.place(out)?, age, progress)?;
        }
    }
    Ok((plan, summary))
}

impl BackfillSummary {
    /// Returns what is known before anything is done.
    pub(crate) fn of(options: &BackfillOptions, plan: &Plan, kept: Option<&KeptSettings>) -> Self {
        let with_rows = options.out.is_some() && !options.stale;
        BackfillSummary {
            from: options.from.to_string(),
            to: options.to.to_string(),
            dry_run: options.dry_run,
            to_ingest: plan.to_ingest().iter().map(|(day, reason)| (day.to_string(), reason.name())).collect(),
            held: plan.days.iter().filter(|plan| plan.held).count(),
            without_impressions: if with_rows { plan.without_impressions() } else { Vec::new() },
            without_manifest: kept.iter().flat_map(|kept| &kept.without_manifest).map(Day::to_string).collect(),
            ..BackfillSummary::default()
        }
    }
}

/// One batch is loaded, one waits, and one is read at the same time, so that reading continues while loading waits for
/// the disk.
const BATCHES_AT_ONCE: usize = 3;

fn ingest_all(
    folder: &Folder,
    options: &BackfillOptions,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Vec<IngestSummary>> {
    let days = plan.to_ingest();
    if days.is_empty() {
        // Without the write lock, so that another ingest can continue.
        return tidy_up(folder).map(|()| Vec::new());
    }
    let mut ingester = Ingester::open_or_create(folder, progress)?;
    days.iter().try_for_each(|(day, _)| ingester.check_day(*day))?;
    let reader = ingester.reader()?;
    let first_resources = options.resources.clone().with_sort_bytes(options.resources.sort_bytes() / BATCHES_AT_ONCE);
    // Half of the threads: then reading a batch takes about as long as loading one, which keeps all cores busy even
    // when loading uses only one.
    let later_resources = first_resources.clone().with_threads(options.resources.threads() / 2);
    let read = |day: Day, resources: &Resources, progress: &dyn Progress| {
        reader.read(&options.batch(day).resources(resources.clone()), progress)
    };
    let begin = |day: Day, number: usize| progress.item(&format!("ingest {day}"), number, days.len());
    let summaries = std::thread::scope(|scope| {
        // Only the first batch is read before loading begins.
        let Some(((first, _), later)) = days.split_first() else { return Ok(Vec::new()) };
        begin(*first, 1);
        let batch = read(*first, &first_resources, progress)?;
        let (read, resources, (send, batches)) = (&read, &later_resources, sync_channel(BATCHES_AT_ONCE - 2));
        let read_later = move || {
            later.iter().all(|(day, _)| {
                let batch = read(*day, resources, &Silent);
                let is_read = batch.is_ok();
                // If the receiver is gone, loading has failed.
                send.send(batch).is_ok() && is_read
            })
        };
        std::thread::Builder::new().spawn_scoped(scope, read_later).map_err(threads::cannot_start)?;
        let mut summaries = vec![ingester.load(batch, progress)?];
        for ((day, _), number) in later.iter().zip(2..) {
            begin(*day, number);
            // The channel is closed if the reader has panicked, which ends the whole command when the thread is joined.
            let Ok(batch) = batches.recv() else { break };
            summaries.push(ingester.load(batch?, progress)?);
        }
        Ok(summaries)
    })?;
    progress.end_items();
    ingester.finish_compaction(progress)?;
    Ok(summaries)
}

/// Removes the leftovers of a killed ingest by opening the store for writing. If another process is writing, the files
/// are its own and stay.
fn tidy_up(folder: &Folder) -> Result<()> {
    match folder.has_leftovers().then(|| Store::open_writer(folder)).transpose() {
        Err(error) if error.kind() != Kind::Busy => Err(error),
        _ => Ok(()),
    }
}
