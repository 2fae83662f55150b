//! What a new version does to the one before.

use crate::format::hex;
use crate::model::{Day, Shards};
use crate::store::versions::{BatchId, Sharded, ShardedBatch};

/// The most identities of batches that a version remembers.
const BATCH_IDS_MAX: usize = 10_000;

/// The change that a commit makes, as the next version records it.
#[derive(Clone, Debug)]
pub enum Change {
    /// A batch, of so many actions, came in place of an earlier version of it. `batch_id` is an identity that its
    /// source gave, such as the snapshot of a table: committing the same again changes nothing.
    Ingested {
        /// The batch day.
        dt: Day,
        /// Its actions, before any cut.
        actions: u64,
        /// See above.
        batch_id: Option<String>,
    },
    /// A batch was removed.
    Removed(Day),
    /// Customers were forgotten, under a secret that all block lists have in common.
    Forgot {
        /// How many.
        customers: u64,
        /// The secret.
        secret: [u8; 16],
    },
    /// The customers were dealt out to so many shards.
    Split(Shards),
    /// The shards were brought from one format version to another.
    Migrated {
        /// The format version before.
        from: u8,
        /// The format version now.
        to: u8,
    },
}

impl Change {
    /// Returns what the version with this number says.
    pub(super) fn applied(self, before: &Sharded, number: u32) -> Sharded {
        let mut after = before.clone();
        match self {
            Change::Ingested { dt, actions, batch_id } => {
                after.change = format!("ingest {dt}");
                after.batches.retain(|batch| batch.dt != dt);
                after.batches.push(ShardedBatch { dt, version: number, actions });
                after.batches.sort_unstable_by_key(|batch| batch.dt);
                after.batch_ids.extend(batch_id.map(|id| BatchId { dt, id }));
                let too_many = after.batch_ids.len().saturating_sub(BATCH_IDS_MAX);
                after.batch_ids.drain(..too_many);
            }
            Change::Removed(dt) => {
                after.change = format!("remove {dt}");
                after.batches.retain(|batch| batch.dt != dt);
                after.batch_ids.retain(|batch| batch.dt != dt);
            }
            Change::Forgot { customers, secret } => {
                after.change = format!("forget {customers} customers");
                after.secret = Some(hex(&secret));
            }
            Change::Split(shards) => {
                after.change = format!("split into {} shards", shards.number());
                after.shards = shards.number();
            }
            Change::Migrated { from, to } => after.change = format!("migrate from format version {from} to {to}"),
        }
        after
    }
}
