//! `lookback shards produce`.

use super::place::{input_of, moved, open};
use crate::cli::args::ShardsProduce;
use crate::cli::console::Console;
use crate::cli::produce;
use lookback::error::{Error, Result};
use lookback::produce::ProduceOptions;
use lookback::shards::{self, Task};

pub(super) fn produce_day(typed: &ShardsProduce, console: &Console) -> Result<()> {
    let store = open(&typed.place, console)?;
    let (input, sources) = input_of(typed.input.as_deref(), &typed.config, &typed.task, console)?;
    let options = ProduceOptions::new(input, typed.dt, &typed.out).sources(sources).known_as_of(typed.known_as_of);
    let (options, progress) = (produce::with(options, &typed.rows, console), console.progress());
    if let Some(Task { version, shard, parts }) = &typed.task.task {
        let Some(parts) = parts else { return Err(Error::internal("the task of a produce writes nowhere")) };
        let pinned = store.pin(Some(*version))?;
        return console.done(&shards::produce_task(&store, &pinned, *shard, &options, parts, progress)?, "");
    }
    let pinned = store.pin(typed.version.number)?;
    let produced = match console.engine() {
        Some(engine) => shards::produce_by(&store, engine, &pinned, &options, progress)?,
        None => shards::produce(&store, &pinned, &options, progress)?,
    };
    let sentence = format!(
        "{}; from version {}{}",
        produce::sentence(&produced.counts),
        produced.version,
        moved(&produced.traffic)
    );
    console.done_reading(&produced, &sentence, &[(produced.counts.rows, "rows")], produced.through_rocksdb)
}
