//! Lists the stale partitions of an output, by all shards of a version.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::content::content_of_shards;
use super::run::Traffic;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::model::Day;
use crate::output::partitions;
use crate::progress::Progress;
use crate::stale::{Judge, Known, StaleSummary, list_judged};
use crate::store::{Pinned, ShardedStore};

/// The findings for an output folder, by a version of a sharded store.
#[derive(Clone, Debug, Serialize)]
pub struct StaleByShards {
    /// The version.
    pub version: u32,
    /// Number of shards.
    pub shards: u32,
    /// What was found.
    #[serde(flatten)]
    pub found: StaleSummary,
    /// What came from the place.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Judges every partition below `out` by what all shards of a version hold, as [`crate::stale::list_stale`] does by one
/// store.
///
/// Memory: some 100 bytes for each batch, 4 bytes for each day that a batch touched, one manifest, and the list. Disk:
/// one shard.
pub fn stale(
    store: &ShardedStore,
    pinned: &Pinned,
    out: &Path,
    known: Known,
    progress: &dyn Progress,
) -> Result<StaleByShards> {
    let folders = partitions(&store.resources().place(out)?)?;
    // One without a usable manifest is listed as such.
    let manifests = folders.iter().filter_map(|folder| folder.manifest().ok());
    let lacking = lacking(pinned, manifests, known);
    let mut traffic = Traffic::default();
    let all = content_of_shards(store, pinned, &lacking, &mut traffic, progress, |_, _| Ok(()))?;
    let found = list_judged(&mut Judge::knowing(all.content, all.touched), folders, out, known, progress)?;
    Ok(StaleByShards { version: pinned.version(), shards: pinned.shards().number(), found, traffic })
}

/// Returns the batches of a version that count for a partition which does not rest on them. Only the index says whether
/// they touch its rows.
pub(super) fn lacking<M: Borrow<Manifest>>(
    pinned: &Pinned,
    manifests: impl Iterator<Item = M>,
    known: Known,
) -> BTreeSet<Day> {
    let mut lacking = BTreeSet::new();
    for manifest in manifests {
        let manifest: &Manifest = manifest.borrow();
        let through = known.through(manifest.dt);
        let days = pinned.batches().map(|(day, ..)| day);
        let days = days.filter(|day| through.is_none_or(|through| *day <= through));
        lacking.extend(days.filter(|day| manifest.batch(*day).is_none()));
    }
    lacking
}
