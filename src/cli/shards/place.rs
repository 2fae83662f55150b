//! The place of a sharded store, and what went to and from it.

use crate::cli::args::ShardsPlace;
use crate::cli::console::Console;
use crate::cli::text::size;
use lookback::error::Result;
use lookback::shards::Traffic;
use lookback::store::ShardedStore;

pub(super) fn open(place: &ShardsPlace, console: &Console) -> Result<ShardedStore> {
    let cache = place.cache.as_deref().map(|folder| (folder, place.cache_size));
    ShardedStore::connect(&place.store, cache, console.resources())
}

/// Says what went to and fro between this machine and the place.
pub(super) fn moved(traffic: &Traffic) -> String {
    let Traffic { fetched_bytes, uploaded_bytes, .. } = traffic;
    match (fetched_bytes, uploaded_bytes) {
        (fetched, 0) => format!("; {} fetched", size(*fetched)),
        (fetched, uploaded) => format!("; {} fetched, {} written", size(*fetched), size(*uploaded)),
    }
}
