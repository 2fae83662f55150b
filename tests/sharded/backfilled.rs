//! A backfill of a sharded store does what one of an ordinary store does, each day as a version.

use serde_json::Value;

use super::{DAYS, deliver, dumps, json, run, show};
use crate::support::places::{Endpoint, S3Server};
use crate::support::program::{Bench, assert_one_sentence, write_file};
use crate::support::random::Random;

/// The input of all days, and an empty store of each kind.
fn both(at: Option<&dyn Endpoint>, store: &str, random: &mut Random) -> Bench {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 12");
    json(&bench, at, &format!("shards init --store {store} --shards 4 --max-history 12"));
    for day in DAYS {
        deliver(&bench, day, random);
    }
    DAYS[1..].iter().for_each(|day| show(&bench, day, random));
    bench
}

/// Backfills both with the same options, and compares what they say and the rows. Returns the summary of the shards.
fn backfill(bench: &Bench, at: Option<&dyn Endpoint>, store: &str, options: &str) -> Value {
    let range = format!("--input input --from {} --to {} {options}", DAYS[0], DAYS[3]);
    let one = json(bench, None, &format!("backfill --store store --out one {range}"));
    let other = json(bench, at, &format!("shards backfill --store {store} --out other {range}"));
    for name in [
        "from",
        "to",
        "dry_run",
        "to_ingest",
        "created",
        "held",
        "to_produce",
        "without_impressions",
        "without_manifest",
    ] {
        assert_eq!(other[name], one[name], "{name}, {options}");
    }
    // Those that a share of the customers decides, and those of files.
    let differ = ["keyframes", "parts", "tables"];
    for of in ["ingested", "produced"] {
        let (one, other) = (one[of].as_array().unwrap(), other[of].as_array().unwrap());
        assert_eq!(one.len(), other.len(), "{of}, {options}");
        for (one, other) in one.iter().zip(other) {
            for (name, value) in one.as_object().unwrap() {
                assert!(differ.contains(&name.as_str()) || other[name] == *value, "{of}: {name} is {other}, {one}");
            }
        }
    }
    if options != "--dry-run" {
        let diff = bench.run("diff one other");
        assert_eq!(diff.code, 0, "{options}: {}{}", diff.stdout, diff.stderr);
    }
    other
}

fn kept(summary: &Value) -> Vec<bool> {
    summary["produced"].as_array().unwrap().iter().map(|day| day["kept"].as_bool().unwrap()).collect()
}

fn it_is_as_of_one_store(at: Option<&dyn Endpoint>, store: &str) {
    let mut random = Random::new(81);
    let bench = both(at, store, &mut random);
    let planned = backfill(&bench, at, store, "--dry-run");
    assert_eq!((&planned["version"], planned["to_ingest"].as_array().unwrap().len()), (&1.into(), 4));
    assert!(planned["ingested"].as_array().unwrap().is_empty() && !bench.path("other").exists());
    let first = backfill(&bench, at, store, "--as-daily");
    assert_eq!((&first["version"], &first["shards"]), (&5.into(), &4.into()));
    let status = json(&bench, at, &format!("shards status --store {store}"));
    let versions: Vec<u64> =
        status["batches"].as_array().unwrap().iter().map(|day| day["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [2, 3, 4, 5], "each day is a version");
    // Without anything new, nothing is done.
    let again = backfill(&bench, at, store, "--as-daily");
    assert_eq!((&again["version"], &again["held"], kept(&again)), (&5.into(), &4.into(), vec![true; 3]));
    assert_eq!(again["uploaded_files"], 0);
    // Late data count from now on, for the days that have any.
    let late = backfill(&bench, at, store, "");
    assert_eq!(kept(&late), [false, false, false], "{late}");
    // A corrected batch is ingested again.
    deliver(&bench, DAYS[2], &mut random);
    let corrected = backfill(&bench, at, store, "");
    assert_eq!((&corrected["to_ingest"], &corrected["held"]), (&serde_json::json!([[DAYS[2], "changed"]]), &3.into()));
    // Only what is stale, with its own settings.
    json(
        &bench,
        at,
        &format!("shards produce --store {store} --out other --input input --dt {} --max-history 5", DAYS[1]),
    );
    bench.ok(&format!("produce --store store --out one --input input --dt {} --max-history 5", DAYS[1]));
    assert_eq!(backfill(&bench, at, store, "--stale")["to_produce"], serde_json::json!([]));
    deliver(&bench, DAYS[3], &mut random);
    let stale = backfill(&bench, at, store, "--stale");
    assert_eq!(stale["to_produce"].as_array().unwrap().len(), 3, "late actions reach all days: {stale}");
    assert_eq!(json(&bench, at, &format!("shards stale --store {store} --out other"))["stale"], 0);
    let manifest = json(&bench, None, &format!("manifest --out other --dt {}", DAYS[1]));
    assert_eq!(manifest["settings"]["max_history"], 5);
    // Rows of another number of shards stand in another order.
    json(&bench, at, &format!("shards split --store {store}"));
    let range = format!("--input input --from {} --to {}", DAYS[2], DAYS[3]);
    let split = json(&bench, at, &format!("shards backfill --store {store} --out other {range}"));
    assert_eq!(kept(&split), [false, false]);
    let split = json(&bench, at, &format!("shards backfill --store {store} --out other {range}"));
    assert_eq!(kept(&split), [true, true]);
}

#[test]
fn it_is_a_backfill_of_one_store_in_a_folder() {
    it_is_as_of_one_store(None, "place");
}

#[test]
fn it_is_a_backfill_of_one_store_at_a_url() {
    let server = S3Server::start();
    it_is_as_of_one_store(Some(&server), "s3://bucket/deep/store");
}

#[test]
fn a_day_that_fails_leaves_the_days_before_and_the_next_run_does_the_rest() {
    let (mut random, other) = (Random::new(82), &mut Random::new(82));
    let (bench, whole) = (both(None, "place", &mut random), both(None, "place", other));
    let backfill =
        format!("shards backfill --store place --input input --from {} --to {} --out other", DAYS[0], DAYS[3]);
    json(&whole, None, &backfill);
    let bad = bench.input().join(format!("clicks/dt={}/bad.csv", DAYS[2]));
    write_file(&bad, b"customer_id,item_id,click_time\n7,,2026-01-03T08:00:00Z\n");
    let ran = run(&bench, None, &backfill);
    assert_eq!(ran.code, 1);
    assert_one_sentence(&ran, &["bad.csv"]);
    let status = json(&bench, None, "shards status --store place");
    assert_eq!((&status["version"], status["batches"].as_array().unwrap().len()), (&3.into(), 2));
    assert!(!bench.path("other").exists(), "rows come when all batches are there");
    std::fs::remove_file(bad).unwrap();
    let rest = json(&bench, None, &backfill);
    assert_eq!((&rest["version"], &rest["held"]), (&5.into(), &2.into()));
    assert_eq!(dumps(&bench, None, "place", 5), dumps(&whole, None, "place", 5));
    let (one, other) = (bench.path("other"), whole.path("other"));
    let diff = bench.run(&format!("diff {} {}", one.display(), other.display()));
    assert_eq!(diff.code, 0, "{}{}", diff.stdout, diff.stderr);
}

#[test]
fn what_a_backfill_of_one_store_refuses_is_refused_before_anything_changes() {
    let bench = both(None, "place", &mut Random::new(83));
    let range = |from: &str, to: &str| format!("--input input --from {from} --to {to}");
    for (days, words) in [
        (range(DAYS[1], DAYS[0]), "is before --from"),
        (range("2025-12-30", DAYS[1]), "there is no action file in input for 2025-12-30, 2025-12-31"),
        (range(DAYS[0], DAYS[3]) + " --out other --max-history 13", "more than the store keeps"),
        (range(DAYS[0], DAYS[3]) + " --out place/rows", "overlap"),
        (range("2039-01-01", "2039-01-01") + " --allow-empty", "2039-01-01"),
    ] {
        let ran = run(&bench, None, &format!("shards backfill --store place {days}"));
        assert_ne!(ran.code, 0, "{days}");
        assert!(ran.said().contains(words), "{days}: {}", ran.stderr);
        let of_one = run(&bench, None, &format!("backfill --store store {}", days.replace("place/rows", "store/rows")));
        assert_eq!(of_one.code, ran.code, "{days}: {}", of_one.stderr);
    }
    assert_eq!(json(&bench, None, "shards status --store place")["version"], 1);
    let ran = run(&bench, None, &format!("shards backfill --store none {}", range(DAYS[0], DAYS[1])));
    assert_one_sentence(&ran, &["there is no sharded store at none", "lookback shards"]);
    let empty =
        json(&bench, None, &format!("shards backfill --store place --allow-empty {}", range("2025-12-31", DAYS[0])));
    assert_eq!(empty["to_ingest"], serde_json::json!([["2025-12-31", "empty"], [DAYS[0], "new"]]));
}
