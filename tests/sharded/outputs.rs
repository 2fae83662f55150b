//! What a version says of rows that were produced from it: the same as one store with all customers.

use serde_json::Value;

use super::{DAYS, deliver, json, run, show};
use crate::support::places::{Endpoint, S3Server};
use crate::support::program::Bench;
use crate::support::random::Random;

/// The last day, on which nothing has arrived yet when its rows are produced.
const LAST: &str = DAYS[3];

/// An ordinary store and a sharded one of all days but the last, with the rows of the days from the second on in `one`
/// and `other`.
fn with_rows(bench: &Bench, at: Option<&dyn Endpoint>, store: &str, shards: u32, random: &mut Random) {
    bench.ok("init --store store --max-history 12");
    json(bench, at, &format!("shards init --store {store} --shards {shards} --max-history 12"));
    for day in DAYS {
        deliver(bench, day, random);
        show(bench, day, random);
        if day != LAST {
            ingest(bench, at, store, day);
        }
    }
    for day in &DAYS[1..] {
        let rows = format!("--input input --dt {day} --with action_times");
        bench.ok(&format!("produce --store store --out one {rows}"));
        json(bench, at, &format!("shards produce --store {store} --out other {rows}"));
    }
}

fn ingest(bench: &Bench, at: Option<&dyn Endpoint>, store: &str, day: &str) {
    bench.ok(&format!("ingest --store store --input input --dt {day}"));
    json(bench, at, &format!("shards ingest --store {store} --input input --dt {day}"));
}

/// Returns what is said of each partition, after comparing it with what two ordinary stores say: one that was filled
/// with the same batches, and one that was made of all shards.
fn stale(bench: &Bench, at: Option<&dyn Endpoint>, store: &str, options: &str) -> Value {
    let mut of_shards = json(bench, at, &format!("shards stale --store {store} --out other {options}"));
    assert_eq!(of_shards["uploaded_files"], 0);
    json(bench, at, &format!("shards export --store {store} --to exported"));
    let of_export = json(bench, None, &format!("stale --store exported --out other {options}"));
    let of_store = json(bench, None, &format!("stale --store store --out one {options}"));
    std::fs::remove_dir_all(bench.path("exported")).unwrap();
    for name in ["partitions", "stale", "without_manifest", "listed"] {
        assert_eq!(of_shards[name], of_export[name], "{name} by shards and by their export, {options}");
        assert_eq!(of_shards[name], of_store[name], "{name} by shards and by one store, {options}");
    }
    of_shards["listed"].take()
}

fn stale_is_as_by_one_store(at: Option<&dyn Endpoint>, store: &str) {
    let (bench, mut random) = (Bench::new(), Random::new(31));
    with_rows(&bench, at, store, 4, &mut random);
    let all = |store: &str| {
        let options = ["", "--as-daily", "--known-as-of 2026-01-02", "--known-as-of 2026-01-04"];
        options.map(|options| stale(&bench, at, store, options))
    };
    let days = |listed: &Value, reason: &str| -> Vec<(String, Value)> {
        let listed = listed.as_array().unwrap().iter();
        listed.map(|one| (one["dt"].as_str().unwrap().to_owned(), one[reason].clone())).collect()
    };
    assert_eq!(stale(&bench, at, store, ""), serde_json::json!([]), "all were produced just now");
    assert_eq!(run(&bench, at, &format!("shards stale --store {store} --out other --exit-code")).code, 0);
    let before = all(store);
    ingest(&bench, at, store, LAST);
    let added = all(store);
    assert_eq!(days(&added[0], "added").len(), 3, "late actions reach all days: {}", added[0]);
    assert_eq!(added[1], before[1], "a batch of the last day is known to no morning");
    assert_eq!(run(&bench, at, &format!("shards stale --store {store} --out other --exit-code")).code, 3);
    deliver(&bench, DAYS[1], &mut random);
    ingest(&bench, at, store, DAYS[1]);
    let replaced = all(store);
    assert!(days(&replaced[1], "replaced").contains(&(DAYS[2].to_owned(), serde_json::json!([DAYS[1]]))));
    bench.ok(&format!("remove --store store --dt {}", DAYS[0]));
    json(&bench, at, &format!("shards remove --store {store} --dt {}", DAYS[0]));
    let removed = all(store);
    assert_eq!(days(&removed[0], "removed").len(), 3, "{}", removed[0]);
    // Of a version before, of which rows were produced.
    let earlier = json(&bench, at, &format!("shards stale --store {store} --out other --number 4"));
    assert_eq!((&earlier["version"], &earlier["stale"]), (&4.into(), &0.into()));
    json(&bench, at, &format!("shards split --store {store}"));
    assert_eq!(all(store), removed, "a split changes no row");
    for out in ["one", "other"] {
        let manifest = bench.path(&format!("{out}/dt={}/_manifest.parquet", DAYS[1]));
        assert!(manifest.exists(), "{}", manifest.display());
        std::fs::write(manifest, "none").unwrap();
    }
    let options = "--as-daily";
    let unreadable = json(&bench, at, &format!("shards stale --store {store} --out other {options}"));
    assert_eq!(unreadable["without_manifest"], 1, "{unreadable}");
}

#[test]
fn stale_partitions_are_those_by_one_store_from_a_folder() {
    stale_is_as_by_one_store(None, "place");
}

#[test]
fn stale_partitions_are_those_by_one_store_from_a_url() {
    let server = S3Server::start();
    stale_is_as_by_one_store(Some(&server), "s3://bucket/deep/store");
}
