//! `lookback shards stale`: what a version says of an output.

use super::place::{moved, open};
use crate::cli::args::{Judged, ShardsStale};
use crate::cli::console::Console;
use crate::cli::stale::{in_words, known, lines, say};
use crate::cli::text::counted;
use lookback::error::Result;
use lookback::shards;

pub(super) fn stale(typed: &ShardsStale, console: &Console) -> Result<()> {
    let Judged { out, exit_code, .. } = &typed.judged;
    let store = open(&typed.place, console)?;
    let pinned = store.pin(typed.version.number)?;
    let mut judged = shards::stale(&store, &pinned, out, known(&typed.judged), console.progress())?;
    in_words(&mut judged.found);
    console.result(&judged, &lines(&judged.found))?;
    let (shards, moved) = (counted(judged.shards.into(), "shard"), moved(&judged.traffic));
    let by = format!("; by version {} of {shards}{moved}", judged.version);
    say(&judged.found, &by, (*exit_code).then_some("produce them again with `lookback shards produce`"), console)
}
