//! Sharded stores: the rows of one store, whatever the number of shards; one version after the other, each whole or not
//! there; what no version names goes.

mod audited;
mod backfilled;
mod documents;
mod engine;
mod faults;
mod migrating;
mod outputs;
mod requests;
mod rows;
mod versions;

use serde_json::Value;

use crate::support::input::{RawAction, RawImpression, Spread, us, write_batch, write_impressions};
use crate::support::output::{Entries, dump};
use crate::support::places::Endpoint;
use crate::support::program::{Bench, Ran};
use crate::support::random::Random;

/// The customers of all days.
const CUSTOMERS: u64 = 90;

/// The days, the first of which has no impressions.
const DAYS: [&str; 4] = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"];

/// Writes a batch, with late and early actions, and equal ones.
fn deliver(bench: &Bench, day: &str, random: &mut Random) {
    let mut actions = Vec::new();
    for _ in 0..400 {
        let day = if random.below(10) == 0 { DAYS[usize::try_from(random.below(4)).unwrap()] } else { day };
        let seconds = i64::try_from(random.below(86_400)).unwrap();
        let time_us = us(&format!("{day}T00:00:00Z")) + seconds * 1_000_000;
        let customer = i64::try_from(random.below(CUSTOMERS)).unwrap() - 20;
        let item = i64::try_from(1 + random.below(30)).unwrap();
        let action = RawAction { customer, item, time_us, kind: 1 + u8::try_from(random.below(3)).unwrap() };
        actions.extend(vec![action; if random.below(20) == 0 { 2 } else { 1 }]);
    }
    write_batch(&bench.input(), day, &actions, Spread { files: 3, seed: random.next() });
}

/// Writes the impressions of a day, some of customers whom nobody knows.
fn show(bench: &Bench, day: &str, random: &mut Random) {
    let shown = |number: u64| RawImpression {
        ranking_id: Some(format!("r{number}")),
        customer: i64::try_from(random.below(CUSTOMERS + 20)).unwrap() - 20,
        elements: (0..1 + random.below(4)).map(|_| (1 + i64::try_from(random.below(30)).unwrap(), None)).collect(),
    };
    let rows: Vec<RawImpression> = (0..60).map(shown).collect();
    write_impressions(&bench.input(), day, &rows, Spread { files: 2, seed: random.next() });
}

/// Runs a command with a summary.
fn json(bench: &Bench, at: Option<&dyn Endpoint>, arguments: &str) -> Value {
    let ran = run(bench, at, &format!("{arguments} --json"));
    assert_eq!(ran.code, 0, "lookback {arguments}\n{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn run(bench: &Bench, at: Option<&dyn Endpoint>, arguments: &str) -> Ran {
    let environment = at.map(|at| at.environment()).unwrap_or_default();
    let mut command = bench.command();
    Ran::of(command.args(arguments.split_whitespace()).envs(environment).output().unwrap())
}

/// All keys and values of each shard of a version.
fn dumps(bench: &Bench, at: Option<&dyn Endpoint>, store: &str, number: u64) -> Vec<Entries> {
    let shards = json(bench, at, &format!("shards status --store {store}"))["shards"].as_u64().unwrap();
    let dump_of = |shard| {
        let to = format!("checked-out-{shard}");
        json(bench, at, &format!("shards checkout --store {store} --number {number} --shard {shard} --to {to}"));
        let entries = dump(&bench.path(&to));
        std::fs::remove_dir_all(bench.path(&to)).unwrap();
        entries
    };
    (0..shards).map(dump_of).collect()
}
