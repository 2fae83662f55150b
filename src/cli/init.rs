//! `lookback init`.

use serde::Serialize;

use super::args::{Init, NewStore};
use super::console::Console;
use super::text::count;
use lookback::config;
use lookback::error::Result;
use lookback::model::{Duplicates, Ids};
use lookback::store::{Folder, Settings, Store};
use lookback::text::Shown;
use lookback::zoneinfo::find_zone;

#[derive(Serialize)]
struct Summary {
    store: String,
    max_history: usize,
    time_zone: String,
    ids: Ids,
    duplicates: Duplicates,
}

pub(super) fn run(typed: &Init, console: &Console) -> Result<()> {
    let settings = settings_of(&typed.settings, console)?;
    let Settings { max_history, ids, duplicates, .. } = settings;
    let time_zone = settings.zone.name().to_owned();
    Store::create(&Folder::with(&typed.store, console.resources()), settings)?;
    let summary = Summary { store: typed.store.plain(), max_history, time_zone, ids, duplicates };
    let Summary { store, time_zone, .. } = &summary;
    let kept = count(u64::from(typed.settings.max_history));
    let ids = if ids == Ids::default() { String::new() } else { format!(", {ids}") };
    let once = if duplicates == Duplicates::Drop { ", equal actions once" } else { "" };
    let sentence = format!("created the store {store}: the newest {kept} actions, days in {time_zone}{ids}{once}");
    console.done(&summary, &sentence)
}

/// Returns the settings of a new store.
pub(super) fn settings_of(typed: &NewStore, console: &Console) -> Result<Settings> {
    let described = config::sources(None, typed.config.config.as_deref(), console.resources())?;
    let (ids, max_history) = (described.ids(), typed.max_history as usize);
    let (zone, duplicates) = (find_zone(&typed.timezone)?, typed.duplicates);
    Ok(Settings { max_history, zone, types: described.types, ids, duplicates })
}
