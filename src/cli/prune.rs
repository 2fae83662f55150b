//! `lookback prune`.

use super::args::Prune;
use super::console::Console;
use super::text::{count, counted, size};
use lookback::error::Result;
use lookback::exact::Held;
use lookback::removal::{PruneOptions, PruneSummary, prune};
use lookback::store::Folder;
use lookback::text::percent;

pub(super) fn run(typed: &Prune, console: &Console) -> Result<()> {
    let options =
        PruneOptions::new(typed.keep_days).dry_run(typed.dry_run).allow_large_removal(typed.allow_large_removal);
    let summary = prune(&Folder::with(&typed.store, console.resources()), options, console.progress())?;
    console.done(&summary, &sentence(&summary)?)
}

fn sentence(summary: &PruneSummary) -> Result<String> {
    let horizon = match &summary.horizon {
        Some(horizon) if summary.deltas > 0 => horizon,
        Some(horizon) => return Ok(format!("nothing to prune; the store keeps {horizon} and later")),
        None => return Ok("nothing to prune; the store keeps all days".to_owned()),
    };
    let counted_back = summary.actions_before.zip(summary.newest_batch);
    let (all, newest) = counted_back.held("what is removed was counted, back from the newest batch")?;
    let what = format!(
        "{} ({} of all) of {}",
        counted(summary.actions, "action"),
        percent(summary.actions as f64 / all.max(1) as f64),
        counted(summary.customers, "customer"),
    );
    let left = format!("{} of them without other actions", count(summary.customers_left));
    if summary.dry_run {
        return Ok(format!(
            "would prune the store to {horizon} and later, counted back from the newest batch, {newest}: {what} would be removed, {left}"
        ));
    }
    let (before, after) = (size(summary.bytes_before), size(summary.bytes_after));
    Ok(format!("pruned the store to {horizon} and later: {what} removed, {left}; {before} before, {after} now"))
}
