//! What is promised of the files: the same bytes for the same seed, whatever else is written, and a refusal of what
//! makes no sense.
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::day::{self, Counts};
use crate::plan::Plan;
use crate::session::DAY_MICROS;
use crate::write_days;

const SMALL: &str =
    "--customers 2000 --items 3000 --actions-per-day 20000 --impressions-per-day 2000 --impression-days 9";

/// The plan of a command line, to which `--out` is added.
fn plan(out: &Path, options: &str) -> Result<Plan, clap::Error> {
    let out = ["generate", "--out", out.to_str().unwrap()];
    Plan::parse(out.into_iter().chain(options.split_whitespace()))
}

/// Writes the days of a command line and gives their files, by path under the root.
fn written(options: &str) -> BTreeMap<String, Vec<u8>> {
    let root = tempfile::tempdir().unwrap();
    write_days(&plan(root.path(), options).unwrap(), |_| ()).unwrap();
    files(root.path())
}

fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn read(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.build().unwrap().collect::<Result<_, _>>().unwrap()
}

fn a_date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 31).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let options = format!("--from 2026-01-30 --days 2 {SMALL}");
    let (first, again) = (written(&options), written(&options));
    assert_eq!(first.len(), 2 * 4 * 2);
    assert!(first == again);
    let other = written(&format!("{options} --seed 2"));
    assert!(first.keys().eq(other.keys()));
    assert!(first.iter().all(|(name, bytes)| other[name] != *bytes));
}

#[test]
fn a_day_alone_equals_that_day_within_a_range() {
    let mut range = written(&format!("--from 2026-01-30 --days 3 {SMALL}"));
    let alone = written(&format!("--from 2026-01-31 --days 1 {SMALL}"));
    range.retain(|name, _| name.contains("dt=2026-01-31"));
    assert_eq!(alone.len(), 8);
    assert!(range == alone);
}

#[test]
fn only_the_last_days_have_impressions() {
    let found = written("--from 2026-01-30 --days 3 --impression-days 1 --actions-per-day 9 --impressions-per-day 9");
    let days: Vec<_> = found.keys().filter_map(|name| name.strip_prefix("impressions/")).collect();
    assert_eq!(days, ["dt=2026-02-01/part-00000.parquet", "dt=2026-02-01/part-00001.parquet"]);
}

#[test]
fn the_files_hold_what_the_counts_say() {
    let root = tempfile::tempdir().unwrap();
    let plan = plan(root.path(), &format!("--from 2026-01-31 --days 1 --files-per-day 3 {SMALL}")).unwrap();
    let counts = day::write(&plan, a_date()).unwrap();
    let Counts { clicks, carts, orders, impressions, late, .. } = counts;
    assert_eq!((clicks + carts + orders, impressions), (20_000, 2_000));
    let day_start = i64::from(a_date().to_epoch_days()) * DAY_MICROS;
    let mut early = 0;
    let tables = [("clicks", clicks), ("add_to_carts", carts), ("orders", orders), ("impressions", impressions)];
    for (table, rows) in tables {
        let mut found = 0;
        for part in 0..3 {
            for batch in read(&root.path().join(format!("{table}/dt=2026-01-31/part-{part:05}.parquet"))) {
                found += batch.num_rows() as u64;
                assert!(batch["customer_id"].as_primitive::<Int64Type>().values().iter().all(|id| *id > 0));
                let time = if table == "clicks" { "click_time" } else { "occurred_at" };
                if let Some(times) = batch.column_by_name(time) {
                    for time in times.as_primitive::<TimestampMicrosecondType>().values() {
                        assert!((day_start - 7 * DAY_MICROS..day_start + DAY_MICROS).contains(time));
                        early += u64::from(*time < day_start);
                    }
                }
            }
        }
        assert_eq!(found, rows, "{table}");
    }
    assert_eq!(early, late);
}

#[test]
fn a_null_list_an_empty_one_and_an_unknown_order_reach_the_file() {
    let root = tempfile::tempdir().unwrap();
    let options = "--from 2026-01-31 --days 1 --files-per-day 1 --actions-per-day 1 --list-length 2";
    write_days(&plan(root.path(), options).unwrap(), |_| ()).unwrap();
    let (mut nulls, mut empty, mut unknown) = (0, 0, 0);
    for batch in read(&root.path().join("impressions/dt=2026-01-31/part-00000.parquet")) {
        let lists = batch["impressions"].as_list::<i32>();
        let elements = lists.values().as_struct();
        nulls += lists.null_count();
        empty += (0..lists.len()).filter(|row| lists.is_valid(*row) && lists.value_length(*row) == 0).count();
        unknown += elements["is_order"].null_count();
        assert_eq!((elements.null_count(), elements["item_id"].null_count()), (0, 0));
    }
    assert!(nulls > 0 && empty > 0 && unknown > 0);
}

#[test]
fn data_of_others_is_refused_and_leftovers_are_not() {
    let root = tempfile::tempdir().unwrap();
    let plan = plan(root.path(), "--from 2026-01-31 --days 1 --actions-per-day 9").unwrap();
    let folder = root.path().join("orders/dt=2026-01-31");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(".part-00000.parquet.tmp"), "half").unwrap();
    fs::write(folder.join("_SUCCESS"), "").unwrap();
    let mut told = String::new();
    write_days(&plan, |line| told += line).unwrap();
    assert!(told.starts_with("2026-01-31: ") && told.contains(" impression rows, ") && told.ends_with(" s"), "{told}");
    assert!(!folder.join(".part-00000.parquet.tmp").exists());
    write_days(&plan, |_| ()).expect("a second run replaces the first");
    for name in ["part-00002.parquet", "part-0.parquet", "orders.csv"] {
        fs::write(folder.join(name), "theirs").unwrap();
        let failure = write_days(&plan, |_| ()).unwrap_err().to_string();
        assert!(failure.contains(name) && failure.contains("dt=2026-01-31"), "{failure}");
        fs::remove_file(folder.join(name)).unwrap();
    }
}

#[test]
fn arguments_without_meaning_are_refused() {
    let root = Path::new("unused");
    assert!(plan(root, "--from 2026-01-01 --days 1").is_ok());
    assert!(plan(root, "--from 1970-01-08 --days 1").is_ok());
    for options in [
        "--days 1",
        "--from 2026-1-1 --days 1",
        "--from 2026-02-30 --days 1",
        "--from 1970-01-07 --days 1",
        "--from 2261-12-31 --days 2",
        "--from 2026-01-01 --days 0",
        "--from 2026-01-01 --days 1 --late-share 1.1",
        "--from 2026-01-01 --days 1 --tie-share nan",
        "--from 2026-01-01 --days 1 --sigma -1",
        "--from 2026-01-01 --days 1 --customers 0",
        "--from 2026-01-01 --days 1 --items 9",
        "--from 2026-01-01 --days 1 --files-per-day 0",
    ] {
        assert!(plan(root, options).is_err(), "{options}");
    }
}
