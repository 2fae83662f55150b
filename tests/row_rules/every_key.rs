//! Every key of a configuration that each kind of file can have: the same rows as Parquet, as CSV, as JSON lines and in
//! memory make the store, key by key, and the rows of training that plain files make without the key. Paths and
//! exploded lists, which CSV does not have, are in `tests/shapes/`.

use std::fs;

use chrono::{DateTime, FixedOffset};
use lookback::ingest::{IngestOptions, Ingester};
use lookback::model::{Day, Duplicates, text_id};
use lookback::produce::{ProduceOptions, produce};
use lookback::progress::Silent;
use lookback::store::{Folder, Settings, Store};

use super::{ENDINGS, configure, in_memory, number, open, sources, text, write_table};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{Entries, Row, dump, read_partition};
use crate::support::program::Bench;
use crate::support::text::{Cell, Cells};

const DAY: &str = "2026-01-02";
const NEXT: &str = "2026-01-03";

/// A click, or an item that was shown; those that do not count are for keys that leave rows out.
#[derive(Clone, Copy)]
struct Seen {
    /// Which event this is: one that does not count comes later than the one of its number that does.
    number: i64,
    customer: i64,
    item: i64,
    second: i64,
    counts: bool,
}

const fn seen(number: i64, customer: i64, item: i64, second: i64, counts: bool) -> Seen {
    Seen { number, customer, item, second, counts }
}

const SEEN: [Seen; 7] = [
    seen(0, 7, 11, 0, true),
    seen(0, 7, 11, 5, false),
    seen(1, 8, 11, 0, true),
    seen(2, 7, 12, 1, true),
    seen(3, 7, 13, 9, true),
    seen(2, 7, 12, 7, false),
    seen(4, 9, 14, 1, true),
];

impl Seen {
    fn time_us(self) -> i64 {
        us("2026-01-02T10:00:00Z") + self.second * 1_000_000
    }

    fn time(self, format: &str) -> Option<Cell> {
        let time = DateTime::from_timestamp_micros(self.time_us()).unwrap();
        let there = time.with_timezone(&FixedOffset::east_opt(7_200).unwrap());
        Some(Cell::Text(there.format(format).to_string()))
    }

    fn customer_if_it_counts(self) -> Option<Cell> {
        number(self.counts.then_some(self.customer))
    }

    /// A row of clicks as the contract has it.
    fn click(self) -> Cells {
        vec![
            ("customer_id", number(self.customer)),
            ("item_id", number(self.item)),
            ("click_time", self.time("%FT%T%:z")),
        ]
    }

    /// A row of flat impressions: each customer has a list, in the order of its clicks.
    fn shown(self) -> Cells {
        vec![
            ("ranking_id", text(Some("a list"))),
            ("customer_id", number(self.customer)),
            ("item_id", number(self.item)),
            ("is_order", number(self.item % 2)),
            ("position", number(self.second)),
        ]
    }
}

fn id(id: i64) -> String {
    format!("U-{id:04}")
}

/// These cells in the place of those of the same columns, and others behind them.
fn with<const N: usize>(mut row: Cells, cells: [(&'static str, Option<Cell>); N]) -> Cells {
    for (name, cell) in cells {
        match row.iter_mut().find(|(column, _)| *column == name) {
            Some((_, old)) => *old = cell,
            None => row.push((name, cell)),
        }
    }
    row
}

/// A key, and how rows are written for it.
struct Key {
    name: &'static str,
    toml: &'static str,
    click: fn(Seen) -> Cells,
    shown: fn(Seen) -> Cells,
    /// Whether rows that do not count are there too: of clicks, and of impressions.
    has_others: (bool, bool),
    /// The files of both days, where they do not have the default names.
    files: Option<[&'static str; 2]>,
    /// The number of an id in the store.
    number_of: fn(i64) -> i64,
    duplicates: Duplicates,
}

const FLAT: Key = Key {
    name: "layout",
    toml: "[impressions]\nlayout = \"flat\"\n",
    click: Seen::click,
    shown: Seen::shown,
    has_others: (false, false),
    files: None,
    number_of: |id| id,
    duplicates: Duplicates::Keep,
};

fn keys() -> Vec<Key> {
    vec![
        FLAT,
        Key {
            name: "customer and item as text",
            toml: "[ids]\ncustomer = \"text\"\nitem = \"text\"\n[impressions]\nlayout = \"flat\"\n",
            click: |seen| {
                let ids = [("customer_id", seen.customer), ("item_id", seen.item)];
                with(seen.click(), ids.map(|(name, of)| (name, Some(Cell::Text(id(of))))))
            },
            shown: |seen| {
                let ids = [("customer_id", seen.customer), ("item_id", seen.item)];
                with(seen.shown(), ids.map(|(name, of)| (name, Some(Cell::Text(id(of))))))
            },
            number_of: |of| text_id(&id(of)),
            ..FLAT
        },
        Key {
            name: "item_offset",
            toml: "[ids]\nitem_offset = 11\n[impressions]\nlayout = \"flat\"\n",
            click: |seen| with(seen.click(), [("item_id", number(seen.item - 11))]),
            shown: |seen| with(seen.shown(), [("item_id", number(seen.item - 11))]),
            ..FLAT
        },
        Key {
            name: "columns",
            toml: "[sources.clicks]\ncolumns = { customer_id = \"user\", item_id = \"sku\", time = \"at\" }\n\
                   [impressions]\nlayout = \"flat\"\n\
                   columns = { ranking_id = \"request\", customer_id = \"user\", item_id = \"sku\", is_order = \"bought\", position = \"at\" }\n",
            click: |seen| {
                seen.click().into_iter().zip(["user", "sku", "at"]).map(|((_, cell), to)| (to, cell)).collect()
            },
            shown: |seen| {
                let names = ["request", "user", "sku", "bought", "at"];
                seen.shown().into_iter().zip(names).map(|((_, cell), to)| (to, cell)).collect()
            },
            ..FLAT
        },
        Key {
            name: "time_unit",
            toml: "[sources.clicks]\ntime_unit = \"ms\"\n[impressions]\nlayout = \"flat\"\n",
            click: |seen| with(seen.click(), [("click_time", number(seen.time_us() / 1_000))]),
            ..FLAT
        },
        Key {
            name: "time_format",
            toml: "[sources.clicks]\ntime_format = \"%d/%b/%Y %H:%M:%S %z\"\n[impressions]\nlayout = \"flat\"\n",
            click: |seen| with(seen.click(), [("click_time", seen.time("%d/%b/%Y %H:%M:%S %z"))]),
            ..FLAT
        },
        Key {
            name: "type, values and ignore",
            toml: "[sources.events]\npattern = \"clicks/dt={dt}\"\ncolumns = { time = \"click_time\", type = \"event\" }\n\
                   values = { view = \"click\" }\nignore = [\"scroll\"]\n[impressions]\nlayout = \"flat\"\n",
            click: |seen| with(seen.click(), [("event", text(Some(if seen.counts { "view" } else { "scroll" })))]),
            has_others: (true, false),
            ..FLAT
        },
        Key {
            name: "without_customer",
            toml: "[sources.clicks]\nwithout_customer = \"leave_out\"\n\
                   [impressions]\nlayout = \"flat\"\nwithout_customer = \"leave_out\"\n",
            click: |seen| with(seen.click(), [("customer_id", seen.customer_if_it_counts())]),
            shown: |seen| with(seen.shown(), [("customer_id", seen.customer_if_it_counts())]),
            has_others: (true, true),
            ..FLAT
        },
        Key {
            name: "distinct_by",
            toml: "[sources.clicks]\ndistinct_by = \"event_id\"\n[impressions]\nlayout = \"flat\"\n",
            click: |seen| with(seen.click(), [("event_id", number((seen.number < 4).then_some(seen.number)))]),
            has_others: (true, false),
            ..FLAT
        },
        Key {
            name: "order_column",
            toml: "[sources.clicks]\norder_column = \"sequence\"\ntime_unit = \"s\"\n[impressions]\nlayout = \"flat\"\n",
            click: |seen| {
                let second = seen.time_us() / 1_000_000;
                with(seen.click(), [("click_time", number(second)), ("sequence", number(0))])
            },
            ..FLAT
        },
        Key {
            name: "format, and patterns",
            toml: "[sources.clicks]\npattern = \"log/year={yyyy}/month={m}/day={d}\"\nformat = \"FORMAT\"\n\
                   [impressions]\nlayout = \"flat\"\npattern = \"shown/{yyyy}{mm}{dd}/**/list-*\"\nformat = \"FORMAT\"\n",
            files: Some(["log/year=2026/month=1/day=2/000000_0", "shown/20260103/deep/list-0"]),
            ..FLAT
        },
        Key {
            name: "--duplicates drop",
            // Those that do not count are equal to those that do.
            click: |seen| SEEN.into_iter().find(|first| first.number == seen.number).unwrap().click(),
            has_others: (true, false),
            duplicates: Duplicates::Drop,
            ..FLAT
        },
    ]
}

impl Key {
    fn rows(&self, cells: fn(Seen) -> Cells, has_others: bool) -> Vec<Cells> {
        SEEN.into_iter().filter(|seen| seen.counts || has_others).map(cells).collect()
    }

    /// A store with nothing but its settings, for input under the configuration of a bench.
    fn create(&self, bench: &Bench, store: &str) -> Folder {
        let folder = Folder::new(&bench.path(store));
        let ids = sources(bench).impressions.ids;
        let settings = Settings { max_history: 9, duplicates: self.duplicates, ids, ..Settings::default() };
        Store::create(&folder, settings).unwrap();
        folder
    }

    /// What plain files without the key make: what the store holds of actions, and the rows.
    fn expected(&self) -> (Entries, Vec<Row>) {
        let bench = Bench::new();
        configure(&bench, "");
        self.create(&bench, "store");
        let counted = || SEEN.into_iter().filter(|seen| seen.counts);
        let id = self.number_of;
        let action = |seen: Seen| RawAction {
            customer: id(seen.customer),
            item: id(seen.item),
            time_us: seen.time_us(),
            kind: 1,
        };
        write_batch(&bench.input(), DAY, &counted().map(action).collect::<Vec<_>>(), PLAIN);
        let shown = [7, 8, 9].map(|customer| RawImpression {
            ranking_id: Some("a list".to_owned()),
            customer: id(customer),
            elements: counted()
                .filter(|seen| seen.customer == customer)
                .map(|seen| (id(seen.item), Some(seen.item % 2 == 1)))
                .collect(),
        });
        write_impressions(&bench.input(), NEXT, &shown, PLAIN);
        bench.ingest(DAY);
        bench.produce(NEXT);
        made(&bench, "store", "out")
    }
}

/// What a store holds but for its settings and the record of its batch, which tell of the input; and rows.
fn made(bench: &Bench, store: &str, out: &str) -> (Entries, Vec<Row>) {
    let mut entries = dump(&bench.path(store));
    entries.retain(|(key, _)| (0x11..=0x13).contains(&key[0]));
    assert!(!entries.is_empty());
    (entries, read_partition(&bench.path(out), NEXT))
}

#[test]
fn every_key_means_the_same_in_every_format() {
    for key in keys() {
        let expected = key.expected();
        assert_eq!(expected.1.len(), 5, "{}", key.name);
        let (clicks, shown) = (key.rows(key.click, key.has_others.0), key.rows(key.shown, key.has_others.1));
        for ending in ENDINGS {
            let bench = Bench::new();
            let kind = ending.split('.').next().unwrap();
            configure(&bench, &key.toml.replace("FORMAT", if kind == "jsonl" { "json" } else { kind }));
            key.create(&bench, "store");
            for (place, (folder, rows)) in
                [(format!("clicks/dt={DAY}"), &clicks), (format!("impressions/dt={NEXT}"), &shown)]
                    .into_iter()
                    .enumerate()
            {
                let file = bench.input().join(folder).join(format!("a.{ending}"));
                write_table(&file, rows);
                if let Some(files) = key.files {
                    let other = bench.input().join(files[place]);
                    fs::create_dir_all(other.parent().unwrap()).unwrap();
                    fs::rename(file, other).unwrap();
                }
            }
            bench.ingest(DAY);
            bench.produce(NEXT);
            assert!(made(&bench, "store", "out") == expected, "{} in .{ending}", key.name);
        }
        let bench = Bench::new();
        configure(&bench, &key.toml.replace("FORMAT", "csv"));
        let folder = key.create(&bench, "store");
        let sources = sources(&bench);
        let source = sources.actions[0].name.clone();
        let options = IngestOptions::new(in_memory(&sources, &source, &clicks), DAY.parse::<Day>().unwrap());
        Ingester::open(&folder, &Silent).unwrap().ingest(&options.sources(sources.clone()), &Silent).unwrap();
        let input = in_memory(&sources, "impressions", &shown);
        let options = ProduceOptions::new(input, NEXT.parse::<Day>().unwrap(), bench.out()).sources(sources);
        produce(&open(&bench.store()), &options, &Silent).unwrap();
        assert!(made(&bench, "store", "out") == expected, "{} in memory", key.name);
    }
}
