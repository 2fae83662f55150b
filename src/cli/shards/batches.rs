//! `lookback shards ingest`, `remove` and `forget`: each makes the next version.

use super::place::{input_of, moved, open};
use crate::cli::args::{ShardsForget, ShardsIngest, ShardsRemove};
use crate::cli::console::Console;
use crate::cli::forget::customers_of;
use crate::cli::ingest;
use crate::cli::text::{count, counted};
use lookback::error::{Error, Result};
use lookback::ingest::IngestOptions;
use lookback::model::Ids;
use lookback::removal::RowsOfThem;
use lookback::shards;
use lookback::store::{ShardedStore, Store};
use lookback::text::Shown as _;

pub(super) fn ingest_batch(typed: &ShardsIngest, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let (input, sources) = input_of(typed.input.as_deref(), &typed.config, &typed.task, console)?;
    let options = ingest::with(IngestOptions::new(input, typed.dt).sources(sources), &typed.options, console)?;
    let (batch_id, progress) = (typed.batch_id.as_deref(), console.progress());
    if let Some(task) = &typed.task.task {
        let pinned = store.pin(Some(task.version))?;
        return console.done(&shards::ingest_task(&store, &pinned, task.shard, &options, progress)?, "");
    }
    let ingested = match console.engine() {
        Some(engine) => shards::ingest_by(&store, engine, &options, batch_id, progress)?,
        None => shards::ingest(&store, &options, batch_id, progress)?,
    };
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

pub(super) fn remove(typed: &ShardsRemove, console: &Console) -> Result<()> {
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

/// Returns what ids are in the input. Where the version does not say so, its shards do.
fn ids_of(store: &ShardedStore, console: &Console) -> Result<Ids> {
    let head = store.pin(None)?;
    let Some(ids) = head.ids() else {
        let first = store.open(&head, 0, console.progress())?;
        return Ok(Store::open_reader(first.folder())?.settings().ids);
    };
    Ok(ids)
}

pub(super) fn forget(typed: &ShardsForget, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let mut customers = customers_of(&typed.whom, ids_of(&store, console)?, console)?;
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
