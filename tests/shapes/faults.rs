//! What is wrong with nested rows is told by line or row, and by the number of the element.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, LargeListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Field;

use super::columns::structs;
use super::{DAY, FLAT, INGEST, config, write};
use crate::bad_rows::set_aside;
use crate::memory::{LIMIT, measured};
use crate::support::input::write_parquet;
use crate::support::program::{Bench, write_file};

const OTTO: [&str; 4] = ["session", "events.aid", "events.ts", "events.type"];

fn otto() -> String {
    config(OTTO, "explode = \"events\"")
}

/// A time within the day, in milliseconds.
const TS: i64 = 1_767_348_000_000;

#[test]
fn bad_elements_are_told_by_line_and_number() {
    let bench = Bench::new();
    let event = |aid: &str| format!("{{\"aid\":{aid},\"ts\":{TS},\"type\":\"clicks\"}}");
    let good = event("5");
    let lines = [
        format!("{{\"session\":1,\"events\":[{good},{},{good}]}}", event("0")),
        format!("{{\"session\":1,\"events\":[null,7,{},{good},{{}}]}}", event("{}")),
        format!("{{\"session\":null,\"events\":[{good}]}}{{\"session\":1,\"events\":5}} {{\"events\":{good}}}"),
        format!("{{\"session\":2,\"events\":[{good},{{\"aid\":5,\"aid\":6,\"ts\":{TS},\"type\":\"clicks\"}}]}} x"),
        format!("{{\"session\":2,\"events\":[{good},{{\"aid\":5,\"aid\":6,\"ts\":{TS},\"type\":\"clicks\"}}]}}"),
        format!("{{\"session\":2,\"events\":[{good}]}}{{\"session\":2,\"events\":[{good}}}"),
    ];
    write(&bench, &otto(), "a.json", (lines.join("\n") + "\n").as_bytes());
    let words = [
        "11 bad rows: ",
        "a.json line 1 column events.aid is 0, which is the padding: [ids] item_offset in lookback.toml moves ids that count from 0 (element 2), ",
        "a.json line 2 column events.type is null (element 1), ",
        "a.json line 2 column events.aid is not a field of an object (element 2), ",
        "a.json line 2 column events.aid is an object (element 3), ",
    ];
    bench.refused(INGEST, &words);
    bench.ok(&format!("{INGEST} --quarantine aside"));
    let aside = set_aside(&bench.path(&format!("aside/actions/dt={DAY}/bad-rows.parquet")));
    let told: Vec<(u64, &str, &str)> =
        aside.iter().map(|(_, line, column, reason, _)| (*line, column.as_str(), reason.as_str())).collect();
    let expected = [
        (
            1,
            "events.aid",
            "is 0, which is the padding: [ids] item_offset in lookback.toml moves ids that count from 0 (element 2)",
        ),
        (2, "events.type", "is null (element 1)"),
        (2, "events.aid", "is not a field of an object (element 2)"),
        (2, "events.aid", "is an object (element 3)"),
        (2, "events.type", "is null (element 5)"),
        (3, "session", "is null (element 1)"),
        (3, "events", "is not a list"),
        (3, "events", "is not a list"),
        (4, "", "is not a JSON object (trailing characters, at byte 124)"),
        (5, "events", "is not a JSON object (it has aid twice) (element 2)"),
        (6, "", "is not a JSON object (expected `,` or `]`, at byte 137)"),
    ];
    for (found, expected) in told.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(told.len(), expected.len());
    assert!(aside[0].4.contains("\"session\":\"1\""), "an element has the cells of its record: {}", aside[0].4);
    assert!(aside[9].4.contains("\"events.aid\":null"), "a faulty element has no cells: {}", aside[9].4);
    assert_eq!(bench.json("status --store store")["types"]["clicks"], 5);
}

#[test]
fn bad_elements_of_parquet_are_told_by_row_and_number() {
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), otto().as_bytes());
    let aids: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), Some(0), None, Some(5)]));
    let times: ArrayRef = Arc::new(Int64Array::from(vec![TS; 4]));
    let kinds: ArrayRef = Arc::new(StringArray::from(vec!["clicks"; 4]));
    let events = structs(&[("aid", aids), ("ts", times), ("type", kinds)], Some(vec![true, true, true, false]));
    let element = Arc::new(Field::new("element", events.data_type().clone(), true));
    let lists: ArrayRef = Arc::new(LargeListArray::new(element, OffsetBuffer::from_lengths([2, 0, 2]), events, None));
    let sessions: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let path = bench.input().join(format!("events/dt={DAY}/a.parquet"));
    write_parquet(&path, &[("session", Arc::clone(&sessions)), ("events", lists)]);
    let words = [
        "3 bad rows: ",
        "a.parquet row 1 column events.aid is 0, which is the padding: [ids] item_offset in lookback.toml moves ids that count from 0 (element 2), ",
        "a.parquet row 3 column events.aid is null (element 1), ",
        "a.parquet row 3 column events.type is null (element 2); ",
    ];
    bench.refused(INGEST, &words);
    // What is no list of structs.
    write_parquet(&path, &[("session", Arc::clone(&sessions)), ("events", Arc::clone(&sessions))]);
    bench.refused(INGEST, &["a column events of type Int64, but needs a list of structs"]);
    write_parquet(&path, &[("session", Arc::clone(&sessions)), ("other", Arc::clone(&sessions))]);
    bench.refused(INGEST, &["a.parquet has no column events (it has: session, other)"]);
    // A path ends in what it leads to, and goes through structs alone.
    write_file(&bench.input().join("lookback.toml"), config(["user.id", "aid", "ts", "type"], "").as_bytes());
    write_parquet(&path, &[("user", Arc::clone(&sessions)), ("aid", sessions)]);
    bench.refused(INGEST, &["a.parquet has no column user.id (it has: user, aid)"]);
}

#[test]
fn what_a_file_lacks_is_named() {
    let bench = Bench::new();
    let event = format!("{{\"aid\":5,\"ts\":{TS},\"type\":\"clicks\"}}");
    write(&bench, &otto(), "a.json", format!("{{\"session\":1,\"event\":[{event}]}}").as_bytes());
    bench.refused(INGEST, &["a.json has no column events (it has: session, event)"]);
    write(
        &bench,
        &otto(),
        "a.json",
        format!("{{\"session\":1,\"events\":[{}]}}", event.replace("aid", "item")).as_bytes(),
    );
    bench.refused(INGEST, &["a.json has no column events.aid (it has: session, events)"]);
    write(&bench, &otto(), "a.json", format!("{{\"user\":1,\"events\":[{event}]}}").as_bytes());
    bench.refused(INGEST, &["a.json has no column session (it has: user, events)"]);
    write(&bench, &config(["user.id", "aid", "ts", "type"], ""), "a.json", b"{\"user\":{\"name\":1}}\n{\"user\":null}");
    bench.refused(INGEST, &["a.json has no column user.id (it has: user)"]);
    // Lists without any element lack nothing.
    write(&bench, &otto(), "a.json", b"{\"session\":1,\"events\":[]}\n{\"session\":1,\"events\":null}");
    assert_eq!(bench.json(INGEST)["empty_lists"], 2);
    write(&bench, &otto(), "b.csv", b"session,events\n1,[]\n");
    bench.refused(INGEST, &["b.csv is CSV, which has no lists to explode"]);
}

/// Objects of one line each count for themselves, and a fault of one leaves the others.
#[test]
fn objects_of_one_line_are_told_by_the_line() {
    let bench = Bench::new();
    let row = |aid: &str| format!("{{\"user\":1,\"aid\":{aid},\"ts\":{TS},\"type\":\"clicks\"}}");
    let text = format!(
        "{}{}{} {}\n{}{{\"user\":1,\"user\":1}}{}\n{} ,{}\n",
        row("1"),
        row("1.5"),
        row("2"),
        row("\"}{\""),
        row("3"),
        row("4"),
        row("5"),
        row("6"),
    );
    write(&bench, &config(FLAT, ""), "a.jsonl", text.as_bytes());
    let words = [
        "4 bad rows: ",
        "a.jsonl line 1 column aid is not an integer (\"1.5\"), ",
        "a.jsonl line 1 column aid is not an integer (\"}{\"): ",
        &format!("a.jsonl line 2 is not a JSON object (it has user twice, at byte {}), ", row("3").len() + 19),
        &format!("a.jsonl line 3 is not a JSON object (trailing characters, at byte {})", row("5").len() + 2),
    ];
    bench.refused(INGEST, &words);
    bench.ok(&format!("{INGEST} --quarantine aside"));
    assert_eq!(bench.json("status --store store")["types"]["clicks"], 4);
}

/// One line of many objects, and one object of many elements, take no more memory than many lines; an object longer
/// than a line may be is refused.
#[test]
fn long_lines_and_lists_stay_within_the_limit() {
    let bench = Bench::new();
    let object =
        |number: i64| format!("{{\"user\":{},\"aid\":5,\"ts\":{},\"type\":\"clicks\"}}", number % 50, TS + number);
    let text: String = (0..200_000).map(object).collect();
    assert!(text.len() as u64 > LIMIT / 64 * 4, "much longer than a line may be");
    write(&bench, &config(FLAT, ""), "a.json", text.as_bytes());
    let (ran, peak) = measured(&bench, INGEST);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);
    assert_eq!(bench.json("status --store store")["types"]["clicks"], 200_000);

    // Many elements, and a long text of the object that each of them has.
    let bench = Bench::new();
    let config = otto().replace("type = \"events.type\"", "type = \"kind\"").replace("[sources", "x = 4\n[sources");
    let config = config.replace("x = 4", &format!("\"{}\" = 4", "k".repeat(60)));
    let elements = format!("{{\"aid\":5,\"ts\":{TS}}},").repeat(60_000);
    let kind = "k".repeat(60);
    let line = format!("{{\"kind\":\"{kind}\",\"session\":1,\"events\":[{elements}{{\"aid\":6,\"ts\":{TS}}}]}}\n");
    assert!((line.len() as u64) < LIMIT / 64 && line.len() as u64 > LIMIT / 64 / 2);
    write(&bench, &config, "a.json", line.repeat(4).as_bytes());
    let (ran, peak) = measured(&bench, INGEST);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);
    assert_eq!(bench.json("status --store store")["actions"], 4 * 60_001);
    let long = format!("{{\"session\":1,\"events\":[{}null]}}", "{},".repeat(usize::try_from(LIMIT).unwrap() / 64 / 3));
    write(&bench, &config, "a.json", format!("{line}{long}\n").as_bytes());
    bench.refused(&format!("{INGEST} --memory-limit {LIMIT}"), &["the row that begins on line 2 has more bytes than"]);
}

/// The same of Parquet: a row with a list of a million elements, as many as a list may have by this limit, beside a
/// long text that each of them repeats.
#[test]
fn a_list_of_a_million_elements_stays_within_the_limit() {
    const ELEMENTS: usize = 1_000_000;
    let bench = Bench::new();
    let name = "k".repeat(60);
    let toml = format!(
        "[types]\n{name} = 1\n[sources.events]\npattern = \"events/dt={{dt}}\"\nexplode = \"events\"\ntime_unit = \"ms\"\n\
         columns = {{ customer_id = \"session\", item_id = \"events.aid\", time = \"events.ts\", type = \"kind\" }}\n"
    );
    write_file(&bench.input().join("lookback.toml"), toml.as_bytes());
    let aids: ArrayRef = Arc::new((0..ELEMENTS).map(|number| Some(1 + number as i64 % 9)).collect::<Int64Array>());
    let times: ArrayRef = Arc::new((0..ELEMENTS).map(|number| Some(TS + number as i64 % 99)).collect::<Int64Array>());
    let events = structs(&[("aid", aids), ("ts", times)], None);
    let element = Arc::new(Field::new("element", events.data_type().clone(), true));
    let lists = LargeListArray::new(element, OffsetBuffer::from_lengths([ELEMENTS - 1, 1]), events, None);
    let columns: [(&str, ArrayRef); 3] = [
        ("session", Arc::new(Int64Array::from(vec![1, 2]))),
        ("kind", Arc::new(StringArray::from(vec![name.as_str(); 2]))),
        ("events", Arc::new(lists)),
    ];
    write_parquet(&bench.input().join(format!("events/dt={DAY}/a.parquet")), &columns);
    let (ran, peak) = measured(&bench, INGEST);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(peak <= LIMIT, "{} MiB", peak >> 20);
    assert_eq!(bench.json("status --store store")["actions"], ELEMENTS);
}
