//! `lookback shards`: the commands on sharded stores.

mod batches;
mod days;
mod look;
mod outputs;
mod place;
mod produce;
mod whole;

use super::args::Shards;
use super::console::Console;
use lookback::error::Result;

pub(super) fn run(typed: &Shards, console: &Console) -> Result<()> {
    match typed {
        Shards::Init(typed) => whole::init(typed, console),
        Shards::Status(typed) => look::status(typed, console),
        Shards::Ingest(typed) => batches::ingest_batch(typed, console),
        Shards::Produce(typed) => produce::produce_day(typed, console),
        Shards::Backfill(typed) => days::backfill_days(typed, console),
        Shards::Remove(typed) => batches::remove(typed, console),
        Shards::Forget(typed) => batches::forget(typed, console),
        Shards::Audit(typed) => outputs::audit_day(typed, console),
        Shards::Stale(typed) => outputs::stale(typed, console),
        Shards::Verify(typed) => look::verify(typed, console),
        Shards::Checkout(typed) => look::checkout(typed, console),
        Shards::Migrate(typed) => whole::migrate(typed, console),
        Shards::Split(typed) => whole::split(typed, console),
        Shards::Import(typed) => whole::import(typed, console),
        Shards::Export(typed) => whole::export(typed, console),
        Shards::Gc(typed) => whole::gc(typed, console),
    }
}
