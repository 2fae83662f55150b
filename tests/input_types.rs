//! Every type that the contract allows for ids and times, through the real binary, gives the same rows as the plain
//! one.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Int8Array, Int32Array, Int64Array, LargeListArray,
    LargeStringArray, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt16Array, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Int8Type};
use parquet::data_type::{Int64Type, Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::support::input::{PLAIN, RawImpression, us, write_impressions, write_parquet};
use crate::support::output::read_partition;
use crate::support::program::Bench;

const TIME: &str = "2026-01-02T03:04:05Z";

/// Ingests one click file of customers and items given, at the times given, and gives (customer, item) of what day
/// 2026-01-03 sees.
fn seen(bench: &Bench, columns: &[(&str, ArrayRef)], zone: &str) -> Vec<(i64, Vec<i64>)> {
    let _ = std::fs::remove_dir_all(bench.store());
    bench.ok(&format!("init --store store --max-history 2 --timezone {zone}"));
    write_parquet(&bench.input().join("clicks/dt=2026-01-02/x.parquet"), columns);
    see(bench)
}

fn see(bench: &Bench) -> Vec<(i64, Vec<i64>)> {
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(1, None)] };
    write_impressions(&bench.input(), "2026-01-03", &[shown(5), shown(6)], PLAIN);
    bench.ingest("2026-01-02");
    bench.produce("2026-01-03");
    let rows = read_partition(&bench.out(), "2026-01-03");
    rows.into_iter().map(|row| (row.customer_id, row.actions)).collect()
}

#[test]
fn ids_of_any_integer_type() {
    let bench = Bench::new();
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![us(TIME); 2]).with_timezone("UTC"));
    let dictionary: DictionaryArray<Int8Type> =
        DictionaryArray::new(Int8Array::from(vec![0, 1]), Arc::new(Int64Array::from(vec![5, 6])));
    let ids: [ArrayRef; 6] = [
        Arc::new(Int64Array::from(vec![5, 6])),
        Arc::new(Int32Array::from(vec![5, 6])),
        Arc::new(Int8Array::from(vec![5, 6])),
        Arc::new(UInt16Array::from(vec![5, 6])),
        Arc::new(UInt64Array::from(vec![5, 6])),
        Arc::new(dictionary),
    ];
    for ids in ids {
        let columns =
            [("customer_id", Arc::clone(&ids)), ("item_id", Arc::clone(&ids)), ("click_time", Arc::clone(&times))];
        assert_eq!(seen(&bench, &columns, "UTC"), [(5, vec![5, 0]), (6, vec![6, 0])], "{}", ids.data_type());
    }
}

#[test]
fn times_of_any_type() {
    let bench = Bench::new();
    let micros = us(TIME);
    // In Tokyo, 9 hours ahead. The second time of each is the first moment of the next day there, and must not be seen.
    let end = us("2026-01-02T15:00:00Z");
    let instants = vec![micros, end];
    let scaled = |divisor: i64| instants.iter().map(|time| time / divisor).collect::<Vec<_>>();
    let walls: Vec<i64> = instants.iter().map(|time| time + 9 * 3_600_000_000).collect();
    let texts = vec!["2026-01-02T03:04:05Z", "2026-01-03 00:00:00"];
    let mixed = vec!["2026-01-02 12:04:05.000000", "2026-01-03"];
    let codes: DictionaryArray<Int8Type> = texts.iter().copied().collect();
    let kinds: [ArrayRef; 11] = [
        Arc::new(TimestampSecondArray::from(scaled(1_000_000)).with_timezone("UTC")),
        Arc::new(TimestampMillisecondArray::from(scaled(1_000)).with_timezone("+05:00")),
        Arc::new(TimestampMicrosecondArray::from(instants.clone()).with_timezone("America/New_York")),
        Arc::new(
            TimestampNanosecondArray::from(instants.iter().map(|time| time * 1_000).collect::<Vec<_>>())
                .with_timezone("UTC"),
        ),
        Arc::new(TimestampMicrosecondArray::from(walls.clone())),
        Arc::new(TimestampNanosecondArray::from(walls.iter().map(|time| time * 1_000).collect::<Vec<_>>())),
        Arc::new(Date32Array::from(vec![20_455, 20_456])),
        Arc::new(StringArray::from(texts.clone())),
        Arc::new(LargeStringArray::from(mixed)),
        Arc::new(StringViewArray::from(texts)),
        Arc::new(codes),
    ];
    for times in kinds {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![5, 6]));
        let columns =
            [("customer_id", Arc::clone(&ids)), ("item_id", Arc::clone(&ids)), ("click_time", Arc::clone(&times))];
        assert_eq!(seen(&bench, &columns, "Asia/Tokyo"), [(5, vec![5, 0]), (6, vec![0, 0])], "{}", times.data_type());
    }
}

#[test]
fn int96_is_an_instant_as_spark_writes_it() {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 2 --timezone Asia/Tokyo");
    let path = bench.input().join("clicks/dt=2026-01-02/x.parquet");
    write_int96(&path, SPARK, &[us(TIME), us("2026-01-02T15:00:00Z")]);
    assert_eq!(see(&bench), [(5, vec![5, 0]), (6, vec![0, 0])]);
    // The year 2262 and beyond must not wrap around into the valid years.
    write_int96(&path, SPARK, &[us("2700-01-01T00:00:00Z"), us(TIME)]);
    bench
        .refused("ingest --create --store store --input input --dt 2026-01-02", &["click_time lies outside the years"]);
}

/// In structs and in lists that are exploded, beside integers.
#[test]
fn int96_inside_of_columns_is_what_it_is_at_the_top() {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 2 --timezone Asia/Tokyo");
    let path = bench.input().join("clicks/dt=2026-01-02/x.parquet");
    let fields = "required int64 item_id; required int96 at;";
    let list = format!("required group e (LIST) {{ repeated group list {{ required group element {{ {fields} }} }} }}");
    let late = us("2026-01-02T23:00:00Z");
    for (columns, levels, explode) in [
        (format!("required group e {{ {fields} }}"), None, ""),
        (list, Some([[1_i16, 1].as_slice(), &[0, 0]]), "explode = \"e\"\n"),
    ] {
        let columns = format!("required int64 customer_id; {columns}");
        let toml = format!("[sources.clicks]\n{explode}columns = {{ item_id = \"e.item_id\", time = \"e.at\" }}\n");
        std::fs::create_dir_all(bench.input()).unwrap();
        std::fs::write(bench.input().join("lookback.toml"), toml).unwrap();
        write_int96_in(&path, &columns, levels, SPARK, &[us(TIME), us("2026-01-02T15:00:00Z")]);
        assert_eq!(see(&bench), [(5, vec![5, 0]), (6, vec![0, 0])], "{columns}");
        write_int96_in(&path, &columns, levels, IMPALA, &[us(TIME), late]);
        assert_eq!(see(&bench), [(5, vec![5, 0]), (6, vec![6, 0])], "{columns}");
        write_int96_in(&path, &columns, levels, SPARK, &[us("2700-01-01T00:00:00Z"), us(TIME)]);
        let ingest = "ingest --create --store store --input input --dt 2026-01-02";
        bench.refused(ingest, &["row 1 column e.at lies outside the years"]);
    }
}

/// What the footers of files say of their writers.
const SPARK: &str = "parquet-mr version 1.13.1 (build db4183109d5b734ec5930d870cdae161e408ddba)";
const IMPALA: &str = "impala version 4.4.0-RELEASE (build 0a3bd2a4c2a4bd8b6f4c)";

/// Impala writes the wall clock. What the configuration says goes before what the writer is known for.
#[test]
fn int96_of_impala_is_wall_time_unless_the_configuration_says_otherwise() {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 2 --timezone Asia/Tokyo");
    let path = bench.input().join("clicks/dt=2026-01-02/x.parquet");
    let toml = |said: &str| std::fs::write(bench.input().join("lookback.toml"), said).unwrap();
    // 23:00 on 2 January: in Tokyo that day's last hour; as an instant the morning of the next.
    let late = us("2026-01-02T23:00:00Z");
    let (wall, instant) = ([(5, vec![5, 0]), (6, vec![6, 0])], [(5, vec![5, 0]), (6, vec![0, 0])]);
    for (writer, int96, expected) in [
        (IMPALA, "", &wall),
        (SPARK, "", &instant),
        ("", "", &instant),
        (IMPALA, "int96 = \"instant\"", &instant),
        (SPARK, "int96 = \"wall_time\"", &wall),
        (IMPALA, "int96 = \"wall_time\"", &wall),
    ] {
        write_int96(&path, writer, &[us(TIME), late]);
        toml(&format!("[sources.clicks]\n{int96}\n"));
        assert_eq!(see(&bench), *expected, "{writer} {int96}");
        bench.ok("audit --store store --input input --dt 2026-01-03 --out out");
    }
    // Another word for the same times is another description of the batch.
    toml("[sources.clicks]\nint96 = \"instant\"\n");
    let plan = bench.json("backfill --store store --input input --from 2026-01-02 --to 2026-01-02 --dry-run");
    assert_eq!(plan["to_ingest"], serde_json::json!([["2026-01-02", "changed"]]));
    let check = bench.ok("config check --input input --dt 2026-01-02");
    assert!(check.stdout.contains("INT96 times are instant"), "{}", check.stdout);
    toml("[sources.clicks]\nint96 = \"wall\"\n");
    bench.refused(
        "ingest --create --store store --input input --dt 2026-01-02",
        &["lookback.toml line 2", "the nearest is wall_time"],
    );
}

/// Customers 5 and 6, items 5 and 6, at these times in INT96.
fn write_int96(path: &Path, created_by: &str, times_us: &[i64]) {
    let columns = "required int64 customer_id; required int64 item_id; required int96 click_time;";
    write_int96_in(path, columns, None, created_by, times_us);
}

/// The same with a schema of two columns of integers, then times; below a list, each row has a list of one element, for
/// which the levels are given.
fn write_int96_in(path: &Path, columns: &str, levels: Option<[&[i16]; 2]>, created_by: &str, times_us: &[i64]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let schema = &format!("message m {{ {columns} }}");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_created_by(created_by.to_owned()).build());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let [definition, repetition] = levels.map_or([None; 2], |levels| levels.map(Some));
    for number in 0..2 {
        let (definition, repetition) = if number == 0 { (None, None) } else { (definition, repetition) };
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[5, 6], definition, repetition).unwrap();
        column.close().unwrap();
    }
    let day_us = 86_400_000_000;
    let values: Vec<Int96> = times_us
        .iter()
        .map(|time| {
            let nanos = time.rem_euclid(day_us) * 1_000;
            let mut value = Int96::new();
            let low = u32::try_from(nanos & 0xffff_ffff).unwrap();
            let high = u32::try_from(nanos >> 32).unwrap();
            value.set_data(low, high, u32::try_from(time.div_euclid(day_us) + 2_440_588).unwrap());
            value
        })
        .collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int96Type>().write_batch(&values, definition, repetition).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn orders_may_have_only_a_date() {
    let bench = Bench::new();
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![5, 6]));
    let dates: [ArrayRef; 2] = [
        Arc::new(Date32Array::from(vec![20_455, 20_456])),
        Arc::new(StringArray::from(vec!["2026-01-02", "2026-01-03"])),
    ];
    for dates in dates {
        let _ = std::fs::remove_dir_all(bench.store());
        bench.ok("init --store store --max-history 2 --timezone America/New_York");
        let columns =
            [("customer_id", Arc::clone(&ids)), ("config_id", Arc::clone(&ids)), ("order_date", Arc::clone(&dates))];
        write_parquet(&bench.input().join("orders/dt=2026-01-02/x.parquet"), &columns);
        assert_eq!(see(&bench), [(5, vec![5, 0]), (6, vec![0, 0])], "{}", dates.data_type());
        let shown = bench.ok("show --store store --customer 5 --dt 2026-01-03").stdout;
        assert!(shown.contains("2026-01-02 00:00:00-05:00  order"), "a date is its midnight in the zone: {shown}");
    }
}

#[test]
fn impressions_of_other_list_text_and_label_types() {
    let bench = Bench::new();
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![5, 6]));
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![us(TIME); 2]).with_timezone("UTC"));
    let clicks = [("customer_id", Arc::clone(&ids)), ("item_id", ids), ("click_time", times)];
    seen(&bench, &clicks, "UTC");

    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
    let numbers = cast(&flags, &DataType::Int32).unwrap();
    let texts: [ArrayRef; 3] = [
        Arc::new(StringArray::from(vec!["x", "y"])),
        Arc::new(LargeStringArray::from(vec!["x", "y"])),
        Arc::new(vec!["x", "y"].into_iter().collect::<DictionaryArray<Int8Type>>()),
    ];
    for labels in [flags, numbers] {
        for text in &texts {
            let items: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
            let fields = Fields::from(vec![
                Field::new("score", DataType::Int32, true),
                Field::new("is_order", labels.data_type().clone(), true),
                Field::new("item_id", DataType::Int32, true),
            ]);
            let values = StructArray::new(fields.clone(), vec![Arc::clone(&items), Arc::clone(&labels), items], None);
            let element = Arc::new(Field::new("item", DataType::Struct(fields), true));
            let lists = LargeListArray::new(element, OffsetBuffer::from_lengths([2, 1]), Arc::new(values), None);
            let columns: [(&str, ArrayRef); 3] = [
                ("ranking_id", Arc::clone(text)),
                ("impressions", Arc::new(lists)),
                ("customer_id", Arc::new(UInt16Array::from(vec![5, 6]))),
            ];
            write_parquet(&bench.input().join("impressions/dt=2026-01-03/part-0.parquet"), &columns);
            bench.produce("2026-01-03");
            let rows = read_partition(&bench.out(), "2026-01-03");
            let cells: Vec<_> = rows.iter().map(|row| (row.customer_id, row.impression_item_id, row.label)).collect();
            assert_eq!(cells, [(5, 1, 1), (5, 2, 0), (6, 3, 0)]);
            assert_eq!(rows[2].ranking_id.as_deref(), Some("y"));
        }
    }
    assert!(flags_of_two_are_refused(&bench));
}

/// An integer label that is neither 0 nor 1 is a bad row, not an order.
fn flags_of_two_are_refused(bench: &Bench) -> bool {
    let fields =
        Fields::from(vec![Field::new("item_id", DataType::Int32, true), Field::new("is_order", DataType::Int32, true)]);
    let number: ArrayRef = Arc::new(Int32Array::from(vec![2]));
    let values = StructArray::new(fields.clone(), vec![Arc::clone(&number), number], None);
    let element = Arc::new(Field::new("item", DataType::Struct(fields), true));
    let lists = LargeListArray::new(element, OffsetBuffer::from_lengths([1]), Arc::new(values), None);
    let columns: [(&str, ArrayRef); 3] = [
        ("ranking_id", Arc::new(StringArray::from(vec!["x"]))),
        ("impressions", Arc::new(lists)),
        ("customer_id", Arc::new(Int64Array::from(vec![5]))),
    ];
    write_parquet(&bench.input().join("impressions/dt=2026-01-03/part-0.parquet"), &columns);
    let words = ["impressions.is_order is 2, neither 0 nor 1"];
    bench.refused("produce --store store --input input --dt 2026-01-03 --out out", &words);
    true
}
