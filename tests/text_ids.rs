//! Ids that are text: in every format and from memory the same text is the same number, in actions and impressions;
//! commands take the text; and the store refuses ids of another kind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, LargeStringArray, ListArray, RecordBatch, RecordBatchIterator, StringArray, StructArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use chrono::NaiveDate;
use lookback::ingest::{IngestOptions, Ingester};
use lookback::input::MemoryInput;
use lookback::model::{Day, IdForm, Ids, text_id};
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::sources::Sources;
use lookback::store::{Folder, Store};
use serde_json::{Value, json};

use crate::support::input::{RawAction, RawImpression, us, write_parquet};
use crate::support::output::{dump, read_partition};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::reference::{Question, Reference, date};

const BOTH: &str = "[ids]\ncustomer = \"text\"\nitem = \"text\"\n";

/// Texts that are easily taken for others; the last is above 2^63.
const TEXTS: [&str; 9] = [
    "0003374a-a35c-46ed-96d2-0ea32b753199",
    "N55689",
    "0042",
    "42",
    " 42",
    "é😀",
    "a,\"b\"",
    "1e3",
    "18446744073709551615",
];

/// Customer, item, time.
type Click = (&'static str, &'static str, i64);

/// Customer, items.
type Shown = (&'static str, Vec<&'static str>);

fn clicks(random: &mut Random, day: &str) -> Vec<Click> {
    let text = |random: &mut Random| TEXTS[usize::try_from(random.below(9)).unwrap()];
    let begin = us(&format!("{day}T00:00:00Z"));
    (0..120).map(|number| (text(random), text(random), begin + number * 1_000_000)).collect()
}

fn shown(random: &mut Random) -> Vec<Shown> {
    let text = |random: &mut Random| TEXTS[usize::try_from(random.below(9)).unwrap()];
    (0..40).map(|_| (text(random), (0..random.below(4)).map(|_| text(random)).collect())).collect()
}

fn click_columns(clicks: &[Click]) -> [(&'static str, ArrayRef); 3] {
    let customers: StringArray = clicks.iter().map(|click| Some(click.0)).collect();
    let items: LargeStringArray = clicks.iter().map(|click| Some(click.1)).collect();
    let times: TimestampMicrosecondArray = clicks.iter().map(|click| Some(click.2)).collect();
    [
        ("customer_id", Arc::new(customers)),
        ("item_id", Arc::new(items)),
        ("click_time", Arc::new(times.with_timezone("UTC"))),
    ]
}

fn shown_columns(shown: &[Shown]) -> [(&'static str, ArrayRef); 2] {
    let customers: StringArray = shown.iter().map(|row| Some(row.0)).collect();
    let items: StringArray = shown.iter().flat_map(|row| &row.1).map(|item| Some(*item)).collect();
    let orders = BooleanArray::from(vec![false; items.value_offsets().len() - 1]);
    let fields = Fields::from(vec![
        Field::new("item_id", DataType::Utf8, true),
        Field::new("is_order", DataType::Boolean, true),
    ]);
    let values = StructArray::new(fields.clone(), vec![Arc::new(items), Arc::new(orders)], None);
    let offsets = OffsetBuffer::from_lengths(shown.iter().map(|row| row.1.len()));
    let element = Field::new("element", DataType::Struct(fields), true);
    let lists = ListArray::new(Arc::new(element), offsets, Arc::new(values), None);
    [("customer_id", Arc::new(customers)), ("impressions", Arc::new(lists))]
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn time(time_us: i64) -> String {
    chrono::DateTime::from_timestamp_micros(time_us).unwrap().format("%FT%T%.6fZ").to_string()
}

/// Whether a text is what JSON and Parquet have as a number.
fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|number| number.to_string() == text)
}

/// A text as JSON, or as a number where it is one and `number` is odd.
fn json_id(text: &str, number: usize) -> Value {
    if is_number(text) && number % 2 == 1 { json!(text.parse::<u64>().unwrap()) } else { json!(text) }
}

fn list(items: &[&str]) -> Value {
    items.iter().enumerate().map(|(place, item)| json!({"item_id": json_id(item, place), "is_order": false})).collect()
}

/// Writes a day of clicks, and the impressions of the day after, by the ending of their files.
fn write(root: &Path, ending: &str, (day, clicks): (&str, &[Click]), (after, shown): (&str, &[Shown])) {
    let clicks_at = root.join(format!("clicks/dt={day}/a.{ending}"));
    let shown_at = root.join(format!("impressions/dt={after}/a.{ending}"));
    match ending {
        "parquet" => {
            write_parquet(&clicks_at, &click_columns(clicks));
            write_parquet(&shown_at, &shown_columns(shown));
        }
        "csv" => {
            let rows = clicks
                .iter()
                .map(|(customer, item, time_us)| format!("{},{},{}\n", quoted(customer), quoted(item), time(*time_us)));
            write_file(
                &clicks_at,
                ("customer_id,item_id,click_time\n".to_owned() + &rows.collect::<String>()).as_bytes(),
            );
            let rows = shown
                .iter()
                .map(|(customer, items)| format!("{},{}\n", quoted(customer), quoted(&list(items).to_string())));
            write_file(&shown_at, ("customer_id,impressions\n".to_owned() + &rows.collect::<String>()).as_bytes());
        }
        _ => {
            let rows = clicks.iter().enumerate().map(|(number, (customer, item, time_us))| {
                let (customer, item) = (json_id(customer, number), json_id(item, number));
                format!("{}\n", json!({"customer_id": customer, "item_id": item, "click_time": time(*time_us)}))
            });
            write_file(&clicks_at, rows.collect::<String>().as_bytes());
            let rows = shown.iter().enumerate().map(|(number, (customer, items))| {
                format!("{}\n", json!({"customer_id": json_id(customer, number), "impressions": list(items)}))
            });
            write_file(&shown_at, rows.collect::<String>().as_bytes());
        }
    }
}

/// A store without the records of its batches, which name the files.
fn content(store: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    dump(store).into_iter().filter(|(key, _)| key[0] != 0x14).collect()
}

#[test]
fn the_same_texts_are_the_same_ids_in_every_format_and_from_memory() {
    let seed = seed(901);
    let mut random = Random::new(seed);
    let (day, after) = ("2026-01-02", "2026-01-03");
    let (clicks, shown) = (clicks(&mut random, day), shown(&mut random));
    let mut stores = BTreeMap::new();
    for ending in ["parquet", "csv", "jsonl"] {
        let bench = Bench::new();
        write(&bench.input(), ending, (day, &clicks), (after, &shown));
        write_file(&bench.input().join("lookback.toml"), BOTH.as_bytes());
        bench.ingest(day);
        bench.produce(after);
        bench.ok(&format!("audit --store store --input input --out out --dt {after}"));
        stores.insert(ending, (content(&bench.store()), read_partition(&bench.out(), after)));
    }
    let bench = Bench::new();
    let ids = Ids { customer: IdForm::Text, item: IdForm::Text, item_offset: 0 };
    let (sources, resources) = (Sources::default().with_ids(ids), Resources::default());
    let mut input = MemoryInput::new(&sources, &resources);
    let reader = |columns: &[(&str, ArrayRef)]| {
        let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
        let schema = batch.schema();
        Box::new(RecordBatchIterator::new([Ok(batch)], schema))
    };
    input.add("clicks", reader(&click_columns(&clicks))).unwrap();
    input.add_impressions(reader(&shown_columns(&shown))).unwrap();
    let input = Arc::new(input);
    let options = IngestOptions::new(Arc::clone(&input), day.parse::<Day>().unwrap()).sources(sources.clone());
    let folder = Folder::new(&bench.store());
    Ingester::open_or_create(&folder, &Silent).unwrap().ingest(&options, &Silent).unwrap();
    let options = ProduceOptions::new(input, after.parse::<Day>().unwrap(), bench.out()).sources(sources);
    produce(&Store::open_reader(&folder).unwrap(), &options, &Silent).unwrap();
    stores.insert("memory", (content(&bench.store()), read_partition(&bench.out(), after)));

    let (store, rows) = &stores["parquet"];
    for (of, other) in &stores {
        assert!(*store == other.0, "seed {seed}: another store from {of}");
        assert_eq!(*rows, other.1, "seed {seed}: {of}");
    }
    let mut items: Vec<i64> = shown.iter().flat_map(|row| &row.1).map(|text| text_id(text)).collect();
    let mut found: Vec<i64> = rows.iter().map(|row| row.impression_item_id).collect();
    items.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, items, "seed {seed}");
    assert!(rows.iter().any(|row| row.actions[0] != 0), "rows have histories");
}

#[test]
fn integers_are_their_digits() {
    let bench = Bench::new();
    let times = |count: usize| -> ArrayRef {
        let times = TimestampMicrosecondArray::from(vec![us("2026-01-02T10:00:00Z"); count]);
        Arc::new(times.with_timezone("UTC"))
    };
    let ids = |ids: Vec<u64>| -> ArrayRef { Arc::new(UInt64Array::from(ids)) };
    let columns =
        [("customer_id", ids(vec![0, 1 << 63])), ("item_id", ids(vec![0, u64::MAX])), ("click_time", times(2))];
    write_parquet(&bench.input().join("clicks/dt=2026-01-02/a.parquet"), &columns);
    write_file(&bench.input().join("lookback.toml"), BOTH.as_bytes());
    bench.ingest("2026-01-02");
    for (customer, item) in [("0", "0"), ("9223372036854775808", "18446744073709551615")] {
        assert_eq!(items(&bench, customer, "2026-01-03"), [text_id(item)]);
    }
}

/// The items of a customer's history.
fn items(bench: &Bench, customer: &str, dt: &str) -> Vec<i64> {
    let ran = bench.run_with(["show", "--json", "--store", "store", "--dt", dt, "--customer", customer]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&shown["customer"], &shown["customer_text"]), (&json!(text_id(customer)), &json!(customer)));
    shown["actions"].as_array().unwrap().iter().map(|action| action["item_id"].as_i64().unwrap()).collect()
}

/// Two customers with an action each.
fn two_customers() -> Bench {
    let bench = Bench::new();
    let rows = "customer_id,item_id,click_time\n\
                A2SUAM1J3GNN3B,N55689,2026-01-02T10:00:00Z\n\
                0042,N1,2026-01-02T11:00:00Z\n";
    write_file(&bench.input().join("clicks/dt=2026-01-02/a.csv"), rows.as_bytes());
    write_file(&bench.input().join("lookback.toml"), BOTH.as_bytes());
    bench.ingest("2026-01-02");
    bench
}

#[test]
fn commands_take_and_show_the_text() {
    let bench = two_customers();
    let show = bench.ok("show --store store --customer A2SUAM1J3GNN3B --dt 2026-01-03").stdout;
    assert!(show.starts_with("customer A2SUAM1J3GNN3B as of 2026-01-03: 1 action"), "{show}");
    assert!(show.contains(&text_id("N55689").to_string()), "of the item only the number is known: {show}");
    let explain = "explain --store store --dt 2026-01-03 --customer 0042";
    let said = bench.ok(&format!("{explain} --item N1"));
    assert!(said.stdout.starts_with("customer 0042 as of"), "{}", said.stdout);
    assert!(bench.ok(&format!("{explain} --item N2")).stdout.contains("none of them is on item N2"));
    let explained = bench.json(&format!("{explain} --item N1"));
    assert_eq!((&explained["customer_text"], &explained["item_text"]), (&"0042".into(), &"N1".into()));
    assert_eq!((&explained["customer"], &explained["item"]), (&text_id("0042").into(), &text_id("N1").into()));
    // The number of a text is another text.
    let number = text_id("0042").to_string();
    assert_eq!(items(&bench, &number, "2026-01-03"), [0_i64; 0]);

    write_file(&bench.path("ids"), b"0042\r\n\nnobody\n0042\n");
    let get = "get --store store --dt 2026-01-03 --customers ids --customer A2SUAM1J3GNN3B";
    let lines = bench.ok(get).stdout;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut found: Vec<(String, i64, usize)> = lines
        .iter()
        .map(|line| {
            let text = line["customer_text"].as_str().unwrap().to_owned();
            (text, line["customer_id"].as_i64().unwrap(), line["actions"].as_array().unwrap().len())
        })
        .collect();
    assert!(found.is_sorted_by_key(|line| line.1), "by number, as ever");
    found.sort();
    let line = |text: &str, actions| (text.to_owned(), text_id(text), actions);
    assert_eq!(found, [line("0042", 1), line("A2SUAM1J3GNN3B", 1), line("nobody", 0)]);
    for out in ["h.parquet", "h.arrow", "h.jsonl"] {
        for _ in 0..2 {
            assert_eq!(bench.json(&format!("{get} --out {out}"))["repeated"], 1, "also in place of an earlier one");
        }
    }
    let long = format!("{}\n", "x".repeat(5_000));
    write_file(&bench.path("long"), long.as_bytes());
    bench.refused(&get.replace("ids", "long"), &["line 1 of long is not a customer's id", "4 kB"]);
    let ran = bench.run_with(["show", "--store", "store", "--dt", "2026-01-03", "--customer", ""]);
    assert!(ran.code == 2 && ran.stderr.contains("--customer is an empty text"), "{}", ran.stderr);

    let receipt = bench.json("forget --store store --customers ids --dry-run");
    assert_eq!(receipt["customers"].as_array().unwrap().len(), 2);
    bench.ok("forget --store store --customer 0042");
    assert_eq!(items(&bench, "0042", "2026-01-03"), [0_i64; 0]);
    assert_eq!(items(&bench, "A2SUAM1J3GNN3B", "2026-01-03"), [text_id("N55689")]);
    let again = bench.json("ingest --store store --input input --dt 2026-01-02");
    assert_eq!((&again["forgotten"], &again["customers"]), (&1.into(), &1.into()));
    bench.ok("verify --store store --deep");
}

#[test]
fn a_store_refuses_ids_of_another_kind() {
    let bench = two_customers();
    let before = dump(&bench.store());
    let words = ["customers as text, items as text", "customers as integers, items as integers", "[ids]", "--config"];
    write_file(&bench.path("none.toml"), b"[impressions]\n");
    let shown = "{\"customer_id\": \"0042\", \"impressions\": [{\"item_id\": \"N1\"}]}\n";
    write_file(&bench.input().join("impressions/dt=2026-01-03/a.jsonl"), shown.as_bytes());
    for command in ["ingest --dt 2026-01-02", "produce --dt 2026-01-03 --out out"] {
        bench.refused(&format!("{command} --store store --input input --config none.toml"), &words);
    }
    bench.ok("produce --store store --input input --dt 2026-01-03 --out out");
    let audit = "audit --store store --input input --dt 2026-01-03 --out out";
    bench.refused(&format!("{audit} --config none.toml"), &words);
    bench.ok(audit);
    let check = bench.run("config check --store store --input input --config none.toml --dt 2026-01-02");
    assert!(check.code == 1 && check.stdout.contains("customers as text, items as text"), "{}", check.stdout);
    for (ids, said) in [
        ("customer = \"text\"", "customers as text, items as integers"),
        ("item = \"text\"", "customers as integers, items as text"),
        ("item_offset = -1", "customers as integers, items as integers minus 1"),
    ] {
        write_file(&bench.path("other.toml"), format!("[ids]\n{ids}\n").as_bytes());
        bench.refused("ingest --store store --input input --dt 2026-01-02 --config other.toml", &[said]);
    }
    assert!(dump(&bench.store()) == before);
    let status = bench.json("status --store store");
    assert_eq!(status["ids"], json!({"customer": "text", "item": "text", "item_offset": 0}));
    assert!(bench.ok("status --store store").stdout.contains("customers as text, items as text"));

    // A store of integers refuses texts as well; one without a batch takes what the first has.
    let integers = Bench::new();
    write_file(
        &integers.input().join("clicks/dt=2026-01-02/a.csv"),
        b"customer_id,item_id,click_time\n1,2,2026-01-02\n",
    );
    integers.ok("init --store empty");
    integers.ingest("2026-01-02");
    write_file(&integers.path("both.toml"), BOTH.as_bytes());
    let as_text = "ingest --input input --dt 2026-01-02 --config both.toml";
    integers.refused(&format!("{as_text} --store store"), &["has customers as integers, items as integers"]);
    integers.ok(&format!("{as_text} --store empty"));
    integers.refused("ingest --store empty --input input --dt 2026-01-02", &["has customers as text"]);
    // `init` decides where it is told.
    let made = integers.json("init --store made --config both.toml");
    assert_eq!((&made["ids"]["customer"], &made["duplicates"]), (&"text".into(), &"keep".into()));
    integers.refused("ingest --store made --input input --dt 2026-01-02", &["has customers as text"]);
}

#[test]
fn what_is_no_id_is_a_bad_row_in_every_format() {
    let empty = "column item_id is an empty text";
    for (file, rows, words) in [
        ("a.csv", "customer_id,item_id,click_time\na,\"\",2026-01-02\n", empty),
        ("a.csv", "customer_id,item_id,click_time\na,,2026-01-02\n", "column item_id is null"),
        ("a.jsonl", r#"{"customer_id":"a","item_id":"","click_time":"2026-01-02"}"#, empty),
        ("a.jsonl", r#"{"customer_id":null,"item_id":"b","click_time":"2026-01-02"}"#, "column customer_id is null"),
        ("a.jsonl", r#"{"customer_id":"a","item_id":true,"click_time":"2026-01-02"}"#, "column item_id is a boolean"),
        ("a.jsonl", r#"{"customer_id":"a","item_id":1.5,"click_time":"2026-01-02"}"#, "is a number that is not whole"),
    ] {
        let bench = Bench::new();
        write_file(&bench.input().join("clicks/dt=2026-01-02").join(file), rows.as_bytes());
        write_file(&bench.input().join("lookback.toml"), BOTH.as_bytes());
        bench.refused("ingest --create --store store --input input --dt 2026-01-02", &["1 bad row", words]);
    }
    let bench = Bench::new();
    let shown = r#"{"customer_id":"a","impressions":[{"item_id":"b"},{"item_id":""}]}"#;
    write_file(&bench.input().join("impressions/dt=2026-01-02/a.jsonl"), shown.as_bytes());
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["2026-01-02"]));
    let columns = [("customer_id", Arc::clone(&flags)), ("item_id", flags), ("click_time", texts)];
    write_parquet(&bench.input().join("clicks/dt=2026-01-02/a.parquet"), &columns);
    write_file(&bench.input().join("lookback.toml"), BOTH.as_bytes());
    let words = ["column customer_id of type Boolean", "text, integers, whole floats or UUIDs"];
    bench.refused("ingest --create --store store --input input --dt 2026-01-02", &words);
    bench.ok("init --store store");
    let produce = "produce --store store --input input --dt 2026-01-02 --out out --allow-gaps";
    bench.refused(produce, &["column impressions.item_id is an empty text"]);
}

#[test]
fn leading_zeros_of_integers_are_refused_and_the_way_out_is_named() {
    let rows = "customer_id,item_id,click_time\n7,0042,2026-01-02T10:00:00Z\n7,42,2026-01-02T11:00:00Z\n";
    let lines = "{\"customer_id\":7,\"item_id\":\"0042\",\"click_time\":\"2026-01-02T10:00:00Z\"}\n";
    for (file, text) in [("a.csv", rows), ("a.jsonl", lines)] {
        let bench = Bench::new();
        write_file(&bench.input().join("clicks/dt=2026-01-02").join(file), text.as_bytes());
        let ingest = "ingest --create --store store --input input --dt 2026-01-02";
        let words = ["has leading zeros that an integer loses (\"0042\"): [ids] item = \"text\" in lookback.toml"];
        bench.refused(ingest, &words);
        write_file(&bench.input().join("lookback.toml"), b"[ids]\nitem = \"text\"\n");
        bench.ok(ingest);
        let shown = bench.json("show --store store --customer 7 --dt 2026-01-03");
        assert_eq!(shown["actions"].as_array().unwrap().last().unwrap()["item_id"], text_id("0042"));
        assert_eq!(shown.get("customer_text"), None, "customers are integers");
    }
}

#[test]
fn an_offset_is_added_to_the_items_of_actions_and_impressions() {
    let bench = Bench::new();
    let write = |folder: &str, offset: i64| {
        let clicks = format!("customer_id,item_id,click_time\n0,{},2026-01-02\n-3,{},2026-01-02\n", offset, 1 + offset);
        write_file(&bench.path(folder).join("clicks/dt=2026-01-02/a.csv"), clicks.as_bytes());
        let shown =
            json!({"customer_id": 0, "impressions": [{"item_id": offset}, {"item_id": offset + 1}]}).to_string();
        write_file(&bench.path(folder).join("impressions/dt=2026-01-03/a.jsonl"), shown.as_bytes());
    };
    write("input", 0);
    write("plain", 5);
    bench.refused(
        "ingest --create --store store --input input --dt 2026-01-02",
        &["column item_id is 0, which is the padding", "item_offset in lookback.toml"],
    );
    write_file(&bench.input().join("lookback.toml"), b"[ids]\nitem_offset = 5\n");
    bench.ingest("2026-01-02");
    bench.ok("ingest --create --store plain-store --input plain --dt 2026-01-02");
    let without_ids =
        |store: &Path| -> Vec<_> { content(store).into_iter().filter(|(key, _)| key[0] != 0x1b).collect() };
    assert!(without_ids(&bench.store()) == without_ids(&bench.path("plain-store")), "but for the record of the offset");
    bench.produce("2026-01-03");
    bench.ok("produce --store plain-store --input plain --dt 2026-01-03 --out plain-out");
    bench.ok("audit --store store --input input --out out --dt 2026-01-03");
    assert_eq!(read_partition(&bench.out(), "2026-01-03"), read_partition(&bench.path("plain-out"), "2026-01-03"));
    // Commands speak of the ids in the store.
    assert_eq!(bench.json("explain --store store --customer 0 --item 5 --dt 2026-01-03")["actions"][0]["item_id"], 5);
    let words = ["items as integers plus 5", "customers as integers, items as integers;"];
    bench.refused("ingest --store store --input plain --dt 2026-01-02", &words);

    let ends = "customer_id,item_id,click_time\n1,9223372036854775803,2026-01-02\n1,-5,2026-01-02\n";
    write_file(&bench.input().join("clicks/dt=2026-01-02/a.csv"), ends.as_bytes());
    bench.refused(
        "ingest --store store --input input --dt 2026-01-02",
        &[
            "column item_id is 9223372036854775803, which with item_offset 5 does not fit a signed 64-bit integer",
            "column item_id is 0, which is the padding, with item_offset 5",
        ],
    );
}

/// What is set at chance: batches in any order, late and early actions, corrections and removals.
#[test]
fn histories_of_texts_are_those_of_the_reference() {
    let seed = seed(902);
    let mut random = Random::new(seed);
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), BOTH.as_bytes());
    bench.ok("init --store store --max-history 6");
    let day = |number: u64| -> NaiveDate { date("2026-01-01") + chrono::Days::new(number) };
    let mut reference = Reference::new(chrono_tz::UTC);
    for _ in 0..16 {
        let batch = day(random.below(5));
        if random.below(5) == 0 && reference.batches.remove(&batch).is_some() {
            bench.ok(&format!("remove --store store --dt {batch}"));
            continue;
        }
        let clicks: Vec<Click> = clicks(&mut random, &batch.to_string())
            .into_iter()
            .take(30)
            .map(|(customer, item, time_us)| {
                let shift = i64::try_from(random.below(4)).unwrap() - 2;
                (customer, item, time_us + shift * 86_400_000_000)
            })
            .collect();
        let ending = ["parquet", "csv", "jsonl"][usize::try_from(random.below(3)).unwrap()];
        let _ = std::fs::remove_dir_all(bench.input().join(format!("clicks/dt={batch}")));
        write(&bench.input(), ending, (&batch.to_string(), &clicks), ("2026-02-01", &[]));
        bench.ok(&format!("ingest --store store --input input --dt {batch}"));
        let raw = clicks.iter().map(|(customer, item, time_us)| RawAction {
            customer: text_id(customer),
            item: text_id(item),
            time_us: *time_us,
            kind: 1,
        });
        reference.batches.insert(batch, raw.collect());
    }
    let question = Question { max_history: 6, lookback_days: None, known_as_of: None };
    for number in 0..9 {
        let (dt, shown) = (day(number), shown(&mut random));
        let _ = std::fs::remove_dir_all(bench.input().join(format!("impressions/dt={dt}")));
        write(&bench.input(), "jsonl", ("2026-02-01", &[]), (&dt.to_string(), &shown));
        bench.ok(&format!("produce --store store --input input --dt {dt} --out out --allow-gaps"));
        let raw = shown.iter().map(|(customer, items)| RawImpression {
            ranking_id: None,
            customer: text_id(customer),
            elements: items.iter().map(|item| (text_id(item), Some(false))).collect(),
        });
        let expected = reference.rows(dt, &raw.collect::<Vec<_>>(), &question);
        assert_eq!(read_partition(&bench.out(), &dt.to_string()), expected, "seed {seed}, {dt}");
    }
}

#[test]
fn the_configuration_names_what_is_wrong_with_it() {
    let bench = Bench::new();
    for (ids, words) in [
        ("custmer = \"text\"", &["[ids] has no key \"custmer\"", "the nearest is customer"][..]),
        ("item = \"texts\"", &["item in [ids] is \"texts\", which ids cannot be", "the nearest is text"]),
        ("customer = 7", &["customer in [ids] is a number", "give a text in quotes"]),
        ("item_offset = \"1\"", &["item_offset in [ids] is a text", "give a whole number"]),
        ("item_offset = 9223372036854775808", &["item_offset in [ids] does not fit", "give a smaller number"]),
        ("item = \"text\"\nitem_offset = 1", &["item_offset in [ids] is given for items that are text"]),
    ] {
        write_file(&bench.path("lookback.toml"), format!("[ids]\n{ids}\n").as_bytes());
        bench.refused("init --store store --config lookback.toml", &[&["lookback.toml line "], words].concat());
    }
    write_file(&bench.path("lookback.toml"), b"[idss]\n");
    bench.refused("init --store store --config lookback.toml", &["has no key \"idss\"", "the nearest is ids"]);
}
