//! Backfill: the plan, what it refuses, that it carries on where it was stopped, and that it ends with the same bytes.

use std::fs;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{dump, read_partition, tree};
use crate::support::program::{Bench, TODAY};

const RANGE: &str = "backfill --store store --input input --from 2026-01-01 --to 2026-01-05";

fn click(item: i64, time: &str) -> RawAction {
    RawAction { customer: 1, item, time_us: us(time), kind: 1 }
}

/// Batches of 1 to 4 January, that of the 4th with a late action; impressions of the 3rd, 4th and 5th, which has no
/// actions.
fn range() -> Bench {
    let bench = Bench::new();
    for day in 1..=4 {
        let mut actions = vec![click(day, &format!("2026-01-0{day}T10:00:00Z"))];
        if day == 4 {
            actions.push(click(44, "2026-01-02T11:00:00Z"));
        }
        write_batch(&bench.input(), &format!("2026-01-0{day}"), &actions, PLAIN);
    }
    for day in 3..=5 {
        let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(9, None)] };
        write_impressions(&bench.input(), &format!("2026-01-0{day}"), &[shown], PLAIN);
    }
    bench
}

fn items(bench: &Bench, out: &str, day: &str) -> Vec<i64> {
    let rows = read_partition(&bench.path(out), day);
    rows[0].actions.iter().copied().filter(|item| *item != 0).collect()
}

#[test]
fn a_dry_run_prints_the_plan_and_does_nothing() {
    let bench = range();
    bench.ingest("2026-01-02");
    let before = dump(&bench.store());
    let plan = bench.ok(&format!("{RANGE} --out out --dry-run")).stdout;
    let expected = "days        actions       rows\n\
                    2026-01-01  ingest (new)\n\
                    2026-01-02  held\n\
                    2026-01-03  ingest (new)  produce\n\
                    2026-01-04  ingest (new)  produce\n\
                    2026-01-05  none          produce\n";
    assert_eq!(plan, expected);
    assert_eq!(dump(&bench.store()), before);
    assert!(!bench.out().exists());
    let json = bench.json(&format!("{RANGE} --out out --dry-run"));
    assert_eq!((&json["dry_run"], json["to_ingest"].as_array().unwrap().len()), (&true.into(), 3));
    let fresh = Bench::new();
    fs::create_dir(fresh.input()).unwrap();
    let empty = "backfill --store store --input input --from 2026-01-01 --to 2026-12-31 --allow-empty --dry-run";
    // Days with which the same is to be done stand in one line.
    assert_eq!(
        fresh.ok(empty).stdout,
        "days                    actions         rows\n2026-01-01..2026-12-31  ingest (empty)\n"
    );
    assert!(!fresh.store().exists());
}

#[test]
fn rows_are_from_the_whole_store_or_as_known_the_day_before() {
    let bench = range();
    let summary = bench.json(&format!("{RANGE} --out whole"));
    assert_eq!((summary["ingested"].as_array().unwrap().len(), summary["produced"].as_array().unwrap().len()), (4, 3));
    bench.ok(&format!("{RANGE} --out daily --as-daily"));
    assert_eq!(items(&bench, "whole", "2026-01-03"), [44, 2, 1], "late data included");
    assert_eq!(items(&bench, "daily", "2026-01-03"), [2, 1], "as known the day before");
    assert_eq!(items(&bench, "daily", "2026-01-05"), [4, 3, 44, 2, 1]);

    // Day by day, as the nightly job would have done it.
    for day in ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"] {
        bench.ok(&format!("ingest --create --store nightly --input input --dt {day}"));
        let next = format!("2026-01-0{}", day.as_bytes()[9] - b'0' + 1);
        if next.as_str() > "2026-01-02" {
            bench.ok(&format!("produce --store nightly --input input --dt {next} --out nights"));
        }
    }
    assert_eq!(tree(&bench.path("daily")), tree(&bench.path("nights")), "the same bytes as on the days");
    assert_eq!(dump(&bench.store()), dump(&bench.path("nightly")));
}

#[test]
fn changed_files_are_noticed_and_the_rest_is_left() {
    let bench = range();
    bench.ok(&format!("{RANGE} --out out"));
    let again = bench.json(&format!("{RANGE} --out out"));
    assert_eq!(again["ingested"], serde_json::json!([]));
    assert!(again["produced"].as_array().unwrap().iter().all(|day| day["kept"] == true), "all current");

    // The same size, another content.
    write_batch(&bench.input(), "2026-01-02", &[click(22, "2026-01-02T10:00:00Z")], PLAIN);
    let changed = bench.json(&format!("{RANGE} --out out"));
    assert_eq!(changed["to_ingest"], serde_json::json!([["2026-01-02", "changed"]]));
    assert_eq!(changed["ingested"][0]["replaced"], true);
    assert!(changed["produced"].as_array().unwrap().iter().all(|day| day["kept"] == false));
    assert_eq!(items(&bench, "out", "2026-01-03"), [44, 22, 1]);

    // Other impressions change their own day alone.
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(8, None)] };
    write_impressions(&bench.input(), "2026-01-04", &[shown], PLAIN);
    let changed = bench.json(&format!("{RANGE} --out out"));
    let kept: Vec<_> =
        changed["produced"].as_array().unwrap().iter().map(|day| day["kept"].as_bool().unwrap()).collect();
    assert_eq!(kept, [true, false, true]);
    let shorter = bench.json(&format!("{RANGE} --out out --max-history 2"));
    assert!(shorter["produced"].as_array().unwrap().iter().all(|day| day["kept"] == false), "other settings");
}

#[test]
fn stopped_anywhere_it_carries_on_to_the_same_bytes() {
    let whole = range();
    whole.ok(&format!("{RANGE} --out out"));
    // Stopped after each of its steps: some batches held, then some partitions there.
    for held in 0..=4 {
        let bench = range();
        for day in 1..=held {
            bench.ingest(&format!("2026-01-0{day}"));
        }
        if held == 4 {
            bench.produce("2026-01-03");
            fs::create_dir_all(bench.out().join(".dt=2026-01-04.staging-7/parts")).unwrap();
        }
        bench.ok(&format!("{RANGE} --out out"));
        assert_eq!(tree(&bench.out()), tree(&whole.out()), "stopped after {held} batches");
        assert_eq!(dump(&bench.store()), dump(&whole.store()));
    }
}

#[test]
fn killed_at_random_moments_it_carries_on_to_the_same_bytes() {
    let whole = range();
    whole.ok(&format!("{RANGE} --out out"));
    let bench = range();
    let mut delay = std::time::Duration::from_millis(4);
    let mut killed = 0;
    loop {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_lookback"))
            .args(format!("{RANGE} --out out").split_whitespace())
            .env(TODAY.0, TODAY.1)
            .current_dir(bench.path(""))
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(delay);
        // A machine of any speed gets to the end, since the time to live grows.
        delay = delay * 3 / 2;
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
            }
        }
    }
    bench.ok(&format!("{RANGE} --out out"));
    assert_eq!(tree(&bench.out()), tree(&whole.out()), "killed {killed} times");
    assert_eq!(dump(&bench.store()), dump(&whole.store()), "killed {killed} times");
}

#[test]
fn days_without_files_are_refused_all_named() {
    let bench = range();
    for day in ["2026-01-02", "2026-01-03"] {
        fs::remove_dir_all(bench.input().join(format!("clicks/dt={day}"))).unwrap();
    }
    bench.refused(
        &format!("{RANGE} --out out"),
        &["no action file in input for 2026-01-02, 2026-01-03", "--allow-empty"],
    );
    assert!(!bench.store().exists(), "nothing was begun");
    let filled = bench.json(&format!("{RANGE} --out out --allow-empty"));
    assert_eq!(filled["to_ingest"][1], serde_json::json!(["2026-01-02", "empty"]));
    assert_eq!(bench.json("status --store store")["batches"], 4);
    // The last day has impressions and no actions; without impressions it is a day without any file.
    fs::remove_dir_all(bench.input().join("impressions/dt=2026-01-05")).unwrap();
    bench.refused(&format!("{RANGE} --out out"), &["for 2026-01-05;"]);
}

#[test]
fn a_held_batch_is_never_emptied_because_its_files_are_gone() {
    let bench = range();
    bench.ok(RANGE);
    let before = dump(&bench.store());
    fs::remove_dir_all(bench.input().join("clicks/dt=2026-01-02")).unwrap();
    bench.refused(
        &format!("{RANGE} --allow-empty"),
        &["no longer in input: 2026-01-02", "lookback ingest --allow-empty"],
    );
    assert_eq!(dump(&bench.store()), before);
    let emptied = bench.json("ingest --store store --input input --dt 2026-01-02 --allow-empty");
    assert_eq!((&emptied["actions"], &emptied["replaced"]), (&0.into(), &true.into()));
}

#[test]
fn gaps_before_the_range_and_wrong_ranges() {
    let bench = range();
    bench.ok("ingest --create --store store --input input --dt 2025-12-29 --allow-empty");
    bench.refused(&format!("{RANGE} --out out"), &["2025-12-30, 2025-12-31;", "--allow-gaps"]);
    assert_eq!(bench.json("status --store store")["batches"], 1, "nothing was begun");
    bench.ok(&format!("{RANGE} --out out --allow-gaps"));
    let ran = bench.run("backfill --store store --input input --from 2026-01-05 --to 2026-01-01");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--to 2026-01-01 is before --from 2026-01-05"), "{}", ran.stderr);
    let ran = bench.run(&format!("{} --out out --max-history 1001", RANGE.replace("--store store", "--store new")));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--max-history 1001 is more than the store keeps (1000)"), "{}", ran.stderr);
    assert!(!bench.path("new").exists(), "nothing was begun");
}

#[test]
fn the_summary_counts_rows_that_were_ordered_and_names_days_without_any() {
    let bench = range();
    let said = bench.ok(&format!("{RANGE} --out out")).said().to_owned();
    let counts = "with 5 actions, 0 held already; 1 new customer; 1 late; produced 3 days with 3 rows, 0 ordered, 0 current \
                  already; 2 rows with actions that were not known on the morning of their day";
    assert!(said.contains(counts), "{said}");
    let days = "; note: no row is ordered (label 1) on 3 days (2026-01-03, 2026-01-04, 2026-01-05); ";
    assert!(said.contains(days), "{said}");
    let again = bench.ok(&format!("{RANGE} --out out")).said().to_owned();
    assert!(again.contains("0 days with 0 rows, 0 ordered, 3 current already") && !again.contains("note:"), "{again}");

    // One row that is ordered, of a day whose labels are there; and a file without any.
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(9, Some(true)), (8, None)] };
    write_impressions(&bench.input(), "2026-01-03", &[shown.clone(), shown], PLAIN);
    let unlabelled = br#"{"customer_id": 1, "impressions": [{"item_id": 5}]}"#;
    crate::support::program::write_file(&bench.input().join("impressions/dt=2026-01-05/z.jsonl"), unlabelled);
    let said = bench.ok(&format!("{RANGE} --out new")).said().to_owned();
    for words in [
        "produced 3 days with 7 rows, 2 ordered, 0 current already",
        "; 1 impression equal to another (kept)",
        "; 1 file without ranking ids; 1 file without labels",
        "; note: no row is ordered (label 1) on 2 days (2026-01-04, 2026-01-05)",
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
}
