//! `lookback diff`: which rows of two outputs differ, against rows compared the naive way.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{Row, read_partition};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::store::copy;

const DAY: &str = "2026-01-02";

fn click(customer: i64, item: i64) -> RawAction {
    RawAction { customer, item, time_us: us("2026-01-01T10:00:00Z") + item, kind: 1 + u8::try_from(item % 3).unwrap() }
}

/// A store of these actions, and nothing produced.
fn with(bench: &Bench, store: &str, actions: &[RawAction]) {
    write_batch(&bench.input(), "2026-01-01", actions, PLAIN);
    bench.ok(&format!("init --store {store} --max-history 5"));
    bench.ok(&format!("ingest --create --store {store} --input input --dt 2026-01-01"));
}

fn produce(bench: &Bench, store: &str, out: &str, options: &str) {
    bench.ok(&format!("produce --store {store} --input input --dt {DAY} --out {out} {options}"));
}

/// Two customers with two impressions of two items; in the second output the first has another newest action, and the
/// second another label.
fn two_outputs() -> Bench {
    let bench = Bench::new();
    let shown = |customer, order| RawImpression {
        ranking_id: Some("r".into()),
        customer,
        elements: vec![(50, Some(order)), (60, None)],
    };
    with(&bench, "store", &[click(1, 3), click(1, 4), click(2, 6)]);
    write_impressions(&bench.input(), DAY, &[shown(1, false), shown(2, false)], PLAIN);
    produce(&bench, "store", "one", "");
    with(&bench, "store2", &[click(1, 3), click(1, 7), click(2, 6)]);
    write_impressions(&bench.input(), DAY, &[shown(1, false), shown(2, true)], PLAIN);
    produce(&bench, "store2", "other", "");
    bench
}

#[test]
fn rows_that_differ_are_named_with_both_values() {
    let bench = two_outputs();
    let ran = bench.run("diff one other");
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let expected = "2026-01-02: 4 rows and 4 rows: 1 the same, 3 different (label 1, actions 2), 0 only in the first, 0 only in the second\n  \
        dt 2026-01-02 ranking_id \"r\" customer_id 1 impression_pos 0: actions place 1 is 4 and 7\n  \
        dt 2026-01-02 ranking_id \"r\" customer_id 1 impression_pos 1: actions place 1 is 4 and 7\n  \
        dt 2026-01-02 ranking_id \"r\" customer_id 2 impression_pos 0: label is 0 and 1\n";
    let said: Vec<&str> = ran.stdout.lines().take_while(|line| !line.contains(" rows and ")).collect();
    assert_eq!(said.len(), 2, "batches and impression files come first: {}", ran.stdout);
    assert_eq!(said[0], "2026-01-02: batches with the same names differ: [\"2026-01-01\"]");
    assert_eq!(said[1], "2026-01-02: impression_files with the same names differ: [\"part-0.parquet\"]");
    assert!(ran.stdout.ends_with(expected), "{}", ran.stdout);
    assert_eq!(
        ran.stderr,
        "error: the rows differ: 1 of 1 partition different; run `lookback audit` to see which rows are right\n"
    );

    let limited = bench.run("diff one other --dt 2026-01-02 --limit 1").stdout;
    assert!(
        limited.contains("customer_id 1 impression_pos 0") && limited.ends_with("… and 2 rows more\n"),
        "{limited}"
    );
    let ran = bench.run("diff one other --json");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &json["same"]), (3, &json!(false)));
    let label = json!({
        "kind": "differs", "dt": DAY, "ranking_id": "r", "customer_id": 2, "impression_pos": 0,
        "cells": [{"column": "label", "place": null, "one": 0, "other": 1}],
    });
    assert_eq!(json["partitions"][0]["differences"][2], label);
}

#[test]
fn the_same_rows_are_the_same_however_they_are_written() {
    let bench = two_outputs();
    produce(&bench, "store2", "again", "");
    let same = bench.json("diff other again");
    assert_eq!((&same["same"], &same["partitions"][0]["same"]), (&json!(true), &json!(4)));
    produce(&bench, "store2", "cut", "--row-group-rows 2 --part-rows 2 --compression snappy");
    let ran = bench.ok("diff other cut");
    let expected = "2026-01-02: compression is \"zstd\" and \"snappy\"\n2026-01-02: part_rows is 1000000 and 2\n\
                    2026-01-02: row_group_rows is 10000 and 2\n2026-01-02: the same 4 rows\n";
    assert_eq!(ran.stdout, expected);
    assert!(ran.said().starts_with("compared 1 partition: the same 4 rows"), "{}", ran.stderr);
    // Part files that have changed places: the same rows in another order, and neither needs a manifest.
    let folder = bench.path(&format!("cut/dt={DAY}"));
    fs::rename(folder.join("part-00000.parquet"), folder.join("part-00009.parquet")).unwrap();
    fs::remove_file(folder.join("_manifest.parquet")).unwrap();
    let text = bench.ok("diff other cut").stdout;
    assert!(text.starts_with("2026-01-02: manifest is \"usable\" and \"the manifest "), "{text}");
    assert!(text.ends_with("2026-01-02: the same 4 rows, in another order\n"), "{text}");
}

#[test]
fn lists_of_other_lengths_and_days_in_one_output_only() {
    let bench = two_outputs();
    produce(&bench, "store2", "short", "--max-history 1");
    let text = bench.run("diff other short --dt 2026-01-02").stdout;
    assert!(text.starts_with("2026-01-02: max_history is 5 and 1\n"), "{text}");
    assert!(
        text.contains(
            "customer_id 1 impression_pos 0: actions place 2 is 3 and nothing, action_types place 2 is 1 and nothing"
        ),
        "{text}"
    );
    copy(&bench.path(&format!("other/dt={DAY}")), &bench.path("other/dt=2026-01-07"));
    let ran = bench.run("diff other other2");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("other2") && ran.stdout.is_empty(), "{}", ran.stderr);
    let ran = bench.run("diff one other");
    assert!(ran.stderr.contains("1 of 1 partition different; only in other: 2026-01-07; "), "{}", ran.stderr);
    produce(&bench, "store2", "again", "");
    let ran = bench.run("diff other again");
    assert!(
        ran.code == 3 && ran.said().starts_with("error: the rows differ: only in other: 2026-01-07; "),
        "{}",
        ran.stderr
    );
    assert_eq!(bench.run("diff other again --dt 2026-01-02").code, 0);
    bench.refused("diff other again --dt 2026-01-07", &["no partition of 2026-01-07 in again"]);
    write_file(&bench.path("none/note"), b"");
    bench.refused("diff none again", &["have no partition in common"]);
    write_file(&bench.path(&format!("again/dt={DAY}/part-00000.parquet")), b"PAR1 no more");
    let ran = bench.run("diff other again --dt 2026-01-02");
    assert!(ran.code == 1 && ran.stderr.contains("cannot be read as Parquet"), "{}", ran.stderr);
}

/// Of more rows than are sorted in memory one is another.
#[test]
fn rows_spill_beyond_the_memory_limit() {
    let bench = Bench::new();
    with(&bench, "store", &[click(1, 3)]);
    let mut impressions: Vec<RawImpression> = (0..14_000)
        .map(|customer| RawImpression {
            ranking_id: None,
            customer,
            elements: (1..=6).map(|item| (item, None)).collect(),
        })
        .collect();
    write_impressions(&bench.input(), DAY, &impressions, PLAIN);
    produce(&bench, "store", "one", "");
    impressions[9_000].elements[5].1 = Some(true);
    write_impressions(&bench.input(), DAY, &impressions, PLAIN);
    produce(&bench, "store", "other", "");
    let ran = bench.run("diff one other --memory-limit 128MiB");
    assert!(
        ran.stdout.contains("84,000 rows and 84,000 rows: 83,999 the same, 1 different (label 1)"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("customer_id 9000 impression_pos 5: label is 0 and 1\n"), "{}", ran.stdout);
}

/// Which row it is.
type Key = (i64, Option<String>, i32);

fn key(row: &Row) -> Key {
    (row.customer_id, row.ranking_id.clone(), row.impression_pos)
}

/// Rows of each identity that have no equal in the other output.
fn left(one: &[Row], other: &[Row]) -> BTreeMap<Key, Vec<Row>> {
    let mut counterparts = other.to_vec();
    let mut left: BTreeMap<Key, Vec<Row>> = BTreeMap::new();
    for row in one {
        match counterparts.iter().position(|counterpart| counterpart == row) {
            Some(place) => drop(counterparts.swap_remove(place)),
            None => left.entry(key(row)).or_default().push(row.clone()),
        }
    }
    left
}

/// Random stores and impressions, many with the same ranking id or none; what is counted and named is what the naive
/// comparison says.
#[test]
fn what_is_named_is_what_differs() {
    let seed = seed(91);
    let mut random = Random::new(seed);
    let mut seen = [0; 3];
    for round in 0..4 {
        let bench = Bench::new();
        let mut actions: Vec<RawAction> = (0..200)
            .map(|_| click(i64::try_from(random.below(30)).unwrap(), 1 + i64::try_from(random.below(40)).unwrap()))
            .collect();
        let mut impressions: Vec<RawImpression> = (0..60)
            .map(|_| RawImpression {
                ranking_id: [None, Some("a".into()), Some("b".into())][usize::try_from(random.below(3)).unwrap()]
                    .clone(),
                customer: i64::try_from(random.below(30)).unwrap(),
                elements: (0..1 + random.below(3))
                    .map(|_| (1 + i64::try_from(random.below(3)).unwrap(), Some(random.below(2) == 0)))
                    .collect(),
            })
            .collect();
        with(&bench, "store", &actions);
        write_impressions(&bench.input(), DAY, &impressions, PLAIN);
        produce(&bench, "store", "one", "");
        for _ in 0..random.below(4) {
            let place = usize::try_from(random.below(actions.len() as u64)).unwrap();
            actions[place].item += 100;
        }
        for _ in 0..random.below(6) {
            let place = usize::try_from(random.below(impressions.len() as u64)).unwrap();
            match random.below(3) {
                0 => drop(impressions.remove(place)),
                1 => impressions.push(RawImpression { customer: 99, ..impressions[place].clone() }),
                _ => impressions[place].elements[0].0 += 1,
            }
        }
        with(&bench, "store2", &actions);
        write_impressions(&bench.input(), DAY, &impressions, PLAIN);
        produce(&bench, "store2", "other", "--row-group-rows 7 --part-rows 30");
        let (one, other) = (read_partition(&bench.path("one"), DAY), read_partition(&bench.path("other"), DAY));
        let (left_one, left_other) = (left(&one, &other), left(&other, &one));
        let (mut pairs, mut only_one, mut only_other) = (0, 0, 0);
        for key in left_one.keys().chain(left_other.keys().filter(|key| !left_one.contains_key(*key))) {
            let count = |left: &BTreeMap<Key, Vec<Row>>| left.get(key).map_or(0, Vec::len);
            let both = count(&left_one).min(count(&left_other));
            pairs += both;
            only_one += count(&left_one) - both;
            only_other += count(&left_other) - both;
        }
        let ran = bench.run("diff one other --json --limit 1000");
        let json: Value = serde_json::from_str(&ran.stdout).unwrap();
        let partition = &json["partitions"][0];
        let counts = ["rows_one", "rows_other", "same", "different", "only_in_one", "only_in_other"]
            .map(|name| partition[name].as_u64().unwrap());
        let expected = [one.len(), other.len(), one.len() - pairs - only_one, pairs, only_one, only_other];
        assert_eq!(counts, expected.map(|number| number as u64), "seed {seed} round {round}");
        assert_eq!(ran.code, if pairs + only_one + only_other > 0 { 3 } else { 0 }, "seed {seed} round {round}");
        for difference in partition["differences"].as_array().unwrap() {
            check(difference, &left_one, &left_other, &format!("seed {seed} round {round}: {difference}"));
        }
        for (total, number) in seen.iter_mut().zip([pairs, only_one, only_other]) {
            *total += number;
        }
    }
    assert!(seen.iter().all(|number| *number > 0), "{seen:?}: some kind of difference never came");
}

/// The row has no equal, and the values said are those of such rows.
fn check(difference: &Value, left_one: &BTreeMap<Key, Vec<Row>>, left_other: &BTreeMap<Key, Vec<Row>>, context: &str) {
    let key: Key = (
        difference["customer_id"].as_i64().unwrap(),
        difference["ranking_id"].as_str().map(str::to_owned),
        i32::try_from(difference["impression_pos"].as_i64().unwrap()).unwrap(),
    );
    let none = Vec::new();
    let (one, other) = (left_one.get(&key).unwrap_or(&none), left_other.get(&key).unwrap_or(&none));
    let item = |row: &Row| json!(row.impression_item_id) == difference["impression_item_id"];
    match difference["kind"].as_str().unwrap() {
        "only_in_one" => assert!(one.iter().any(item), "{context}"),
        "only_in_other" => assert!(other.iter().any(item), "{context}"),
        _ => {
            let cells = difference["cells"].as_array().unwrap();
            assert!(!cells.is_empty(), "{context}");
            let agrees = |row: &Row, side: &str| {
                cells.iter().all(|cell| {
                    let place = cell["place"].as_u64().map(|place| usize::try_from(place).unwrap() - 1);
                    let value = match cell["column"].as_str().unwrap() {
                        "impression_item_id" => json!(row.impression_item_id),
                        "label" => json!(row.label),
                        "actions" => json!(row.actions[place.unwrap()]),
                        _ => json!(row.action_types[place.unwrap()]),
                    };
                    value == cell[side]
                })
            };
            assert!(one.iter().any(|row| agrees(row, "one")), "{context}");
            assert!(other.iter().any(|row| agrees(row, "other")), "{context}");
        }
    }
}

#[test]
fn further_columns_are_compared_where_both_outputs_have_them() {
    let bench = Bench::new();
    let later = RawAction { time_us: us("2026-01-01T11:00:00Z"), ..click(1, 3) };
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(50, None), (60, None)] };
    write_impressions(&bench.input(), DAY, &[shown], PLAIN);
    with(&bench, "store", &[click(1, 3)]);
    produce(&bench, "store", "one", "--with history_length,action_times,action_ages");
    produce(&bench, "store", "plain", "");
    with(&bench, "store2", &[later]);
    produce(&bench, "store2", "other", "--with history_length,action_times");
    let ran = bench.run("diff one other --json");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let partition = &json["partitions"][0];
    assert_eq!((ran.code, &partition["different"]), (3, &json!(2)));
    let columns = json!({"impression_item_id": 0, "label": 0, "actions": 0, "action_types": 0, "history_length": 0,
        "action_ages": 0, "action_times": 2});
    assert_eq!(partition["columns"], columns);
    let times = [us("2026-01-01T10:00:00Z") + 3, us("2026-01-01T11:00:00Z")];
    let cell = json!([{"column": "action_times", "place": 1, "one": times[0], "other": times[1]}]);
    assert_eq!(partition["differences"][0]["cells"], cell);
    assert!(bench.run("diff one other").stdout.contains("(action_times 2)"));

    // A column that one of them lacks is a difference of the settings.
    let ran = bench.ok("diff one plain");
    assert!(ran.stdout.contains("2026-01-02: with is") && ran.stdout.contains("the same 2 rows"), "{}", ran.stdout);
}
