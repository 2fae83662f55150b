//! `lookback shards audit` and `stale`: what a version says of an output.

use super::place::{moved, open};
use crate::cli::args::{Judged, ShardsAudit, ShardsStale};
use crate::cli::audit;
use crate::cli::console::Console;
use crate::cli::stale::{in_words, known, lines, say};
use crate::cli::text::counted;
use lookback::error::Result;
use lookback::shards;

pub(super) fn audit_day(typed: &ShardsAudit, console: &Console) -> Result<()> {
    let options = audit::options_of(&typed.audited, console)?;
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let audited = shards::audit(&store, &pinned, &options, console.progress())?;
    let (said, shards) = (audit::sentence(&audited.audited), counted(audited.shards.into(), "shard"));
    let by = format!("by version {} of {shards}{}", audited.version, moved(&audited.traffic));
    console.done(&audited, &format!("{said}; {by}"))
}

pub(super) fn stale(typed: &ShardsStale, console: &Console) -> Result<()> {
    let Judged { out, exit_code, .. } = &typed.judged;
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let mut judged = shards::stale(&store, &pinned, out, known(&typed.judged), console.progress())?;
    in_words(&mut judged.found);
    console.result(&judged, &lines(&judged.found))?;
    let (shards, moved) = (counted(judged.shards.into(), "shard"), moved(&judged.traffic));
    let by = format!("; by version {} of {shards}{moved}", judged.version);
    say(
        &judged.found,
        &by,
        (*exit_code).then_some("produce them again with `lookback shards backfill --stale`"),
        console,
    )
}
