//! Which partitions are from the same inputs already.

use std::collections::BTreeMap;

use super::merged::combined;
use super::run::Traffic;
use crate::error::Result;
use crate::model::Day;
use crate::output::PartitionFolder;
use crate::produce::{MayBeKept, ProduceOptions, ProduceSummary};
use crate::progress::Progress;
use crate::store::{Pinned, ShardedStore, Store};

/// Returns the days whose partitions would be the same if they were produced again from all shards of a version, each
/// with the summary of keeping it.
///
/// Memory: of each day with a partition some 100 bytes for each shard and each impression file. Disk: one shard.
pub(super) fn current_partitions(
    store: &ShardedStore,
    pinned: &Pinned,
    days: &[ProduceOptions],
    traffic: &mut Traffic,
    progress: &dyn Progress,
) -> Result<BTreeMap<Day, ProduceSummary>> {
    let mut there = Vec::new();
    for options in days {
        let folder = PartitionFolder::new(&options.resources.place(&options.out)?, options.dt);
        // What cannot be read is written again, and so are rows of another number of shards, in another order.
        let shards = folder.manifest().ok().map(|manifest| manifest.shards.unwrap_or(1));
        if shards == Some(pinned.shards().number()) {
            there.push((options.dt, MayBeKept::find(options.clone(), folder)?, Vec::new(), None));
        }
    }
    if there.is_empty() {
        return Ok(BTreeMap::new());
    }
    for number in 0..pinned.shards().number() {
        let open = store.open(pinned, number, progress)?;
        traffic.add_fetched(&open);
        let of_shard = Store::open_reader(open.folder())?;
        for (_, day, inputs, summary) in &mut there {
            let (of_shard, kept) = day.inputs(&of_shard, progress)?;
            inputs.push(of_shard);
            *summary = Some(kept);
        }
    }
    let mut current = BTreeMap::new();
    for (dt, day, inputs, summary) in there {
        if day.is_kept(&combined(inputs.iter().map(String::as_str)))? {
            current.extend(summary.map(|summary| (dt, summary)));
        }
    }
    Ok(current)
}
