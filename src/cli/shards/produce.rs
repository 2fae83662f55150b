//! `lookback shards produce`.

use super::place::{moved, open};
use crate::cli::args::ShardsProduce;
use crate::cli::console::Console;
use crate::cli::{config, produce};
use lookback::error::Result;
use lookback::produce::ProduceOptions;
use lookback::shards;

pub(super) fn produce_day(typed: &ShardsProduce, console: &Console) -> Result<()> {
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
