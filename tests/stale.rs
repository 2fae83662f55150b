//! Which partitions are stale, and that `backfill --stale` produces these again and none else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, Spread, us, write_batch, write_impressions};
use crate::support::output::{Entries, Row, dump, read_partition, tree};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};

const STALE: &str = "stale --store store --out out";
const RANGE: &str = "backfill --store store --input input --from 2026-01-01 --to 2026-01-09 --out out";

fn day(number: u64) -> String {
    format!("2026-01-0{number}")
}

fn click(item: i64, time: &str) -> RawAction {
    RawAction { customer: 1, item, time_us: us(time), kind: 1 }
}

/// A click of its own day at 10:00, and others.
fn batch(bench: &Bench, number: u64, more: &[RawAction]) {
    let own = click(i64::try_from(number).unwrap(), &format!("{}T10:00:00Z", day(number)));
    write_batch(&bench.input(), &day(number), &[&[own], more].concat(), PLAIN);
}

/// Batches of 1 to 4 January, and partitions of the 3rd, 4th and 5th, as the nightly job would have made them.
fn nights() -> Bench {
    let bench = Bench::new();
    for number in 1..=4 {
        batch(&bench, number, &[]);
        bench.ingest(&day(number));
        if number >= 2 {
            let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(9, None)] };
            write_impressions(&bench.input(), &day(number + 1), &[shown], PLAIN);
            bench.produce(&day(number + 1));
        }
    }
    bench
}

/// What is listed: of each day its text.
fn listed(bench: &Bench, options: &str) -> Vec<(String, String)> {
    let text = bench.ok(&format!("{STALE} {options}")).stdout;
    let split = |line: &str| line.split_once("  ").map(|(dt, text)| (dt.to_owned(), text.to_owned())).unwrap();
    text.lines().map(split).collect()
}

fn pairs(expected: &[(u64, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(number, text)| (day(*number), (*text).to_owned())).collect()
}

#[test]
fn late_replaced_and_removed_batches_make_stale_what_they_may_touch() {
    let bench = nights();
    // The batches of the 3rd and 4th came after the rows of the 3rd, with nothing for days before it.
    assert_eq!(listed(&bench, ""), []);
    assert!(bench.ok(STALE).stderr.contains("of 3 partitions in out none is stale"));

    batch(&bench, 5, &[click(55, "2026-01-03T12:00:00Z")]);
    bench.ingest(&day(5));
    assert_eq!(
        listed(&bench, ""),
        pairs(&[(4, "added 2026-01-05"), (5, "added 2026-01-05")]),
        "a late action of the 3rd"
    );
    assert_eq!(listed(&bench, "--as-daily"), [], "on the morning of these days nobody knew");
    assert_eq!(listed(&bench, "--known-as-of 2026-01-04"), []);
    assert_eq!(listed(&bench, "--known-as-of 2026-01-05").len(), 2);

    batch(&bench, 2, &[click(22, "2026-01-02T11:00:00Z")]);
    bench.ingest(&day(2));
    let both = "replaced 2026-01-02; added 2026-01-05";
    assert_eq!(listed(&bench, ""), pairs(&[(3, "replaced 2026-01-02"), (4, both), (5, both)]));
    let daily = listed(&bench, "--as-daily");
    assert_eq!(daily, pairs(&[(3, "replaced 2026-01-02"), (4, "replaced 2026-01-02"), (5, "replaced 2026-01-02")]));

    // A store without the 3rd: the rows of the 4th and 5th rest on a batch that is no longer there.
    for number in [1, 2, 4] {
        bench.ok(&format!("ingest --create --store other --input input --dt {}", day(number)));
    }
    let other: Value = bench.json("stale --store other --out out --as-daily");
    assert_eq!((&other["partitions"], &other["stale"], &other["without_manifest"]), (&json!(3), &json!(3), &json!(0)));
    let expected = json!({
        "dt": "2026-01-05", "added": [], "replaced": ["2026-01-02"], "removed": ["2026-01-03"], "unreadable": null,
        "zone_rules": false, "duplicates": false, "beyond_horizon": null,
    });
    assert_eq!(other["listed"][2], expected);
}

#[test]
fn what_lies_before_the_lookback_days_does_not_count() {
    let bench = nights();
    bench.ok(&format!("produce --store store --input input --dt {} --out out --lookback-days 2", day(5)));
    batch(&bench, 6, &[click(66, "2026-01-02T23:59:59Z")]);
    bench.ingest(&day(6));
    assert_eq!(listed(&bench, ""), pairs(&[(3, "added 2026-01-06"), (4, "added 2026-01-06")]));
    batch(&bench, 7, &[click(77, "2026-01-03T00:00:00Z")]);
    bench.ingest(&day(7));
    assert_eq!(listed(&bench, "")[2], (day(5), "added 2026-01-07".to_owned()), "the first day that still counts");
}

#[test]
fn partitions_without_a_manifest_are_listed_and_left() {
    let bench = nights();
    fs::remove_file(bench.out().join("dt=2026-01-04/_manifest.parquet")).unwrap();
    write_file(&bench.out().join("dt=2026-01-06/_manifest.parquet"), b"none");
    write_file(&bench.out().join("dt=no-day/part-00000.parquet"), b"none");
    let lines = listed(&bench, "");
    assert_eq!(lines.iter().map(|(dt, _)| dt.as_str()).collect::<Vec<_>>(), ["2026-01-04", "2026-01-06"]);
    assert!(lines[0].1.contains("it is missing") && lines[1].1.contains("cannot be read as Parquet"), "{lines:?}");
    let summary = bench.json(STALE);
    assert_eq!(
        (&summary["partitions"], &summary["stale"], &summary["without_manifest"]),
        (&json!(4), &json!(0), &json!(2))
    );

    let ran = bench.run(&format!("{STALE} --exit-code"));
    assert_eq!((ran.code, ran.stdout.lines().count()), (3, 2));
    let said =
        "error: not all partitions are current: of 4 partitions in out none is stale, and 2 have no usable manifest";
    assert!(ran.said().starts_with(said), "{}", ran.stderr);
    let before = tree(&bench.out());
    let ran = bench.ok(&format!("{RANGE} --stale --allow-empty --json"));
    assert_eq!(ran.stderr.matches("note: cannot determine whether 2026-01-0").count(), 2, "{}", ran.stderr);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&summary["to_produce"], &summary["without_manifest"]),
        (&json!([]), &json!(["2026-01-04", "2026-01-06"]))
    );
    assert_eq!(tree(&bench.out()), before);
    bench.ok("produce --store store --input input --dt 2026-01-04 --out out");
    fs::remove_dir_all(bench.out().join("dt=2026-01-06")).unwrap();
    let ran = bench.ok(&format!("{STALE} --exit-code"));
    assert!(ran.stdout.is_empty() && ran.stderr.contains("none is stale"), "{}", ran.stderr);

    bench.refused("stale --store nowhere --out out", &["no store at nowhere"]);
    bench.refused("stale --store store --out nowhere", &["nowhere"]);
    bench.ok("init --store tokyo --timezone Asia/Tokyo");
    let words = ["2026-01-03 is from a store in UTC", "Asia/Tokyo", "--store"];
    bench.refused("stale --store tokyo --out out", &words);
    let of_tokyo = RANGE.replace("--store store", "--store tokyo");
    bench.refused(&format!("{of_tokyo} --stale --allow-empty"), &words);
    assert_eq!(bench.json("status --store tokyo")["batches"], 0, "nothing was ingested before it");
}

/// By file, so that one that was written anew with the same bytes is told from one that was left.
fn inodes(bench: &Bench) -> BTreeMap<String, u64> {
    let inode = |name: &String| fs::metadata(bench.out().join(name)).unwrap().ino();
    tree(&bench.out()).keys().map(|name| (name.clone(), inode(name))).collect()
}

#[test]
fn stale_partitions_are_produced_again_with_their_own_settings() {
    let bench = nights();
    let own = "--max-history 4 --lookback-days 3 --compression snappy --row-group-rows 7 --part-rows 8";
    bench.ok(&format!("produce --store store --input input --dt {} --out out {own}", day(5)));
    batch(&bench, 5, &[click(55, "2026-01-03T12:00:00Z")]);
    write_impressions(&bench.input(), &day(6), &[], PLAIN);
    let before = inodes(&bench);
    let backfill = RANGE.replace("2026-01-09", "2026-01-06");

    // What was asked for is not what is there: nothing is done, not even the new day taken.
    let other = [
        ("--max-history 5", "2026-01-03 was produced with --max-history 1000"),
        ("--lookback-days 3", "2026-01-03 was produced with no --lookback-days"),
        ("--compression none", "2026-01-03 was produced with --compression zstd"),
        ("--part-rows 8", "2026-01-03 was produced with --part-rows 1000000"),
    ];
    for (option, words) in other {
        bench.refused(&format!("{backfill} --stale {option}"), &[option, words, "without --stale"]);
    }
    assert_eq!(bench.json("status --store store")["newest_batch"], "2026-01-04");

    let summary = bench.json(&format!("{backfill} --stale"));
    assert_eq!(summary["to_ingest"], json!([["2026-01-05", "new"]]));
    assert_eq!(summary["to_produce"], json!(["2026-01-04", "2026-01-05"]), "not the 6th, which has no partition");
    let after = inodes(&bench);
    for (name, inode) in &after {
        let produced = name.contains("dt=2026-01-04") || name.contains("dt=2026-01-05");
        assert_eq!(before[name] != *inode, produced, "{name}");
    }
    assert_eq!(after.len(), before.len());
    let again = bench.path("again");
    for (number, options) in [(4, ""), (5, own)] {
        bench.ok(&format!("produce --store store --input input --dt {} --out again {options}", day(number)));
        let folder = format!("dt={}", day(number));
        assert_eq!(tree(&bench.out().join(&folder)), tree(&again.join(&folder)));
    }
    assert_eq!(listed(&bench, ""), []);
    let ran = bench.ok(&format!("{} --stale --max-history 1000", RANGE.replace("01-09", "01-04")));
    assert!(ran.stderr.contains("no partition of the range is stale"), "{}", ran.stderr);
    assert_eq!(inodes(&bench), after);
    let wrong = [format!("{backfill} --stale --dry-run"), format!("{backfill} --stale").replace(" --out out", "")];
    for arguments in wrong {
        assert_eq!(bench.run(&arguments).code, 2, "{arguments}");
    }
}

/// What of a refused command would be left behind.
fn left_behind(bench: &Bench) -> (Entries, BTreeMap<String, Vec<u8>>, Value) {
    (dump(&bench.store()), tree(&bench.out()), bench.json("status --store store"))
}

#[test]
fn what_a_pruned_store_cannot_make_again_is_refused_before_anything_is_ingested() {
    let bench = nights();
    bench.ok("prune --store store --keep-days 1 --allow-large-removal");
    let backfill = format!("{} --stale", RANGE.replace("2026-01-09", "2026-01-06"));
    write_impressions(&bench.input(), &day(6), &[], PLAIN);
    batch(&bench, 5, &[]);
    fs::rename(bench.input(), bench.path("later")).unwrap();
    // Only the third is before what a batch can touch; none is stale, and nothing is to be ingested.
    bench.ok("ingest --store store --input later --dt 2026-01-05");
    assert_eq!(listed(&bench, ""), []);
    fs::rename(bench.path("later"), bench.input()).unwrap();
    let none = bench.ok(&backfill);
    assert!(none.stderr.contains("no partition of the range is stale"), "{}", none.stderr);

    let refused = |days: &str, how: &str| {
        let before = left_behind(&bench);
        let words = [
            &format!(
                "the rows of {days} reach back beyond 2026-01-03, before which the store has been pruned, and {how}"
            ),
            "leave these days out of the range",
            "--allow-pruned",
        ];
        bench.refused(&backfill, &words);
        assert!(left_behind(&bench) == before, "{days} {how}");
    };
    write_impressions(&bench.input(), &day(7), &[], PLAIN);
    batch(&bench, 6, &[click(66, "2026-01-03T12:00:00Z")]);
    refused("2026-01-04, 2026-01-05", "may become stale by the batches to ingest");
    let narrow = backfill.replace("--from 2026-01-01", "--from 2026-01-06");
    assert_eq!(bench.json(&narrow)["to_ingest"], json!([["2026-01-06", "new"]]));
    let beyond = "added 2026-01-06; the rows reach back beyond 2026-01-03, before which the store has been pruned";
    assert_eq!(listed(&bench, ""), pairs(&[(4, beyond), (5, beyond)]));
    assert_eq!(bench.json(STALE)["listed"][0]["beyond_horizon"], "2026-01-03");
    refused("2026-01-04, 2026-01-05", "are stale");
    assert_eq!(bench.json(&format!("{backfill} --as-daily"))["to_produce"], json!([]), "nobody knew of it then");

    // A batch that all rest on: also those of the horizon's day, and with it those that are stale come first.
    batch(&bench, 2, &[click(22, "2026-01-02T11:00:00Z")]);
    refused("2026-01-04, 2026-01-05", "are stale");
    let summary = bench.json(&format!("{backfill} --allow-pruned"));
    assert_eq!(summary["to_produce"], json!(["2026-01-03", "2026-01-04", "2026-01-05"]));
    batch(&bench, 2, &[]);
    refused("2026-01-03..2026-01-05", "may become stale by the batches to ingest");
    bench.ok(&format!("produce --store store --input input --dt {} --out out --lookback-days 2", day(5)));
    refused("2026-01-03, 2026-01-04", "may become stale by the batches to ingest");
    let narrow =
        backfill.replace("--from 2026-01-01", "--from 2026-01-05").replace("--to 2026-01-06", "--to 2026-01-05");
    batch(&bench, 5, &[click(55, "2026-01-04T12:00:00Z")]);
    let summary = bench.json(&narrow);
    assert_eq!(
        (&summary["to_ingest"], &summary["to_produce"]),
        (&json!([["2026-01-05", "changed"]]), &json!(["2026-01-05"]))
    );
}

/// A batch as it lies in the input: its actions and the bytes of its files.
type Brought = (Vec<RawAction>, BTreeMap<String, Vec<u8>>);

/// Puts a batch by chance in the place of what was there: one to three clicks, of the day, of days before, of the day
/// after.
fn bring(bench: &Bench, random: &mut Random, number: u64) -> Brought {
    let actions: Vec<RawAction> = (0..1 + random.below(3))
        .map(|_| {
            let of_day = number.saturating_sub(random.below(2) * random.below(4)).max(1) + random.below(8) / 7;
            let hour = i64::try_from((20_453 + of_day) * 24 + random.below(24)).unwrap();
            let customer = i64::try_from(random.below(5)).unwrap();
            RawAction { customer, item: 1 + hour, time_us: hour * 3_600_000_000, kind: 1 }
        })
        .collect();
    write_batch(&bench.input(), &day(number), &actions, Spread { files: 2, seed: random.next() });
    (actions, tree(&bench.input().join(format!("clicks/dt={}", day(number)))))
}

/// The rows of the first six days.
fn rows(bench: &Bench, out: &str) -> BTreeMap<String, Vec<Row>> {
    (1..=6).map(day).map(|dt| (dt.clone(), read_partition(&bench.path(out), &dt))).collect()
}

/// Late and early actions, corrections and new batches, by chance. What is listed is what the raw data says; the rows
/// of what is not listed are those that it would have; and after `backfill --stale` nothing is listed, and all are.
#[test]
fn by_chance_the_listed_are_those_that_the_raw_data_names() {
    let seed = seed(31);
    let mut random = Random::new(seed);
    let customers = 0..4;
    let shown = customers.map(|customer| RawImpression { ranking_id: None, customer, elements: vec![(9, None)] });
    let shown: Vec<RawImpression> = shown.collect();
    let (mut listed_in_all, mut left_in_all) = (0, 0);
    for case in 0..10 {
        let place = format!("seed {seed}, case {case}");
        let bench = Bench::new();
        let mut held: BTreeMap<u64, Brought> =
            (1..=6).map(|number| (number, bring(&bench, &mut random, number))).collect();
        for number in 1..=6 {
            write_impressions(&bench.input(), &day(number), &shown, PLAIN);
        }
        let lookback = (case % 2 == 1).then_some(2_u64);
        let options = lookback.map_or(String::new(), |days| format!("--lookback-days {days}"));
        let range = format!("{} --allow-empty", RANGE.replace("01-09", "01-06"));
        bench.ok(&format!("{range} {options}"));
        let rested_on = held.clone();
        for _ in 0..2 {
            // A replaced batch counts for every partition; what new ones touch is seen where none is replaced.
            let from = if case % 3 == 0 { 0 } else { 3 };
            let number = [3, 5, 6, 7, 8][from + usize::try_from(random.below(5 - from as u64)).unwrap()];
            held.insert(number, bring(&bench, &mut random, number));
        }
        assert_eq!(listed(&bench, ""), [], "{place}: not ingested yet");
        let all = RANGE.replace("01-09", "01-08").replace(" --out out", "");
        bench.ok(&format!("{all} --allow-empty"));

        let mut expected = Vec::new();
        for dt in 1..=6_u64 {
            let start = |number: u64| i64::try_from(20_453 + number).unwrap() * 86_400_000_000;
            let oldest = lookback.map_or(i64::MIN, |days| start(dt.saturating_sub(days)));
            let reached = |action: &RawAction| (oldest..start(dt)).contains(&action.time_us);
            let days = |wanted: &dyn Fn(Option<&Brought>, &Brought) -> bool| -> Vec<String> {
                let found = held.iter().filter(|(number, brought)| wanted(rested_on.get(number), brought));
                found.map(|(number, _)| day(*number)).collect()
            };
            let replaced = days(&|before, brought| before.is_some_and(|before| before.1 != brought.1));
            let added = days(&|before, brought| before.is_none() && brought.0.iter().any(reached));
            if !(replaced.is_empty() && added.is_empty()) {
                let removed: [&str; 0] = [];
                let one = json!({
                    "dt": day(dt), "added": added, "replaced": replaced, "removed": removed, "unreadable": null,
                    "zone_rules": false, "duplicates": false, "beyond_horizon": null,
                });
                expected.push(one);
            }
        }
        assert_eq!(bench.json(STALE)["listed"], json!(expected), "{place}");

        let whole = range.replace("--out out", "--out whole");
        bench.ok(&format!("{whole} {options}"));
        let (old, new) = (rows(&bench, "out"), rows(&bench, "whole"));
        let stale: BTreeSet<&str> = expected.iter().map(|one| one["dt"].as_str().unwrap()).collect();
        for (dt, rows) in old.iter().filter(|(dt, _)| !stale.contains(dt.as_str())) {
            assert_eq!(&new[dt], rows, "{place}: {dt} is not listed");
            left_in_all += 1;
        }
        listed_in_all += stale.len();
        assert_eq!(bench.json(&format!("{range} --stale"))["to_produce"], json!(stale), "{place}");
        assert_eq!(rows(&bench, "out"), new, "{place}");
        assert_eq!(listed(&bench, ""), [], "{place}");
    }
    assert!(listed_in_all > 5 && left_in_all > 5, "{listed_in_all} listed, {left_in_all} left");
}
