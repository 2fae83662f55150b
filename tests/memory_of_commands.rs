//! `--memory-limit`, kept by every command whatever grows: files of a day, files of all days, ids, customers who are
//! forgotten, rows in a shuffled order. The lines of the table in `docs/sizing.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
use lookback::internals::format::{BatchRecord, FileRecord, Horizon, Key, Record};
use lookback::model::Day;
use lookback::store::{Folder, Store};
use serde_json::Value;

use crate::memory::{DAY, LIMIT, clicks_file, measured, one_batch};
use crate::support::input::{
    PLAIN, RawAction, RawImpression, day_folder, us, write_batch, write_impressions, write_parquet,
};
use crate::support::program::{Bench, assert_one_sentence, write_file};

/// Runs a command within the limit, and gives what it prints.
fn within(bench: &Bench, arguments: &str) -> String {
    let (ran, peak) = measured(bench, arguments);
    assert_eq!(ran.code, 0, "lookback {arguments}\n{}", ran.stderr);
    assert!(peak <= LIMIT, "lookback {arguments} took {} MiB", peak >> 20);
    eprintln!("{} MiB: {}", peak >> 20, arguments);
    ran.stdout
}

fn summary(bench: &Bench, arguments: &str) -> Value {
    serde_json::from_str(&within(bench, &format!("{arguments} --json"))).unwrap()
}

/// Files of one row each, of which no two are the same.
fn write_one_row_files(folder: &Path, header: &str, files: usize, row: impl Fn(usize) -> String) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..files {
        fs::write(folder.join(format!("part-{number:05}.csv")), format!("{header}\n{}\n", row(number))).unwrap();
    }
}

#[test]
fn a_batch_of_sixty_thousand_files_is_taken_and_used() {
    const FILES: usize = 60_000;
    let bench = Bench::new();
    let clicks = bench.input().join(clicks_file("x")).parent().unwrap().to_owned();
    write_one_row_files(&clicks, "customer_id,item_id,click_time", FILES, |number| {
        format!("{},{},2026-01-01T10:00:00Z", number % 1_000, number + 1)
    });
    let ingested = summary(&bench, &format!("ingest --create --store store --input input --dt {DAY}"));
    assert_eq!((&ingested["files"], &ingested["actions"]), (&FILES.into(), &FILES.into()));
    write_batch(&bench.input(), "2026-01-02", &[], PLAIN);
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None)] };
    write_impressions(&bench.input(), "2026-01-02", &(0..100).map(shown).collect::<Vec<_>>(), PLAIN);
    let range = "--input input --from 2026-01-01 --to 2026-01-02";
    within(&bench, &format!("backfill --store store {range} --out out"));
    within(&bench, "audit --store store --input input --dt 2026-01-02 --out out");
    within(&bench, &format!("config check --input input --dt {DAY}"));
    within(&bench, "verify --store store --deep");
    within(&bench, "prune --store store --keep-days 1");
}

/// Their names are as long as writers make them, so that all lists together have 100 MB of text alone.
#[test]
fn what_all_batches_came_in_is_not_held_at_once() {
    const FILES: usize = 60_000;
    const BATCHES: i32 = 16;
    let bench = one_batch();
    let store = Store::open_writer(&Folder::new(&bench.store())).unwrap();
    let first: Day = "2026-01-02".parse().unwrap();
    let days: Vec<Day> = (0..BATCHES).map(|day| Day::from_number(first.number() + day).unwrap()).collect();
    let mut load = store.bulk_load().unwrap();
    for day in &days {
        let file = |number| FileRecord {
            source: 1,
            path: format!("{}-{number:06}.parquet", "a-long-name".repeat(9)),
            bytes: 1,
            xxh3_128: [7; 16],
        };
        let record = BatchRecord { files: (0..FILES).map(file).collect(), ..BatchRecord::default() };
        load.set(Key::Batch(*day), Some(&record.to_bytes().unwrap())).unwrap();
    }
    load.commit().unwrap();
    drop(store);
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(1, None)] };
    write_impressions(&bench.input(), "2026-01-18", &[shown], PLAIN);
    let status = summary(&bench, "status --store store");
    assert_eq!(status["batches"], BATCHES + 1);
    within(&bench, "report --store store --html report.html");
    within(&bench, "produce --store store --input input --dt 2026-01-18 --out out");
    within(&bench, "stale --store store --out out");
    within(&bench, "show --store store --customer 1");
    within(&bench, "explain --store store --customer 1 --dt 2026-01-18");
    within(&bench, "get --store store --customer 1 --dt 2026-01-18 --out got.jsonl");
    within(&bench, "verify --store store");
    within(&bench, "prune --store store --keep-days 100");
    within(&bench, "forget --store store --customer 1 --out out --scrub");
}

#[test]
fn impressions_of_twenty_thousand_files_become_rows() {
    const FILES: usize = 20_000;
    let bench = one_batch();
    let folder = day_folder(&bench.input(), "impressions", "2026-01-02");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..FILES {
        let line =
            format!("{{\"customer_id\": {number}, \"impressions\": [{{\"item_id\": 1, \"is_order\": false}}]}}\n");
        fs::write(folder.join(format!("part-{number:05}.jsonl")), line).unwrap();
    }
    let produced = summary(&bench, "produce --store store --input input --dt 2026-01-02 --out out --max-history 2");
    assert_eq!(produced["rows"], FILES);
    within(&bench, "manifest --out out --dt 2026-01-02 --check");
    within(&bench, "stale --store store --out out");
    within(&bench, "audit --store store --input input --dt 2026-01-02 --out out");
}

/// The marks of those who are forgotten are held by every command that reads input, and their lines in the receipt are
/// not.
#[test]
fn a_million_and_a_half_customers_are_forgotten_with_a_receipt() {
    const IDS: u64 = 1_500_000;
    let bench = Bench::new();
    let noon = us("2026-01-01T12:00:00Z");
    let action = |customer| RawAction { customer, item: 1 + customer, time_us: noon, kind: 1 };
    write_batch(&bench.input(), DAY, &(0..3_000).map(action).collect::<Vec<_>>(), PLAIN);
    bench.ingest(DAY);
    let mut lines = String::new();
    (0..IDS).rev().for_each(|number| writeln!(lines, "{}", number + 1_000).unwrap());
    write_file(&bench.path("ids"), lines.as_bytes());
    let forget = "forget --store store --customers ids";
    let receipt = summary(&bench, forget);
    let customers = receipt["customers"].as_array().unwrap();
    assert_eq!((customers.len() as u64, &receipt["block_list"]), (IDS, &IDS.into()));
    assert!(customers.iter().enumerate().all(|(place, one)| one["actions_before"] == u64::from(place < 2_000)));
    assert!(customers.iter().all(|one| one["already_forgotten"] == false && one["keys_after"] == 0));
    assert_eq!((&receipt["customers_before"], &receipt["customers_after"]), (&3_000.into(), &1_000.into()));
    assert!(!bench.store().join("staging").exists(), "nothing is left");

    let ingested = summary(&bench, &format!("ingest --create --store store --input input --dt {DAY}"));
    assert_eq!(ingested["forgotten"], 2_000);
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None)] };
    write_impressions(&bench.input(), "2026-01-02", &(0..3_000).map(shown).collect::<Vec<_>>(), PLAIN);
    let produced = summary(&bench, "produce --store store --input input --dt 2026-01-02 --out out");
    assert_eq!((&produced["rows"], &produced["forgotten"]), (&1_000.into(), &2_000.into()));
    within(&bench, "audit --store store --input input --dt 2026-01-02 --out out");
    within(&bench, "verify --store store");
    within(&bench, "status --store store");
    within(&bench, "get --store store --customers ids --dt 2026-01-02 --out got.jsonl");
    within(&bench, &format!("{forget} --out out"));

    // More than the marks have room for: refused before anybody is forgotten, whether by one list or by several.
    let refused = |ids: u64, words: &[&str]| {
        let mut lines = String::new();
        (0..ids).for_each(|number| writeln!(lines, "{}", number + 5_000_000).unwrap());
        write_file(&bench.path("more"), lines.as_bytes());
        let (ran, peak) = measured(&bench, "forget --store store --customers more");
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_one_sentence(&ran, words);
        assert!(peak <= LIMIT, "{} MiB", peak >> 20);
    };
    refused(700_000, &["700,000 customers to forget beside 1,500,000", "2,097,152", "nobody has been forgotten"]);
    refused(2_100_000, &["more ids than this --memory-limit allows (2,097,152)", "nobody has been forgotten"]);
    assert_eq!(bench.json("status --store store")["forgotten"], IDS);

    // Where another limit has let them be forgotten, this one has no room for their marks.
    bench.ok("forget --store store --customers more --memory-limit 1GiB");
    for command in [&format!("ingest --create --store store --input input --dt {DAY}"), "verify --store store"] {
        let (ran, _) = measured(&bench, command);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_one_sentence(
            &ran,
            &["more customers have been forgotten than this --memory-limit allows (2,097,152)", "--memory-limit"],
        );
    }
}

/// What threads find waits for its turn: most where each customer has one action, and where each delta has a fault,
/// as with a horizon behind all of them.
#[test]
fn a_verification_keeps_the_limit_with_many_threads_and_faults() {
    const CUSTOMERS: i64 = 1_000_000;
    let bench = Bench::new();
    let times = std::iter::repeat_n(us("2026-01-01T12:00:00Z"), 1_000_000);
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from_iter_values(0..CUSTOMERS))),
        ("item_id", Arc::new(Int64Array::from_iter_values(1..=CUSTOMERS))),
        ("click_time", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
    ];
    write_parquet(&bench.input().join(clicks_file("0.parquet")), &columns);
    bench.ingest(DAY);
    for threads in [1, 6] {
        let verified = summary(&bench, &format!("verify --store store --threads {threads}"));
        assert_eq!((&verified["customers"], &verified["faults"]), (&CUSTOMERS.into(), &0.into()));
    }
    let store = Store::open_writer(&Folder::new(&bench.store())).unwrap();
    let mut load = store.bulk_load().unwrap();
    load.set(Key::Horizon, Some(&Horizon { first_day: 20_455 }.to_bytes().unwrap())).unwrap();
    load.commit().unwrap();
    drop(store);
    let (ran, peak) = measured(&bench, "verify --store store --threads 6 --json");
    let verified: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &verified["faults"]), (1, &CUSTOMERS.into()));
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);
}

/// Histories that take five times what there is, of rows in either order.
#[test]
fn an_audit_keeps_the_limit() {
    const CUSTOMERS: i64 = 2_000;
    const ACTIONS: i64 = 1_100;
    let bench = Bench::new();
    let begin = us("2026-01-01T00:00:00Z");
    let each = |value: fn(i64) -> i64| (0..CUSTOMERS * ACTIONS).map(value);
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from_iter_values(each(|number| number / ACTIONS)))),
        ("item_id", Arc::new(Int64Array::from_iter_values(each(|number| 1 + number % 1_000)))),
        (
            "click_time",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(each(|number| number * 10_000).map(|time| begin + time))
                    .with_timezone("UTC"),
            ),
        ),
    ];
    write_parquet(&bench.input().join(clicks_file("0.parquet")), &columns);
    bench.ingest(DAY);
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None), (2, None)] };
    write_impressions(&bench.input(), "2026-01-02", &(0..CUSTOMERS).map(shown).collect::<Vec<_>>(), PLAIN);
    for order in ["--order customer", "--order shuffled --seed 1"] {
        bench.ok(&format!("produce --store store --input input --dt 2026-01-02 --out out {order}"));
        let audited = summary(&bench, "audit --store store --input input --dt 2026-01-02 --out out");
        assert_eq!(audited["audited_rows"], CUSTOMERS * 2);
        assert!(audited["passes"].as_u64().unwrap() > 3, "{audited}");
    }
}

/// More rows in a shuffled order than fit into memory, with short histories.
#[test]
fn an_audit_of_many_shuffled_rows_keeps_the_limit() {
    const CUSTOMERS: i64 = 100_000;
    let bench = one_batch();
    let elements: Vec<(i64, Option<bool>)> = (1..=10).map(|item| (item, None)).collect();
    let shown =
        |customer| RawImpression { ranking_id: Some(format!("r{customer}")), customer, elements: elements.clone() };
    write_impressions(&bench.input(), "2026-01-02", &(0..CUSTOMERS).map(shown).collect::<Vec<_>>(), PLAIN);
    bench.ok("produce --store store --input input --dt 2026-01-02 --out out --max-history 1 --order shuffled --seed 1");
    let audited = summary(&bench, "audit --store store --input input --dt 2026-01-02 --out out");
    assert_eq!(audited["audited_rows"], CUSTOMERS * 10);
}

/// Three times as many customers as fit into the memory for sorting, each on two days.
#[test]
fn a_vocabulary_of_many_customers_keeps_the_limit() {
    const CUSTOMERS: i64 = 3_000_000;
    let bench = Bench::new();
    for day in ["2026-01-01", "2026-01-02"] {
        let times = std::iter::repeat_n(us("2026-01-01T12:00:00Z"), 3_000_000);
        let columns: [(&str, ArrayRef); 3] = [
            ("customer_id", Arc::new(Int64Array::from_iter_values((0..CUSTOMERS).map(|id| (id * 7_919) % CUSTOMERS)))),
            ("item_id", Arc::new(Int64Array::from_iter_values(1..=CUSTOMERS))),
            ("click_time", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
        ];
        write_parquet(&day_folder(&bench.input(), "clicks", day).join("0.parquet"), &columns);
    }
    let vocabulary =
        "vocabulary --input input --from 2026-01-01 --to 2026-01-02 --of customers --out customers.parquet";
    for threads in [1, 6] {
        let counted = summary(&bench, &format!("{vocabulary} --threads {threads}"));
        assert_eq!((&counted["ids"], &counted["actions"]), (&CUSTOMERS.into(), &(2 * CUSTOMERS).into()));
    }
}
