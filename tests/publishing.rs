//! A partition appears whole or not at all, and leaves nothing beside it.

use std::fs;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{read_partition, tree};
use crate::support::program::{Bench, write_file};

fn one_batch() -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    shown(&bench, 3);
    bench.ingest("2026-01-01");
    bench
}

fn shown(bench: &Bench, items: i64) {
    let shown =
        RawImpression { ranking_id: None, customer: 1, elements: (1..=items).map(|item| (item, None)).collect() };
    write_impressions(&bench.input(), "2026-01-02", &[shown], PLAIN);
}

fn names(bench: &Bench) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(bench.out()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_rerun_replaces_the_partition_whole() {
    let bench = one_batch();
    let shown_once =
        RawImpression { ranking_id: None, customer: 1, elements: (1..=3).map(|item| (item, None)).collect() };
    write_impressions(&bench.input(), "2026-01-02", &[shown_once.clone(), shown_once], PLAIN);
    bench.ok("produce --store store --input input --dt 2026-01-02 --out out --part-rows 1 --row-group-rows 1");
    assert!(bench.out().join("dt=2026-01-02/part-00001.parquet").exists());
    shown(&bench, 2);
    bench.produce("2026-01-02");
    assert_eq!(read_partition(&bench.out(), "2026-01-02").len(), 2);
    assert_eq!(names(&bench), [".lookback-output", "dt=2026-01-02"], "nothing else stands beside it");
    let files: Vec<String> = tree(&bench.out().join("dt=2026-01-02")).into_keys().collect();
    assert_eq!(files, ["_SUCCESS", "_manifest.parquet", "part-00000.parquet"]);
}

#[test]
fn a_refused_rerun_leaves_the_partition_as_it_was() {
    let bench = one_batch();
    bench.produce("2026-01-02");
    let before = tree(&bench.out());
    shown(&bench, 0);
    write_file(&bench.input().join("impressions/dt=2026-01-02/bad.parquet"), b"none");
    bench.refused("produce --store store --input input --dt 2026-01-02 --out out", &["bad.parquet"]);
    assert_eq!(tree(&bench.out()), before);
    assert_eq!(names(&bench), [".lookback-output", "dt=2026-01-02"]);
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_a_live_one_holds_is_not() {
    let bench = one_batch();
    let dead = bench.out().join(".dt=2026-01-02.staging-1");
    let alive = bench.out().join(".dt=2026-01-02.staging-2");
    let other_day = bench.out().join(".dt=2026-01-03.staging-3");
    for folder in [&dead, &alive, &other_day] {
        write_file(&folder.join("parts/part-00000.parquet"), b"half a file");
    }
    let held = fs::File::open(&alive).unwrap();
    held.lock().unwrap();
    bench.produce("2026-01-02");
    assert!(!dead.exists() && alive.exists() && other_day.exists());
    assert_eq!(read_partition(&bench.out(), "2026-01-02").len(), 3);
}

#[test]
fn what_a_killed_ingest_left_is_removed() {
    let bench = one_batch();
    let left = bench.store().join("staging/tables/000000.sst");
    write_file(&left, b"half a table");
    bench.ok("status --store store");
    assert!(left.exists(), "readers touch nothing");
    bench.ingest("2026-01-01");
    assert!(!left.exists());
    // A creation that was killed early leaves folders that are no store, and nobody else's.
    write_file(&bench.path("begun/staging/sort-1/run-00000"), b"half a run");
    bench.ok("ingest --create --store begun --input input --dt 2026-01-01");
}
