//! What deltalake (delta-rs) reads, and what it does to a table between two runs.

use std::collections::BTreeMap;

use super::{AtUrl, DT, PRODUCE, correct};
use crate::readers::{python, run};
use crate::support::input::{PLAIN, RawImpression, write_impressions};
use crate::support::places::Endpoint as _;

/// Runs a step of `tests/delta_table.py`.
fn step(environment: &[(String, String)], arguments: &[&str]) {
    let mut command = python();
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/delta_table.py")).args(arguments);
    command.envs(environment.iter().cloned().collect::<BTreeMap<_, _>>());
    run(command);
}

/// A table of two days and the same rows in plain partitions; then one of the days again, with other rows.
fn read_and_disturb(at_url: &AtUrl, out: &str, table: &str, environment: &[(String, String)]) {
    let shown = |customer: i64| RawImpression {
        ranking_id: (customer > 2).then(|| format!("r {customer} ä")),
        customer,
        elements: vec![(5, Some(true)), (9, None)],
    };
    write_impressions(&at_url.bench.input(), "2026-01-03", &(0..9).map(shown).collect::<Vec<_>>(), PLAIN);
    let options = "--part-rows 8 --row-group-rows 4 --with history_length,action_ages,action_times --max-history 5";
    let produce = |day: &str, to: &str| {
        at_url.ok(&format!("produce --store store --input input --dt {day} {to} {options}"));
    };
    let (to_table, path) = (format!("--out {out} --table delta"), |name: &str| at_url.bench.path(name));
    for day in ["2026-01-03", DT] {
        produce(day, &to_table);
        produce(day, "--out plain");
    }
    let (plain, newer) = (path("plain"), path("newer"));
    let (plain, newer) = (plain.to_str().unwrap(), newer.to_str().unwrap());
    step(environment, &["same", table, plain]);
    correct(at_url, 1);
    for day in ["2026-01-03", DT] {
        produce(day, "--out newer");
    }
    produce(DT, &to_table);
    produce("2026-01-03", &to_table);
    step(environment, &["same", table, newer]);
    step(environment, &["same", table, plain, "1"]);
    step(environment, &["filters", table, newer]);
    step(environment, &["history", table, "4"]);

    // Its checkpoint, and a log whose old versions are gone.
    step(environment, &["checkpoint", table]);
    correct(at_url, 0);
    produce(DT, &to_table);
    produce("2026-01-03", &to_table);
    step(environment, &["same", table, plain]);
    // Files merged by it are replaced like any others.
    step(environment, &["optimize", table]);
    step(environment, &["same", table, plain]);
    produce(DT, &to_table);
    step(environment, &["same", table, plain]);
    correct(at_url, 1);
    produce(DT, &to_table);
    produce("2026-01-03", &to_table);
    step(environment, &["same", table, newer]);
    step(environment, &["vacuum", table]);
    step(environment, &["same", table, newer]);
    at_url.ok(&format!("diff {out} newer"));
}

#[test]
fn deltalake_reads_a_table_in_a_folder() {
    let at_url = AtUrl::new();
    read_and_disturb(&at_url, "out", at_url.bench.out().to_str().unwrap(), &[]);
}

#[test]
fn deltalake_reads_a_table_at_a_url() {
    let at_url = AtUrl::new();
    read_and_disturb(&at_url, "@/out", &at_url.server.url("out"), &at_url.server.environment());
}

/// Rows of the first run of a day, with lists of full length and nothing optional.
#[test]
fn deltalake_reads_the_columns_of_every_row() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    at_url.bench.ok(&PRODUCE.replace("--out out --table delta", "--out plain"));
    let (out, plain) = (at_url.bench.out(), at_url.bench.path("plain"));
    step(&[], &["same", out.to_str().unwrap(), plain.to_str().unwrap()]);
}
