//! The place of a sharded store, and what went to and from it.

use std::path::Path;

use crate::cli::args::{Configuration, ShardTask, ShardsPlace};
use crate::cli::config;
use crate::cli::console::Console;
use crate::cli::text::size;
use lookback::config as library_config;
use lookback::error::Result;
use lookback::input::{Input, MemoryInput};
use lookback::shards::Traffic;
use lookback::sources::Sources;
use lookback::store::ShardedStore;

pub(super) fn open(place: &ShardsPlace, console: &Console) -> Result<ShardedStore> {
    let cache = place.cache.as_deref().map(|folder| (folder, place.cache_size));
    ShardedStore::connect(&place.store, cache, console.resources())
}

/// Returns the input of a command whose shards may be tasks, and its description. With an engine there is none here.
pub(super) fn input_of(
    folder: Option<&Path>,
    named: &Configuration,
    task: &ShardTask,
    console: &Console,
) -> Result<(Input, Sources)> {
    match (&task.task, console.engine()) {
        (Some(_), _) => config::rows_of_task(named, console),
        (None, Some(_)) => {
            let sources = library_config::sources(None, named.config.as_deref(), console.resources())?;
            Ok((MemoryInput::new(&sources, console.resources()).into(), sources))
        }
        (None, None) => config::input_of(folder, named, console),
    }
}

/// Says what went to and fro between this machine and the place.
pub(super) fn moved(traffic: &Traffic) -> String {
    let Traffic { fetched_bytes, uploaded_bytes, .. } = traffic;
    match (fetched_bytes, uploaded_bytes) {
        (fetched, 0) => format!("; {} fetched", size(*fetched)),
        (fetched, uploaded) => format!("; {} fetched, {} written", size(*fetched), size(*uploaded)),
    }
}
