//! Impressions without labels: label 0, and that is said, in every format and layout.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use lookback::input::MemoryInput;
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;

use super::{configure, open, sources};
use crate::support::input::{PLAIN, RawAction, us, write_batch, write_parquet};
use crate::support::output::read_partition;
use crate::support::program::{Bench, write_file};

const DT: &str = "2026-01-03";

fn bench(layout: &str) -> Bench {
    let bench = Bench::new();
    let click = RawAction { customer: 7, item: 1, time_us: us("2026-01-02T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-02", &[click], PLAIN);
    bench.ingest("2026-01-02");
    configure(&bench, &format!("[impressions]\nlayout = {layout:?}\n"));
    bench
}

/// The columns of one impression of one item, without a label.
fn columns(layout: &str) -> Vec<(&'static str, ArrayRef)> {
    let ids = |id: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![id])) };
    let name: ArrayRef = Arc::new(StringArray::from(vec!["r"]));
    let shown = if layout == "flat" {
        ("item_id", ids(5))
    } else {
        let fields = Fields::from(vec![Field::new("item_id", DataType::Int64, true)]);
        let element = Arc::new(Field::new("element", DataType::Struct(fields.clone()), true));
        let values = StructArray::new(fields, vec![ids(5)], None);
        let lists = ListArray::new(element, OffsetBuffer::from_lengths([1]), Arc::new(values), None);
        assert_eq!(lists.len(), 1);
        ("impressions", Arc::new(lists) as ArrayRef)
    };
    vec![("ranking_id", name), ("customer_id", ids(7)), shown]
}

#[test]
fn labels_that_are_missing_are_0_and_that_is_said() {
    let texts = [
        ("lists", "csv", "ranking_id,customer_id,impressions\nr,7,\"[{\"\"item_id\"\":5}]\"\n"),
        ("lists", "jsonl", "{\"ranking_id\":\"r\",\"customer_id\":7,\"impressions\":[{\"item_id\":5}]}\n"),
        ("lists", "parquet", ""),
        ("flat", "csv", "ranking_id,customer_id,item_id\nr,7,5\n"),
        ("flat", "jsonl", "{\"ranking_id\":\"r\",\"customer_id\":7,\"item_id\":5}\n"),
        ("flat", "parquet", ""),
    ];
    for (layout, ending, content) in texts {
        let bench = bench(layout);
        let file = bench.input().join(format!("impressions/dt={DT}/a.{ending}"));
        match ending {
            "parquet" => write_parquet(&file, &columns(layout)),
            _ => write_file(&file, content.as_bytes()),
        }
        let what = if layout == "flat" { "column is_order" } else { "field impressions.is_order" };
        let note =
            format!("note: there is no {what} in input/impressions/dt={DT}/a.{ending}: all labels of its rows are 0");
        let ran = bench.ok(&format!("produce --store store --input input --dt {DT} --out out"));
        assert!(
            ran.stderr.contains(&note) && ran.stderr.contains("; 1 file without labels"),
            "{layout} {ending}: {}",
            ran.stderr
        );
        let row = read_partition(&bench.out(), DT).remove(0);
        assert_eq!((row.impression_item_id, row.label, row.impression_pos), (5, 0, 0), "{layout} {ending}");
        let checked = bench.run(&format!("config check --input input --dt {DT} --json"));
        assert!(checked.stderr.contains(&note), "{layout} {ending}: {}", checked.stderr);
        bench.ok(&format!("audit --store store --input input --out out --dt {DT}"));
    }
    for layout in ["lists", "flat"] {
        let bench = bench(layout);
        let described = sources(&bench);
        let mut input = MemoryInput::new(&described, &Resources::default());
        let batch = arrow::array::RecordBatch::try_from_iter(columns(layout)).unwrap();
        let schema = batch.schema();
        input.add_impressions(Box::new(arrow::array::RecordBatchIterator::new([Ok(batch)], schema))).unwrap();
        let options = ProduceOptions::new(input, DT.parse::<lookback::model::Day>().unwrap(), bench.out());
        let summary = produce(&open(&bench.store()), &options.sources(described), &Silent).unwrap();
        assert_eq!((summary.rows, summary.without_label, summary.ordered), (1, 1, 0), "{layout}");
    }
}

/// The labels of flat rows in the ways in which text files have them.
#[test]
fn labels_of_flat_rows_are_read_in_every_spelling() {
    let bench = bench("flat");
    let file = |name: &str| bench.input().join(format!("impressions/dt={DT}/{name}"));
    write_file(&file("a.csv"), b"ranking_id,customer_id,item_id,is_order,position\nr,7,1,True,0\nr,7,2,False,1\nr,7,3,1.0,2\nr,7,4,,3\nr,7,5,\"\",4\n");
    let json =
        [("6", "true"), ("7", "0"), ("8", "1"), ("9", "null")].iter().enumerate().map(|(place, (item, label))| {
            format!(
                "{{\"ranking_id\":\"r\",\"customer_id\":7,\"item_id\":{item},\"is_order\":{label},\"position\":{}}}\n",
                place + 5
            )
        });
    write_file(&file("b.jsonl"), json.collect::<String>().as_bytes());
    bench.produce(DT);
    let rows = read_partition(&bench.out(), DT);
    let found: Vec<(i64, i32, i32)> =
        rows.iter().map(|row| (row.impression_item_id, row.label, row.impression_pos)).collect();
    assert_eq!(
        found,
        [(1, 1, 0), (2, 0, 1), (3, 1, 2), (4, 0, 3), (5, 0, 4), (6, 1, 5), (7, 0, 6), (8, 1, 7), (9, 0, 8)]
    );
}
