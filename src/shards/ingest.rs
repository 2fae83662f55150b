//! Ingests a batch into all shards, and makes the next version of them.

use serde::Serialize;

use super::run::{Made, Run, Traffic, next_version};
use crate::error::Result;
use crate::exact::Held;
use crate::ingest::{IngestOptions, IngestSummary, Ingester, Outlines, SplitBatch};
use crate::progress::Progress;
use crate::storage::refuse_overlaps;
use crate::store::{Change, ShardedStore};

/// The result of an ingest into a sharded store.
#[derive(Clone, Debug, Serialize)]
pub struct IngestedShards {
    /// The version that has the batch.
    pub version: u32,
    /// Number of shards.
    pub shards: u32,
    /// Whether a version had the batch already, by its identity: then nothing was read, and there are no counts.
    pub kept: bool,
    /// The counts of all shards together.
    #[serde(flatten)]
    pub counts: Option<IngestSummary>,
    /// What went to and fro.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Ingests one batch into all shards, and makes the next version. `batch_id` is an identity that the source of the
/// batch gives: a day that has come under it once is not ingested again under it, until it is removed.
///
/// If another run makes the next version meanwhile, this one begins again on it, five times at most. After an error the
/// newest version is the one of before.
///
/// Memory: that of [`crate::ingest::BatchReader::read_split`], then that of one [`Ingester`]. Disk: one shard, and the
/// batch.
pub fn ingest(
    store: &ShardedStore,
    options: &IngestOptions,
    batch_id: Option<&str>,
    progress: &dyn Progress,
) -> Result<IngestedShards> {
    refuse_overlaps(options.input.folder(), store.place(), None, options.quarantine.as_deref())?;
    let mut split = None;
    let (made, traffic, counts) = next_version(store, progress, |run| {
        if batch_id.is_some_and(|batch_id| run.head.has_had(options.dt, batch_id)) {
            return Ok((Made::Nothing, None));
        }
        let mut counts: Option<IngestSummary> = None;
        for number in 0..run.head.shards().number() {
            let of_shard = shard(run, number, options, &mut split)?;
            match &mut counts {
                Some(counts) => counts.add_shard(&of_shard),
                None => counts = Some(of_shard),
            }
        }
        let actions = counts.as_ref().map_or(0, |counts| counts.actions);
        if let Some(counts) = &mut counts {
            let held = run.head.batches().map(|(day, actions, _)| (day, actions)).filter(|(day, _)| *day != options.dt);
            counts.unlike = Outlines::of_actions(held.chain([(options.dt, actions)])).unlike(options.dt);
        }
        let batch_id = batch_id.map(str::to_owned);
        Ok((Made::Change(Change::Ingested { dt: options.dt, actions, batch_id }), counts))
    })?;
    let (version, shards) = (made.version(), made.shards().number());
    Ok(IngestedShards { version, shards, kept: counts.is_none(), counts, traffic })
}

/// Loads the shard's part of the batch. The first shard's reader reads it, if no attempt before has.
fn shard(
    run: &mut Run<'_>,
    number: u32,
    options: &IngestOptions,
    split: &mut Option<SplitBatch>,
) -> Result<IngestSummary> {
    let (shards, progress) = (run.head.shards(), run.progress);
    run.shard(number, |open| {
        let mut ingester = Ingester::open(open.folder(), progress)?;
        if split.is_none() {
            ingester.check_day(options.dt)?;
            *split = Some(ingester.reader()?.read_split(options, shards, progress)?);
        }
        let batch = split.as_ref().held("the batch was read")?;
        let summary = ingester.load_part(batch, open.shard(), progress)?;
        ingester.finish_compaction(progress)?;
        Ok(summary)
    })
}
