//! Batches and partitions from memory, and the commands that compare with files.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use lookback::ingest::IngestOptions;
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::store::{Folder, Store};
use serde_json::json;

use super::{batch, day, given, ingest, resources};
use crate::support::input::{PLAIN, RawAction, RawImpression, impression_lists, us, write_batch, write_impressions};
use crate::support::program::Bench;

/// A batch of clicks of customer 7 in memory.
fn take(bench: &Bench, dt: &str, items: &[i64]) {
    let customers: ArrayRef = Arc::new(Int64Array::from(vec![7; items.len()]));
    let times: ArrayRef = Arc::new(StringArray::from(vec![format!("{dt} 10:00"); items.len()]));
    let items: ArrayRef = Arc::new(Int64Array::from(items.to_vec()));
    let rows = batch(&[("customer_id", customers), ("item_id", items), ("click_time", times)]);
    let options = IngestOptions::new(given("clicks", vec![rows]).unwrap(), day(dt)).resources(resources());
    ingest(&bench.store(), &options).unwrap();
}

/// Rows of customer 7 from memory.
fn make(bench: &Bench, dt: &str) {
    let customers: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let lists = impression_lists(&[Some(vec![(1, None), (2, Some(true))])]);
    let input = given("impressions", vec![batch(&[("customer_id", customers), ("impressions", lists)])]).unwrap();
    let store = Store::open_reader(&Folder::new(&bench.store())).unwrap();
    let options = ProduceOptions::new(input, day(dt), bench.out()).resources(resources());
    assert_eq!(produce(&store, &options, &Silent).unwrap().rows, 2);
}

fn write(bench: &Bench, dt: &str, items: &[i64]) {
    let action = |item: &i64| RawAction { customer: 7, item: *item, time_us: us(&format!("{dt}T10:00:00Z")), kind: 1 };
    write_batch(&bench.input(), dt, &items.iter().map(action).collect::<Vec<_>>(), PLAIN);
}

fn show(bench: &Bench, dt: &str) {
    let shown = RawImpression { ranking_id: None, customer: 7, elements: vec![(1, None), (2, Some(true))] };
    write_impressions(&bench.input(), dt, &[shown], PLAIN);
}

/// A store with a batch from memory, one from files, and a partition of impressions from memory.
fn mixed() -> Bench {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 4");
    take(&bench, "2026-01-01", &[1, 2]);
    write(&bench, "2026-01-02", &[3]);
    bench.ingest("2026-01-02");
    make(&bench, "2026-01-03");
    bench
}

#[test]
fn the_store_and_the_manifest_say_what_came_from_memory() {
    let bench = mixed();
    let manifest = bench.json("manifest --out out --dt 2026-01-03");
    assert_eq!(manifest["impression_files"][0]["name"], "memory://impressions");
    bench.ok("manifest --out out --dt 2026-01-03 --check");
    bench.ok("verify --store store --deep");
    assert_eq!(bench.json("status --store store")["batches"], 2);
    assert_eq!(bench.ok("stale --store store --out out --exit-code").code, 0);
    // The same rows are the same batch, and others are others.
    take(&bench, "2026-01-01", &[2, 1]);
    assert_eq!(bench.ok("stale --store store --out out --exit-code").code, 0);
    take(&bench, "2026-01-01", &[2, 9]);
    let stale = bench.json("stale --store store --out out");
    assert_eq!(stale["listed"][0]["replaced"], json!(["2026-01-01"]));
}

#[test]
fn an_audit_says_that_there_are_no_files() {
    let bench = mixed();
    let words = ["the batch of 2026-01-01 came from memory, so no raw file has the rows"];
    bench.refused("audit --store store --input input --out out --dt 2026-01-03", &words);
    write(&bench, "2026-01-01", &[1, 2]);
    bench.ingest("2026-01-01");
    make(&bench, "2026-01-03");
    let words = ["the impressions of 2026-01-03 came from memory, so no raw file has the rows"];
    bench.refused("audit --store store --input input --out out --dt 2026-01-03", &words);
}

#[test]
fn a_backfill_leaves_what_came_from_memory_and_says_so() {
    let bench = mixed();
    let range = "backfill --store store --input input --from 2026-01-01 --to 2026-01-03 --out out --stale";
    let done = bench.ok(range);
    assert!(done.stderr.contains("the batch of 2026-01-01 came from memory, and "), "{}", done.stderr);
    assert!(!done.stderr.contains("the partition of"), "it is not stale: {}", done.stderr);
    // A corrected batch makes the partition stale, whose impressions no file has.
    write(&bench, "2026-01-02", &[4]);
    let before = bench.json("manifest --out out --dt 2026-01-03");
    let done = bench.ok(range);
    let said = "the partition of 2026-01-03 is stale, but its impressions came from memory: it is left as it is";
    assert!(done.stderr.contains(said), "{}", done.stderr);
    assert_eq!(bench.json("manifest --out out --dt 2026-01-03"), before);
    // What has files is made from the files.
    write(&bench, "2026-01-01", &[5]);
    show(&bench, "2026-01-03");
    let summary = bench.json("backfill --store store --input input --from 2026-01-01 --to 2026-01-03 --out out");
    assert_eq!(summary["to_ingest"], json!([["2026-01-01", "changed"]]));
    assert_eq!(summary["to_produce"], json!(["2026-01-03"]));
    bench.ok("audit --store store --input input --out out --dt 2026-01-03");
}
