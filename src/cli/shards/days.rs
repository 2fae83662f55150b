//! `lookback shards backfill`.

use super::place::{moved, open};
use crate::cli::args::ShardsBackfill;
use crate::cli::backfill;
use crate::cli::console::Console;
use crate::cli::text::counted;
use lookback::error::Result;
use lookback::shards;

pub(super) fn backfill_days(typed: &ShardsBackfill, console: &Console) -> Result<()> {
    let options = backfill::options_of(&typed.days, console)?;
    let store = open(&typed.place, console)?;
    let (plan, summary) = shards::backfill(&store, &options, console.progress())?;
    if typed.days.dry_run {
        return console.result(&summary, &backfill::plan_table(&plan));
    }
    let (days, shards) = (&summary.days, counted(summary.shards.into(), "shard"));
    let said = backfill::sentence(&typed.days, days);
    let said = format!("{said}; version {} of {shards}{}", summary.version, moved(&summary.traffic));
    console.done_reading(&summary, &said, &backfill::done(days), days.read_through_rocksdb)
}
