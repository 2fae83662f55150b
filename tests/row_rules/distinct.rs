//! Of rows with the same event id the earliest stays, whatever the files, the order and the memory.

use std::collections::BTreeMap;
use std::fs;

use lookback::ingest::IngestOptions;
use lookback::resources::Resources;
use serde_json::json;

use super::{configure, content, in_memory, ingest, number, sources, text, write_spread, write_table};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::tree;
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::text::{Cell, Cells};

const DAY: &str = "2026-01-02";
const NEXT: &str = "2026-01-03";

/// Two sources, so that equal ids of both do not meet.
const TOML: &str = r#"
    [sources.clicks]
    columns = { time = "at" }
    time_unit = "us"
    distinct_by = "event"
    [sources.log]
    pattern = "log/dt={dt}"
    columns = { time = "at", type = "kind" }
    time_unit = "us"
    values = { 1 = "click", 2 = "add_to_cart", 3 = "order" }
    distinct_by = "event"
"#;

/// An action of a source with its event id.
type Event = (&'static str, Option<&'static str>, RawAction);

fn random_events(random: &mut Random) -> Vec<Event> {
    let ids = [None, Some(""), Some("7"), Some("8"), Some("a"), Some("é, 1"), Some("an id that is longer"), Some("A")];
    let mut below = |end: u64| i64::try_from(random.below(end)).unwrap();
    let mut event = |_| {
        let kind = u8::try_from(below(3) + 1).unwrap();
        let time_us = us("2026-01-02T10:00:00Z") + below(3) * 1_000_000;
        let source = if kind == 1 && below(2) == 0 { "clicks" } else { "log" };
        let action = RawAction { customer: below(3) + 1, item: below(3) + 1, time_us, kind };
        (source, ids[usize::try_from(below(ids.len() as u64)).unwrap()], action)
    };
    (0..120).map(&mut event).collect()
}

/// The rows that stay, the naive way.
fn distinct(events: &[Event]) -> Vec<RawAction> {
    let mut earliest: BTreeMap<(&str, &str), RawAction> = BTreeMap::new();
    let mut stay = Vec::new();
    let order = |action: &RawAction| (action.time_us, action.kind, action.item, action.customer);
    for (source, id, action) in events {
        match id.filter(|id| !id.is_empty()) {
            None => stay.push(*action),
            Some(id) => {
                let first = earliest.entry((source, id)).or_insert(*action);
                if order(action) < order(first) {
                    *first = *action;
                }
            }
        }
    }
    stay.extend(earliest.into_values());
    stay
}

fn cells(events: &[Event], source: &str) -> Vec<Cells> {
    let of_source = events.iter().filter(|(of, ..)| *of == source);
    let cells = |(_, id, action): &Event| {
        let mut cells = vec![
            ("customer_id", number(action.customer)),
            ("item_id", number(action.item)),
            ("at", number(action.time_us)),
            ("event", text(*id)),
        ];
        if source == "log" {
            cells.push(("kind", number(i64::from(action.kind))));
        }
        cells
    };
    of_source.map(cells).collect()
}

/// A bench with the actions of a day in the contract's layout.
fn plain(actions: &[RawAction]) -> Bench {
    let bench = Bench::new();
    write_batch(&bench.input(), DAY, actions, PLAIN);
    bench
}

fn write_shown(bench: &Bench) {
    let shown = (1..4).map(|customer| RawImpression { ranking_id: None, customer, elements: vec![(9, None)] });
    write_impressions(&bench.input(), NEXT, &shown.collect::<Vec<_>>(), PLAIN);
}

#[test]
fn the_earliest_row_of_an_id_stays_and_the_others_are_counted() {
    let seed = seed(74);
    let mut random = Random::new(seed);
    for round in 0..4 {
        let events = random_events(&mut random);
        let stay = distinct(&events);
        let plain = plain(&stay);
        plain.ingest(DAY);
        write_shown(&plain);
        plain.produce(NEXT);
        let bench = Bench::new();
        configure(&bench, TOML);
        write_shown(&bench);
        for source in ["clicks", "log"] {
            write_spread(&bench.input().join(format!("{source}/dt={DAY}")), &cells(&events, source), &mut random);
        }
        let summary = bench.json(&format!("ingest --create --store store --input input --dt {DAY}"));
        assert_eq!(summary["deduplicated"], json!(events.len() - stay.len()), "seed {seed}, {round}");
        assert_eq!(summary["actions"], json!(stay.len()), "seed {seed}, {round}");
        assert!(content(&bench.store()) == content(&plain.store()), "seed {seed}, {round}");
        let ran = bench.ok(&format!("ingest --store store --input input --dt {DAY}"));
        let told = format!("; {} left out (with the event id of an earlier row)", events.len() - stay.len());
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);

        // The rows follow from the raw files, as an audit derives them by itself.
        bench.produce(NEXT);
        let parts = |bench: &Bench| -> Vec<Vec<u8>> {
            tree(&bench.out()).into_iter().filter(|(name, _)| name.contains("part-")).map(|(_, part)| part).collect()
        };
        assert!(parts(&bench) == parts(&plain), "seed {seed}, {round}");
        bench.ok(&format!("audit --store store --input input --out out --dt {NEXT}"));

        // Within so little memory that all of it spills.
        let small = Resources::default().with_threads(2).with_sort_bytes(900);
        let options = IngestOptions::new(bench.input(), DAY.parse::<lookback::model::Day>().unwrap());
        let options = options.sources(sources(&bench)).resources(small);
        let spilled = ingest(&bench.path("spilled"), &options);
        assert_eq!(spilled.deduplicated, (events.len() - stay.len()) as u64, "seed {seed}, {round}");
        assert!(content(&bench.path("spilled")) == content(&plain.store()), "seed {seed}, {round}");

        for of in ["items", "customers"] {
            let command = format!("vocabulary --input input --from {DAY} --to {DAY} --of {of} --out {of}.parquet");
            for bench in [&bench, &plain] {
                bench.ok(&command);
            }
            let [found, expected] =
                [&bench, &plain].map(|bench| fs::read(bench.path(&format!("{of}.parquet"))).unwrap());
            assert!(found == expected, "seed {seed}, {round}: {of}");
        }
    }
}

#[test]
fn rows_from_memory_have_event_ids_too() {
    let mut random = Random::new(seed(75));
    let events = random_events(&mut random);
    let clicks: Vec<Event> = events.iter().filter(|(source, ..)| *source == "clicks").copied().collect();
    let stay = distinct(&clicks);
    assert!(stay.len() < clicks.len());
    let plain = plain(&stay);
    plain.ingest(DAY);
    let bench = Bench::new();
    configure(&bench, TOML);
    let sources = sources(&bench);
    let options = IngestOptions::new(
        in_memory(&sources, "clicks", &cells(&clicks, "clicks")),
        DAY.parse::<lookback::model::Day>().unwrap(),
    );
    let summary = ingest(&bench.store(), &options.sources(sources));
    assert_eq!(summary.deduplicated, (clicks.len() - stay.len()) as u64);
    assert!(content(&bench.store()) == content(&plain.store()));
}

/// The same id of integers in Parquet and of digits in text; and of different batches, which are not compared.
#[test]
fn ids_have_the_same_value_in_every_format_within_a_batch() {
    let bench = Bench::new();
    configure(&bench, TOML);
    let folder = |day: &str| bench.input().join(format!("clicks/dt={day}"));
    let at = us("2026-01-02T10:00:00Z");
    let row = |id: Cell| -> Cells {
        vec![("customer_id", number(7)), ("item_id", number(5)), ("at", number(at)), ("event", Some(id))]
    };
    for day in [DAY, NEXT] {
        write_table(&folder(day).join("a.parquet"), &[row(Cell::Number(17))]);
        write_file(
            &folder(day).join("b.csv"),
            format!("customer_id,item_id,at,event\n7,5,{at},17\n7,5,{at},017\n").as_bytes(),
        );
        let json = format!("{{\"customer_id\":7,\"item_id\":5,\"at\":{at},\"event\":17}}\n");
        write_file(&folder(day).join("c.jsonl"), json.as_bytes());
        let summary = bench.json(&format!("ingest --create --store store --input input --dt {day}"));
        assert_eq!((&summary["actions"], &summary["deduplicated"]), (&2.into(), &2.into()));
    }
}

#[test]
fn a_source_read_by_other_ids_is_another_one_and_a_wrong_column_is_one_sentence() {
    let bench = Bench::new();
    configure(&bench, TOML);
    let at = us("2026-01-02T10:00:00Z");
    let csv = format!("customer_id,item_id,at,event,other\n7,5,{at},a,x\n7,6,{at},a,y\n");
    write_file(&bench.input().join(format!("clicks/dt={DAY}/a.csv")), csv.as_bytes());
    let backfill = format!("backfill --store store --input input --from {DAY} --to {DAY}");
    assert_eq!(bench.json(&backfill)["ingested"][0]["actions"], 1);
    assert_eq!(bench.json(&backfill)["held"], 1);
    configure(&bench, &TOML.replace("\"event\"", "\"other\""));
    assert_eq!(bench.json(&backfill)["ingested"][0]["actions"], 2);
    configure(&bench, &TOML.replace("\"event\"", "\"no_such\""));
    let ingest = format!("ingest --store store --input input --dt {DAY}");
    bench.refused(&ingest, &["a.csv has no column no_such"]);
    let checked = bench.run(&format!("config check --input input --dt {DAY}"));
    assert!(checked.code == 1 && checked.stdout.contains("a.csv has no column no_such"), "{}", checked.stdout);
    configure(&bench, TOML);
    assert!(
        bench.ok(&format!("config check --input input --dt {DAY}")).stdout.contains("  distinct_by  event        text")
    );
}
