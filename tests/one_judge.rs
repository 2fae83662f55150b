//! What a file may lack, what it may have beside what is read, and that `config check` says what `ingest` and `produce`
//! say: of every format alike.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, Decimal128Array, DictionaryArray, Int64Array, IntervalDayTimeArray, ListArray,
    MapArray, NullArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int8Type, IntervalDayTime};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::support::input::{PLAIN, RawAction, us, write_batch, write_parquet};
use crate::support::output::read_partition;
use crate::support::program::{Bench, Ran, write_file};

const PRODUCE: &str = "produce --store store --input input --dt 2026-01-02 --out out";
const CHECK: &str = "config check --input input --dt 2026-01-02";

fn bench() -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    bench.ingest("2026-01-01");
    let next = RawAction { time_us: us("2026-01-02T10:00:00Z"), kind: 3, ..action };
    write_batch(&bench.input(), "2026-01-02", &[next], PLAIN);
    bench
}

fn ids(id: i64) -> ArrayRef {
    Arc::new(Int64Array::from(vec![id]))
}

/// One list of one struct with these fields.
fn list(fields: &[(&str, ArrayRef)]) -> ArrayRef {
    let columns = fields.iter().map(|(_, column)| Arc::clone(column)).collect();
    let fields: Fields =
        fields.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let values = StructArray::new(fields.clone(), columns, None);
    let element = Arc::new(Field::new("element", DataType::Struct(fields), true));
    Arc::new(ListArray::new(element, OffsetBuffer::from_lengths([1]), Arc::new(values), None))
}

/// The impressions of a day as one file of a format: `(ending, content without these)`.
fn write_shown(bench: &Bench, ending: &str, ranking_id: bool, label: bool) {
    let folder = bench.input().join("impressions/dt=2026-01-02");
    let _ = fs::remove_dir_all(&folder);
    let path = folder.join(format!("a.{ending}"));
    let elements = if label { r#"[{"item_id":5,"is_order":1}]"# } else { r#"[{"item_id":5}]"# };
    match ending {
        "parquet" => {
            let item = ("item_id", ids(5));
            let lists = if label { list(&[item, ("is_order", ids(1))]) } else { list(&[item]) };
            let mut columns = vec![("customer_id", ids(1)), ("impressions", lists)];
            if ranking_id {
                columns.push(("ranking_id", Arc::new(StringArray::from(vec!["r"]))));
            }
            write_parquet(&path, &columns);
        }
        "csv" => {
            let (head, cell) = if ranking_id { ("ranking_id,", "r,") } else { ("", "") };
            let quoted = elements.replace('"', "\"\"");
            write_file(&path, format!("{head}customer_id,impressions\n{cell}1,\"{quoted}\"\n").as_bytes());
        }
        _ => {
            let ranking_id = if ranking_id { "\"ranking_id\":\"r\"," } else { "" };
            write_file(&path, format!("{{{ranking_id}\"customer_id\":1,\"impressions\":{elements}}}\n").as_bytes());
        }
    }
}

#[test]
fn a_missing_ranking_id_is_null_and_a_missing_label_0_in_every_format_and_it_is_said() {
    let bench = bench();
    for ending in ["parquet", "csv", "jsonl"] {
        for (ranking_id, label) in [(true, true), (false, true), (true, false), (false, false)] {
            write_shown(&bench, ending, ranking_id, label);
            let ran = bench.ok(PRODUCE);
            let rows = read_partition(&bench.out(), "2026-01-02");
            let expected = (ranking_id.then(|| "r".to_owned()), i32::from(label));
            assert_eq!(rows.iter().map(|row| (row.ranking_id.clone(), row.label)).collect::<Vec<_>>(), [expected]);
            let file = format!("input/impressions/dt=2026-01-02/a.{ending}");
            let no_id = format!("note: there is no column ranking_id in {file}: the ranking ids of its rows are null");
            let no_label =
                format!("note: there is no field impressions.is_order in {file}: all labels of its rows are 0");
            let check = bench.ok(CHECK);
            for ran in [&ran, &check] {
                assert_eq!(ran.stderr.contains(&no_id), !ranking_id, "{ending}: {}", ran.stderr);
                assert_eq!(ran.stderr.contains(&no_label), !label, "{ending}: {}", ran.stderr);
            }
            let summary = bench.json(PRODUCE);
            assert_eq!(summary["without_ranking_id"], u64::from(!ranking_id));
            assert_eq!(summary["without_label"], u64::from(!label));
        }
    }
    // Several files: the first is named, the others are counted. One row with a null is no lack.
    let folder = bench.input().join("impressions/dt=2026-01-02");
    for name in ["b.jsonl", "c.jsonl"] {
        let row = format!("{{\"customer_id\":1,\"impressions\":[{{\"item_id\":{}}}]}}\n", name.len());
        write_file(&folder.join(name), row.replace("7", if name == "b.jsonl" { "7" } else { "8" }).as_bytes());
    }
    write_file(
        &folder.join("d.jsonl"),
        b"{\"customer_id\":1,\"ranking_id\":null,\"impressions\":[{\"item_id\":9,\"is_order\":null}]}\n{\"customer_id\":1,\"impressions\":null}\n",
    );
    let ran = bench.ok(PRODUCE);
    for what in ["column ranking_id", "field impressions.is_order"] {
        let note = format!("note: there is no {what} in input/impressions/dt=2026-01-02/a.jsonl and 2 more: ");
        assert!(ran.stderr.contains(&note), "{}", ran.stderr);
    }
    // A file without any row lacks nothing.
    let _ = fs::remove_dir_all(&folder);
    write_file(&folder.join("a.csv"), b"customer_id,impressions\n");
    assert!(!bench.ok(PRODUCE).stderr.contains("note: there is no"));
}

/// The sentence of a refusal, up to what to do.
fn sentence(ran: &Ran) -> String {
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    ran.said().trim_start_matches("error: ").split("; ").next().unwrap().to_owned()
}

#[test]
fn check_and_command_say_the_same() {
    let bench = bench();
    let (click, shown) = ("clicks/dt=2026-01-02", "impressions/dt=2026-01-02");
    let time: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![us("2026-01-02T10:00:00Z")]).with_timezone("UTC"));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let flags = list(&[("item_id", ids(5)), ("is_order", Arc::clone(&text))]);
    let good = list(&[("item_id", ids(5))]);
    type Columns<'a> = Vec<(&'a str, ArrayRef)>;
    let parquet: Vec<(&str, Columns<'_>, &str)> = vec![
        (click, vec![("customer_id", ids(1)), ("item_id", ids(2))], "has no column click_time"),
        (
            click,
            vec![("customer_id", ids(1)), ("item_id", ids(2)), ("click_time", ids(3))],
            "column click_time of type Int64",
        ),
        (
            click,
            vec![("customer_id", Arc::clone(&time)), ("item_id", ids(2)), ("click_time", Arc::clone(&time))],
            "column customer_id of type Timestamp",
        ),
        (
            click,
            vec![("customer_id", ids(1)), ("item_id", ids(0)), ("click_time", Arc::clone(&time))],
            "column item_id is 0",
        ),
        (
            shown,
            vec![("customer_id", ids(1)), ("impressions", list(&[("sku", ids(5))]))],
            "a list of structs with the field item_id",
        ),
        (
            shown,
            vec![("customer_id", ids(1)), ("impressions", list(&[("sku", ids(5)), ("is_order", ids(1))]))],
            "a list of structs with the field item_id",
        ),
        (
            shown,
            vec![("customer_id", ids(1)), ("impressions", flags)],
            "column impressions.is_order is x, neither 0 nor 1",
        ),
        (shown, vec![("customer_id", ids(1)), ("impressions", ids(5))], "a list of structs with the field item_id"),
        (
            shown,
            vec![("customer_id", Arc::clone(&text)), ("impressions", Arc::clone(&good))],
            "column customer_id is not an integer (\"x\")",
        ),
        (
            shown,
            vec![("customer_id", ids(1)), ("impressions", Arc::clone(&good)), ("ranking_id", time)],
            "column ranking_id of type Timestamp",
        ),
    ];
    for (folder, columns, said) in parquet {
        write_parquet(&bench.input().join(folder).join("a.parquet"), &columns);
        same(&bench, folder, said);
    }
    for (folder, name, content, said) in [
        (click, "a.csv", "customer_id,item_id\n1,2\n", "has no column click_time"),
        (
            click,
            "a.csv",
            "customer_id,item_id,click_time\n1,2,x\n",
            "a.csv line 2 column click_time is not an ISO 8601 time",
        ),
        (click, "a.csv", "customer_id,item_id,item_id,click_time\n1,2,2,x\n", "has two columns item_id"),
        (click, "a.jsonl", "{\"customer_id\":1,\"item_id\":2}\n", "has no column click_time"),
        (
            click,
            "a.jsonl",
            "{\"customer_id\":[1],\"item_id\":2,\"click_time\":0}\n",
            "line 1 column customer_id is an array",
        ),
        (click, "a.jsonl", "", ""),
        (
            shown,
            "a.jsonl",
            "{\"customer_id\":1,\"impressions\":[{\"item_id\":0}]}\n",
            "line 1 column impressions.item_id is 0",
        ),
        (shown, "a.jsonl", "{\"customer_id\":1}\n", "has no column impressions"),
        (shown, "a.csv", "customer_id,impressions\n1,x\n", "line 2 column impressions is not a JSON array"),
    ] {
        write_file(&bench.input().join(folder).join(name), content.as_bytes());
        same(&bench, folder, said);
    }
}

fn same(bench: &Bench, folder: &str, said: &str) {
    let command = if folder.starts_with("clicks") {
        "ingest --create --store store --input input --dt 2026-01-02"
    } else {
        PRODUCE
    };
    let (ran, check) = (bench.run(command), bench.run(CHECK));
    if said.is_empty() {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    } else {
        let sentence = sentence(&ran);
        assert!(sentence.contains(said), "{sentence}");
        assert!(check.code == 1 && check.stdout.contains(&sentence), "{sentence}\n{}", check.stdout);
    }
    fs::remove_dir_all(bench.input().join(folder)).unwrap();
}

#[test]
fn check_tries_the_first_thousand_rows() {
    let bench = bench();
    let rows = |bad: usize| {
        let row = |number: usize| {
            format!("{},2,2026-01-02\n", if number == bad { "x".to_owned() } else { number.to_string() })
        };
        format!("customer_id,item_id,click_time\n{}", (1..=1_100).map(row).collect::<String>())
    };
    let path = bench.input().join("clicks/dt=2026-01-02/a.csv");
    write_file(&path, rows(1_000).as_bytes());
    let check = bench.run(CHECK);
    assert!(
        check.code == 1 && check.stdout.contains("line 1001 column customer_id is not an integer"),
        "{}",
        check.stdout
    );
    write_file(&path, rows(1_001).as_bytes());
    bench.ok(CHECK);
    bench.refused("ingest --create --store store --input input --dt 2026-01-02", &["line 1002 column customer_id"]);
}

/// A misspelt column of types is a column that lacks, in every format.
#[test]
fn a_missing_column_of_types_is_refused_in_every_format() {
    let bench = bench();
    let toml = "[sources.events]\npattern = \"events/dt={dt}\"\ncolumns = { time = \"at\", type = \"kind\" }\n";
    write_file(&bench.input().join("lookback.toml"), toml.as_bytes());
    let folder = bench.input().join("events/dt=2026-01-02");
    for (name, content) in [
        ("a.jsonl", "{\"customer_id\":1,\"item_id\":2,\"at\":\"2026-01-02\",\"knid\":\"click\"}\n"),
        ("a.csv", "customer_id,item_id,at,knid\n1,2,2026-01-02,click\n"),
    ] {
        write_file(&folder.join(name), content.as_bytes());
        bench.refused("ingest --create --store store --input input --dt 2026-01-02", &[name, "has no column kind"]);
        fs::remove_file(folder.join(name)).unwrap();
    }
}

/// Columns that nobody reads, of types that nobody could.
#[test]
fn a_column_that_nobody_reads_never_matters() {
    let bench = bench();
    let time: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![us("2026-01-02T10:00:00Z")]).with_timezone("UTC"));
    let decimal = Decimal128Array::from(vec![1]).with_precision_and_scale(38, 38).unwrap();
    let dictionary: DictionaryArray<Int8Type> = vec!["x"].into_iter().collect();
    let entries = StructArray::from(vec![
        (Arc::new(Field::new("keys", DataType::Utf8, false)), Arc::new(StringArray::from(vec!["k"])) as ArrayRef),
        (Arc::new(Field::new("values", DataType::Int64, true)), ids(1)),
    ]);
    let map = MapArray::new(
        Arc::new(Field::new("entries", entries.data_type().clone(), false)),
        OffsetBuffer::from_lengths([1]),
        entries,
        None,
        false,
    );
    let odd: Vec<(&str, ArrayRef)> = vec![
        ("null", Arc::new(NullArray::new(1))),
        ("bytes", Arc::new(BinaryArray::from(vec![&b"\xff\0"[..]]))),
        ("decimal", Arc::new(decimal)),
        ("dictionary", Arc::new(dictionary)),
        ("map", Arc::new(map)),
        ("interval", Arc::new(IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, 2)]))),
        ("list", list(&[("a", list(&[("item_id", ids(1)), ("b", ids(2))]))])),
        ("ranking", Arc::new(BinaryArray::from(vec![&b"\xff"[..]]))),
    ];
    let mut clicks = vec![("customer_id", ids(1)), ("item_id", ids(2)), ("click_time", time)];
    let mut shown =
        vec![("customer_id", ids(1)), ("impressions", list(&[("item_id", ids(5)), ("meta", list(&[("x", ids(1))]))]))];
    for (name, column) in &odd {
        clicks.push((name, Arc::clone(column)));
        shown.push((name, Arc::clone(column)));
    }
    write_parquet(&bench.input().join("clicks/dt=2026-01-02/a.parquet"), &clicks);
    write_parquet(&bench.input().join("impressions/dt=2026-01-02/a.parquet"), &shown);
    bench.ok(CHECK);
    assert_eq!(bench.json("ingest --create --store store --input input --dt 2026-01-02")["actions"], 2);
    assert_eq!(bench.json(PRODUCE)["rows"], 1);
    // The writer's own schema, which stands beside that of the columns, with types that are not known yet.
    let path = bench.input().join("clicks/dt=2026-01-02/b.parquet");
    let batch =
        RecordBatch::try_from_iter_with_nullable(clicks.iter().map(|(name, column)| (*name, Arc::clone(column), true)))
            .unwrap();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(vec![KeyValue::new("ARROW:schema".to_owned(), "of another age".to_owned())]));
    let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    let file = fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new_with_options(file, batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bench.ok(CHECK);
    assert_eq!(bench.json("ingest --create --store store --input input --dt 2026-01-02")["actions"], 3);
    fs::remove_file(&path).unwrap();
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let json = format!("{{\"x\":{deep},\"customer_id\":1,\"item_id\":2,\"click_time\":\"2026-01-02\",\"y\":1e999}}\n");
    write_file(Path::new(&bench.input().join("clicks/dt=2026-01-02/a.jsonl")), json.as_bytes());
    bench.ok(CHECK);
    assert_eq!(bench.json("ingest --create --store store --input input --dt 2026-01-02")["actions"], 3);
}
