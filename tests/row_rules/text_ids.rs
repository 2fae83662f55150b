//! Rules about rows hold for ids that are text: the rows that count are those that count where ids are the numbers of
//! the same texts, and a vocabulary has the texts of all of them.

use std::collections::BTreeMap;

use lookback::ingest::IngestOptions;
use lookback::model::{Day, IdKind, text_id};
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::vocabulary::{Vocabulary, VocabularyOptions};
use serde_json::json;

use super::{configure, in_memory, ingest, number, open, sources, text, write_spread};
use crate::support::input::us;
use crate::support::output::{dump, read_partition};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::text::Cells;

const DAY: &str = "2026-01-02";
const NEXT: &str = "2026-01-03";
const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-02";

const TEXT: &str = "[ids]\ncustomer = \"text\"\nitem = \"text\"\n";
const RULES: &str = r#"
    [sources.clicks]
    columns = { time = "at" }
    time_unit = "us"
    without_customer = "leave_out"
    distinct_by = "event"
    [impressions]
    layout = "flat"
    without_customer = "leave_out"
"#;

const TEXTS: [&str; 5] = ["U13740", "0042", "42", "é, \"x\"", "550e8400-e29b-41d4-a716-446655440000"];

/// A row of actions (event, time) or of flat impressions (ranking id, position), with its customer and item.
#[derive(Clone, Copy, Debug)]
struct Row {
    customer: Option<&'static str>,
    item: &'static str,
    name: Option<&'static str>,
    number: i64,
}

fn random_rows(random: &mut Random) -> Vec<Row> {
    let names = [None, Some("a"), Some("b"), Some("a name that is longer than eight bytes")];
    let mut of = |end: usize| usize::try_from(random.below(end as u64)).unwrap();
    (0..150)
        .map(|_| Row {
            customer: TEXTS.get(of(6)).copied(),
            item: TEXTS[of(5)],
            name: names[of(4)],
            number: i64::try_from(of(3)).unwrap(),
        })
        .collect()
}

/// The cells of rows, with ids as they are, or as numbers.
fn cells(rows: &[Row], is_text: bool, [name, number_of]: [&'static str; 2]) -> Vec<Cells> {
    let id = |id: Option<&str>| if is_text { text(id) } else { number(id.map(text_id)) };
    let begin = if number_of == "at" { us("2026-01-02T10:00:00Z") } else { 0 };
    let row = |row: &Row| -> Cells {
        vec![
            ("customer_id", id(row.customer)),
            ("item_id", id(Some(row.item))),
            (name, text(row.name)),
            (number_of, number(begin + row.number)),
        ]
    };
    rows.iter().map(row).collect()
}

const ACTION: [&str; 2] = ["event", "at"];
const SHOWN: [&str; 2] = ["ranking_id", "position"];

/// What a store holds of histories.
fn histories(store: &std::path::Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    dump(store).into_iter().filter(|(key, _)| (0x11..=0x13).contains(&key[0])).collect()
}

#[test]
fn rows_that_count_are_those_that_count_where_ids_are_numbers() {
    let seed = seed(931);
    let mut random = Random::new(seed);
    for round in 0..3 {
        let (actions, shown) = (random_rows(&mut random), random_rows(&mut random));
        let [texts, numbers] = [(TEXT, true), ("", false)].map(|(ids, is_text)| {
            let bench = Bench::new();
            configure(&bench, &format!("{ids}{RULES}"));
            for (folder, rows, names) in [("clicks", &actions, ACTION), ("impressions", &shown, SHOWN)] {
                let day = if folder == "clicks" { DAY } else { NEXT };
                let folder = bench.input().join(format!("{folder}/dt={day}"));
                write_spread(&folder, &cells(rows, is_text, names), &mut random);
            }
            let ingested = bench.json(INGEST);
            bench.produce(NEXT);
            bench.ok(&format!("audit --store store --input input --out out --dt {NEXT}"));
            (bench, ingested)
        });
        for count in ["actions", "without_customer", "deduplicated", "duplicates"] {
            assert!(texts.1[count].as_u64().unwrap() > 0, "seed {seed}, {round}: {count}");
            assert_eq!(texts.1[count], numbers.1[count], "seed {seed}, {round}: {count}");
        }
        let (texts, numbers) = (texts.0, numbers.0);
        assert!(histories(&texts.store()) == histories(&numbers.store()), "seed {seed}, {round}");
        let expected = read_partition(&numbers.out(), NEXT);
        assert_eq!(read_partition(&texts.out(), NEXT), expected, "seed {seed}, {round}");

        // From memory.
        let sources = sources(&texts);
        let [clicks, flat] = [("clicks", &actions, ACTION), ("impressions", &shown, SHOWN)]
            .map(|(source, rows, names)| in_memory(&sources, source, &cells(rows, true, names)));
        let options = IngestOptions::new(clicks, DAY.parse::<Day>().unwrap()).sources(sources.clone());
        ingest(&texts.path("memory"), &options);
        assert!(histories(&texts.path("memory")) == histories(&numbers.store()), "seed {seed}, {round}");
        let options = ProduceOptions::new(flat, NEXT.parse::<Day>().unwrap(), texts.path("rows")).sources(sources);
        produce(&open(&texts.path("memory")), &options, &Silent).unwrap();
        assert_eq!(read_partition(&texts.path("rows"), NEXT), expected, "seed {seed}, {round}");
    }
}

/// The ids of actions that stay and of lists, with their counts, the naive way.
fn counts(actions: &[Row], shown: &[Row], of: IdKind) -> BTreeMap<&'static str, (i64, i64)> {
    let mut counts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let actions = actions.iter().filter_map(|row| Some((row.customer?, row)));
    let mut earliest: BTreeMap<&str, (i64, i64, i64)> = BTreeMap::new();
    let order = |customer: &str, row: &Row| (row.number, text_id(row.item), text_id(customer));
    for (customer, row) in actions.clone() {
        if let Some(name) = row.name {
            let first = earliest.entry(name).or_insert_with(|| order(customer, row));
            *first = order(customer, row).min(*first);
        }
    }
    let of_row = |customer, item| if of == IdKind::Items { item } else { customer };
    for (customer, row) in actions {
        // Of rows that are equal in all of it one stays.
        let stays = row.name.is_none_or(|name| {
            let is_first = earliest.get(name) == Some(&order(customer, row));
            is_first && earliest.remove(name).is_some()
        });
        if stays {
            counts.entry(of_row(customer, row.item)).or_default().0 += 1;
        }
    }
    let mut lists = std::collections::BTreeSet::new();
    for (place, row) in shown.iter().enumerate() {
        let Some(customer) = row.customer else { continue };
        let list = row.name.ok_or(place);
        if of == IdKind::Items || lists.insert((customer, list)) {
            counts.entry(of_row(customer, row.item)).or_default().1 += 1;
        }
    }
    counts
}

fn vocabulary_options(bench: &Bench, of: IdKind) -> VocabularyOptions {
    let [from, to] = [DAY, NEXT].map(|day| day.parse::<Day>().unwrap());
    VocabularyOptions::new(bench.input(), from, to, of).sources(sources(bench))
}

#[test]
fn a_vocabulary_has_the_texts_of_the_rows_that_count() {
    let seed = seed(932);
    let mut random = Random::new(seed);
    let bench = Bench::new();
    configure(&bench, &format!("{TEXT}{RULES}"));
    for round in 0..3 {
        let (actions, shown) = (random_rows(&mut random), random_rows(&mut random));
        for (folder, rows, names) in [("clicks", &actions, ACTION), ("impressions", &shown, SHOWN)] {
            let day = if folder == "clicks" { DAY } else { NEXT };
            let folder = bench.input().join(format!("{folder}/dt={day}"));
            write_spread(&folder, &cells(rows, true, names), &mut random);
        }
        for (of, sort_bytes) in [(IdKind::Items, 1 << 30), (IdKind::Customers, 1 << 30), (IdKind::Customers, 900)] {
            let resources = Resources::default().with_threads(2).with_sort_bytes(sort_bytes);
            let options = vocabulary_options(&bench, of).resources(resources);
            let mut found = BTreeMap::new();
            for batch in Vocabulary::read(&options, &Silent).unwrap() {
                let batch = batch.unwrap();
                let counted = batch.actions.into_iter().zip(batch.impressions);
                for ((id, text), counts) in batch.ids.into_iter().zip(batch.texts.unwrap()).zip(counted) {
                    assert_eq!(id, text_id(&text));
                    found.insert(text.to_string(), counts);
                }
            }
            let expected = counts(&actions, &shown, of);
            let expected: BTreeMap<_, _> =
                expected.into_iter().map(|(text, counts)| (text.to_owned(), counts)).collect();
            assert_eq!(found, expected, "seed {seed}, {round}, {of:?}");
        }
    }
}

/// Two texts of one number are named also where no row counts before the day is read.
#[test]
fn two_texts_of_one_number_are_named_among_rows_with_event_ids_and_flat_ones() {
    let bench = Bench::new();
    configure(&bench, &format!("{TEXT}{RULES}"));
    let clicks = "customer_id,item_id,event,at\nc,i,1,1\nd,j,2,1\n";
    let shown = "customer_id,item_id,ranking_id\ne,i,r\nf,i,r\n";
    for (folder, rows, named) in [
        (
            format!("clicks/dt={DAY}"),
            clicks,
            "customers of different texts have one number: \"c\" and \"d\" are both 1",
        ),
        (format!("impressions/dt={NEXT}"), shown, "\"e\" and \"f\" are both 1"),
    ] {
        let file = bench.input().join(folder).join("a.csv");
        write_file(&file, rows.as_bytes());
        for sort_bytes in [1 << 30, 600] {
            let resources = Resources::default().with_threads(2).with_sort_bytes(sort_bytes);
            let options = vocabulary_options(&bench, IdKind::Customers).resources(resources).text_id(|_| 1);
            let error = Vocabulary::read(&options, &Silent).map(drop).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_text_that_is_empty_is_a_bad_row_and_only_null_is_left_out() {
    let bench = Bench::new();
    configure(&bench, &format!("{TEXT}{RULES}"));
    let file = bench.input().join(format!("clicks/dt={DAY}/a.jsonl"));
    // Writers of JSON leave nulls out, so a file may lack the customer altogether.
    write_file(&file, b"{\"item_id\":\"i\",\"at\":1767348000000000,\"event\":null}\n");
    write_file(
        &bench.input().join(format!("clicks/dt={DAY}/b.csv")),
        b"customer_id,item_id,at,event\n,i,1767348000000000,\nc,i,1767348000000000,\n",
    );
    let summary = bench.json(INGEST);
    assert_eq!((&summary["actions"], &summary["without_customer"]), (&json!(1), &json!(2)));
    write_file(&file, b"{\"customer_id\":\"\",\"item_id\":\"i\",\"at\":1767348000000000,\"event\":null}\n");
    bench.refused(INGEST, &["1 bad row", "a.jsonl line 1 column customer_id is an empty text"]);
}

#[test]
fn items_of_flat_rows_are_moved_and_positions_are_not() {
    let bench = Bench::new();
    configure(&bench, "[ids]\nitem_offset = 1\n[impressions]\nlayout = \"flat\"\n");
    let clicks = "customer_id,item_id,click_time\n7,0,2026-01-02T10:00:00Z\n";
    write_file(&bench.input().join(format!("clicks/dt={DAY}/a.csv")), clicks.as_bytes());
    let shown = "customer_id,ranking_id,item_id,position\n7,r,0,1\n7,r,5,0\n";
    let file = bench.input().join(format!("impressions/dt={NEXT}/a.csv"));
    write_file(&file, shown.as_bytes());
    bench.ok(INGEST);
    bench.produce(NEXT);
    let rows: Vec<_> =
        read_partition(&bench.out(), NEXT).into_iter().map(|row| (row.impression_item_id, row.actions[0])).collect();
    assert_eq!(rows, [(6, 1), (1, 1)]);
    bench.ok(&format!("audit --store store --input input --out out --dt {NEXT}"));
    // A position is no id, so ids that are text are no way out for it.
    write_file(&file, b"customer_id,ranking_id,item_id,position\n7,r,1,first\n");
    let produce = format!("produce --store store --input input --dt {NEXT} --out out");
    bench.refused(&produce, &["column position is not an integer (\"first\"); correct"]);
}
