//! `lookback shards`: the commands on sharded stores.

use serde::Serialize;

use super::args::{
    Shards, ShardsCheckout, ShardsExport, ShardsForget, ShardsGc, ShardsImport, ShardsIngest, ShardsInit, ShardsPlace,
    ShardsProduce, ShardsRemove, ShardsSplit, ShardsStatus, ShardsVerify,
};
use super::console::Console;
use super::forget::customers_of;
use super::init::settings_of;
use super::text::{batches, count, counted, size};
use super::words::typed as in_words;
use super::{config, ingest, produce};
use lookback::error::{Error, Result};
use lookback::ingest::IngestOptions;
use lookback::model::{Day, Duplicates, Ids};
use lookback::produce::ProduceOptions;
use lookback::removal::RowsOfThem;
use lookback::shards::{self, Traffic};
use lookback::store::{Folder, Pinned, Settings, ShardedStore, Store};
use lookback::text::Shown as _;
use lookback::verify::Checked;

pub(super) fn run(typed: &Shards, console: &Console) -> Result<()> {
    match typed {
        Shards::Init(typed) => init(typed, console),
        Shards::Status(typed) => status(typed, console),
        Shards::Ingest(typed) => ingest_batch(typed, console),
        Shards::Produce(typed) => produce_day(typed, console),
        Shards::Remove(typed) => remove(typed, console),
        Shards::Forget(typed) => forget(typed, console),
        Shards::Verify(typed) => verify(typed, console),
        Shards::Checkout(typed) => checkout(typed, console),
        Shards::Split(typed) => split(typed, console),
        Shards::Import(typed) => import(typed, console),
        Shards::Export(typed) => export(typed, console),
        Shards::Gc(typed) => gc(typed, console),
    }
}

fn open(place: &ShardsPlace, console: &Console) -> Result<ShardedStore> {
    let cache = place.cache.as_deref().map(|folder| (folder, place.cache_size));
    ShardedStore::connect(&place.store, cache, console.resources())
}

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

fn init(typed: &ShardsInit, console: &Console) -> Result<()> {
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

fn status(typed: &ShardsStatus, console: &Console) -> Result<()> {
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

fn ingest_batch(typed: &ShardsIngest, console: &Console) -> Result<()> {
    let sources = config::sources_of(&typed.input, &typed.config, console)?;
    let options = ingest::with(IngestOptions::new(&typed.input, typed.dt).sources(sources), &typed.options, console)?;
    let store = open(&typed.place, console)?;
    let ingested = shards::ingest(&store, &options, typed.batch_id.as_deref(), console.progress())?;
    let (version, batch_id) = (ingested.version, typed.batch_id.as_deref().unwrap_or_default());
    let sentence = match &ingested.counts {
        None => format!("the batch {} has come before, and version {version} stays as it is", batch_id.shown()),
        Some(counts) => {
            let what = ingest::sentence(counts);
            format!(
                "{what}; version {version} of {}{}",
                counted(ingested.shards.into(), "shard"),
                moved(&ingested.traffic)
            )
        }
    };
    let actions = ingested.counts.as_ref().map_or(0, |counts| counts.actions);
    console.done_at(&ingested, &sentence, &[(actions, "actions")])
}

/// Says what went to and fro between this machine and the place.
fn moved(traffic: &Traffic) -> String {
    let Traffic { fetched_bytes, uploaded_bytes, .. } = traffic;
    match (fetched_bytes, uploaded_bytes) {
        (fetched, 0) => format!("; {} fetched", size(*fetched)),
        (fetched, uploaded) => format!("; {} fetched, {} written", size(*fetched), size(*uploaded)),
    }
}

fn produce_day(typed: &ShardsProduce, console: &Console) -> Result<()> {
    let sources = config::sources_of(&typed.input, &typed.config, console)?;
    let options =
        ProduceOptions::new(&typed.input, typed.dt, &typed.out).sources(sources).known_as_of(typed.known_as_of);
    let options = produce::with(options, &typed.rows, console);
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let produced = shards::produce(&store, &pinned, &options, console.progress())?;
    let sentence = format!(
        "{}; from version {}{}",
        produce::sentence(&produced.counts),
        produced.version,
        moved(&produced.traffic)
    );
    console.done_reading(&produced, &sentence, &[(produced.counts.rows, "rows")], produced.through_rocksdb)
}

fn remove(typed: &ShardsRemove, console: &Console) -> Result<()> {
    let removed = shards::remove(&open(&typed.place, console)?, typed.dt, console.progress())?;
    let sentence = format!(
        "removed the batch of {}: {} of {}; version {}{}",
        removed.dt,
        counted(removed.actions, "action"),
        counted(removed.customers, "customer"),
        removed.version,
        moved(&removed.traffic)
    );
    console.done(&removed, &sentence)
}

fn forget(typed: &ShardsForget, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let first = store.open(&store.pin(None)?, 0, console.progress())?;
    let ids = Store::open_reader(first.folder())?.settings().ids;
    drop(first);
    let mut customers = customers_of(&typed.whom, ids, console)?;
    customers.sort_unstable();
    customers.dedup();
    let rows = if typed.whom.scrub { RowsOfThem::Scrub } else { RowsOfThem::List };
    let forgotten = shards::forget(&store, &customers, &typed.whom.out, rows, console.progress())?;
    let left = forgotten.partitions.join(", ");
    let partitions = match (typed.whom.out.is_empty(), forgotten.partitions.is_empty()) {
        (true, _) => "partitions produced before may still have their rows: check with --out".to_owned(),
        (false, true) => {
            format!("rewrote {} without their rows", counted(forgotten.scrubbed.len() as u64, "partition"))
        }
        (false, false) => format!("these partitions still have their rows: {left}"),
    };
    let sentence = format!(
        "forgot {}, {} of them with actions in the store ({} removed); version {}, and {} removed; {partitions}",
        counted(forgotten.customers, "customer"),
        count(forgotten.known),
        counted(forgotten.actions, "action"),
        forgotten.version,
        counted(forgotten.removed_versions as u64, "earlier version"),
    );
    console.done(&forgotten, &sentence)?;
    if typed.whom.scrub && !forgotten.partitions.is_empty() {
        return Err(Error::refused(
            format!("these partitions still have rows of forgotten customers: {left}"),
            "produce them again with `lookback shards produce`, or remove them",
        ));
    }
    Ok(())
}

fn verify(typed: &ShardsVerify, console: &Console) -> Result<()> {
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

fn checkout(typed: &ShardsCheckout, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let to = Folder::with(&typed.to, console.resources());
    shards::checkout(&store, &pinned, typed.shard, &to, console.progress())?;
    let made = CheckedOut { version: pinned.version(), shard: typed.shard, store: typed.to.plain() };
    let sentence = format!("made the store {} of shard {} of version {}", made.store, made.shard, made.version);
    console.done(&made, &sentence)
}

fn split(typed: &ShardsSplit, console: &Console) -> Result<()> {
    let made = shards::split(&open(&typed.place, console)?, console.progress())?;
    let (shards, moved) = (counted(made.shards.into(), "shard"), moved(&made.traffic));
    console.done(&made, &format!("dealt out all customers to {shards}: version {}{moved}", made.version))
}

fn import(typed: &ShardsImport, console: &Console) -> Result<()> {
    let from = Folder::with(&typed.from, console.resources());
    let made = shards::import(&open(&typed.place, console)?, &from, typed.shards, console.progress())?;
    let (shards, moved) = (counted(made.shards.into(), "shard"), moved(&made.traffic));
    let from = typed.from.shown();
    console.done(&made, &format!("dealt out the customers of {from} to {shards}: version {}{moved}", made.version))
}

fn export(typed: &ShardsExport, console: &Console) -> Result<()> {
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

fn gc(typed: &ShardsGc, console: &Console) -> Result<()> {
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
