//! What a configuration says wrongly, what becomes of batches when it changes, and what `lookback config check` shows.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use serde_json::json;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions, write_parquet};
use crate::support::output::{dump, read_partition, tree};
use crate::support::program::{Bench, assert_one_sentence, write_file};

const DAY: &str = "2026-01-01";
const NEXT: &str = "2026-01-02";
const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-01";

fn configure(bench: &Bench, text: &str) {
    write_file(&bench.input().join("lookback.toml"), text.as_bytes());
}

fn ids(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Customer, item, milliseconds, event.
type Event<'a> = (i64, i64, i64, Option<&'a str>);

/// Writes the events of a day.
fn write_events(bench: &Bench, day: &str, rows: &[Event<'_>]) {
    let column = |of: fn(&Event<'_>) -> i64| ids(&rows.iter().map(of).collect::<Vec<_>>());
    let events: Vec<Option<&str>> = rows.iter().map(|row| row.3).collect();
    let columns = [
        ("visitorid", column(|row| row.0)),
        ("itemid", column(|row| row.1)),
        ("timestamp", column(|row| row.2)),
        ("event", texts(&events)),
    ];
    write_parquet(&bench.input().join(format!("events/dt={day}/e.parquet")), &columns);
}

/// The layout of docs/input.md, with more in the table of its source.
fn retail(more: &str) -> String {
    format!(
        "[types]\nview = 1\naddtocart = 2\ntransaction = 3\n[sources.events]\npattern = \"events/dt={{dt}}\"\ntime_unit = \"ms\"\n\
         columns = {{ customer_id = \"visitorid\", item_id = \"itemid\", time = \"timestamp\", type = \"event\" }}\n{more}\n"
    )
}

fn ten() -> i64 {
    us("2026-01-01T10:00:00Z") / 1_000
}

/// A bench in that layout with one day of events, and the next day's impressions.
fn retail_bench(more: &str) -> Bench {
    let bench = Bench::new();
    configure(&bench, &retail(more));
    write_events(&bench, DAY, &[(1, 11, ten(), Some("view")), (1, 12, ten(), Some("transaction"))]);
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), NEXT, &[shown], PLAIN);
    bench
}

fn seen(bench: &Bench) -> (Vec<i64>, Vec<i32>) {
    bench.ok("produce --store store --input input --dt 2026-01-02 --out out --max-history 3");
    let row = read_partition(&bench.out(), NEXT).remove(0);
    (row.actions, row.action_types)
}

/// Each wrong word: what is written, the line it stands in, and what the sentence says.
#[test]
fn every_wrong_word_is_answered_with_file_line_and_the_nearest_right_one() {
    let source = |text: &str| {
        format!("[sources.s]\npattern = \"s/{{dt}}\"\ncolumns = {{ time = \"t\" }}\ntype = \"click\"\n{text}")
    };
    let cases: Vec<(String, u32, Vec<&str>)> = vec![
        ("[source.clicks]".into(), 1, vec!["no key \"source\"", "the nearest is sources", "types, ids, csv, sources, impressions"]),
        ("\n[type]\nclick = 1".into(), 2, vec!["\"type\"", "the nearest is types"]),
        ("x = 1".into(), 1, vec!["the file has no key \"x\""]),
        (source("pattren = \"x\""), 5, vec!["[sources.s] has no key \"pattren\"", "the nearest is pattern"]),
        (source("[sources.s.value]\na = \"click\""), 5, vec!["\"value\"", "the nearest is values"]),
        ("[sources.clicks]\ncolumns = { item = \"x\" }".into(), 2, vec!["columns in [sources.clicks]", "the nearest is time"]),
        ("[sources.clicks.columns]\n\ncustomerid = \"x\"".into(), 3, vec!["\"customerid\"", "the nearest is customer_id"]),
        ("[sources.clicks]\ntime_unit = \"msec\"".into(), 2, vec!["\"msec\" is not a unit of time", "the nearest is ms", "s, ms, us, ns"]),
        ("[sources.clicks]\ntype = \"clik\"".into(), 2, vec!["no type \"clik\"", "the nearest is click", "click, add_to_cart, order"]),
        (
            "[types]\nview = 1\nbuy = 2\n[sources.e]\npattern = \"{dt}\"\ncolumns = { time = \"t\", type = \"e\" }\nvalues = { a = \"vew\" }".into(),
            7,
            vec!["no type \"vew\"", "the nearest is view"],
        ),
        ("[impressions]\ncolumn = { }".into(), 2, vec!["[impressions] has no key \"column\"", "the nearest is columns"]),
        ("[impressions]\ncolumns = { is_ordered = \"x\" }".into(), 2, vec!["\"is_ordered\"", "the nearest is is_order"]),
        // Rules about rows.
        (source("without_customer = \"leaveout\""), 5, vec!["\"leaveout\" does not say", "the nearest is leave_out", "refuse, leave_out"]),
        (source("with_customer = \"refuse\""), 5, vec!["no key \"with_customer\"", "the nearest is without_customer"]),
        (source("distinct = \"id\""), 5, vec!["no key \"distinct\"", "the nearest is distinct_by"]),
        (source("distinct_by = 5"), 5, vec!["distinct_by in [sources.s] is a number", "give a text in quotes"]),
        (source("order_by = \"seq\""), 5, vec!["no key \"order_by\"", "order_column"]),
        (source("order_column = \"\""), 5, vec!["order_column in [sources.s] is empty"]),
        ("[impressions]\nlayout = \"flats\"".into(), 2, vec!["\"flats\" is not a layout of impressions", "the nearest is flat"]),
        ("[impressions]\nwithout_customer = \"refused\"".into(), 2, vec!["the nearest is refuse"]),
        (
            "[impressions]\ncolumns = { position = \"rank\" }".into(),
            2,
            vec!["columns in [impressions] has position, which only the layout \"flat\" has", "set layout = \"flat\""],
        ),
        (
            "[impressions]\nlayout = \"flat\"\ncolumns = { impressions = \"list\" }".into(),
            3,
            vec!["has impressions, which only the layout \"lists\" has", "leave it out"],
        ),
        // The first wrong word of the file is told, not of the alphabet.
        ("[zources]\n[aources]".into(), 1, vec!["\"zources\""]),
        // Values that are none.
        ("[sources.clicks]\npattern = \"clicks\"".into(), 2, vec!["does not contain the day", "clicks/dt={dt}"]),
        ("[sources.clicks]\npattern = \"../{dt}\"".into(), 2, vec!["begin with _ or ."]),
        ("[sources.clicks]\npattern = \"**/{dt}\"".into(), 2, vec!["the folders of all days would be listed"]),
        ("[sources.clicks]\npattern = 5".into(), 2, vec!["pattern in [sources.clicks] is a number", "give a text in quotes"]),
        ("[sources.clicks]\ncolumns = \"x\"".into(), 2, vec!["is a text", "a table of keys and values"]),
        ("[sources.clicks]\ncolumns = { time = \"\" }".into(), 2, vec!["time in columns in [sources.clicks] is empty"]),
        ("[types]\nclick = 0".into(), 2, vec!["number of click is not from 1 to 255", "0 is the padding"]),
        ("[types]\nclick = 256".into(), 2, vec!["not from 1 to 255"]),
        ("[types]\nclick = 1\nview = 1".into(), 3, vec!["click and view have the same number, 1"]),
        ("[types]\n\"a b\" = 1".into(), 2, vec!["\"a b\" is not a valid name of a type"]),
        ("[types]".into(), 1, vec!["[types] is empty"]),
        ("[types]\nclick = 1".into(), 1, vec!["[types] has no add_to_cart"]),
        ("[types]\nview = 1\n[sources.clicks]".into(), 3, vec!["[sources.clicks] has no type", "type = NAME"]),
        ("[sources]".into(), 1, vec!["has 0 sources"]),
        ("[sources.\"a/b\"]".into(), 1, vec!["\"a/b\" is not a valid name of a source"]),
        ("[sources.s]\ntype = \"click\"".into(), 1, vec!["[sources.s] has no pattern", "s/dt={dt}"]),
        ("[sources.s]\npattern = \"{dt}\"\ntype = \"click\"".into(), 1, vec!["no time column"]),
        ("[sources.s]\npattern = \"{dt}\"\ncolumns = { time = \"t\" }".into(), 1, vec!["neither a type nor a column of types"]),
        (source("ignore = [\"x\"]"), 5, vec!["has ignore but no column of types", "columns.type"]),
        (source("columns.type = \"e\""), 5, vec!["cannot extend value"]),
        (
            "[sources.clicks]\ncolumns = { type = \"e\" }\ntype = \"click\"".into(),
            3,
            vec!["both a type and a column of types"],
        ),
        (
            "[sources.clicks]\ncolumns = { type = \"e\" }\nvalues = { a = \"click\" }\nignore = [\n\"a\"]".into(),
            5,
            vec!["\"a\" is both mapped to a type and ignored"],
        ),
        ("[sources.clicks]\ncolumns = { type = \"e\" }\nignore = \"a\"".into(), 3, vec!["is a text", "a list of texts"]),
        ("[sources.clicks]\nexplode = \"events\"".into(), 2, vec!["[sources.clicks] explodes \"events\", but none of its columns is in an element", "events.item_id"]),
        ("[sources.clicks]\ncolumns = { item_id = \"eventsid\" }\nexplode = \"events\"".into(), 3, vec!["none of its columns is in an element"]),
        ("[sources.clicks]\nexplode = true".into(), 2, vec!["explode in [sources.clicks] is true or false"]),
        ("[sources.clicks]\nexplod = \"a\"".into(), 2, vec!["the nearest is explode"]),
        ("[csv]\nseperator = \";\"".into(), 2, vec!["[csv] has no key \"seperator\"", "the nearest is separator", "separator, quote, escape, header, null"]),
        ("[csvs]".into(), 1, vec!["\"csvs\"", "the nearest is csv"]),
        ("[csv]\nseparator = \"::\"".into(), 2, vec!["separator in [csv] is \"::\", not one character"]),
        ("[csv]\nseparator = \"\"".into(), 2, vec!["separator in [csv] is \"\", not one character"]),
        ("[csv]\nseparator = \"\\n\"".into(), 2, vec!["separator in [csv] is \"\\n\", not one character", "does not end a line"]),
        ("[csv]\nquote = \"«\"".into(), 2, vec!["quote in [csv] is \"«\", not one character of ASCII"]),
        ("[csv]\nquote = true".into(), 2, vec!["quote in [csv] is true or false", "a text in quotes"]),
        ("[csv]\nseparator = \";\"\nquote = \";\"".into(), 3, vec!["quote in [csv] is the same character as the separator"]),
        ("[csv]\nescape = \"\\t\"".into(), 2, vec!["escape in [csv] is the same character as the separator"]),
        ("[csv]\nescape = \"\\\\\\\\\"".into(), 2, vec!["escape in [csv] is ", "not one character"]),
        ("[csv]\n\nseparator = \"\\\"\"".into(), 3, vec!["quote in [csv] is the same character as the separator"]),
        ("[csv]\nheader = \"no\"".into(), 2, vec!["header in [csv] is a text", "give true or false"]),
        ("[csv]\nnull = \"NULL\"".into(), 2, vec!["null in [csv] is a text", "a list of texts"]),
        ("[csv]\nnull = [0]".into(), 2, vec!["null in [csv] is a number"]),
        ("csv = 1".into(), 1, vec!["[csv] is a number", "a table of keys and values"]),
        ("[sources.clicks]\n\nnonsense".into(), 3, vec!["correct the file, which must be valid TOML"]),
    ];
    let bench = Bench::new();
    for (text, line, words) in cases {
        configure(&bench, &text);
        let place = format!("input/lookback.toml line {line}: ");
        for command in ["config check --input input", INGEST] {
            let ran = bench.run(command);
            assert_eq!(ran.code, 1, "{text}\n{}", ran.stderr);
            assert_one_sentence(&ran, &[&[place.as_str()], words.as_slice()].concat());
        }
    }
    assert!(!bench.store().exists());
    write_file(&bench.input().join("lookback.toml"), &[0xff, 0xfe]);
    bench.refused(INGEST, &["lookback.toml is not UTF-8"]);
    bench.refused(&format!("{INGEST} --config none.toml"), &["none.toml", "check the path"]);
}

/// It may describe another input, and whoever has put it there must learn that it does nothing.
#[test]
fn a_file_beside_the_input_root_is_told_and_not_used() {
    let bench = retail_bench("");
    fs::rename(bench.input().join("lookback.toml"), bench.path("lookback.toml")).unwrap();
    let beside = "lookback.toml lies beside the input root and is not used; type --config ";
    for command in [
        "ingest --create --store other --input input --dt 2026-01-01",
        "config check --input input --dt 2026-01-01",
        "produce --store store --input input --dt 2026-01-02 --out out",
        "backfill --store store --input input --from 2026-01-01 --to 2026-01-01",
        "vocabulary --input input --from 2026-01-01 --to 2026-01-01 --of items --out items.parquet",
    ] {
        let ran = bench.run(command);
        assert!(ran.stderr.contains(beside), "{command}: {}", ran.stderr);
        assert!(!bench.path("other").exists(), "{command}");
        let named = bench.run(&format!("{command} --config lookback.toml"));
        assert!(!named.stderr.contains("note: the configuration"), "{command}: {}", named.stderr);
        assert!(ran.code == 1, "{command}: {}", ran.stderr);
        fs::remove_dir_all(bench.path("other")).ok();
    }
    let typed = bench.run("config check --input input").stderr;
    let typed = typed.split("type ").nth(1).and_then(|rest| rest.split(" to use it").next()).unwrap().to_owned();
    assert!(bench.ok(&format!("config check --input input {typed}")).stdout.contains("lookback.toml\n"));
}

#[test]
fn every_command_that_reads_input_takes_the_file_that_is_named() {
    let bench = retail_bench("");
    let found = "note: the input is read by the configuration input/lookback.toml\n";
    for command in ["produce --store store --input input --dt 2026-01-02 --out out", INGEST] {
        assert!(bench.run(command).stderr.starts_with(found), "{command}");
    }
    fs::remove_dir_all(bench.store()).unwrap();
    fs::rename(bench.input().join("lookback.toml"), bench.path("elsewhere.toml")).unwrap();
    bench.refused(INGEST, &["there is no file for 2026-01-01", "input/clicks/dt=2026-01-01"]);
    let named = "--input input --config elsewhere.toml";
    let created = bench.ok(&format!("ingest --create --store store {named} --dt 2026-01-01")).stderr;
    assert!(!created.contains("note:"), "{created}");
    assert!(created.contains("2 actions (1 view, 0 addtocart, 1 transaction) of 1 customer"), "{created}");
    bench.ok(&format!("produce --store store {named} --dt 2026-01-02 --out out"));
    bench.ok(&format!("audit --store store {named} --dt 2026-01-02 --out out"));
    let range = "--from 2026-01-01 --to 2026-01-02 --out out";
    let held = bench.json(&format!("backfill --store store {named} {range}"));
    assert_eq!((&held["held"], &held["produced"][0]["kept"]), (&1.into(), &true.into()));
    bench.refused("audit --store store --input input --dt 2026-01-02 --out out", &["source events", "--config"]);
    bench.refused(
        &format!("ingest --create --store store {named} --dt 2026-01-03"),
        &["nothing in input matches events/dt=2026-01-03 of elsewhere.toml"],
    );
}

#[test]
fn integers_for_times_are_checked_like_all_times() {
    let bench = retail_bench("");
    let early = us("1969-12-31T23:59:59Z") / 1_000;
    write_events(
        &bench,
        DAY,
        &[(1, 11, early, Some("view")), (1, 11, i64::MAX, Some("view")), (1, 11, 0, Some("view"))],
    );
    let ingest = format!("{INGEST} --allow-far-day");
    bench.refused(
        &ingest,
        &["2 bad rows", "row 1 column timestamp lies outside", "row 2 column timestamp lies outside"],
    );
    configure(&bench, &retail("").replace("time_unit = \"ms\"\n", ""));
    bench.refused(INGEST, &["column timestamp of type Int64", "time_unit in lookback.toml"]);
}

#[test]
fn a_value_that_stands_for_nothing_is_a_bad_row_unless_it_is_ignored() {
    let rows =
        [(1, 11, ten(), Some("view")), (1, 0, 0, Some("ping")), (2, 12, ten(), None), (3, 13, ten(), Some("View"))];
    let bench = retail_bench("ignore = [\"ping\"]");
    write_events(&bench, DAY, &rows);
    bench.refused(
        INGEST,
        &["2 bad rows", "row 3 column event is null", "row 4 column event is an unknown type of action (\"View\")"],
    );
    assert!(!bench.store().exists());
    let summary = bench.json(&format!("{INGEST} --quarantine aside"));
    assert_eq!((&summary["actions"], &summary["ignored"], &summary["quarantined"]), (&1.into(), &1.into(), &2.into()));
    assert!(bench.path("aside/actions/dt=2026-01-01/bad-rows.parquet").is_file());
    assert_eq!(seen(&bench), (vec![11, 0, 0], vec![1, 0, 0]));
    assert_eq!(bench.json("status --store store")["ignored"], 1);
    let said = bench.ok(&format!("{INGEST} --quarantine aside")).stderr;
    assert!(said.contains("1 ignored (listed in `ignore` of their source)"), "{said}");

    configure(&bench, &retail(""));
    bench.refused(INGEST, &["3 bad rows", "\"ping\""]);
}

/// What a batch becomes follows from its files and from how they are described.
#[test]
fn a_changed_description_makes_backfill_ingest_the_batch_again() {
    let bench = retail_bench("values = { view = \"view\", transaction = \"transaction\" }");
    let backfill = "backfill --store store --input input --from 2026-01-01 --to 2026-01-02 --out out --max-history 3";
    let plan = |bench: &Bench| bench.json(&format!("{backfill} --dry-run"))["to_ingest"].clone();
    assert_eq!(plan(&bench), json!([[DAY, "new"]]));
    bench.ok(backfill);
    assert_eq!(seen(&bench), (vec![12, 11, 0], vec![3, 1, 0]));
    let before = dump(&bench.store());
    // What changes nothing: a comment, the order of keys, another pattern for the same files below the same folder.
    let moved = retail("values = { transaction = \"transaction\", view = \"view\" } # x")
        .replace("events/dt={dt}", "ev*/dt={dt}");
    configure(&bench, &moved);
    assert_eq!(plan(&bench), json!([[DAY, "changed"]]), "files are told below another folder");
    let same = moved.replace("ev*/dt={dt}", "events/dt={dt}/*.parquet");
    configure(&bench, &same);
    assert_eq!(plan(&bench), json!([]));
    bench.ok("stale --store store --out out --exit-code");
    // Each of these does.
    let values = "transaction = \"transaction\", view = \"view\"";
    let changes = [
        same.replace(values, "transaction = \"addtocart\", view = \"view\""),
        same.replace(values, &format!("{values}, more = \"view\"")),
        same.replace("time_unit = \"ms\"", "time_unit = \"us\""),
        same.replace("item_id = \"itemid\"", "item_id = \"visitorid\""),
        same.replace("[sources.events]", "[sources.all]"),
    ];
    for (number, changed) in changes.iter().enumerate() {
        configure(&bench, changed);
        assert_eq!(plan(&bench), json!([[DAY, "changed"]]), "{changed}");
        bench.refused(
            "audit --store store --input input --dt 2026-01-02 --out out",
            &["other columns or types", "--config"],
        );
        if number == 0 {
            let done = bench.json(backfill);
            assert_eq!((&done["ingested"][0]["replaced"], &done["produced"][0]["kept"]), (&true.into(), &false.into()));
            assert_eq!(seen(&bench), (vec![12, 11, 0], vec![2, 1, 0]));
            configure(&bench, &same);
            bench.ok("ingest --store store --input input --dt 2026-01-01");
            let listed = bench.json("stale --store store --out out");
            assert_eq!(listed["listed"][0]["replaced"], json!([DAY]));
            bench.ok(backfill);
            assert!(dump(&bench.store()) == before);
        }
    }
    // Impressions that are described otherwise make the day be produced again.
    configure(&bench, &format!("{same}\n[impressions]\ncolumns = {{ customer_id = \"who\" }}\n"));
    bench.refused(backfill, &["no column who", "customer_id"]);
    let renamed = [("ranking_id", texts(&[None])), ("customer_id", ids(&[7])), ("who", ids(&[1]))];
    let lists = crate::support::input::impression_lists(&[Some(vec![(5, None)])]);
    let path = bench.input().join(format!("impressions/dt={NEXT}/part-0.parquet"));
    write_parquet(&path, &[&renamed[..], &[("impressions", lists)]].concat());
    assert_eq!(bench.json(backfill)["produced"][0]["kept"], false);
    assert_eq!(read_partition(&bench.out(), NEXT)[0].customer_id, 1);
    configure(&bench, &same);
    bench.refused(
        "audit --store store --input input --dt 2026-01-02 --out out",
        &["the impressions of 2026-01-02", "--config"],
    );
    assert_eq!(bench.json(backfill)["produced"][0]["kept"], false);
    assert_eq!(read_partition(&bench.out(), NEXT)[0].customer_id, 7);
}

#[test]
fn a_store_keeps_the_names_and_numbers_of_its_types() {
    let bench = retail_bench("");
    bench.ok(INGEST);
    let before = dump(&bench.store());
    let conflicts = [
        (retail("").replace("view = 1", "look = 1"), ["type view as number 1", "look as number 1"]),
        (retail("").replace("view = 1", "view = 9"), ["type view as number 1", "view as number 9"]),
        (retail("").replace("view = 1\naddtocart = 2", "view = 2\naddtocart = 1"), ["addtocart", "number"]),
    ];
    for (text, words) in conflicts {
        configure(&bench, &text);
        bench.refused(INGEST, &[&words[..], &["input/lookback.toml", "lookback status"]].concat());
        let range = "--from 2026-01-01 --to 2026-01-01";
        bench.refused(&format!("backfill --store store --input input {range}"), &words);
    }
    // Without its configuration, the store says what is missing.
    fs::remove_file(bench.input().join("lookback.toml")).unwrap();
    let click = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), DAY, &[click], PLAIN);
    bench.refused(INGEST, &["type view as number 1", "without a configuration click is number 1", "--config"]);
    assert!(dump(&bench.store()) == before, "a refusal changes nothing");

    // New names and numbers are taken, a part of the table is enough, and nothing is lost of it.
    configure(&bench, &retail("").replace("view = 1\n", "wish = 200\n"));
    write_events(&bench, DAY, &[(1, 11, ten(), Some("wish"))]);
    bench.ok(INGEST);
    let numbers = bench.json("status --store store")["type_numbers"].clone();
    assert_eq!(numbers, json!({"view": 1, "addtocart": 2, "transaction": 3, "wish": 200}));
    assert_eq!(seen(&bench), (vec![11, 0, 0], vec![200, 0, 0]));
    bench.ok("verify --store store --deep");
}

#[test]
fn the_first_batch_brings_the_table_or_init_does() {
    let bench = retail_bench("");
    bench.ok("init --store store --max-history 3");
    bench.ok(INGEST);
    let names = |store: &str| bench.json(&format!("status --store {store}"))["type_numbers"].clone();
    let retail_names = json!({"view": 1, "addtocart": 2, "transaction": 3});
    assert_eq!(names("store"), retail_names, "a store without a batch is bound to no names");
    bench.ok("init --store other --max-history 3 --config input/lookback.toml");
    assert_eq!(names("other"), retail_names);
    bench.ok("ingest --create --store other --input input --dt 2026-01-01");
    assert!(dump(&bench.path("other")) == dump(&bench.store()));
    bench.ok("init --store third --config input/lookback.toml");
    fs::remove_file(bench.input().join("lookback.toml")).unwrap();
    bench.refused(
        "ingest --create --store third --input input --dt 2026-01-01 --allow-empty",
        &["type view", "--config"],
    );
}

#[test]
fn a_table_of_types_that_is_damaged_is_named() {
    let bench = retail_bench("");
    bench.ok(INGEST);
    let set = |value: &[u8]| crate::support::store::edit(&bench.store(), &[(vec![0x19], Some(value.to_vec()))]);
    // Without type 3, which actions have; then none; then the default one, which has no record.
    set(&[4, 2, 1, 4, b'v', b'i', b'e', b'w', 2, 1, b'x']);
    let lines = bench.run("verify --store store");
    assert_eq!(lines.code, 1);
    assert!(lines.stdout.contains("an action of type 3, which the table of types does not have"), "{}", lines.stdout);
    for value in [&[4, 0][..], &[4, 1, 0, 1, b'x'], &[3], &[4, 1, 1, 1, b',']] {
        set(value);
        bench.refused("status --store store", &["the table of types (key 19)", "restore it"]);
    }
}

#[test]
fn config_check_shows_what_would_be_read_and_what_is_missing() {
    let bench = retail_bench("ignore = [\"ping\"]");
    let shown = bench.ok("config check --input input --dt 2026-01-01").stdout;
    let bytes = fs::metadata(bench.input().join("events/dt=2026-01-01/e.parquet")).unwrap().len();
    #[expect(clippy::cast_precision_loss, reason = "a size of some kB")]
    let size = format!("{:.1} kB", bytes as f64 / 1_000.0);
    let expected = format!(
        "configuration  input/lookback.toml
types          view 1, addtocart 2, transaction 3

events  events/dt={{dt}}
  read as      column     found
  customer_id  visitorid  Int64
  item_id      itemid     Int64
  time         timestamp  Int64
  type         event      Utf8
  integer times count ms
  \"addtocart\" is addtocart
  \"ping\" is ignored
  \"transaction\" is transaction
  \"view\" is view
  2026-01-01: 1 file of {size}

impressions  impressions/dt={{dt}}
  read as      column       found
  ranking_id   ranking_id
  customer_id  customer_id
  impressions  impressions
  item_id      item_id
  is_order     is_order
  2026-01-01: no file
"
    );
    assert_eq!(shown, expected);

    let ran = bench.run("config check --input input --dt 2026-01-03");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout
            .ends_with("missing (1):\n  there is no file of actions in input: nothing matches events/dt=2026-01-03\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("2026-01-03 cannot be read (1 problem); solve the problems that the lines above name"),
        "{}",
        ran.stderr
    );

    write_events(&bench, NEXT, &[(1, 2, 3, Some("view"))]);
    write_parquet(&bench.input().join("events/dt=2026-01-02/f.parquet"), &[("visitorid", ids(&[1]))]);
    write_parquet(&bench.input().join("impressions/dt=2026-01-02/g.parquet"), &[("customer_id", ids(&[1]))]);
    let ran = bench.run("config check --input input --dt 2026-01-02 --json");
    assert_eq!(ran.code, 1);
    let checked: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let missing: Vec<&str> = checked["missing"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(missing[0].contains("f.parquet has no column itemid (it has: visitorid)"), "{missing:?}");
    assert!(missing[1].contains("g.parquet has no column impressions"), "{missing:?}");
    assert_eq!(checked["sources"][0]["found"]["files"], 2);
    assert_eq!(checked["sources"][0]["found"]["columns"][3], json!(["event", "Utf8"]));

    fs::remove_file(bench.input().join("lookback.toml")).unwrap();
    let plain = bench.ok("config check --input input").stdout;
    let head = "configuration  none; the default names and layouts\ntypes          click 1, add_to_cart 2, order 3\n\nclicks  clicks/dt={dt}\n";
    assert!(plain.starts_with(head), "{plain}");
    assert!(plain.contains("\norders  orders/dt={dt}\n") && plain.contains("  date         order_date\n"), "{plain}");
    assert_eq!(tree(Path::new(&bench.input())).len(), 5, "nothing was written");
}
