//! The same actions in every shape.

use std::sync::Arc;

use arrow::array::{Array, RecordBatchIterator};
use lookback::ingest::{IngestOptions, Ingester};
use lookback::input::MemoryInput;
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::Folder;
use serde_json::{Value, json};

use super::columns::{cut, exploded, is_nested, nested};
use super::{DAY, Event, FLAT, INGEST, Session, config, content, random_sessions, write};
use crate::layouts::examples;
use crate::support::input::{us, write_parquet};
use crate::support::output::Entries;
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::text::packed;

const NESTED: [&str; 4] = ["user.id", "event.product.aid", "event.ts", "event.type"];
const OTTO: [&str; 4] = ["session", "events.aid", "events.ts", "events.type"];
const DEEP: [&str; 4] = ["user.id", "data.events.product.aid", "data.events.ts", "data.events.type"];
const STRUCTS: [&str; 4] = ["user.id", "events.product.aid", "events.ts", "events.type"];

/// The default form: plain CSV.
fn plain(sessions: &[Session]) -> Entries {
    let bench = Bench::new();
    let rows = sessions.iter().flat_map(|session| {
        session.events.iter().map(|(aid, ts, kind)| format!("{},{aid},{ts},{kind}\n", session.user))
    });
    write(&bench, &config(FLAT, ""), "a.csv", format!("user,aid,ts,type\n{}", rows.collect::<String>()).as_bytes());
    bench.ok(INGEST);
    content(&bench)
}

fn each(sessions: &[Session], object: impl Fn(i64, &Event) -> Value) -> Vec<Value> {
    let rows = sessions.iter().flat_map(|session| session.events.iter().map(|event| object(session.user, event)));
    rows.collect()
}

/// Objects that become the same rows, with the configuration that says so, and how many of them have no element.
fn objects(sessions: &[Session]) -> Vec<(&'static str, String, Vec<Value>, u64)> {
    let flat = each(sessions, |user, (aid, ts, kind)| json!({"user": user, "aid": aid, "ts": ts, "type": kind}));
    let deep = each(sessions, |user, (aid, ts, kind)| {
        let event = json!({"product": {"aid": aid, "x": {"aid": 0}}, "ts": ts, "type": kind});
        json!({"user": {"id": user, "aid": 0}, "event": event, "id": 0})
    });
    // The name in full wins over the path.
    let dotted = each(
        sessions,
        |user, (aid, ts, kind)| json!({"user.id": user, "user": {"id": 0}, "event": {"product.aid": aid, "product": {"aid": 0}, "ts": ts, "type": kind}}),
    );
    let list = |session: &Session, event: fn(&Event) -> Value| session.events.iter().map(event).collect::<Vec<_>>();
    let with_empty = |mut objects: Vec<Value>, empty: [Value; 4]| {
        for (place, object) in empty.into_iter().enumerate() {
            objects.insert(place * 3, object);
        }
        objects
    };
    let otto = sessions.iter().map(|session| {
        let events = list(session, |(aid, ts, kind)| json!({"aid": aid, "ts": ts, "type": kind}));
        json!({"session": session.user, "events": events})
    });
    let otto = with_empty(
        otto.collect(),
        [json!({"session": 1, "events": []}), json!({"session": 2}), json!({"events": null}), json!({})],
    );
    let in_data = sessions.iter().map(|session| {
        let events =
            list(session, |(aid, ts, kind)| json!({"product": {"aid": aid}, "aid": 0, "ts": ts, "type": kind}));
        json!({"data": {"events": events}, "user": {"id": session.user}})
    });
    let in_data = with_empty(
        in_data.collect(),
        [
            json!({"data": {"events": []}}),
            json!({"data": {}}),
            json!({"data": null}),
            json!({"data": {"events": null}}),
        ],
    );
    vec![
        ("flat", config(FLAT, ""), flat, 0),
        ("nested", config(NESTED, ""), deep, 0),
        ("dotted", config(NESTED, ""), dotted, 0),
        ("otto", config(OTTO, "explode = \"events\""), otto, 4),
        ("deep", config(DEEP, "explode = \"data.events\""), in_data, 4),
    ]
}

/// Texts of objects: one a line, several one behind the other on a line, all on one line.
fn texts(objects: &[Value]) -> Vec<String> {
    let several = |count: usize, between: &str| {
        let lines =
            objects.chunks(count).map(|line| line.iter().map(Value::to_string).collect::<Vec<_>>().join(between));
        lines.collect::<Vec<_>>().join("\n")
    };
    vec![
        several(1, ""),
        several(3, ""),
        several(4, " \t"),
        several(objects.len(), ""),
        several(objects.len(), " ") + "\n",
    ]
}

#[test]
fn json_in_every_shape_makes_the_store_that_plain_csv_makes() {
    let seed = seed(71);
    let sessions = random_sessions(&mut Random::new(seed));
    let expected = plain(&sessions);
    assert!(expected.len() > 17, "there is something to compare");
    for (shape, config, objects, empty) in objects(&sessions) {
        for (form, text) in texts(&objects).into_iter().enumerate() {
            for name in ["a.json", "a.jsonl.gz"] {
                let bench = Bench::new();
                write(&bench, &config, name, &packed(name, text.as_bytes()));
                let summary = bench.json(INGEST);
                assert_eq!(summary["empty_lists"], empty, "{shape} {form} (seed {seed})");
                assert!(content(&bench) == expected, "{shape} {form} {name} (seed {seed})");
            }
        }
    }
}

#[test]
fn structs_and_lists_of_parquet_make_the_store_that_plain_csv_makes() {
    let seed = seed(72);
    let sessions = random_sessions(&mut Random::new(seed));
    let expected = plain(&sessions);
    for (columns, config, empty) in [
        (nested(&sessions), config(NESTED, ""), 0),
        (exploded(&sessions, false), config(STRUCTS, "explode = \"events\""), 4),
        (exploded(&sessions, true), config(STRUCTS, "explode = \"events\""), 4),
    ] {
        assert!(is_nested(&columns));
        let bench = Bench::new();
        write_file(&bench.input().join("lookback.toml"), config.as_bytes());
        write_parquet(&bench.input().join(format!("events/dt={DAY}/a.parquet")), &columns);
        let summary = bench.json(INGEST);
        assert_eq!(summary["empty_lists"], empty, "{config}");
        assert!(content(&bench) == expected, "{config} (seed {seed})");
        // The same rows in memory.
        let from_memory = Bench::new();
        write_file(&from_memory.input().join("lookback.toml"), config.as_bytes());
        let sources = lookback::config::sources(Some(&from_memory.input()), None, &Resources::default()).unwrap();
        let mut fingerprints = Vec::new();
        for rows in [1, 7, usize::MAX] {
            let batches = cut(&columns, rows.min(columns[0].1.len()));
            let schema = batches[0].schema();
            let mut input = MemoryInput::new(&sources, &Resources::default());
            let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
            input.add("events", Box::new(reader)).unwrap();
            let options = IngestOptions::new(input, DAY.parse::<Day>().unwrap()).sources(sources.clone());
            let mut ingester = Ingester::open_or_create(&Folder::new(&from_memory.store()), &Silent).unwrap();
            let ingested = ingester.ingest(&options, &Silent).unwrap();
            drop(ingester);
            assert_eq!(ingested.empty_lists, empty, "{config}");
            assert!(content(&from_memory) == expected, "{config} in memory (seed {seed})");
            fingerprints.push(from_memory.json("status --store store")["batches"].to_string());
        }
        assert_eq!(fingerprints[0], fingerprints[1]);
        assert_eq!(fingerprints[0], fingerprints[2]);
    }
}

/// A list of ids alone: the element itself is the column.
#[test]
fn elements_may_be_values() {
    let config = "[sources.clicks]\nexplode = \"items\"\ncolumns = { item_id = \"items\" }\n";
    let file = |bench: &Bench, name: &str| bench.input().join(format!("clicks/dt={DAY}/{name}"));
    let flat = Bench::new();
    let rows = "customer_id,item_id,click_time\n1,5,2026-01-02 10:00\n1,6,2026-01-02 10:00\n2,7,2026-01-02 11:00\n";
    write_file(&file(&flat, "a.csv"), rows.as_bytes());
    flat.ok(INGEST);
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), config.as_bytes());
    let json = "{\"customer_id\":1,\"click_time\":\"2026-01-02 10:00\",\"items\":[5, \"6\"]}\n\
                {\"items\":[ 7 ],\"customer_id\":2,\"click_time\":\"2026-01-02 11:00\"}\n";
    write_file(&file(&bench, "a.json"), json.as_bytes());
    bench.ok(INGEST);
    assert!(content(&bench) == content(&flat));
    std::fs::remove_file(file(&bench, "a.json")).unwrap();
    let mut items = arrow::array::ListBuilder::new(arrow::array::Int64Builder::new());
    items.append_value([Some(5), Some(6)]);
    items.append_value([Some(7)]);
    let times = ["2026-01-02T10:00:00Z", "2026-01-02T11:00:00Z"].map(us).to_vec();
    let columns: [(&str, arrow::array::ArrayRef); 3] = [
        ("customer_id", Arc::new(arrow::array::Int64Array::from(vec![1, 2]))),
        ("items", Arc::new(items.finish())),
        ("click_time", Arc::new(arrow::array::TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
    ];
    write_parquet(&file(&bench, "a.parquet"), &columns);
    bench.ok(INGEST);
    assert!(content(&bench) == content(&flat));
}

/// The list determines what a batch brings, and every command reads it.
#[test]
fn all_commands_read_exploded_lists() {
    let sessions = random_sessions(&mut Random::new(seed(73)));
    let bench = Bench::new();
    let (_, config, objects, _) = objects(&sessions).remove(3);
    write(&bench, &config, "a.jsonl", texts(&objects)[1].as_bytes());
    let shown: String =
        (0..17).map(|user| format!("{{\"customer_id\":{user},\"impressions\":[{{\"item_id\":1}}]}}\n")).collect();
    write_file(&bench.input().join("impressions/dt=2026-01-03/a.jsonl"), shown.as_bytes());
    let said = bench.ok(INGEST);
    assert!(said.said().contains("4 records without an element (no rows)"), "{}", said.said());
    bench.ok("produce --store store --input input --dt 2026-01-03 --out out");
    bench.ok("audit --store store --input input --dt 2026-01-03 --out out");
    let range = "backfill --store store --input input --from 2026-01-02 --to 2026-01-03 --out out";
    assert_eq!(bench.json(&format!("{range} --dry-run"))["to_ingest"], json!([]));
    let counted =
        bench.json("vocabulary --input input --from 2026-01-02 --to 2026-01-02 --of items --out items.parquet");
    let actions: usize = sessions.iter().map(|session| session.events.len()).sum();
    assert_eq!((&counted["actions"], &counted["empty_lists"]), (&json!(actions), &json!(4)));
    let check = bench.ok("config check --input input --dt 2026-01-02").stdout;
    assert!(check.contains("  rows are the elements of events\n"), "{check}");
    assert!(check.contains("  item_id      events.aid   text\n"), "{check}");
    // Another list of the same names is another batch.
    write(
        &bench,
        &config.replace("time_unit", "ignore = [\"none\"]\ntime_unit"),
        "a.jsonl",
        texts(&objects)[1].as_bytes(),
    );
    assert_eq!(bench.json(&format!("{range} --dry-run"))["to_ingest"], json!([["2026-01-02", "changed"]]));
}

/// The examples of the reference that are no flat files of Parquet.
#[test]
fn examples_of_other_shapes_run() {
    let examples = examples(include_str!("../../src/config/reference.md"));
    let files: [&[(&str, &str)]; 2] = [
        &[
            (
                "sessions/dt=2026-01-02/a.jsonl",
                "{\"session\":1,\"events\":[{\"aid\":5,\"ts\":1767348000000,\"type\":\"carts\"},\
                 {\"aid\":6,\"ts\":1767348000001,\"type\":\"clicks\"}]}",
            ),
            (
                "clicks/dt=2026-01-02/a.jsonl",
                "{\"user\":{\"id\":1},\"context\":{\"product\":{\"id\":7}},\"sent_at\":\"2026-01-02T11:00:00Z\"}",
            ),
        ],
        &[(
            "clicks/dt=2026-01-02/a.csv",
            "1\u{1}5\u{1}2026-01-02 10:00:00\u{1}\\N\n1\u{1}6\u{1}2026-01-02 10:01:00\u{1}\"a\n1\u{1}7\u{1}2026-01-02 11:00:00\u{1}b\n",
        )],
    ];
    let others = examples.into_iter().filter(|example| example.contains("explode") || example.contains("[csv]"));
    let others: Vec<&str> = others.collect();
    assert_eq!(others.len(), files.len());
    for (example, files) in others.into_iter().zip(files) {
        let bench = Bench::new();
        write_file(&bench.input().join("lookback.toml"), example.as_bytes());
        files.iter().for_each(|(name, text)| write_file(&bench.input().join(name), text.as_bytes()));
        bench.ok(INGEST);
        let shown = bench.json("show --store store --customer 1 --dt 2026-01-03");
        let items: Vec<i64> =
            shown["actions"].as_array().unwrap().iter().map(|action| action["item_id"].as_i64().unwrap()).collect();
        assert_eq!(items, [7, 6, 5], "{example}");
    }
}
