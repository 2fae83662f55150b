//! Partitions rewritten without the rows of customers who have been forgotten: `forget --out OUT --scrub`.

use std::fs;

use serde_json::json;

use crate::support::input::{PLAIN, RawAction, RawImpression, write_batch, write_impressions};
use crate::support::output::{Row, metadata, read_partition, tree};
use crate::support::program::{Bench, assert_one_sentence, write_file};
use crate::support::random::{Random, seed};

/// 2026-01-01 as days since 1970-01-01.
const FIRST_DAY: i64 = 20_454;
const CUSTOMERS: u64 = 40;
const GOING: [i64; 3] = [0, 7, 39];
/// The days of the partitions, with the options of each.
const PARTITIONS: [(i64, &str); 6] = [
    (4, "--row-group-rows 25 --part-rows 90"),
    (5, "--max-history 7 --compression snappy --row-group-rows 1"),
    (6, "--lookback-days 2 --compression none --part-rows 40 --row-group-rows 40"),
    (7, "--known-as-of 2026-01-04 --compression lz4"),
    (8, "--with history_length,action_ages,action_times --order shuffled --seed 3 --row-group-rows 30"),
    (9, "--with action_ages --item-type int32 --type-type uint8 --order carousel --allow-gaps --row-group-rows 30"),
];

fn date(day: i64) -> String {
    (chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(FIRST_DAY + day - 1).unwrap())).to_string()
}

fn ingest(bench: &Bench, day: i64, random: &mut Random) {
    let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
    let actions = (0..300).map(|_| RawAction {
        customer: number(CUSTOMERS - 5) + number(6),
        item: 1 + number(60),
        time_us: ((FIRST_DAY + day - 1 - number(5) / 4) * 86_400 + number(86_400)) * 1_000_000,
        kind: 1 + u8::try_from(number(3)).unwrap(),
    });
    write_batch(&bench.input(), &date(day), &actions.collect::<Vec<_>>(), PLAIN);
    bench.ingest(&date(day));
}

/// Batches of a week and a partition of each of its last days, in settings of its own; the store keeps 20 actions.
fn filled(seed: u64) -> Bench {
    let bench = Bench::new();
    let mut random = Random::new(seed);
    bench.ok("init --store store --max-history 20");
    for day in 1..=7 {
        ingest(&bench, day, &mut random);
    }
    for (day, options) in PARTITIONS {
        let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
        let shown = (0..100).map(|_| RawImpression {
            ranking_id: [None, Some("r1".to_owned()), Some("r2".to_owned())][usize::try_from(number(3)).unwrap()]
                .clone(),
            customer: number(CUSTOMERS),
            elements: (0..1 + number(4))
                .map(|_| (1 + number(9), [None, Some(true), Some(false)][number(3) as usize]))
                .collect(),
        });
        write_impressions(&bench.input(), &date(day), &shown.collect::<Vec<_>>(), PLAIN);
        produce(&bench, day, options, "out");
    }
    bench
}

fn produce(bench: &Bench, day: i64, options: &str, out: &str) {
    bench.ok(&format!("produce --store store --input input --dt {} --out {out} {options}", date(day)));
}

fn forget(options: &str) -> String {
    format!("forget --store store --customer {} {options}", GOING.map(|customer| customer.to_string()).join(" "))
}

fn rows_of_others(bench: &Bench, day: i64) -> Vec<Row> {
    let rows = read_partition(&bench.out(), &date(day));
    rows.into_iter().filter(|row| !GOING.contains(&row.customer_id)).collect()
}

#[test]
fn a_scrubbed_partition_is_the_one_that_would_be_produced_anew() {
    let seed = seed(91);
    let bench = filled(seed);
    let before: Vec<Vec<Row>> = PARTITIONS.map(|(day, _)| read_partition(&bench.out(), &date(day))).into();
    let expected: Vec<Vec<Row>> = PARTITIONS.map(|(day, _)| rows_of_others(&bench, day)).into();
    // The impressions need not be there any more.
    fs::rename(bench.input(), bench.path("aside")).unwrap();
    let receipt = bench.json(&forget("--out out --scrub"));
    let scrubbed: Vec<_> = (0..PARTITIONS.len())
        .map(|number| {
            let (before, after) = (before[number].len(), expected[number].len());
            assert!(after < before && after > 50, "seed {seed}");
            json!({"path": format!("out/dt={}", date(PARTITIONS[number].0)), "rows_before": before, "rows_after": after})
        })
        .collect();
    assert_eq!((&receipt["scrubbed"], &receipt["partitions"]), (&json!(scrubbed), &json!([])), "seed {seed}");
    for ((day, _), expected) in PARTITIONS.into_iter().zip(expected) {
        assert_eq!(read_partition(&bench.out(), &date(day)), expected, "seed {seed}");
    }

    fs::rename(bench.path("aside"), bench.input()).unwrap();
    for (day, options) in PARTITIONS {
        produce(&bench, day, options, "anew");
        bench.ok(&format!("audit --store store --input input --out out --dt {}", date(day)));
        bench.ok(&format!("manifest --out out --dt {} --check", date(day)));
    }
    let (scrubbed, anew) = (tree(&bench.out()), tree(&bench.path("anew")));
    assert_eq!(scrubbed.keys().collect::<Vec<_>>(), anew.keys().collect::<Vec<_>>(), "seed {seed}");
    for (name, bytes) in &scrubbed {
        assert!(*bytes == anew[name], "seed {seed}: {name} is another than produce writes");
    }

    // Nobody is left to scrub; and nothing is written for it.
    let again = bench.ok(&forget("--out out --scrub"));
    assert!(again.stderr.contains("no partition has their rows"), "{}", again.stderr);
    assert!(tree(&bench.out()) == scrubbed);
}

#[test]
fn a_stale_partition_keeps_the_histories_that_it_had() {
    let seed = seed(92);
    let bench = filled(seed);
    let mut random = Random::new(seed + 1);
    for day in [2, 3, 6] {
        ingest(&bench, day, &mut random);
    }
    bench.ok("prune --store store --keep-days 4 --allow-large-removal");
    let stale = bench.json("stale --store store --out out");
    let expected: Vec<Vec<Row>> = PARTITIONS.map(|(day, _)| rows_of_others(&bench, day)).into();
    bench.ok(&forget("--out out --scrub"));
    for ((day, _), expected) in PARTITIONS.into_iter().zip(expected) {
        assert_eq!(read_partition(&bench.out(), &date(day)), expected, "seed {seed}");
        bench.ok(&format!("manifest --out out --dt {} --check", date(day)));
        for (name, _) in
            tree(&bench.out().join(format!("dt={}", date(day)))).iter().filter(|(name, _)| name.starts_with("part-"))
        {
            let said = metadata(&bench.out().join(format!("dt={}", date(day))).join(name));
            assert!(said["newest_action"] < said["cut_off"], "seed {seed}: {said:?}");
        }
    }
    assert_eq!(bench.json("stale --store store --out out"), stale, "they are as stale as before");
}

#[test]
fn a_partition_that_cannot_be_rewritten_is_named_and_the_others_are_rewritten() {
    let bench = filled(seed(93));
    let damaged = bench.out().join(format!("dt={}/part-00000.parquet", date(5)));
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[100] ^= 1;
    write_file(&damaged, &bytes);
    let before = tree(&bench.out());

    assert_one_sentence(&bench.run(&forget("--out elsewhere --scrub")), &["elsewhere"]);
    assert_eq!(
        bench.json("status --store store")["forgotten"],
        0,
        "a mistyped folder is noticed before anything is done"
    );
    assert_eq!(bench.run(&forget("--scrub")).code, 2, "without a folder there is nothing to rewrite");

    let ran = bench.run(&forget("--out out --scrub --json"));
    assert_eq!(ran.code, 1);
    let receipt: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(receipt["partitions"], json!([format!("out/dt={}", date(5))]));
    assert_eq!(receipt["scrubbed"].as_array().unwrap().len(), PARTITIONS.len() - 1);
    let error = ran.stderr.lines().last().unwrap();
    assert!(error.starts_with("error: ") && error.contains(&date(5)) && error.contains("produce"), "{}", ran.stderr);
    assert!(ran.stderr.contains("has changed since it was written"), "{}", ran.stderr);
    let after = tree(&bench.out());
    for (name, bytes) in before {
        let is_damaged = name.starts_with(&format!("dt={}", date(5)));
        assert_eq!(after.get(&name) == Some(&bytes), is_damaged || bytes.is_empty(), "{name}");
    }
    produce(&bench, 5, PARTITIONS[1].1, "out");
    assert_eq!(bench.json(&forget("--out out --scrub"))["partitions"], json!([]));
}

#[test]
fn a_partition_of_forgotten_customers_alone_is_left_without_rows() {
    let bench = filled(seed(94));
    let shown = RawImpression { ranking_id: None, customer: GOING[1], elements: vec![(3, Some(true))] };
    fs::remove_dir_all(bench.input().join(format!("impressions/dt={}", date(4)))).unwrap();
    write_impressions(&bench.input(), &date(4), &[shown], PLAIN);
    produce(&bench, 4, "", "small");
    bench.ok(&forget("--out small --scrub"));
    assert_eq!(read_partition(&bench.path("small"), &date(4)), []);
    produce(&bench, 4, "", "anew");
    assert!(tree(&bench.path("small")) == tree(&bench.path("anew")));
}

#[test]
fn what_a_killed_run_left_beside_a_partition_goes_too() {
    let bench = filled(seed(95));
    bench.ok(&forget("--out out --scrub"));
    let left = bench.out().join(format!(".dt={}.staging-1/parts/part-00000.parquet", date(4)));
    write_file(&left, b"rows of them");
    bench.ok(&forget("--out out --scrub"));
    assert!(!left.exists());
}
