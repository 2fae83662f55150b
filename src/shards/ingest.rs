//! Ingests a batch into all shards, and makes the next version of them.

use serde::{Deserialize, Serialize};

use super::engine::{Engine, answers};
use super::run::{Made, Run, Traffic, next_version};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::ingest::{IngestOptions, IngestSummary, Ingester, OfWhole, Outlines, SplitBatch};
use crate::model::{Day, NamedCounts};
use crate::progress::Progress;
use crate::storage::refuse_overlaps;
use crate::store::{Change, Pinned, ShardFiles, ShardedStore};

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

/// What the task of a shard has done of an ingest: its answer. It can be sent as JSON.
#[derive(Debug, Deserialize, Serialize)]
pub struct IngestedShard {
    dt: Day,
    counts: IngestSummary,
    /// The counts of types by their numbers, which the counts do not say.
    types: Vec<(u8, String, u64)>,
    of_whole: OfWhole,
    traffic: Traffic,
    files: ShardFiles,
}

/// Ingests one batch into all shards, one after the other, and makes the next version. `batch_id` is an identity that
/// the source of the batch gives: a day that has come under it once is not ingested again under it, until it is
/// removed.
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
    commit(store, options, batch_id, progress, |run| {
        let mut all = AllShards::default();
        for number in 0..run.head.shards().number() {
            all.add(part(run, number, options, &mut split)?);
        }
        all.done()
    })
}

/// Does the same by the tasks of an engine, each of which has the rows of its shard and calls [`ingest_task`] with
/// these options. Nothing of the input is read here.
pub fn ingest_by(
    store: &ShardedStore,
    engine: &dyn Engine,
    options: &IngestOptions,
    batch_id: Option<&str>,
    progress: &dyn Progress,
) -> Result<IngestedShards> {
    commit(store, options, batch_id, progress, |run| {
        let (mut all, mut of_whole, mut bytes) = (AllShards::default(), OfWhole::default(), 0);
        for answer in answers::<IngestedShard>(engine, run.head, None)? {
            if answer.dt != options.dt {
                return Err(Error::internal(format!(
                    "a task has answered for {} instead of {}",
                    answer.dt, options.dt
                )));
            }
            of_whole.add(answer.of_whole);
            bytes += answer.counts.bytes;
            run.take(answer.files, answer.traffic);
            all.add(IngestSummary { types: NamedCounts::of_numbered(&answer.types), ..answer.counts });
        }
        of_whole.refuse(options)?;
        // Each has read rows of its own.
        all.done().map(|counts| IngestSummary { bytes, ..counts })
    })
}

/// Does the work of one shard for [`ingest_by`], with the rows of its customers and no others. Nobody sees what it has
/// done until all answers are committed.
///
/// Memory: that of one [`Ingester`]. Disk: one shard, and the batch.
pub fn ingest_task(
    store: &ShardedStore,
    pinned: &Pinned,
    number: u32,
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<IngestedShard> {
    let open = store.open(pinned, number, progress)?;
    let mut traffic = Traffic::default();
    traffic.add_fetched(&open);
    let mut ingester = Ingester::open(open.folder(), progress)?;
    let (counts, of_whole) = ingester.ingest_part(open.shard(), options, progress)?;
    ingester.finish_compaction(progress)?;
    drop(ingester);
    let files = store.put(pinned, open, progress)?;
    traffic.add_uploaded(&files);
    Ok(IngestedShard { dt: options.dt, types: counts.types.numbered(), counts, of_whole, traffic, files })
}

/// Makes the next version of what `work` does with all shards, unless the batch has come before.
fn commit(
    store: &ShardedStore,
    options: &IngestOptions,
    batch_id: Option<&str>,
    progress: &dyn Progress,
    mut work: impl FnMut(&mut Run<'_>) -> Result<IngestSummary>,
) -> Result<IngestedShards> {
    let (made, traffic, counts) = next_version(store, progress, |run| {
        if batch_id.is_some_and(|batch_id| run.head.has_had(options.dt, batch_id)) {
            return Ok((Made::Nothing, None));
        }
        let mut counts = work(run)?;
        let (dt, actions) = (options.dt, counts.actions);
        let held = run.head.batches().map(|(day, actions, _)| (day, actions)).filter(|(day, _)| *day != dt);
        counts.unlike = Outlines::of_actions(held.chain([(dt, actions)])).unlike(dt);
        let batch_id = batch_id.map(str::to_owned);
        Ok((Made::Change(Change::Ingested { dt, actions, batch_id }), Some(counts)))
    })?;
    let (version, shards) = (made.version(), made.shards().number());
    Ok(IngestedShards { version, shards, kept: counts.is_none(), counts, traffic })
}

/// The counts of all shards together.
#[derive(Default)]
struct AllShards(Option<IngestSummary>);

impl AllShards {
    fn add(&mut self, of_shard: IngestSummary) {
        match &mut self.0 {
            Some(all) => all.add_shard(&of_shard),
            None => self.0 = Some(of_shard),
        }
    }

    fn done(self) -> Result<IngestSummary> {
        self.0.held("a sharded store has a shard")
    }
}

/// Loads the shard's part of the batch. The first shard's reader reads it, if no attempt before has.
fn part(
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
