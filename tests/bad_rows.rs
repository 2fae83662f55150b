//! Bad rows: refused as a whole with their places, or set aside with file, row and reason. Nothing is dropped silently.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::UInt64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::input::{impression_lists, us, write_parquet};
use crate::support::output::{dump, read_partition};
use crate::support::program::Bench;

const GOOD: &str = "2026-01-01T10:00:00Z";

/// Seven rows: two good ones, and one of each kind of bad one.
fn bad_clicks(bench: &Bench) {
    let customers: UInt64Array = vec![Some(1), None, Some(u64::MAX), Some(1), Some(1), Some(1), Some(2)].into();
    let items: Int64Array = vec![Some(10), Some(10), Some(10), None, Some(0), Some(10), Some(20)].into();
    let good = Some(us(GOOD));
    let times: TimestampMicrosecondArray =
        vec![good, good, good, good, good, Some(us("2262-01-01T00:00:00Z")), good].into();
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(customers)),
        ("item_id", Arc::new(items)),
        ("click_time", Arc::new(times.with_timezone("UTC"))),
    ];
    write_parquet(&bench.input().join("clicks/dt=2026-01-01/a.parquet"), &columns);
    let texts: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from(vec![3, 3]))),
        ("config_id", Arc::new(Int64Array::from(vec![30, 31]))),
        ("occurred_at", Arc::new(StringArray::from(vec![Some("yesterday"), None]))),
    ];
    write_parquet(&bench.input().join("orders/dt=2026-01-01/b.parquet"), &texts);
}

/// (file's name, row, column, reason, cells) of a row set aside.
pub type SetAside = (String, u64, String, String, String);

/// All rows set aside in a file.
pub fn set_aside(path: &Path) -> Vec<SetAside> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let text =
            |name: &str, row: usize| batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
        let numbers = batch.column_by_name("row").unwrap().as_primitive::<UInt64Type>();
        for row in 0..batch.num_rows() {
            let file = text("file", row);
            let file = file.rsplit('/').next().unwrap().to_owned();
            rows.push((file, numbers.value(row), text("column", row), text("reason", row), text("cells", row)));
        }
    }
    rows
}

#[test]
fn a_batch_with_bad_rows_is_refused_as_a_whole() {
    let bench = Bench::new();
    bad_clicks(&bench);
    let words = [
        "the actions of 2026-01-01 have 7 bad rows",
        "a.parquet row 2 column customer_id is null",
        "a.parquet row 3 column customer_id does not fit a signed 64-bit integer",
        "a.parquet row 4 column item_id is null",
        "a.parquet row 5 column item_id is 0, which is the padding: [ids] item_offset in lookback.toml moves ids that count from 0",
        "a.parquet row 6 column click_time lies outside the years 1970 to 2261 and more",
        "--quarantine",
    ];
    bench.refused("ingest --create --store store --input input --dt 2026-01-01", &words);
    assert!(!bench.store().exists());
}

#[test]
fn a_refused_correction_leaves_the_batch_that_was_held() {
    let bench = Bench::new();
    let good: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from(vec![9]))),
        ("item_id", Arc::new(Int64Array::from(vec![90]))),
        ("click_time", Arc::new(TimestampMicrosecondArray::from(vec![us(GOOD)]).with_timezone("UTC"))),
    ];
    write_parquet(&bench.input().join("clicks/dt=2026-01-01/a.parquet"), &good);
    bench.ingest("2026-01-01");
    let before = dump(&bench.store());
    bad_clicks(&bench);
    bench
        .refused("ingest --create --store store --input input --dt 2026-01-01", &["7 bad rows", "nothing was changed"]);
    bench.refused("backfill --store store --input input --from 2026-01-01 --to 2026-01-01", &["7 bad rows"]);
    assert_eq!(dump(&bench.store()), before);
}

#[test]
fn the_quarantine_holds_file_row_and_reason() {
    let bench = Bench::new();
    bad_clicks(&bench);
    let summary = bench.json("ingest --create --store store --input input --dt 2026-01-01 --quarantine aside");
    assert_eq!(
        (&summary["actions"], &summary["quarantined"], &summary["customers"]),
        (&2.into(), &7.into(), &2.into())
    );
    assert_eq!(bench.json("status --store store")["quarantined"], 7);
    let path = bench.path("aside/actions/dt=2026-01-01/bad-rows.parquet");
    let rows = set_aside(&path);
    let places: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.1, row.2.as_str())).collect();
    let expected = [
        ("a.parquet", 2, "customer_id"),
        ("a.parquet", 3, "customer_id"),
        ("a.parquet", 4, "item_id"),
        ("a.parquet", 5, "item_id"),
        ("a.parquet", 6, "click_time"),
        ("b.parquet", 1, "occurred_at"),
        ("b.parquet", 2, "occurred_at"),
    ];
    assert_eq!(places, expected);
    assert_eq!(rows[5].3, "is not an ISO 8601 time (\"yesterday\")");
    assert_eq!(rows[6].3, "is null");
    assert_eq!(rows[5].4, r#"{"config_id":"30","customer_id":"3","occurred_at":"yesterday"}"#);

    // The mended batch leaves nothing in the store of what was, and no stale file in the quarantine.
    let good: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from(vec![9]))),
        ("item_id", Arc::new(Int64Array::from(vec![90]))),
        ("click_time", Arc::new(TimestampMicrosecondArray::from(vec![us(GOOD)]).with_timezone("UTC"))),
    ];
    std::fs::remove_dir_all(bench.input().join("orders")).unwrap();
    write_parquet(&bench.input().join("clicks/dt=2026-01-01/a.parquet"), &good);
    bench.ok("ingest --create --store store --input input --dt 2026-01-01 --quarantine aside");
    bench.ok("ingest --create --store fresh --input input --dt 2026-01-01");
    assert_eq!(dump(&bench.store()), dump(&bench.path("fresh")));
    assert!(!path.exists());
}

#[test]
fn bad_impressions_are_refused_or_set_aside_and_empty_lists_counted() {
    let bench = Bench::new();
    let good: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from(vec![1]))),
        ("item_id", Arc::new(Int64Array::from(vec![90]))),
        ("click_time", Arc::new(TimestampMicrosecondArray::from(vec![us(GOOD)]).with_timezone("UTC"))),
    ];
    write_parquet(&bench.input().join("clicks/dt=2026-01-01/a.parquet"), &good);
    bench.ingest("2026-01-01");
    let lists = [
        Some(vec![(5, Some(true)), (6, None)]),
        Some(vec![(7, None), (0, Some(true))]),
        None,
        Some(Vec::new()),
        Some(vec![(8, Some(false))]),
    ];
    let columns: [(&str, ArrayRef); 3] = [
        ("ranking_id", Arc::new(StringArray::from(vec![Some("a"), Some("b"), None, None, None]))),
        ("customer_id", Arc::new(Int64Array::from(vec![Some(1), Some(1), Some(1), Some(1), None]))),
        ("impressions", impression_lists(&lists)),
    ];
    write_parquet(&bench.input().join("impressions/dt=2026-01-02/i.parquet"), &columns);
    let produce = "produce --store store --input input --dt 2026-01-02 --out out";
    let words = [
        "the impressions of 2026-01-02 have 2 bad rows",
        "i.parquet row 2 column impressions.item_id is null",
        "i.parquet row 5 column customer_id is null",
    ];
    bench.refused(produce, &words);
    assert!(!bench.out().exists());
    let summary = bench.json(&format!("{produce} --quarantine aside"));
    assert_eq!(
        (&summary["quarantined"], &summary["empty_impressions"], &summary["rows"]),
        (&2.into(), &2.into(), &2.into())
    );
    let rows = read_partition(&bench.out(), "2026-01-02");
    let cells: Vec<_> = rows.iter().map(|row| (row.impression_item_id, row.label, row.actions[0])).collect();
    assert_eq!(cells, [(5, 1, 90), (6, 0, 90)], "a null is_order is label 0");
    let aside = set_aside(&bench.path("aside/impressions/dt=2026-01-02/bad-rows.parquet"));
    assert_eq!(aside.iter().map(|row| row.1).collect::<Vec<_>>(), [2, 5]);
}

#[test]
fn bad_impressions_of_several_files_are_told_in_the_order_of_the_files() {
    let bench = Bench::new();
    let produce = "produce --store store --input input --dt 2026-01-02 --out out --allow-gaps";
    bench.ok("init --store store");
    // The first is the longest, so that it is done last where each has a thread of its own.
    for (name, rows) in [("a", 20_000), ("b", 3), ("c", 2)] {
        let lists: Vec<_> = (1..=rows).map(|row| Some(vec![(if row == rows { 0 } else { 5 }, None)])).collect();
        let customers = (1..=rows).map(|row| (row > 1).then_some(row));
        let columns: [(&str, ArrayRef); 3] = [
            ("ranking_id", Arc::new(StringArray::from(vec![None::<&str>; lists.len()]))),
            ("customer_id", Arc::new(Int64Array::from_iter(customers))),
            ("impressions", impression_lists(&lists)),
        ];
        write_parquet(&bench.input().join(format!("impressions/dt=2026-01-02/{name}.parquet")), &columns);
    }
    let mut seen = Vec::new();
    for threads in [1, 3] {
        let refused = bench.run(&format!("{produce} --threads {threads}"));
        assert!(refused.code == 1 && refused.stderr.contains("have 6 bad rows"), "{}", refused.stderr);
        bench.ok(&format!("{produce} --threads {threads} --quarantine aside"));
        let aside = set_aside(&bench.path("aside/impressions/dt=2026-01-02/bad-rows.parquet"));
        assert_eq!(aside.iter().map(|row| row.1).collect::<Vec<_>>(), [1, 20_000, 1, 3, 1, 2]);
        seen.push((
            refused.stderr,
            aside,
            std::fs::read(bench.out().join("dt=2026-01-02/part-00000.parquet")).unwrap(),
        ));
    }
    assert!(seen[0] == seen[1], "one thread or three");
}

#[test]
fn more_bad_rows_than_are_gathered_at_once() {
    let bench = Bench::new();
    let rows = 10_000;
    let items = Int64Array::from(vec![0; rows]);
    assert_eq!(items.null_count(), 0);
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(Int64Array::from(vec![1; rows]))),
        ("item_id", Arc::new(items)),
        ("click_time", Arc::new(TimestampMicrosecondArray::from(vec![us(GOOD); rows]).with_timezone("UTC"))),
    ];
    write_parquet(&bench.input().join("clicks/dt=2026-01-01/a.parquet"), &columns);
    bench.refused("ingest --create --store store --input input --dt 2026-01-01", &["10000 bad rows"]);
    bench.ok("ingest --create --store store --input input --dt 2026-01-01 --quarantine aside");
    let aside = set_aside(&bench.path("aside/actions/dt=2026-01-01/bad-rows.parquet"));
    assert_eq!(aside.iter().map(|row| row.1).collect::<Vec<_>>(), (1..=10_000).collect::<Vec<_>>());
}
