//! Produces the rows of a day from all shards, and publishes them as one partition.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::engine::{Engine, answers};
use super::merged::merged;
use super::run::Traffic;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::ingest::refuse_others;
use crate::manifest::{Manifest, PartFile};
use crate::output::{
    Partition, PartitionFolder, PartsPlace, RowSchema, RowSettings, UploadedParts, check_table, vacuum,
};
use crate::produce::{ProduceOptions, ProduceSummary, older_partition};
use crate::progress::Progress;
use crate::storage::{Place, WorkFolder, fresh, refuse_overlaps};
use crate::store::{Pinned, ShardedStore, Store};

/// The result of producing a day from a sharded store.
#[derive(Clone, Debug, Serialize)]
pub struct ProducedShards {
    /// The version that was read.
    pub version: u32,
    /// Number of shards.
    pub shards: u32,
    /// The counts of all shards together.
    #[serde(flatten)]
    pub counts: ProduceSummary,
    /// What came from the place.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// Histories that were read through RocksDB, since the reader of table files does not support a file.
    #[serde(skip)]
    pub through_rocksdb: u64,
}

/// What the task of a shard has done of a produce: its answer. It can be sent as JSON.
#[derive(Debug, Deserialize, Serialize)]
pub struct ProducedShard {
    version: u32,
    shard: u32,
    counts: ProduceSummary,
    traffic: Traffic,
    through_rocksdb: u64,
    /// That of the shard's rows, as a partition of their own.
    manifest: Manifest,
    parts: Parts,
}

/// The parts of a shard.
#[derive(Debug, Deserialize, Serialize)]
enum Parts {
    /// In a local folder, under the names that the manifest gives them.
    Folder(PathBuf),
    /// At the URL of the partition.
    Uploaded(UploadedParts),
}

/// Writes the partition of one day, of the customers of all shards of a version, replacing an existing one. Its rows
/// are those that one store with all customers gives, cell for cell; they stand shard by shard, in the chosen order
/// within each.
///
/// Memory: that of [`crate::produce::produce`]. Disk: one shard, and the partition beside its place.
pub fn produce(
    store: &ShardedStore,
    pinned: &Pinned,
    options: &ProduceOptions,
    progress: &dyn Progress,
) -> Result<ProducedShards> {
    refuse_overlaps(options.input.folder(), store.place(), Some(&options.out), options.quarantine.as_deref())?;
    let partition = begin(options)?;
    let folder = PartsPlace::Folder(partition.scratch());
    fs::create_dir_all(partition.scratch()).map_err(|error| Error::io("create", &partition.scratch(), error))?;
    let of_shard = |number| produce_shard(store, pinned, number, options, &folder, progress);
    let all = (0..pinned.shards().number()).map(of_shard).collect::<Result<Vec<_>>>()?;
    publish(partition, pinned, all, ProduceSummary::take_files, options, progress)
}

/// Does the same by the tasks of an engine, each of which has the impressions of its shard and calls [`produce_task`]
/// with these options. Nothing of the input is read here.
pub fn produce_by(
    store: &ShardedStore,
    engine: &dyn Engine,
    pinned: &Pinned,
    options: &ProduceOptions,
    progress: &dyn Progress,
) -> Result<ProducedShards> {
    refuse_overlaps(None, store.place(), Some(&options.out), None)?;
    let partition = begin(options)?;
    let all = answers(engine, pinned, Some(partition.for_tasks()?))?;
    publish(partition, pinned, all, ProduceSummary::add_rows_read, options, progress)
}

/// Does the work of one shard for [`produce_by`], with the impressions of its customers and no others. Nobody sees its
/// parts until all answers are published.
///
/// Memory: that of [`crate::produce::produce`]. Disk: one shard, and its rows.
pub fn produce_task(
    store: &ShardedStore,
    pinned: &Pinned,
    number: u32,
    options: &ProduceOptions,
    parts: &PartsPlace,
    progress: &dyn Progress,
) -> Result<ProducedShard> {
    produce_shard(store, pinned, number, options, parts, progress)
}

/// Checks the output, and begins its partition.
fn begin(options: &ProduceOptions) -> Result<Partition> {
    let (out, columns) = (options.resources.place(&options.out)?, options.rows.row_columns());
    check_table(&out, options.table, columns)?;
    Partition::begin(PartitionFolder::new(&out, options.dt), options.table, columns)
}

/// Produces the rows of a shard as a partition of their own, in a folder that is not the output, and puts the parts
/// where they belong.
fn produce_shard(
    store: &ShardedStore,
    pinned: &Pinned,
    number: u32,
    options: &ProduceOptions,
    parts: &PartsPlace,
    progress: &dyn Progress,
) -> Result<ProducedShard> {
    let open = store.open(pinned, number, progress)?;
    let mut traffic = Traffic::default();
    traffic.add_fetched(&open);
    let (folder, _work) = match parts {
        PartsPlace::Folder(above) => (fresh::folder(above, &format!("shard-{number:05}-"))?, None),
        PartsPlace::Url(_) => {
            let work = WorkFolder::create(options.resources.scratch_folder(), "lookback-parts-")?;
            (work.path().join("out"), Some(work))
        }
    };
    let of_shard = options.clone().shard(Some(open.shard()));
    let of_shard = ProduceOptions { out: folder.clone(), keep_current: false, table: None, vacuum: None, ..of_shard };
    let of_customers = Store::open_reader(open.folder())?;
    let counts = crate::produce::produce(&of_customers, &of_shard, progress)?;
    if options.input.folder().is_none() {
        // A folder has the impressions of all shards; rows in memory are those of one.
        refuse_others(counts.of_other_shards, "impression", open.shard())?;
    }
    let produced = PartitionFolder::new(&Place::on_disk(&folder), options.dt);
    let manifest = produced.manifest()?;
    let parts = match parts {
        PartsPlace::Folder(_) => Parts::Folder(produced.path()),
        PartsPlace::Url(salt) => {
            let target = PartitionFolder::new(&options.resources.place(&options.out)?, options.dt);
            let from = produced.path();
            Parts::Uploaded(target.upload_parts(&from, &manifest.parts, (number, salt), progress)?)
        }
    };
    let through_rocksdb = of_customers.read_through_rocksdb();
    Ok(ProducedShard { version: pinned.version(), shard: number, counts, traffic, through_rocksdb, manifest, parts })
}

/// Publishes the parts of all shards as one partition. `add_files` adds the counts that are not of customers.
fn publish(
    partition: Partition,
    pinned: &Pinned,
    all: Vec<ProducedShard>,
    add_files: fn(&mut ProduceSummary, &ProduceSummary),
    options: &ProduceOptions,
    progress: &dyn Progress,
) -> Result<ProducedShards> {
    let (version, shards) = (pinned.version(), pinned.shards().number());
    let number = all.len();
    let by_shard: BTreeMap<u32, ProducedShard> = all.into_iter().map(|answer| (answer.shard, answer)).collect();
    let is_whole = by_shard.keys().copied().eq(0..shards) && by_shard.values().all(|one| one.version == version);
    if !is_whole || number != by_shard.len() {
        let what = format!("{number} tasks have answered for {} shards of {shards}", by_shard.len());
        return Err(Error::internal(what));
    }
    let first = by_shard.values().next().held("a sharded store has a shard")?;
    let mut produced = ProducedShards {
        version,
        shards,
        counts: first.counts.without_counts(),
        traffic: Traffic::default(),
        through_rocksdb: 0,
    };
    let out = options.resources.place(&options.out)?;
    let first_batch = pinned.batches().next().map(|(day, ..)| day);
    produced.counts.older_partition = older_partition(first_batch, &out, options.dt, progress)?;
    let (mut manifests, mut parts, mut statistics) = (Vec::new(), Vec::new(), Vec::new());
    for answer in by_shard.into_values() {
        produced.counts.add_customers(&answer.counts);
        add_files(&mut produced.counts, &answer.counts);
        produced.traffic.add(answer.traffic);
        produced.through_rocksdb += answer.through_rocksdb;
        match answer.parts {
            Parts::Folder(folder) => take_parts(&partition, &folder, &answer.manifest.parts, &mut parts)?,
            Parts::Uploaded(uploaded) => {
                if uploaded.parts.len() != uploaded.statistics.len() {
                    return Err(Error::internal("a task has answered with parts and other statistics"));
                }
                parts.extend(uploaded.parts);
                statistics.extend(uploaded.statistics);
            }
        }
        manifests.push(answer.manifest);
    }
    let manifest = Manifest { parts, ..merged(manifests)? };
    let schema = RowSchema::new(&RowSettings::of(&manifest)?)?;
    produced.counts.table_version = match statistics.is_empty() {
        true => partition.publish(&manifest, &schema, progress)?,
        false => partition.publish_uploaded(&manifest, &statistics, &schema, progress)?,
    };
    if let Some(age) = options.vacuum {
        produced.counts.vacuumed = vacuum(&out, age, progress)?;
    }
    Ok(produced)
}

/// Moves the parts of a shard behind those of the ones before.
fn take_parts(partition: &Partition, from: &Path, of_shard: &[PartFile], parts: &mut Vec<PartFile>) -> Result<()> {
    for part in of_shard {
        let name = PartFile::name_of(parts.len());
        let to = partition.parts().join(&name);
        fs::rename(from.join(&part.name), &to).map_err(|error| Error::io("put in place", &to, error))?;
        parts.push(PartFile { name, ..part.clone() });
    }
    Ok(())
}
