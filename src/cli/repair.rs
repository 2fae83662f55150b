//! `lookback repair`.

use super::args::Repair;
use super::console::Console;
use super::text::count;
use lookback::error::Result;
use lookback::store::{Folder, Store};
use lookback::verify::{KeyCounts, RepairSummary, repair};

pub(super) fn run(typed: &Repair, console: &Console) -> Result<()> {
    let folder = Folder::with(&typed.store, console.resources());
    let store = if typed.dry_run { Store::open_reader(&folder)? } else { Store::open_writer(&folder)? };
    let summary = repair(&store, typed.dry_run, console.progress())?;
    console.done(&summary, &sentence(&summary))
}

fn sentence(summary: &RepairSummary) -> String {
    let RepairSummary { dry_run, set, removed } = summary;
    if set.all() + removed.all() == 0 {
        return "all derived data is correct; nothing to repair".to_owned();
    }
    let would = if *dry_run { "would have " } else { "" };
    format!("{would}set {} and removed {}", kinds(set), kinds(removed))
}

/// Returns the number of keys, and their kinds.
fn kinds(counts: &KeyCounts) -> String {
    let KeyCounts { keyframes, index_leaves, customer_index_leaves, batch_records, totals } = *counts;
    let kinds = [
        (keyframes, "keyframes"),
        (index_leaves, "leaves of the index"),
        (customer_index_leaves, "leaves of the customer index"),
        (batch_records, "batch records"),
        (totals, "totals"),
    ];
    let named: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, kind)| format!("{kind}: {}", count(*number)))
        .collect();
    let keys = format!("{} key{}", count(counts.all()), if counts.all() == 1 { "" } else { "s" });
    if named.is_empty() { keys } else { format!("{keys} ({})", named.join(", ")) }
}
