//! `lookback shards status`, `verify` and `checkout`: what a version holds.

use serde::Serialize;

use super::place::open;
use crate::cli::args::{ShardsCheckout, ShardsStatus, ShardsVerify};
use crate::cli::console::Console;
use crate::cli::text::{batches, counted, size};
use crate::cli::words::typed as in_words;
use lookback::error::Result;
use lookback::model::{Day, Ids};
use lookback::shards;
use lookback::store::{Folder, Pinned};
use lookback::text::Shown as _;
use lookback::verify::Checked;

#[derive(Serialize)]
struct Status {
    store: String,
    version: u32,
    /// All versions that can be read.
    versions: Vec<u32>,
    /// What the version did to the one before.
    change: String,
    shards: u32,
    format_version: u8,
    time_zone: String,
    max_history: usize,
    /// What ids are in the input, if the version says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Ids>,
    batches: Vec<BatchLine>,
    /// Days without a batch between the first and the newest.
    gaps: Vec<Day>,
    /// Actions in all batches, before any cut.
    actions: u64,
    bytes: u64,
    /// The size of the smallest and of the largest shard.
    shard_bytes: [u64; 2],
}

#[derive(Serialize)]
struct BatchLine {
    dt: Day,
    actions: u64,
    /// The version that brought it as it is.
    version: u32,
}

pub(super) fn status(typed: &ShardsStatus, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let lines = pinned.batches().map(|(dt, actions, version)| BatchLine { dt, actions, version });
    let batch_lines: Vec<BatchLine> = lines.collect();
    let of_shards = pinned.bytes_of_shards();
    let bounds = [of_shards.iter().min(), of_shards.iter().max()].map(|bytes| bytes.copied().unwrap_or_default());
    let status = Status {
        store: typed.place.store.plain(),
        version: pinned.version(),
        versions: store.version_numbers()?,
        change: pinned.change().to_owned(),
        shards: pinned.shards().number(),
        format_version: pinned.format_version(),
        time_zone: pinned.time_zone().to_owned(),
        max_history: pinned.max_history(),
        ids: pinned.ids(),
        gaps: gaps(&pinned),
        actions: batch_lines.iter().map(|batch| batch.actions).sum(),
        batches: batch_lines,
        bytes: of_shards.iter().sum(),
        shard_bytes: bounds,
    };
    let newest = status.batches.last().map_or_else(|| "none".to_owned(), |batch| batch.dt.to_string());
    let gaps = match status.gaps.as_slice() {
        [] => String::new(),
        gaps => format!("; missing batches: {}", lookback::model::name_days(gaps)),
    };
    let sentence = format!(
        "version {} of {} ({}): {} of {} to {}, {}, the newest {newest}, {}{gaps}; {} there",
        status.version,
        status.store,
        status.change,
        counted(status.shards.into(), "shard"),
        size(bounds[0]),
        size(bounds[1]),
        batches(status.batches.len() as u64),
        counted(status.actions, "action"),
        counted(status.versions.len() as u64, "version"),
    );
    console.done(&status, &sentence)
}

/// Returns the days without a batch between the first and the newest batch.
fn gaps(pinned: &Pinned) -> Vec<Day> {
    let held: Vec<Day> = pinned.batches().map(|(day, ..)| day).collect();
    let mut gaps = Vec::new();
    for (one, next) in held.iter().zip(held.iter().skip(1)) {
        let between = std::iter::successors(one.next(), |day| day.next());
        gaps.extend(between.take_while(|day| day < next));
    }
    gaps
}

pub(super) fn verify(typed: &ShardsVerify, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let verified = shards::verify(&store, &pinned, typed.deep, console.progress(), &mut |shard, fault| {
        let line = format!("shard {shard}: {}", in_words(&fault.said()));
        if console.is_json() { Ok(()) } else { console.result_line(&line) }
    })?;
    if let Some(failure) = verified.failure() {
        console.found(&verified)?;
        return Err(failure);
    }
    let Checked { keys, bytes, actions, customers, .. } = verified.checked;
    let sentence = format!(
        "verified version {} of {}: {} in {} ({}), no fault; {} of {}",
        verified.version,
        typed.place.store.shown(),
        counted(keys, "key"),
        counted(verified.shards.into(), "shard"),
        size(bytes),
        counted(actions, "action"),
        counted(customers, "customer"),
    );
    console.done(&verified, &sentence)
}

#[derive(Serialize)]
struct CheckedOut {
    version: u32,
    shard: u32,
    store: String,
}

pub(super) fn checkout(typed: &ShardsCheckout, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let to = Folder::with(&typed.to, console.resources());
    shards::checkout(&store, &pinned, typed.shard, &to, console.progress())?;
    let made = CheckedOut { version: pinned.version(), shard: typed.shard, store: typed.to.plain() };
    let sentence = format!("made the store {} of shard {} of version {}", made.store, made.shard, made.version);
    console.done(&made, &sentence)
}
