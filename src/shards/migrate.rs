//! Brings all shards to the format version of this program.

use serde::Serialize;

use super::run::{Made, Traffic, next_version};
use crate::error::Result;
use crate::migrations::Registry;
use crate::progress::Progress;
use crate::store::{Change, FORMAT_VERSION, ShardedStore, Store};

/// The result of a migration of a sharded store.
#[derive(Clone, Debug, Serialize)]
pub struct MigratedShards {
    /// The version whose shards have the format version `to`.
    pub version: u32,
    /// Number of shards.
    pub shards: u32,
    /// The format version before.
    pub from: u8,
    /// The format version now.
    pub to: u8,
    /// The steps that each shard has taken, in order.
    pub steps: Vec<String>,
    /// What went to and fro.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Migrates the shards of the newest version, one after the other, and makes the next version of them. A store whose
/// shards have the format version of this program stays as it is. The versions before keep their format, and only
/// programs of theirs read them.
///
/// Memory: that of [`Registry::migrate`]. Disk: one shard in both formats.
pub fn migrate(store: &ShardedStore, progress: &dyn Progress) -> Result<MigratedShards> {
    let (made, traffic, (from, steps)) = next_version(store, progress, |run| {
        let (from, shards) = (run.head.format_version(), run.head.shards().number());
        let mut steps = Vec::new();
        if from == FORMAT_VERSION {
            return Ok((Made::Nothing, (from, steps)));
        }
        if from > FORMAT_VERSION {
            store.refuse_other_format(run.head)?;
        }
        for number in 0..shards {
            steps = run.shard_of_any_format(number, |open| {
                let migrated = Registry::current().migrate(open.folder(), false, progress)?;
                Store::open_reader(open.folder())?;
                Ok(migrated.steps)
            })?;
        }
        Ok((Made::Change(Change::Migrated { from, to: FORMAT_VERSION }), (from, steps)))
    })?;
    let (version, shards) = (made.version(), made.shards().number());
    Ok(MigratedShards { version, shards, from, to: made.format_version(), steps, traffic })
}
