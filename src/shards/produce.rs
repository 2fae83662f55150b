//! Produces the rows of a day from all shards, and publishes them as one partition.

use std::fs;

use serde::Serialize;

use super::merged::merged;
use super::run::Traffic;
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::manifest::{Manifest, PartFile};
use crate::output::{Partition, PartitionFolder, RowSchema, RowSettings, check_table, vacuum};
use crate::produce::{ProduceOptions, ProduceSummary, older_partition};
use crate::progress::Progress;
use crate::storage::{Place, refuse_overlaps};
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
    let out = options.resources.place(&options.out)?;
    check_table(&out, options.table, options.rows.row_columns())?;
    let partition =
        Partition::begin(PartitionFolder::new(&out, options.dt), options.table, options.rows.row_columns())?;
    let (mut manifests, mut produced) = (Vec::new(), None);
    for number in 0..pinned.shards().number() {
        let open = store.open(pinned, number, progress)?;
        let of_shard = partition.scratch().join(format!("shard-{number}"));
        let options = options.clone().shard(Some(open.shard()));
        let options =
            ProduceOptions { out: of_shard.clone(), keep_current: false, table: None, vacuum: None, ..options };
        let of_customers = Store::open_reader(open.folder())?;
        let summary = crate::produce::produce(&of_customers, &options, progress)?;
        let folder = PartitionFolder::new(&Place::on_disk(&of_shard), options.dt);
        manifests.push(folder.manifest()?);
        take_parts(&partition, &folder, &manifests)?;
        fs::remove_dir_all(&of_shard).map_err(|error| Error::io("remove", &of_shard, error))?;
        if produced.is_none() {
            // All shards have the same batches.
            let older_partition = older_partition(&of_customers.batches()?, &out, options.dt, progress)?;
            produced = Some(ProducedShards {
                version: pinned.version(),
                shards: pinned.shards().number(),
                counts: ProduceSummary { older_partition, ..summary.without_counts() },
                traffic: Traffic::default(),
                through_rocksdb: 0,
            });
        }
        let ProducedShards { counts, traffic, through_rocksdb, .. } =
            produced.as_mut().held("the first shard has been produced")?;
        counts.add_shard(&summary);
        traffic.add_fetched(&open);
        *through_rocksdb += of_customers.read_through_rocksdb();
    }
    let manifest = merged(manifests)?;
    let schema = RowSchema::new(&RowSettings::of(&manifest)?)?;
    let mut produced = produced.held("a sharded store has a shard")?;
    produced.counts.table_version = partition.publish(&manifest, &schema, progress)?;
    if let Some(age) = options.vacuum {
        produced.counts.vacuumed = vacuum(&out, age, progress)?;
    }
    Ok(produced)
}

/// Moves the parts of the newest manifest behind those of the ones before.
fn take_parts(partition: &Partition, folder: &PartitionFolder, manifests: &[Manifest]) -> Result<()> {
    let Some((manifest, before)) = manifests.split_last() else { return Ok(()) };
    let first: usize = before.iter().map(|manifest| manifest.parts.len()).sum();
    for (number, part) in manifest.parts.iter().enumerate() {
        let to = partition.parts().join(PartFile::name_of(first + number));
        fs::rename(folder.path().join(&part.name), &to).map_err(|error| Error::io("put in place", &to, error))?;
    }
    Ok(())
}
