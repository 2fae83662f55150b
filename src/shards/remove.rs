//! Removes a batch, or customers, from all shards, and makes the next version of them.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::run::{Made, Traffic, next_version};
use crate::error::Result;
use crate::ingest::Ingester;
use crate::model::{CustomerId, Day, Shard};
use crate::progress::Progress;
use crate::removal::{ForgetReceipt, RowsOfThem, ScrubbedPartition, forget_under};
use crate::store::{Change, ShardedStore, new_secret};

/// The result of removing a batch from a sharded store.
#[derive(Clone, Debug, Serialize)]
pub struct RemovedFromShards {
    /// The version that lacks the batch.
    pub version: u32,
    /// The batch.
    pub dt: Day,
    /// Actions in its files, as counted when it was ingested.
    pub actions: u64,
    /// Customers of whom it had brought actions.
    pub customers: u64,
    /// What went to and fro.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Removes a batch: the next version is, key by key, as if the batch had never been ingested. Fails if the store does
/// not hold it.
///
/// Memory: that of one [`Ingester`]. Disk: one shard.
pub fn remove(store: &ShardedStore, dt: Day, progress: &dyn Progress) -> Result<RemovedFromShards> {
    let (made, traffic, (actions, customers)) = next_version(store, progress, |run| {
        let (mut actions, mut customers) = (0, 0);
        for number in 0..run.head.shards().number() {
            let removed = run.shard(number, |open| {
                let mut ingester = Ingester::open(open.folder(), progress)?;
                let removed = ingester.remove(dt, progress)?;
                ingester.finish_compaction(progress)?;
                Ok(removed)
            })?;
            actions += removed.actions;
            customers += removed.customers;
        }
        Ok((Made::Change(Change::Removed(dt)), (actions, customers)))
    })?;
    Ok(RemovedFromShards { version: made.version(), dt, actions, customers, traffic })
}

/// The result of forgetting customers of a sharded store. It does not name them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ForgottenOfShards {
    /// The version without them.
    pub version: u32,
    /// Number of customers.
    pub customers: u64,
    /// Customers among them who had actions in the store.
    pub known: u64,
    /// Actions removed.
    pub actions: u64,
    /// Earlier versions that were removed, which all still had them.
    pub removed_versions: usize,
    /// Files of these versions that were removed; others follow when they are an hour old.
    pub removed_files: usize,
    /// Partitions that were rewritten without their rows.
    pub scrubbed: Vec<ScrubbedPartition>,
    /// Partitions that still have rows of them.
    pub partitions: Vec<String>,
    /// What went to and fro.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Removes customers for good and puts them on the block lists of their shards, so that no batch brings them back. Then
/// removes all earlier versions, and their files that are older than an hour before the new one: younger ones are left
/// to [`ShardedStore::collect`]. Partitions below `outs` with rows of the customers are listed or rewritten.
///
/// Memory: 8 bytes for each customer, and that of [`crate::removal::forget`]. Disk: one shard.
pub fn forget(
    store: &ShardedStore,
    customers: &[CustomerId],
    outs: &[PathBuf],
    rows: RowsOfThem,
    progress: &dyn Progress,
) -> Result<ForgottenOfShards> {
    let (made, traffic, mut all) = next_version(store, progress, |run| {
        let mut all = ForgottenOfShards::default();
        let secret = run.head.secret()?.map_or_else(new_secret, Ok)?;
        for number in 0..run.head.shards().number() {
            let shard = Shard { of: run.head.shards(), number };
            let own: Vec<CustomerId> = customers.iter().copied().filter(|customer| shard.holds(*customer)).collect();
            if own.is_empty() {
                run.unchanged(number);
                continue;
            }
            all.add(run.shard(number, |open| forget_under(Some(secret), open.folder(), own, outs, rows, progress))?);
        }
        let change = Change::Forgot { customers: all.customers, secret };
        Ok((if customers.is_empty() { Made::Nothing } else { Made::Change(change) }, all))
    })?;
    if !customers.is_empty() {
        let (versions, files, _) = store.collect(1, Duration::ZERO)?;
        (all.removed_versions, all.removed_files) = (versions, files);
    }
    Ok(ForgottenOfShards { version: made.version(), traffic, ..all })
}

impl ForgottenOfShards {
    fn add(&mut self, receipt: ForgetReceipt) {
        self.customers += receipt.count;
        self.known += receipt.known;
        self.actions += receipt.actions;
        self.scrubbed.extend(receipt.scrubbed);
        self.partitions.extend(receipt.partitions);
    }
}
