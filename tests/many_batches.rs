//! `--memory-limit`, kept where ten years of batches, partitions, types and gaps have gathered.

use std::fs;
use std::path::Path;

use lookback::internals::format::{BatchRecord, Key, Record};
use lookback::model::Day;
use lookback::store::{Folder, Store};
use serde_json::Value;

use crate::memory::{LIMIT, measured};
use crate::support::browser::{Scheme, probe};
use crate::support::input::{PLAIN, RawImpression, write_impressions};
use crate::support::program::{Bench, write_file};

const FIRST: &str = "2010-01-01";
const SECOND: &str = "2010-01-02";
/// Batches, one of which comes every day but for each eleventh: ten years and some.
const BATCHES: usize = 3_653;
const DAYS: usize = BATCHES * 11 / 10;
/// As many types as there can be.
const TYPES: u8 = 255;
/// The day of which ten times as much came as on any other.
const LOUD: usize = 2_000;

fn day(number: usize) -> Day {
    let first: Day = FIRST.parse().unwrap();
    Day::from_number(first.number() + i32::try_from(number).unwrap()).unwrap()
}

fn is_gap(number: usize) -> bool {
    number % 11 == 10
}

/// Puts a record for each further batch beside the store's first, from which it is made.
fn record_days(store: &Path, of: impl Fn(usize, BatchRecord) -> BatchRecord) {
    let store = Store::open_writer(&Folder::new(store)).unwrap();
    let first = store.batch(day(0)).unwrap().unwrap();
    let mut load = store.bulk_load().unwrap();
    for number in (1..DAYS).filter(|number| !is_gap(*number)) {
        load.set(Key::Batch(day(number)), Some(&of(number, first.clone()).to_bytes().unwrap())).unwrap();
    }
    load.commit().unwrap();
}

/// A batch of all types that was ingested, and a partition; and as many records and copies of these as ten years bring.
fn ten_years() -> Bench {
    let bench = Bench::new();
    let name = |number: u8| format!("type_number_{number:03}");
    let types: String = (1..=TYPES).map(|number| format!("{} = {number}\n", name(number))).collect();
    let columns = "customer_id = \"customer_id\", item_id = \"item_id\", time = \"time\", type = \"type\"";
    let toml =
        format!("[types]\n{types}\n[sources.events]\npattern = \"events/dt={{dt}}\"\ncolumns = {{ {columns} }}\n");
    write_file(&bench.input().join("lookback.toml"), toml.as_bytes());
    let rows: String = (1..=TYPES).map(|number| format!("7,{number},{FIRST}T10:00:00Z,{}\n", name(number))).collect();
    let file = bench.input().join(format!("events/dt={FIRST}/events.csv"));
    write_file(&file, format!("customer_id,item_id,time,type\n{rows}").as_bytes());
    bench.ok("init --store store --max-history 5");
    bench.ok(&format!("ingest --create --store store --input input --dt {FIRST}"));
    let shown = RawImpression { ranking_id: None, customer: 7, elements: vec![(1, None)] };
    write_impressions(&bench.input(), SECOND, &[shown], PLAIN);
    bench.ok(&format!("produce --store store --input input --dt {SECOND} --out out"));

    record_days(&bench.store(), |number, first| {
        let times = if number == LOUD { 10 } else { 1 };
        let actions = (1..=TYPES).map(|number| (number, times * (1_000 - u64::from(number)))).collect();
        BatchRecord { actions, ..first }
    });
    let made = bench.out().join(format!("dt={SECOND}"));
    let files: Vec<_> = fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().path()).collect();
    for number in 2..BATCHES {
        let copy = bench.out().join(format!("dt={}", day(number)));
        fs::create_dir(&copy).unwrap();
        files.iter().for_each(|file| fs::hard_link(file, copy.join(file.file_name().unwrap())).unwrap());
    }
    bench
}

/// Runs a command within the limit, whatever it says of such a store, and gives what it prints.
fn within(bench: &Bench, arguments: &str, code: i32) -> String {
    let (ran, peak) = measured(bench, arguments);
    eprintln!("{} MiB: {arguments}", peak >> 20);
    assert_eq!(ran.code, code, "lookback {arguments}\n{}", ran.stderr);
    assert!(peak <= LIMIT, "lookback {arguments} took {} MiB", peak >> 20);
    ran.stdout
}

#[test]
fn ten_years_of_batches_partitions_types_and_gaps_keep_the_limit() {
    let bench = ten_years();
    let status: Value = serde_json::from_str(&within(&bench, "status --store store --json", 0)).unwrap();
    let held = status["held"].as_array().unwrap();
    assert_eq!((held.len(), &status["batches"]), (BATCHES, &BATCHES.into()));
    assert!(held.iter().all(|batch| batch["types"].as_object().unwrap().len() == usize::from(TYPES)));
    assert_eq!(status["gaps"].as_array().unwrap().len(), (0..DAYS).filter(|number| is_gap(*number)).count());
    within(&bench, "status --store store", 0);

    let report = "report --store store --out-dir out --html page.html --json";
    let summary: Value = serde_json::from_str(&within(&bench, report, 0)).unwrap();
    assert_eq!((&summary["batches"], &summary["gaps"]), (&status["batches"], &status["gaps"]));
    assert_eq!(summary["partitions"].as_array().unwrap().len(), BATCHES - 1);
    assert!(summary["html_bytes"].as_u64().unwrap() < 4_000_000, "{} bytes", summary["html_bytes"]);
    the_page_loses_nothing(&bench, &status);

    within(&bench, "stale --store store --out out", 0);
    // All partitions but one are only in one of them, and are not read.
    within(&bench, &format!("produce --store store --input input --dt {SECOND} --out other"), 0);
    within(&bench, "diff out other", 3);
    within(&bench, "show --store store --customer 7", 0);
    within(&bench, "explain --store store --customer 7 --dt 2010-01-02", 0);
    within(&bench, "get --store store --customer 7 --dt 2010-01-02 --out got.jsonl", 0);
    within(&bench, "config check --input input --dt 2010-01-01", 0);
    // The records count actions that the store does not hold: a fault for each.
    within(&bench, "verify --store store", 1);
    // And nothing else in the store says what they counted.
    within(&bench, "repair --store store --dry-run", 1);
    within(&bench, "repair --store store", 1);
    within(&bench, &format!("ingest --store store --input input --dt {FIRST}"), 0);
    within(&bench, "backup --store store --to backups", 0);
    within(&bench, "restore --from backups --store restored", 0);
    within(&bench, "migrate --store restored", 0);
    within(&bench, "init --store fresh", 0);
    within(&bench, &format!("remove --store restored --dt {SECOND}"), 0);
    within(&bench, "prune --store restored --keep-days 100 --allow-large-removal", 0);
    within(&bench, "forget --store store --customer 7 --out out", 0);
}

#[test]
fn ten_years_of_records_are_repaired_within_the_limit() {
    let bench = Bench::new();
    let file = bench.input().join(format!("clicks/dt={FIRST}/clicks.csv"));
    write_file(&file, format!("customer_id,item_id,click_time\n7,1,{FIRST}T10:00:00Z\n").as_bytes());
    bench.ok(&format!("ingest --create --store store --input input --dt {FIRST}"));
    // Days of 255 types, each of none of them: what is wrong in their records is the number of customers alone.
    record_days(&bench.store(), |_, first| BatchRecord {
        actions: (1..=TYPES).map(|number| (number, 0)).collect(),
        customers: 3,
        ..first
    });
    for dry_run in [" --dry-run", ""] {
        let summary = within(&bench, &format!("repair --store store --json{dry_run}"), 0);
        let summary: Value = serde_json::from_str(&summary).unwrap();
        assert_eq!(summary["set"]["batch_records"], BATCHES - 1, "{summary}");
    }
    within(&bench, "verify --store store", 0);
}

/// What is summed in the tables is all there is; marked days stand in them by themselves.
fn the_page_loses_nothing(bench: &Bench, status: &Value) {
    let page = probe(&bench.path("page.html"), 1_280, Scheme::Light);
    assert_eq!(page["faults"], serde_json::json!([]));
    let number = |row: &Value, column: &str| row[column].as_str().unwrap().parse::<u64>().unwrap();
    let rows = page["tables"]["actions"].as_array().unwrap();
    let (single, whole): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["marked"] != "");
    assert!(whole.len() <= 400 && whole.len() > 300, "{} rows", whole.len());
    let sum = |column: &str| whole.iter().map(|row| number(row, column)).sum::<u64>();
    assert_eq!(sum("batches"), status["batches"].as_u64().unwrap());
    assert_eq!(sum("actions"), status["actions"].as_u64().unwrap());
    let columns: Vec<&String> = whole[0].as_object().unwrap().keys().collect();
    let named: Vec<&&String> = columns.iter().filter(|column| column.starts_with("types.")).collect();
    assert_eq!(named.len(), 12, "{columns:?}");
    assert!(named.iter().all(|column| column.as_str() <= "types.type_number_012"), "the most frequent: {named:?}");
    let of_types = named.iter().map(|column| sum(column)).sum::<u64>() + sum("other_types");
    assert_eq!(of_types, status["actions"].as_u64().unwrap());
    assert!(single.iter().any(|row| row["dt"] == day(LOUD).to_string() && row["marked"] == "actions"), "{single:?}");
    let missing = page["tables"]["coverage"].as_array().unwrap().iter().filter(|row| row["batch"] == "missing");
    assert_eq!(missing.count(), status["gaps"].as_array().unwrap().len());
    let text = fs::read_to_string(bench.path("page.html")).unwrap();
    for words in ["others (243 types)", "others (253 types)", "each column covers 11 days"] {
        assert!(text.contains(words), "{words}");
    }
}
