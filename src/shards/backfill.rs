//! Backfills a range of days of a sharded store: the plan of [`crate::backfill`], carried out version by version.

use serde::Serialize;

use super::content::content_of_shards;
use super::current::current_partitions;
use super::run::Traffic;
use super::stale::lacking;
use super::{ingest, produce};
use crate::backfill::{
    BackfillOptions, BackfillSummary, KeptSettings, Plan, Pruned, known, leave_what_is_not_stale, options_of,
};
use crate::error::Result;
use crate::ingest::Ingester;
use crate::manifest::Manifest;
use crate::model::Day;
use crate::output::{PartitionFolder, check_output, check_table, vacuum};
use crate::produce::ProduceOptions;
use crate::progress::Progress;
use crate::stale::Judge;
use crate::storage::refuse_overlaps;
use crate::store::{Pinned, ShardedStore, Store};

/// The result of a backfill of a sharded store, or of a dry run.
#[derive(Clone, Debug, Serialize)]
pub struct BackfilledShards {
    /// The newest version: that of the last day that was ingested, and that from which the rows are.
    pub version: u32,
    /// Number of shards.
    pub shards: u32,
    /// What was done.
    #[serde(flatten)]
    pub days: BackfillSummary,
    /// What went to and fro.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Brings all shards up to date over a range, each day a version, and produces its days from the newest one. Which days
/// are ingested and produced is decided as [`crate::backfill::backfill`] decides it. A dry run only reports what it
/// would do. After an interruption, the next run does what is left.
///
/// Memory: that of [`ingest`], then that of [`produce`]. Disk: one shard, and the batch or the partition of a day.
pub fn backfill(
    store: &ShardedStore,
    options: &BackfillOptions,
    progress: &dyn Progress,
) -> Result<(Plan, BackfilledShards)> {
    let head = store.pin(None)?;
    options.rows.row_order()?;
    refuse_overlaps(Some(&options.input), store.place(), options.out.as_deref(), options.quarantine.as_deref())?;
    if let Some(out) = options.out.as_deref() {
        let out = options.resources.place(out)?;
        check_output(&out)?;
        check_table(&out, options.table, options.rows.row_columns())?;
    }
    let mut traffic = Traffic::default();
    let (mut plan, kept) = planned(store, &head, options, &mut traffic, progress)?;
    let mut days = BackfillSummary::of(options, &plan, kept.as_ref());
    if !options.dry_run {
        let batches = plan.to_ingest();
        for ((day, _), number) in batches.iter().zip(1..) {
            progress.item(&format!("ingest {day}"), number, batches.len());
            let ingested = ingest(store, &options.batch(*day), None, progress)?;
            traffic.add(ingested.traffic);
            days.ingested.extend(ingested.counts);
        }
        progress.end_items();
    }
    let newest = if days.ingested.is_empty() { head } else { store.pin(None)? };
    if !options.dry_run && options.stale {
        let mut judge = judge_of(store, &newest, &manifests_of(&plan, options)?, options, &mut traffic, progress)?;
        leave_what_is_not_stale(&mut plan, &mut judge, options, progress)?;
    }
    days.to_produce = plan.to_produce().iter().map(Day::to_string).collect();
    if !options.dry_run {
        let rows = rows_of(options, &plan, kept.as_ref())?;
        let current = current_partitions(store, &newest, &rows, &mut traffic, progress)?;
        for (rows, number) in rows.iter().zip(1..) {
            if let Some(kept) = current.get(&rows.dt) {
                days.produced.push(kept.clone());
                continue;
            }
            progress.item(&format!("produce {}", rows.dt), number, plan.to_produce().len());
            let produced = produce(store, &newest, rows, progress)?;
            traffic.add(produced.traffic);
            days.read_through_rocksdb += produced.through_rocksdb;
            days.produced.push(produced.counts);
        }
        progress.end_items();
        if let (Some(out), Some(age)) = (options.out.as_deref(), options.vacuum) {
            days.vacuumed = vacuum(&options.resources.place(out)?, age, progress)?;
        }
    }
    Ok((plan, BackfilledShards { version: newest.version(), shards: newest.shards().number(), days, traffic }))
}

/// Returns the plan, and with `stale` the settings of the partitions that may be produced again. Fails before anything
/// is changed if a day of it would fail.
///
/// All shards have the records of all batches, with the same files: those of the first are compared with the input.
fn planned(
    store: &ShardedStore,
    head: &Pinned,
    options: &BackfillOptions,
    traffic: &mut Traffic,
    progress: &dyn Progress,
) -> Result<(Plan, Option<KeptSettings>)> {
    let open = store.open(head, 0, progress)?;
    traffic.add_fetched(&open);
    let first = Store::open_reader(open.folder())?;
    let (held, horizon, settings) = (first.batches()?, first.horizon()?, first.settings().clone());
    let mut plan = Plan::new(options, Some(&first), &held, progress)?;
    drop(first);
    let kept = if options.stale {
        let pruned = if horizon.is_some() && !options.allow_pruned {
            let judge = judge_of(store, head, &manifests_of(&plan, options)?, options, traffic, progress)?;
            Some(Pruned::new(judge, plan.to_ingest()))
        } else {
            None
        };
        Some(KeptSettings::of(&mut plan, options, &settings, pruned, progress)?)
    } else {
        None
    };
    plan.refuse_rows(options, &settings, horizon)?;
    let days = plan.to_ingest();
    if !options.dry_run && !days.is_empty() {
        let ingester = Ingester::open(open.folder(), progress)?;
        days.iter().try_for_each(|(day, _)| ingester.check_day(*day))?;
    }
    Ok((plan, kept))
}

/// Returns the options of the days to produce, with `stale` with the settings of their partitions.
fn rows_of(options: &BackfillOptions, plan: &Plan, kept: Option<&KeptSettings>) -> Result<Vec<ProduceOptions>> {
    let Some(out) = options.out.as_deref() else { return Ok(Vec::new()) };
    let of_day = |day: Day| {
        let rows = kept.map_or(Ok(options.rows), |kept| kept.of_day(day))?;
        Ok(options_of(options, rows, out, day, &options.resources))
    };
    plan.to_produce().into_iter().map(of_day).collect()
}

/// Returns the manifests of the partitions of the plan that can be read.
fn manifests_of(plan: &Plan, options: &BackfillOptions) -> Result<Vec<Manifest>> {
    let Some(out) = options.out.as_deref() else { return Ok(Vec::new()) };
    let out = options.resources.place(out)?;
    Ok(plan.to_produce().into_iter().filter_map(|day| PartitionFolder::new(&out, day).manifest().ok()).collect())
}

/// Returns a judge of these partitions by all shards of a version.
fn judge_of(
    store: &ShardedStore,
    pinned: &Pinned,
    manifests: &[Manifest],
    options: &BackfillOptions,
    traffic: &mut Traffic,
    progress: &dyn Progress,
) -> Result<Judge<'static>> {
    let lacking = lacking(pinned, manifests.iter(), known(options));
    let all = content_of_shards(store, pinned, &lacking, traffic, progress, |_, _| Ok(()))?;
    Ok(Judge::knowing(all.content, all.touched))
}
