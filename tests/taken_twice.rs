//! What would be taken twice: two columns of one name, a file that two sources find, two files of the same bytes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::program::{Bench, write_file};

/// Columns by their names, of which some may be the same.
fn write_columns(path: &Path, columns: &[(&str, ArrayRef)]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(schema, columns.iter().map(|(_, column)| Arc::clone(column)).collect()).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn ids(id: i64) -> ArrayRef {
    Arc::new(Int64Array::from(vec![id]))
}

fn time() -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![us("2026-01-01T10:00:00Z")]).with_timezone("UTC"))
}

#[test]
fn two_columns_of_a_name_are_refused_where_they_are_read() {
    let bench = Bench::new();
    let file = bench.input().join("clicks/dt=2026-01-01/joined.parquet");
    let ingest = "ingest --create --store store --input input --dt 2026-01-01";
    let base = |more: (&'static str, ArrayRef)| {
        vec![("customer_id", ids(1)), ("item_id", ids(2)), ("click_time", time()), more]
    };
    for (name, column) in [("customer_id", ids(7)), ("item_id", ids(7)), ("click_time", time())] {
        write_columns(&file, &base((name, column)));
        let said = format!("joined.parquet has two columns {name}");
        bench.refused(ingest, &[&said]);
        let check = bench.run("config check --input input --dt 2026-01-01");
        assert!(check.code == 1 && check.stdout.contains(&said), "{}", check.stdout);
    }
    let mut others = base(("x", ids(7)));
    others.push(("x", time()));
    write_columns(&file, &others);
    bench.ok(ingest);
    // In the lists of impressions.
    let fields = Fields::from(vec![
        Field::new("item_id", DataType::Int64, true),
        Field::new("is_order", DataType::Int64, true),
        Field::new("item_id", DataType::Int64, true),
    ]);
    let values = StructArray::new(fields.clone(), vec![ids(5), ids(0), ids(6)], None);
    let element = Arc::new(Field::new("element", DataType::Struct(fields), true));
    let lists = arrow::array::ListArray::new(element, OffsetBuffer::from_lengths([1]), Arc::new(values), None);
    let shown = bench.input().join("impressions/dt=2026-01-02/joined.parquet");
    write_columns(
        &shown,
        &[
            ("ranking_id", Arc::new(arrow::array::StringArray::from(vec!["r"]))),
            ("customer_id", ids(1)),
            ("impressions", Arc::new(lists)),
        ],
    );
    let said = "joined.parquet has two columns impressions.item_id";
    bench.refused("produce --store store --input input --dt 2026-01-02 --out out", &[said]);
    let check = bench.run("config check --input input --dt 2026-01-02");
    assert!(check.code == 1 && check.stdout.contains(said), "{}", check.stdout);
}

#[test]
fn a_file_that_two_sources_find_is_an_error_that_names_both() {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    let toml = "[sources.clicks]\n[sources.taps]\npattern = \"clicks/dt={dt}/*.parquet\"\ncolumns = { time = \"click_time\" }\ntype = \"order\"\n";
    write_file(&bench.input().join("lookback.toml"), toml.as_bytes());
    let words = ["part-0.parquet matches two sources", "clicks (clicks/dt={dt})", "taps (clicks/dt={dt}/*.parquet)"];
    let refused = || {
        bench.refused("ingest --create --store store --input input --dt 2026-01-01", &words);
        bench.refused("backfill --store store --input input --from 2026-01-01 --to 2026-01-01", &words);
        bench.refused("config check --input input --dt 2026-01-01", &words);
        let range = "--from 2026-01-01 --to 2026-01-01";
        bench.refused(&format!("vocabulary --input input {range} --of items --out words"), &words);
        assert!(!bench.store().exists());
    };
    refused();
    // By way of a link too.
    symlink("clicks", bench.input().join("taps")).unwrap();
    let linked = toml.replace("\"clicks/dt={dt}/*.parquet\"", "\"taps/dt={dt}\"");
    write_file(&bench.input().join("lookback.toml"), linked.as_bytes());
    let ran = bench.run("ingest --create --store store --input input --dt 2026-01-01");
    assert!(ran.code == 1 && ran.said().contains("clicks (clicks/dt={dt}) and taps (taps/dt={dt})"), "{}", ran.stderr);
}

#[test]
fn files_of_the_same_bytes_are_taken_and_named() {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    for day in ["2026-01-01", "2026-01-02", "2026-01-03"] {
        write_batch(&bench.input(), day, &[RawAction { time_us: us(&format!("{day}T10:00:00Z")), ..action }], PLAIN);
        write_impressions(&bench.input(), day, std::slice::from_ref(&shown), PLAIN);
        for folder in ["clicks", "impressions"] {
            let folder = bench.input().join(folder).join(format!("dt={day}"));
            fs::copy(folder.join("part-0.parquet"), folder.join("part-1.parquet")).unwrap();
        }
    }
    let note = |folder: &str, day: &str| {
        let file = |number| format!("input/{folder}/dt={day}/part-{number}.parquet");
        format!("note: {} has the same content as {}: its rows count twice", file(1), file(0))
    };
    let ran = bench.ingest("2026-01-01");
    assert!(ran.stderr.contains(&note("clicks", "2026-01-01")), "{}", ran.stderr);
    assert!(ran.said().contains("; 1 file with the content of another (kept)"), "{}", ran.stderr);
    let ran = bench.run("backfill --store store --input input --from 2026-01-01 --to 2026-01-03 --out out");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for day in ["2026-01-02", "2026-01-03"] {
        assert!(ran.stderr.contains(&note("clicks", day)), "{}", ran.stderr);
    }
    for day in ["2026-01-01", "2026-01-02", "2026-01-03"] {
        assert!(ran.stderr.contains(&note("impressions", day)), "{}", ran.stderr);
    }
    let summary = bench.json("ingest --create --store store --input input --dt 2026-01-02");
    assert_eq!(
        (&summary["same_content"], &summary["actions"], &summary["duplicates"]),
        (&1.into(), &2.into(), &1.into())
    );
    assert_eq!(summary["same_content_files"][0]["file"], "input/clicks/dt=2026-01-02/part-1.parquet");
    assert_eq!(summary["same_content_files"][0]["same_as"], "input/clicks/dt=2026-01-02/part-0.parquet");
    let summary = bench.json("produce --store store --input input --dt 2026-01-02 --out out");
    assert_eq!((&summary["same_content"], &summary["rows"]), (&1.into(), &2.into()));
    assert_eq!(summary["same_content_files"][0]["file"], "input/impressions/dt=2026-01-02/part-1.parquet");
    // Files without any row say nothing twice.
    for name in ["a.csv", "b.csv"] {
        write_file(&bench.input().join("orders/dt=2026-01-04").join(name), b"customer_id,config_id,occurred_at\n");
    }
    assert_eq!(
        bench.json("ingest --allow-missing-source --store store --input input --dt 2026-01-04")["same_content"],
        0
    );
}
