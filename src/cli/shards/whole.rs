//! `lookback shards init`, `migrate`, `split`, `import`, `export` and `gc`: all shards at once.

use serde::Serialize;

use super::place::{moved, open};
use crate::cli::args::{ShardsExport, ShardsGc, ShardsImport, ShardsInit, ShardsMigrate, ShardsSplit};
use crate::cli::console::Console;
use crate::cli::init::settings_of;
use crate::cli::text::{count, counted, size};
use lookback::error::Result;
use lookback::model::{Duplicates, Ids};
use lookback::shards::{self, MigratedShards};
use lookback::store::{Folder, Settings};
use lookback::text::Shown as _;

#[derive(Serialize)]
struct Made {
    store: String,
    version: u32,
    shards: u32,
    max_history: usize,
    time_zone: String,
    ids: Ids,
    duplicates: Duplicates,
}

pub(super) fn init(typed: &ShardsInit, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let settings = settings_of(&typed.settings, console)?;
    let Settings { max_history, ids, duplicates, .. } = settings;
    let time_zone = settings.zone.name().to_owned();
    let made = store.create(typed.shards, settings, console.progress())?;
    let (version, shards) = (made.version(), made.shards().number());
    let made = Made { store: typed.place.store.plain(), version, shards, max_history, time_zone, ids, duplicates };
    let sentence = format!(
        "created the sharded store {}: {}, the newest {} actions, days in {}",
        made.store,
        counted(shards.into(), "shard"),
        count(max_history as u64),
        made.time_zone
    );
    console.done(&made, &sentence)
}

pub(super) fn migrate(typed: &ShardsMigrate, console: &Console) -> Result<()> {
    let made = shards::migrate(&open(&typed.place, console)?, console.progress())?;
    let (shards, moved) = (counted(made.shards.into(), "shard"), moved(&made.traffic));
    let MigratedShards { version, from, to, steps, .. } = &made;
    let sentence = if steps.is_empty() {
        format!(
            "the shards have format version {to}, the newest that this program knows; version {version} stays as it is"
        )
    } else {
        let steps = steps.join("; ");
        format!("migrated {shards} from format version {from} to {to} ({steps}): version {version}{moved}")
    };
    console.done(&made, &sentence)
}

pub(super) fn split(typed: &ShardsSplit, console: &Console) -> Result<()> {
    let made = shards::split(&open(&typed.place, console)?, console.progress())?;
    let (shards, moved) = (counted(made.shards.into(), "shard"), moved(&made.traffic));
    console.done(&made, &format!("dealt out all customers to {shards}: version {}{moved}", made.version))
}

pub(super) fn import(typed: &ShardsImport, console: &Console) -> Result<()> {
    let from = Folder::with(&typed.from, console.resources());
    let made = shards::import(&open(&typed.place, console)?, &from, typed.shards, console.progress())?;
    let (shards, moved) = (counted(made.shards.into(), "shard"), moved(&made.traffic));
    let from = typed.from.shown();
    console.done(&made, &format!("dealt out the customers of {from} to {shards}: version {}{moved}", made.version))
}

pub(super) fn export(typed: &ShardsExport, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let to = Folder::with(&typed.to, console.resources());
    let made = shards::export(&store, &pinned, &to, console.progress())?;
    let (shards, moved) = (counted(made.shards.into(), "shard"), moved(&made.traffic));
    let sentence = format!("made the store {} of the {shards} of version {}{moved}", typed.to.shown(), made.version);
    console.done(&made, &sentence)
}

#[derive(Serialize)]
struct Collected {
    /// Number of versions that were removed.
    removed_versions: usize,
    /// Number of files that were removed.
    removed_files: usize,
    removed_bytes: u64,
}

pub(super) fn gc(typed: &ShardsGc, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    console.progress().begin("removing", "", None);
    let (removed_versions, removed_files, removed_bytes) = store.collect(typed.keep.get() as usize, typed.grace)?;
    let sentence = format!(
        "removed {}, and {} of {} that no version names",
        counted(removed_versions as u64, "version"),
        counted(removed_files as u64, "file"),
        size(removed_bytes),
    );
    console.done(&Collected { removed_versions, removed_files, removed_bytes }, &sentence)
}
