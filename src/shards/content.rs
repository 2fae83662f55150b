//! What partitions rest on, of all shards of a version together.

use std::collections::{BTreeMap, BTreeSet};

use super::merged::combined;
use super::run::Traffic;
use crate::error::{Error, Result};
use crate::model::Day;
use crate::progress::Progress;
use crate::stale::{Content, days_touched};
use crate::store::{Pinned, ShardedStore, Store};

/// What the shards of a version hold, each read once.
pub(super) struct ContentOfShards {
    /// The batches have the hashes that manifests of rows from all shards have.
    pub content: Content,
    /// The days that the batches touched which were asked for, in any shard.
    pub touched: BTreeMap<Day, BTreeSet<Day>>,
}

/// The same text of one shard after the other, and how many of them have it.
type Runs = Vec<(String, usize)>;

/// Brings each shard of a version here, and reads what it holds, with the days that these batches touched. `look` is
/// shown each shard too, with its number.
///
/// Memory: some 100 bytes for each batch, and as much again for each shard whose files of it are others than those of
/// the shard before; 4 bytes for each day that a batch touched. Disk: one shard.
pub(super) fn content_of_shards(
    store: &ShardedStore,
    pinned: &Pinned,
    batches: &BTreeSet<Day>,
    traffic: &mut Traffic,
    progress: &dyn Progress,
    mut look: impl FnMut(u32, &Store) -> Result<()>,
) -> Result<ContentOfShards> {
    let mut all: Option<Content> = None;
    let mut files: BTreeMap<Day, Runs> = BTreeMap::new();
    let mut touched: BTreeMap<Day, BTreeSet<Day>> = BTreeMap::new();
    for number in 0..pinned.shards().number() {
        let open = store.open(pinned, number, progress)?;
        traffic.add_fetched(&open);
        let of_shard = Store::open_reader(open.folder())?;
        let content = Content::of(&of_shard)?;
        let is_first = all.is_none();
        if !is_first && !content.held.keys().eq(files.keys()) {
            return Err(Error::corrupt(format!("shard {number} has other batches than the ones before it")));
        }
        for (day, hash) in &content.held {
            let runs = files.entry(*day).or_default();
            match runs.last_mut().filter(|(last, _)| last == hash) {
                Some((_, times)) => *times += 1,
                None => runs.push((hash.clone(), 1)),
            }
        }
        for batch in batches.iter().filter(|batch| content.held.contains_key(batch)) {
            touched.entry(*batch).or_default().extend(days_touched(&of_shard, *batch)?);
        }
        all = Some(match all {
            None => content,
            Some(all) => Content { horizon: all.horizon.max(content.horizon), ..all },
        });
        look(number, &of_shard)?;
    }
    let all = all.ok_or_else(|| Error::internal("a sharded store has no shard"))?;
    let of_all =
        |runs: &Runs| combined(runs.iter().flat_map(|(hash, times)| std::iter::repeat_n(hash.as_str(), *times)));
    let held = files.iter().map(|(day, runs)| (*day, of_all(runs))).collect();
    Ok(ContentOfShards { content: Content { held, ..all }, touched })
}
