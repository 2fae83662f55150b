//! `lookback remove`.

use super::args::Remove;
use super::console::Console;
use super::text::{batches, count, counted, counted_types};
use lookback::error::Result;
use lookback::ingest::{Ingester, RemoveSummary, would_remove};
use lookback::model::name_days;
use lookback::store::Folder;

pub(super) fn run(typed: &Remove, console: &Console) -> Result<()> {
    let folder = Folder::with(&typed.store, console.resources());
    let summary = if typed.dry_run {
        would_remove(&folder, typed.dt)?
    } else {
        let mut ingester = Ingester::open(&folder, console.progress())?;
        let summary = ingester.remove(typed.dt, console.progress())?;
        ingester.finish_compaction(console.progress())?;
        summary
    };
    console.done(&summary, &sentence(&summary))
}

fn sentence(summary: &RemoveSummary) -> String {
    let RemoveSummary { dt, dry_run, actions, customers, customers_left, gaps, .. } = summary;
    let verb = if *dry_run { "would remove" } else { "removed" };
    let left = customers_left.map(|left| format!(", {} of them without other actions", count(left)));
    let mut sentence = format!(
        "{verb} the batch of {dt}: {} ({}) of {}{}; the store then holds {}",
        counted(*actions, "action"),
        counted_types(&summary.types),
        counted(*customers, "customer"),
        left.unwrap_or_default(),
        batches(summary.batches as u64),
    );
    if !gaps.is_empty() {
        sentence += &format!("; missing batches: {}", name_days(gaps));
    }
    sentence
        + "; `lookback backfill` over that day ingests it again if its files are there; `lookback stale` lists the partitions that rest on it"
}
