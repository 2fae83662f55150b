//! `lookback prune`.

use super::args::Prune;
use super::console::Console;
use super::text::{count, counted, size};
use crate::error::Result;
use crate::removal::{PruneOptions, PruneSummary, prune};
use crate::store::Folder;
use crate::text::percent;

pub(super) fn run(typed: &Prune, console: &Console) -> Result<()> {
    let options = PruneOptions {
        keep_days: typed.keep_days.get(),
        dry_run: typed.dry_run,
        allow_large_removal: typed.allow_large_removal,
    };
    let summary = prune(&Folder::with(&typed.store, console.resources()), options, console.progress())?;
    console.done(&summary, &sentence(&summary))
}

fn sentence(summary: &PruneSummary) -> String {
    let horizon = match &summary.horizon {
        Some(horizon) if summary.deltas > 0 => horizon,
        Some(horizon) => return format!("nothing to prune; the store keeps {horizon} and later"),
        None => return "nothing to prune; the store keeps all days".to_owned(),
    };
    let all = summary.actions_before.unwrap_or_default();
    let what = format!(
        "{} ({} of all) of {}",
        counted(summary.actions, "action"),
        percent(summary.actions as f64 / all.max(1) as f64),
        counted(summary.customers, "customer"),
    );
    let left = format!("{} of them without other actions", count(summary.customers_left));
    if summary.dry_run {
        let newest = summary.newest_batch.map_or_else(|| "none".to_owned(), |day| day.to_string());
        return format!(
            "would prune the store to {horizon} and later, counted back from the newest batch, {newest}: {what} would be removed, {left}"
        );
    }
    let (before, after) = (size(summary.bytes_before), size(summary.bytes_after));
    format!("pruned the store to {horizon} and later: {what} removed, {left}; {before} before, {after} now")
}
