//! The page of `lookback report`, opened in a real browser: its figures against `status`, `produce` and a count of the
//! raw input, and its layout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::support::browser::{Scheme, probe};
use crate::support::input::{PLAIN, RawAction, RawImpression, write_batch, write_impressions};
use crate::support::output::read_partition;
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};

/// 2026-01-01 as days since 1970-01-01.
const FIRST_DAY: i64 = 20_454;
const DAY_US: i64 = 86_400_000_000;
const MAX_HISTORY: usize = 40;

/// Of the days from the first on: one that brings four times as much, one half of which is late, one without a batch,
/// the days with rows, and of these one with many orders.
const LOUD: i64 = 10;
const LATE: i64 = 14;
const GAP: i64 = 17;
const SHOWN: std::ops::Range<i64> = 11..22;
const ORDERED: i64 = 20;
const DAYS: i64 = 22;

fn name(day: i64) -> String {
    (chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(FIRST_DAY + day).unwrap())).to_string()
}

fn actions(random: &mut Random, day: i64) -> Vec<RawAction> {
    let count = 300 + random.below(20) + if day == LOUD { 900 } else { 0 };
    (0..count)
        .map(|number| {
            let mut draw = |end: u64| i64::try_from(random.below(end)).unwrap();
            let is_late = if day == LATE { number % 2 == 0 } else { number % 50 == 0 };
            RawAction {
                customer: draw(90).min(draw(90)) - 10,
                item: 1 + draw(500),
                time_us: (FIRST_DAY + day - i64::from(is_late)) * DAY_US + draw(86_400) * 1_000_000,
                kind: [1, 1, 1, 1, 2, 2, 3][usize::try_from(draw(7)).unwrap()],
            }
        })
        .collect()
}

fn impressions(random: &mut Random, day: i64) -> Vec<RawImpression> {
    let ordered = if day == ORDERED { 3 } else { 40 };
    (0..60)
        .map(|number| RawImpression {
            ranking_id: Some(format!("r{number}")),
            customer: i64::try_from(random.below(100)).unwrap() - 15,
            elements: (0..5).map(|item| (item + 1, Some((number * 5 + item) % ordered == 0))).collect(),
        })
        .collect()
}

/// A store with rows: the bench, the raw actions of each batch, and what `produce` said of each day.
fn filled() -> (Bench, BTreeMap<String, Vec<RawAction>>, Vec<Value>) {
    let bench = Bench::new();
    let mut random = Random::new(seed(41));
    let (mut batches, mut produced) = (BTreeMap::new(), Vec::new());
    bench.ok(&format!("init --store store --max-history {MAX_HISTORY}"));
    for day in (0..DAYS).filter(|day| *day != GAP) {
        let actions = actions(&mut random, day);
        write_batch(&bench.input(), &name(day), &actions, PLAIN);
        bench.ingest(&name(day));
        batches.insert(name(day), actions);
    }
    for day in SHOWN {
        write_impressions(&bench.input(), &name(day), &impressions(&mut random, day), PLAIN);
        let produce = format!("produce --store store --input input --dt {} --out out --allow-gaps", name(day));
        produced.push(bench.json(&produce));
    }
    (bench, batches, produced)
}

/// The rows of a table as the browser has them.
fn table(page: &Value, name: &str) -> Vec<Value> {
    page["tables"][name].as_array().unwrap_or_else(|| panic!("no table {name}")).clone()
}

/// A row with some of its numbers, as a page has them: digits in text.
fn row(fields: &[(&str, Value)]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
}

/// Compares the columns of a table that `expected` has.
fn assert_table(page: &Value, name: &str, expected: &[BTreeMap<String, String>]) {
    let rows = table(page, name);
    assert_eq!(rows.len(), expected.len(), "{name}");
    assert!(!rows.is_empty(), "{name}");
    for (row, expected) in rows.iter().zip(expected) {
        for (column, value) in expected {
            assert_eq!(row[column], *value, "table {name}, column {column}: {row}");
        }
    }
}

const REPORT: &str = "report --store store --out-dir out --html page.html";

#[test]
fn the_figures_are_those_of_the_raw_input_of_status_and_of_produce() {
    let (bench, batches, produced) = filled();
    let summary = bench.json(REPORT);
    let page = probe(&bench.path("page.html"), 1_280, Scheme::Light);
    assert_eq!(page["loaded"], json!([]), "nothing is loaded");

    // The raw input.
    let day_of = |action: &RawAction| name(action.time_us.div_euclid(DAY_US) - FIRST_DAY);
    let count = |actions: &[RawAction], wanted: &dyn Fn(&RawAction) -> bool| {
        json!(actions.iter().filter(|action| wanted(action)).count())
    };
    let counted: Vec<_> = batches
        .iter()
        .map(|(day, actions)| {
            let customers: BTreeSet<i64> = actions.iter().map(|action| action.customer).collect();
            row(&[
                ("dt", json!(day)),
                ("types.click", count(actions, &|one| one.kind == 1)),
                ("types.add_to_cart", count(actions, &|one| one.kind == 2)),
                ("types.order", count(actions, &|one| one.kind == 3)),
                ("actions", json!(actions.len())),
                ("late", count(actions, &|one| day_of(one) < *day)),
                ("early", count(actions, &|one| day_of(one) > *day)),
                ("customers", json!(customers.len())),
            ])
        })
        .collect();
    let only = |columns: &[&str]| -> Vec<BTreeMap<String, String>> {
        let keep = |row: &BTreeMap<String, String>| {
            columns.iter().map(|column| ((*column).to_owned(), row[*column].clone())).collect()
        };
        counted.iter().map(keep).collect()
    };
    assert_table(&page, "actions", &only(&["dt", "types.click", "types.add_to_cart", "types.order", "actions"]));
    assert_table(&page, "late", &only(&["dt", "late", "early", "actions"]));
    assert_table(&page, "customers", &only(&["dt", "customers"]));
    let mut lengths = BTreeMap::<i64, usize>::new();
    batches.values().flatten().for_each(|action| *lengths.entry(action.customer).or_default() += 1);
    for bucket in table(&page, "histories") {
        let [from, to] = ["from", "to"].map(|bound| bucket[bound].as_str().unwrap().parse::<usize>().unwrap());
        let within = lengths.values().filter(|length| (from..=to).contains(&(**length).min(MAX_HISTORY))).count();
        assert_eq!(bucket["customers"], within.to_string(), "from {from} to {to}");
    }
    let at_cap = lengths.values().filter(|length| **length >= MAX_HISTORY).count();
    assert!(at_cap > 0 && at_cap < lengths.len(), "{lengths:?}");

    // What `status` says.
    let status = bench.json("status --store store");
    let held: Vec<_> = status["held"].as_array().unwrap().clone();
    for name in ["actions", "late", "customers", "bytes"] {
        let columns: Vec<String> = table(&page, name)[0].as_object().unwrap().keys().cloned().collect();
        let said = |batch: &Value| {
            columns.iter().filter_map(|column| Some((column.as_str(), batch.get(column)?.clone()))).collect::<Vec<_>>()
        };
        assert_table(&page, name, &held.iter().map(|batch| row(&said(batch))).collect::<Vec<_>>());
    }
    let buckets = status["history_lengths"].as_array().unwrap().iter();
    let buckets =
        buckets.map(|bucket| row(&["from", "to", "customers"].map(|column| (column, bucket[column].clone()))));
    assert_table(&page, "histories", &buckets.collect::<Vec<_>>());
    assert_eq!(status["customers_at_cap"], at_cap);
    for figure in ["batches", "actions", "customers", "customers_at_cap", "bytes"] {
        assert_eq!(page["figures"][figure], status[figure].to_string(), "{figure}");
    }
    assert_eq!(status["gaps"], json!([name(GAP)]));
    assert_eq!(summary["gaps"], status["gaps"]);

    // What `produce` said.
    let days = |columns: &'static [&'static str]| -> Vec<_> {
        produced
            .iter()
            .map(|day| row(&columns.iter().map(|column| (*column, day[*column].clone())).collect::<Vec<_>>()))
            .collect()
    };
    assert_table(&page, "rows", &days(&["dt", "rows", "parts"]));
    assert_table(&page, "labels", &days(&["dt", "rows", "ordered"]));
    assert_table(&page, "padding", &days(&["dt", "rows", "rows_without_history", "filled"]));
    for (shown, day) in table(&page, "padding").iter().zip(&produced) {
        let rows = read_partition(&bench.out(), day["dt"].as_str().unwrap());
        let padding = rows.iter().flat_map(|row| &row.action_types).filter(|kind| **kind == 0).count();
        let share = padding as f64 / (rows.len() * MAX_HISTORY) as f64;
        assert_eq!(shown["padding_share"], format!("{share:.6}"), "{day}");
    }
    let sum = |field: &str| produced.iter().map(|day| day[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(page["figures"]["rows"], sum("rows").to_string());
    assert_eq!(page["figures"]["partitions"], produced.len().to_string());

    // Which days are there.
    let coverage = table(&page, "coverage").into_iter().map(|day| {
        (
            day["dt"].as_str().unwrap().to_owned(),
            day["batch"].as_str().unwrap().to_owned(),
            day["rows"].as_str().unwrap().to_owned(),
        )
    });
    let expected = (0..DAYS).map(|day| {
        let (batch, rows) =
            (if day == GAP { "missing" } else { "held" }, if SHOWN.contains(&day) { "produced" } else { "none" });
        (name(day), batch.to_owned(), rows.to_owned())
    });
    assert_eq!(coverage.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn days_that_deviate_are_marked_and_named() {
    let (bench, _, _) = filled();
    let summary = bench.json(REPORT);
    let marked: Vec<(String, String)> = summary["marked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mark| (mark["dt"].as_str().unwrap().to_owned(), mark["figure"].as_str().unwrap().to_owned()))
        .collect();
    let has = |day: i64, figure: &str| marked.contains(&(name(day), figure.to_owned()));
    assert!(has(LOUD, "actions") && has(LATE, "late_share") && has(ORDERED, "label_rate"), "{marked:?}");
    let of_batches = marked.iter().filter(|(_, figure)| ["actions", "late_share"].contains(&figure.as_str()));
    assert_eq!(of_batches.count(), 2, "{marked:?}");
    assert!(marked.is_sorted_by(|one, next| one.0 >= next.0), "the newest first: {marked:?}");
    let page = probe(&bench.path("page.html"), 1_280, Scheme::Light);
    let said = page["marks"].as_array().unwrap().clone();
    let named: Vec<_> =
        said.iter().map(|mark| (mark[0].as_str().unwrap().to_owned(), mark[1].as_str().unwrap().to_owned())).collect();
    assert_eq!(named, marked);
    for (mark, told) in said.iter().zip(summary["marked"].as_array().unwrap()) {
        assert!(mark[2].as_str().unwrap().contains(told["text"].as_str().unwrap()), "{mark} {told}");
    }
    for row in table(&page, "actions") {
        assert_eq!(row["marked"] == "actions", row["dt"] == name(LOUD), "{row}");
    }
    let sentence = bench.ok(REPORT);
    assert!(sentence.said().contains(&format!("; missing: {}; ", name(GAP))), "{}", sentence.stderr);
}

/// No label over another or out of its plot, nothing wider than the window: on screens and telephones, by day and by
/// night.
#[test]
fn labels_do_not_overlap_at_any_width() {
    let (bench, _, _) = filled();
    bench.ok(REPORT);
    // A year, and a store of one day.
    for day in 0..400 {
        let one = RawAction { customer: day, item: 1, time_us: (FIRST_DAY + day) * DAY_US, kind: 1 };
        write_batch(&bench.path("year"), &name(day), &vec![one; 1 + usize::try_from(day).unwrap()], PLAIN);
    }
    bench.ok(&format!("backfill --store long --input year --from {} --to {}", name(0), name(399)));
    bench.ok("report --store long --html long.html");
    bench.ok(&format!("ingest --create --store short --input year --dt {}", name(399)));
    bench.ok("report --store short --html short.html");
    let mut colors = BTreeSet::new();
    for (html, plots) in [("page.html", 9), ("long.html", 6), ("short.html", 6)] {
        for (width, scheme) in [(1_280, Scheme::Light), (760, Scheme::Dark), (360, Scheme::Light)] {
            let page = probe(&bench.path(html), width, scheme);
            assert_eq!(page["faults"], json!([]), "{html} in {width} pixels");
            assert_eq!(page["plots"].as_array().unwrap().len(), plots, "{html} in {width} pixels");
            assert!(page["titles"].as_u64().unwrap() > 0, "{html}");
            colors.insert((scheme == Scheme::Dark, page["color"].to_string()));
        }
    }
    assert_eq!(colors.len(), 2, "one colour for each scheme: {colors:?}");
}

#[test]
fn the_same_store_and_rows_give_the_same_bytes() {
    let (bench, _, _) = filled();
    let page = |arguments: &str| {
        bench.ok(arguments);
        fs::read(bench.path("page.html")).unwrap()
    };
    let first = page(REPORT);
    assert_eq!(page(&format!("{REPORT} --threads 1")), first);
    let elsewhere = bench.path("elsewhere/deep");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::rename(bench.store(), elsewhere.join("s")).unwrap();
    fs::rename(bench.out(), elsewhere.join("o")).unwrap();
    assert_eq!(page("report --store elsewhere/deep/s --out-dir elsewhere/deep/o --html page.html"), first);
    let text = String::from_utf8(first).unwrap();
    assert!(!text.contains("://"), "the page names an address");
}

#[test]
fn partitions_whose_manifest_does_not_tell_are_counted_from_their_rows() {
    let (bench, _, _) = filled();
    let by_manifest = bench.json(REPORT)["partitions"].clone();
    for day in SHOWN {
        write_file(&bench.out().join(format!("dt={}/_manifest.parquet", name(day))), b"none");
    }
    let by_rows = bench.json(REPORT)["partitions"].clone();
    let differ = |one: &Value, other: &Value| {
        let (mut one, mut other) = (one.clone(), other.clone());
        assert_eq!((one["read_from"].take(), other["read_from"].take()), (json!("manifest"), json!("part_files")));
        one != other
    };
    let pairs = by_manifest.as_array().unwrap().iter().zip(by_rows.as_array().unwrap());
    assert_eq!(pairs.clone().count(), SHOWN.count());
    assert!(!pairs.clone().any(|(one, other)| differ(one, other)), "{by_manifest} {by_rows}");
    let text = fs::read_to_string(bench.path("page.html")).unwrap();
    assert!(
        text.contains("Read from part files, since the manifest lacks these figures: 2026-01-12..2026-01-22."),
        "{text}"
    );
}

#[test]
fn a_store_without_batches_has_a_page_and_what_is_missing_is_named() {
    let bench = Bench::new();
    bench.ok("init --store store");
    let summary = bench.json("report --store store --html deep/er/page.html --title <b>&co");
    assert_eq!(
        (&summary["batches"], &summary["partitions"], &summary["marked"]),
        (&json!(0), &Value::Null, &json!([]))
    );
    let text = fs::read_to_string(bench.path("deep/er/page.html")).unwrap();
    assert!(text.contains("<h1>&lt;b&gt;&amp;co</h1>") && text.contains("Batches: none"), "{text}");
    bench.refused("report --store store --out-dir nowhere --html page.html", &["cannot list nowhere"]);
    bench.refused("report --store nowhere --html page.html", &["nowhere"]);
    assert!(!bench.path("page.html").exists(), "a refused report leaves no page");
    // What a killed report has left beside its place is removed by the next.
    let left = bench.path("deep/er/.page.html.staging-1");
    write_file(&left, b"half");
    bench.ok("report --store store --html deep/er/page.html");
    let names: Vec<_> = fs::read_dir(bench.path("deep/er")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["page.html"]);
}
