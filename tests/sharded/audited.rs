//! Rows of a sharded store are proved from the raw files, as those of one store are.

use serde_json::Value;

use lookback::audit::AuditOptions;
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::shards::audit;
use lookback::store::ShardedStore;

use super::{DAYS, deliver, json, run, show};
use crate::audit::rows_of;
use crate::support::input::{PLAIN, write_batch};
use crate::support::places::{Endpoint, S3Server};
use crate::support::program::{Bench, assert_one_sentence};
use crate::support::random::Random;
use crate::support::tamper::{seal, write_rows};

/// The day whose rows are audited: the last, of which the batch is missing.
const DT: &str = DAYS[3];

const AUDIT: &str = "shards audit --input input --out other --dt 2026-01-04";

/// An ordinary store and a sharded one with the same batches, one of them corrected and some customers forgotten.
fn both(at: Option<&dyn Endpoint>, store: &str, shards: u32, seed: u64) -> Bench {
    let (bench, mut random) = (Bench::new(), Random::new(seed));
    bench.ok("init --store store --max-history 12");
    json(&bench, at, &format!("shards init --store {store} --shards {shards} --max-history 12"));
    let mut ingest = |day: &str| {
        deliver(&bench, day, &mut random);
        bench.ok(&format!("ingest --store store --input input --dt {day}"));
        json(&bench, at, &format!("shards ingest --store {store} --input input --dt {day}"));
    };
    DAYS[..3].iter().for_each(|day| ingest(day));
    ingest(DAYS[1]);
    show(&bench, DT, &mut random);
    for (command, store) in [("forget", "store"), ("shards forget", store)] {
        json(&bench, at, &format!("{command} --store {store} --customer 3 4 5 6 7 8 9"));
    }
    bench
}

/// The options of rows: each order, with what stands in the files of each shard.
const ROWS: [&str; 4] = [
    "",
    "--order shuffled --seed 5 --part-rows 50 --row-group-rows 50 --with action_times",
    "--order carousel --seed 6 --lookback-days 2",
    "--max-history 3 --with dt,history_length,action_ages --known-as-of 2026-01-02",
];

fn rows_are_proved(at: Option<&dyn Endpoint>, place: &str) {
    for shards in [1, 4] {
        let store = format!("{place}-{shards}");
        let bench = both(at, &store, shards, 50 + u64::from(shards));
        let input = format!("--input input --dt {DT}");
        for options in ROWS {
            bench.ok(&format!("produce --store store --out one {input} {options}"));
            json(&bench, at, &format!("shards produce --store {store} --out other {input} {options}"));
            for chosen in ["", "--sample 7 --seed 3"] {
                let of_shards = json(&bench, at, &format!("{AUDIT} --store {store} {chosen}"));
                let of_store = json(&bench, None, &format!("audit --store store --out one {input} {chosen}"));
                for (name, value) in of_store.as_object().unwrap() {
                    if name != "timing" {
                        assert_eq!(of_shards[name], *value, "{name} of {shards} shards, {options} {chosen}");
                    }
                }
                assert_eq!((&of_shards["shards"], &of_shards["uploaded_files"]), (&shards.into(), &0.into()));
            }
            json(&bench, at, &format!("shards export --store {store} --to whole"));
            let by_export = json(&bench, None, &format!("audit --store whole --out other {input}"));
            assert_eq!(by_export["audited_rows"], by_export["rows"], "{options}");
            std::fs::remove_dir_all(bench.path("whole")).unwrap();
        }
        // The rows say of how many shards they are, whatever has become of these.
        json(&bench, at, &format!("shards split --store {store}"));
        let after = json(&bench, at, &format!("{AUDIT} --store {store}"));
        assert_eq!((&after["audited_rows"], &after["shards"]), (&after["rows"], &(shards * 2).into()));
    }
}

#[test]
fn rows_of_shards_are_proved_from_a_folder() {
    rows_are_proved(None, "place");
}

#[test]
fn rows_of_shards_are_proved_from_a_url() {
    let server = S3Server::start();
    rows_are_proved(Some(&server), "s3://bucket/deep/store");
}

#[test]
fn with_little_memory_the_files_are_read_more_often_and_the_same_is_found() {
    for options in ROWS {
        let bench = both(None, "place", 4, 61);
        json(&bench, None, &format!("shards produce --store place --out other --input input --dt {DT} {options}"));
        let store = ShardedStore::connect(&bench.path("place"), None, &Resources::default()).unwrap();
        let pinned = store.pin(None).unwrap();
        let with = |budget_bytes| -> Value {
            let options = AuditOptions::new(bench.input(), bench.path("other"), DT.parse::<Day>().unwrap());
            let options = options.resources(Resources::default().with_sort_bytes(budget_bytes));
            serde_json::to_value(audit(&store, &pinned, &options, &Silent).unwrap()).unwrap()
        };
        let mut whole = with(usize::MAX);
        assert_eq!(whole["passes"].take(), 1);
        for budget_bytes in [9_000, 1] {
            let mut found = with(budget_bytes);
            let passes = found["passes"].take().as_u64().unwrap();
            assert!(passes > 1, "{options}: {budget_bytes} bytes, {passes} passes");
            for traffic in ["fetched_files", "fetched_bytes"] {
                found[traffic] = whole[traffic].clone();
            }
            assert_eq!(found, whole, "{options}: {budget_bytes} bytes");
        }
    }
}

#[test]
fn what_does_not_follow_from_the_raw_files_is_named() {
    let bench = both(None, "place", 4, 71);
    json(&bench, None, &format!("shards produce --store place --out other --input input --dt {DT}"));
    let part = |number: usize| bench.path(&format!("other/dt={DT}/part-0000{number}.parquet"));
    let audit = format!("{AUDIT} --store place");
    let refused = |words: &[&str]| {
        let ran = run(&bench, None, &audit);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_one_sentence(&ran, words);
    };
    let parts: Vec<Vec<u8>> = (0..4).map(|number| std::fs::read(part(number)).unwrap()).collect();
    let restore = || {
        (0..4).for_each(|number| std::fs::write(part(number), &parts[number]).unwrap());
        seal(&bench.path(&format!("other/dt={DT}")));
    };
    // One cell of the last shard.
    let mut rows = rows_of(&part(3));
    let place = rows.iter().position(|row| row.actions[0] != 0).unwrap();
    rows[place].actions[0] += 1;
    write_rows(&part(3), &rows, |_, value| value);
    seal(&bench.path(&format!("other/dt={DT}")));
    refused(&["part-00003.parquet", "actions"]);
    restore();
    // The rows of two shards in the place of each other: all are there, and none stands where it should.
    for (number, other) in [(0, 1), (1, 0)] {
        std::fs::write(part(number), &parts[other]).unwrap();
    }
    seal(&bench.path(&format!("other/dt={DT}")));
    refused(&["part-00000.parquet", "customer_id"]);
    restore();
    json(&bench, None, &audit);
    // Another file of a batch, and then the batch itself.
    write_batch(&bench.input(), DAYS[0], &[], PLAIN);
    refused(&["the raw file", "has been removed since the batch of 2026-01-01 was ingested"]);
    json(&bench, None, "shards ingest --store place --input input --dt 2026-01-01 --allow-empty");
    refused(&["rest on a batch of 2026-01-01 that the store has since replaced or removed", "lookback stale"]);
    // The version before still has it, but the raw file is gone.
    let ran = run(&bench, None, &format!("{audit} --number 6"));
    assert!(ran.said().contains("the raw file"), "{}", ran.stderr);
}
