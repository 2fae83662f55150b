//! Proves the rows of a partition that all shards of a version have given.

use std::collections::BTreeSet;

use serde::Serialize;

use super::content::content_of_shards;
use super::run::Traffic;
use crate::audit::{AuditOptions, AuditSummary, Basis, audit_by};
use crate::error::Result;
use crate::exact::Held;
use crate::model::TypeTable;
use crate::progress::Progress;
use crate::store::{BlockList, Pinned, ShardedStore, Store};

/// The scope of an audit that found no difference, by a version of a sharded store.
#[derive(Clone, Debug, Serialize)]
pub struct AuditedShards {
    /// The version.
    pub version: u32,
    /// Number of shards.
    pub shards: u32,
    /// What was audited.
    #[serde(flatten)]
    pub audited: AuditSummary,
    /// What came from the place.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Derives the rows of a partition from the raw files and compares, as [`crate::audit::audit`] does. Of each shard only
/// the records of batches and the block list are read.
///
/// Memory: that of [`crate::audit::audit`], and some 100 bytes for each batch. Disk: one shard.
pub fn audit(
    store: &ShardedStore,
    pinned: &Pinned,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<AuditedShards> {
    let (mut traffic, mut block_list, mut types) = (Traffic::default(), BlockList::default(), None);
    let look = |_, shard: &Store| {
        // A batch adds the types that it has to the table of each shard.
        let own = &shard.settings().types;
        if types.as_ref().is_none_or(|types: &TypeTable| own.iter().count() > types.iter().count()) {
            types = Some(own.clone());
        }
        block_list.add(shard.block_list()?)
    };
    let all = content_of_shards(store, pinned, &BTreeSet::new(), &mut traffic, progress, look)?;
    let first = store.open(pinned, 0, progress)?;
    traffic.add_fetched(&first);
    let basis = Basis {
        store: &Store::open_reader(first.folder())?,
        place: store.place(),
        types: types.held("a sharded store has a shard")?,
        block_list,
        files: Some(all.content.held),
    };
    let audited = audit_by(&basis, options, progress)?;
    Ok(AuditedShards { version: pinned.version(), shards: pinned.shards().number(), audited, traffic })
}
