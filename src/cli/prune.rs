//! `lookback prune`.

use super::args::Prune;
use super::console::Console;
use super::text::{counted, size};
use crate::error::Result;
use crate::removal::prune;
use crate::store::Folder;

pub(super) fn run(typed: &Prune, console: &Console) -> Result<()> {
    let summary = prune(&Folder::new(&typed.store), typed.keep_days.get(), console.progress())?;
    let sentence = match &summary.horizon {
        Some(horizon) if summary.portions > 0 => format!(
            "pruned the store to {horizon} and later: {} of {} removed, {} of them with no others; {} before, {} now",
            counted(summary.actions, "action"),
            counted(summary.customers, "customer"),
            counted(summary.customers_left, "customer"),
            size(summary.bytes_before),
            size(summary.bytes_after),
        ),
        Some(horizon) => format!("nothing to prune; the store keeps {horizon} and later"),
        None => "nothing to prune; the store keeps all that it has taken".to_owned(),
    };
    console.done(&summary, &sentence)
}
