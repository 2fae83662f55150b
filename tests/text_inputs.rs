//! CSV and JSON lines, plain and compressed, give what the same rows as Parquet give: the same store, the same bytes of
//! rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use serde_json::json;

use crate::support::input::{RawAction, RawList, day_folder, impression_lists, us, write_parquet};
use crate::support::output::{dump, read_partition, tree};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::text::{Cell, Cells, ENDINGS, action_cells, impression_cells, packed, write_rows};

const DAYS: [&str; 3] = ["2026-03-28", "2026-03-29", "2026-03-30"];
const FOLDERS: [(&str, &str, &str); 3] = [
    ("clicks", "item_id", "click_time"),
    ("add_to_carts", "config_id", "occurred_at"),
    ("orders", "config_id", "occurred_at"),
];

pub type Shown = (Option<&'static str>, i64, RawList);

/// Actions around the night in which clocks go forward, and at both ends of time; ids at both ends of their range.
fn actions(random: &mut Random) -> Vec<RawAction> {
    let ids = [i64::MIN, i64::MIN + 1, -9_007_199_254_740_993, -1, 1, 9_007_199_254_740_993, i64::MAX - 1, i64::MAX];
    let mut id = || ids[usize::try_from(random.below(8)).unwrap()];
    let mut actions: Vec<RawAction> = (0..240)
        .map(|number| RawAction { customer: id(), item: id(), time_us: number, kind: 1 + (number % 3) as u8 })
        .collect();
    for action in &mut actions {
        let second = i64::try_from(random.below(200_000)).unwrap();
        let fraction = [0, 1, 500_000, 999_999][usize::try_from(random.below(4)).unwrap()];
        action.time_us = us("2026-03-28T12:00:00Z") + second * 1_000_000 + fraction;
    }
    for (kind, time) in [(1, "1970-01-01T00:00:00Z"), (2, "2026-03-29T01:00:00Z"), (3, "2261-12-30T22:59:59.999999Z")] {
        actions.push(RawAction { customer: 0, item: 7, time_us: us(time), kind });
    }
    actions
}

/// All that texts and lists can be.
fn shown(random: &mut Random) -> Vec<Shown> {
    let names =
        [None, Some(""), Some("a"), Some("a,b"), Some("\"q\"\r\n"), Some(" é😀\\u0041\t"), Some("null"), Some("7")];
    let lists: [RawList; 5] = [
        Some(vec![(i64::MAX, Some(true)), (i64::MIN, Some(false)), (3, None), (4, Some(true))]),
        Some(vec![(5, None)]),
        Some(vec![(5, Some(true))]),
        Some(Vec::new()),
        None,
    ];
    let mut shown = Vec::new();
    for _ in 0..90 {
        let customer = [i64::MIN, -1, 0, 1, i64::MAX, 77][usize::try_from(random.below(6)).unwrap()];
        let name = names[usize::try_from(random.below(8)).unwrap()];
        shown.push((name, customer, lists[usize::try_from(random.below(5)).unwrap()].clone()));
    }
    shown
}

/// Puts a batch into files, each with one of these endings in turn.
pub fn write_actions(root: &Path, day: &str, actions: &[RawAction], endings: &[&str]) {
    for (kind, (folder, item, time)) in (1..).zip(FOLDERS) {
        let rows: Vec<RawAction> = actions.iter().filter(|action| action.kind == kind).copied().collect();
        for (number, (part, ending)) in
            rows.chunks(rows.len().div_ceil(endings.len())).zip(endings.iter().cycle().skip(kind.into())).enumerate()
        {
            let path = day_folder(root, folder, day).join(format!("part-{number}.{ending}"));
            if *ending != "parquet" {
                let rows: Vec<Cells> =
                    part.iter().enumerate().map(|(number, action)| action_cells(action, number)).collect();
                write_rows(&path, &rows);
                continue;
            }
            let ids = |value: fn(&RawAction) -> i64| -> ArrayRef {
                Arc::new(part.iter().map(|action| Some(value(action))).collect::<Int64Array>())
            };
            let times: TimestampMicrosecondArray = part.iter().map(|action| Some(action.time_us)).collect();
            let columns: [(&str, ArrayRef); 3] = [
                ("customer_id", ids(|action| action.customer)),
                (item, ids(|action| action.item)),
                (time, Arc::new(times.with_timezone("UTC"))),
            ];
            write_parquet(&path, &columns);
        }
    }
}

pub fn write_shown(root: &Path, day: &str, shown: &[Shown], endings: &[&str]) {
    for (number, (part, ending)) in shown.chunks(shown.len().div_ceil(endings.len())).zip(endings).enumerate() {
        let path = day_folder(root, "impressions", day).join(format!("part-{number}.{ending}"));
        if *ending != "parquet" {
            let rows: Vec<Cells> =
                part.iter().map(|(name, customer, list)| impression_cells(*name, *customer, list)).collect();
            write_rows(&path, &rows);
            continue;
        }
        let names: StringArray = part.iter().map(|(name, ..)| *name).collect();
        let customers: Int64Array = part.iter().map(|(_, customer, _)| Some(*customer)).collect();
        let lists: Vec<RawList> = part.iter().map(|(.., list)| list.clone()).collect();
        let columns: [(&str, ArrayRef); 3] = [
            ("ranking_id", Arc::new(names)),
            ("customer_id", Arc::new(customers)),
            ("impressions", impression_lists(&lists)),
        ];
        write_parquet(&path, &columns);
    }
}

/// What a store holds, but for the records of batches, which name the files.
fn content(store: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = dump(store);
    let before = entries.len();
    entries.retain(|(key, _)| key[0] != 0x14);
    assert_eq!(before - entries.len(), 2, "two batches");
    entries
}

/// The part files of a partition with their bytes.
fn parts(bench: &Bench) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(&bench.out());
    files.retain(|name, _| name.contains("part-"));
    files
}

const BACKFILL: &str = "backfill --store store --input input --from 2026-03-28 --to 2026-03-30 --out out";

/// A store and rows from files with these endings, and what backfill counts, but for the files.
fn run(seed: u64, endings: &[&str]) -> (Bench, String) {
    let mut random = Random::new(seed);
    let bench = Bench::new();
    bench.ok("init --store store --max-history 40 --timezone Europe/Berlin");
    for day in &DAYS[..2] {
        write_actions(&bench.input(), day, &actions(&mut random), endings);
    }
    write_shown(&bench.input(), DAYS[2], &shown(&mut random), endings);
    let mut summary = bench.json(BACKFILL);
    summary["timing"].take();
    for batch in summary["ingested"].as_array_mut().unwrap() {
        batch["files"].take();
        batch["bytes"].take();
    }
    (bench, summary.to_string())
}

#[test]
fn every_kind_of_text_gives_the_bytes_that_parquet_gives() {
    let seed = seed(52);
    let (parquet, counted) = run(seed, &["parquet"]);
    let rows = read_partition(&parquet.out(), DAYS[2]);
    assert!(rows.len() > 60 && rows.iter().any(|row| row.actions[30] != 0), "there is something to compare");
    let all: Vec<&str> = ENDINGS.into_iter().chain(["parquet"]).collect();
    let runs = ENDINGS.iter().map(std::slice::from_ref).chain([all.as_slice()]);
    for endings in runs {
        let (text, same) = run(seed, endings);
        assert_eq!(same, counted, "{endings:?}");
        assert!(parts(&text) == parts(&parquet), "{endings:?}: the rows differ");
        assert!(content(&text.store()) == content(&parquet.store()), "{endings:?}: the stores differ");
    }
}

#[test]
fn all_commands_work_with_text() {
    let (bench, _) = run(seed(53), &["csv.gz", "jsonl.zst", "csv", "parquet", "json"]);
    let again = bench.json(BACKFILL);
    assert_eq!((&again["ingested"], &again["produced"][0]["kept"]), (&json!([]), &json!(true)), "nothing has changed");
    let audited = bench.json("audit --store store --input input --out out --dt 2026-03-30");
    assert_eq!(audited["rows"], read_partition(&bench.out(), DAYS[2]).len());
    bench.ok("manifest --out out --dt 2026-03-30 --check");
    let manifest = bench.json("manifest --out out --dt 2026-03-30");
    let names: Vec<&str> =
        manifest["impression_files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["part-0.csv.gz", "part-1.jsonl.zst", "part-2.csv", "part-3.parquet", "part-4.json"]);
    assert_eq!(bench.ok("stale --store store --out out --exit-code").code, 0);
    bench.ok("verify --store store --deep");

    // A corrected text file is seen, and what rests on it is stale.
    let csv = bench.input().join("clicks/dt=2026-03-28/part-1.csv");
    let text = fs::read_to_string(&csv).unwrap();
    fs::write(&csv, text + "\r\nx,2026-03-28 10:00Z,1,5\n").unwrap();
    let words = ["part-1.csv", "has changed since the batch of 2026-03-28 was ingested"];
    bench.refused("audit --store store --input input --out out --dt 2026-03-30", &words);
    let again = bench.json(BACKFILL);
    assert_eq!((&again["ingested"][0]["dt"], &again["produced"][0]["kept"]), (&json!("2026-03-28"), &json!(false)));
}

/// What day 2026-01-03 sees of these click files in a store of this zone: (customer, items).
fn seen(zone: &str, folder: &str, files: &[(&str, &[u8])]) -> Vec<(i64, Vec<i64>)> {
    let bench = Bench::new();
    bench.ok(&format!("init --store store --max-history 6 --timezone {zone}"));
    for (name, content) in files {
        write_file(&bench.input().join(format!("{folder}/dt=2026-01-02/{name}")), content);
    }
    // Without any ranking id, as writers leave nulls out.
    let list = "[{\"item_id\":1}]";
    let shown: String = (1..=4).map(|id| format!("{{\"customer_id\":{id},\"impressions\":{list}}}\n")).collect();
    write_file(&bench.input().join("impressions/dt=2026-01-03/x.jsonl"), shown.as_bytes());
    bench.ingest("2026-01-02");
    bench.produce("2026-01-03");
    let rows = read_partition(&bench.out(), "2026-01-03").into_iter();
    let seen = rows.map(|row| (row.customer_id, row.actions.into_iter().filter(|item| *item != 0).collect::<Vec<_>>()));
    seen.filter(|(_, items)| !items.is_empty()).collect()
}

const HEADER: &str = "customer_id,item_id,click_time\n";

#[test]
fn forms_of_csv() {
    let csv = |text: &str| seen("UTC", "clicks", &[("x.csv", text.as_bytes())]);
    let both = [(1, vec![20, 10])];
    assert_eq!(csv(&format!("{HEADER}1,10,2026-01-02T10:00:00Z\n1,20,2026-01-02T11:00:00Z\n")), both);
    assert_eq!(
        csv(&format!("{HEADER}1,10,2026-01-02T10:00:00Z\n1,20,2026-01-02T11:00:00Z")),
        both,
        "no end of the last line"
    );
    assert_eq!(
        csv("\u{feff}customer_id,item_id,click_time\r\n1,10,2026-01-02 10:00\r\n\r\n1,20,2026-01-02 11:00\r\n"),
        both
    );
    assert_eq!(
        csv(
            "\n x , click_time,\"item_id\", customer_id\n\"a\nb\", 2026-01-02 10:00 , 10 , 1\n,2026-01-02 11:00,\"20\",\" +1\"\n"
        ),
        both
    );
    assert_eq!(
        csv(&format!("{HEADER}1,10,2026-01-02T10:00:00Z\n1,20,2026-01-02\n")),
        [(1, vec![10, 20])],
        "a date is its midnight"
    );
    assert_eq!(csv(HEADER), [], "a header alone");
}

#[test]
fn forms_of_json_lines() {
    let json = |text: &str| seen("UTC", "clicks", &[("x.json", text.as_bytes())]);
    let both = [(1, vec![20, 10])];
    let first = "{\"customer_id\":1,\"item_id\":10,\"click_time\":\"2026-01-02T10:00:00Z\"}";
    let second = " {\"x\":{\"customer_id\":5},\"click_time\" : \"2026-01-02\\u002011:00\" ,\"item_id\":\" 20\",\"customer\\u005fid\":\"1\"}\t";
    assert_eq!(json(&format!("{first}\n{second}\n")), both);
    assert_eq!(json(&format!("\u{feff}{first}\r\n \r\n\n{second}")), both);
    assert_eq!(json(""), [], "no rows");
    assert_eq!(json("\n\n"), [], "no rows");
    assert_eq!(seen("UTC", "clicks", &[("a.jsonl", first.as_bytes()), ("b.JSONL", second.as_bytes())]), both);
}

#[test]
fn gzip_of_several_members_and_zstd_of_several_frames() {
    let lines = ["customer_id,item_id,cli", "ck_time\n1,10,2026-01-02T10:00:00Z\n1,2", "0,2026-01-02T11:00:00Z\n"];
    for name in ["x.csv.gz", "x.csv.zst"] {
        let content: Vec<u8> = lines.iter().flat_map(|part| packed(name, part.as_bytes())).collect();
        assert_eq!(seen("UTC", "clicks", &[(name, &content)]), [(1, vec![20, 10])], "{name}");
    }
    // What the strongest level that comes without a larger window makes.
    let text = format!("{HEADER}1,10,2026-01-02T10:00:00Z\n").into_bytes();
    let content = zstd::encode_all(&text[..], 19).unwrap();
    assert_eq!(seen("UTC", "clicks", &[("x.csv.zst", &content)]), [(1, vec![10])]);
}

/// Wall times twice in autumn, never in spring, and dates alone, as text and as Parquet.
#[test]
fn wall_times_are_those_of_the_zone() {
    let walls =
        ["2026-10-25 02:30:00", "2026-10-25T02:59:59.999999", "2026-10-25 03:00", "2026-03-29T02:30:00", "2026-10-25"];
    let stores = ["parquet", "csv", "jsonl"].map(|ending| {
        let bench = Bench::new();
        bench.ok("init --store store --max-history 6 --timezone Europe/Berlin");
        let path = bench.input().join(format!("clicks/dt=2026-10-26/x.{ending}"));
        if ending == "parquet" {
            let micros = |wall: &&str| match wall.len() {
                10 => us(&format!("{wall}T00:00:00Z")),
                16 => us(&format!("{}:00Z", wall.replace(' ', "T"))),
                _ => us(&format!("{}Z", wall.replace(' ', "T"))),
            };
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=5));
            let times: TimestampMicrosecondArray = walls.iter().map(micros).map(Some).collect();
            let columns: [(&str, ArrayRef); 3] =
                [("customer_id", Arc::clone(&ids)), ("item_id", ids), ("click_time", Arc::new(times))];
            write_parquet(&path, &columns);
        } else {
            let row = |(id, wall): (i64, &&str)| -> Cells {
                let time = Cell::Text((*wall).to_owned());
                vec![
                    ("customer_id", Some(Cell::Number(id))),
                    ("item_id", Some(Cell::Number(id))),
                    ("click_time", Some(time)),
                ]
            };
            write_rows(&path, &(1..).zip(&walls).map(row).collect::<Vec<_>>());
        }
        bench.ingest("2026-10-26");
        let shown = bench.ok("show --store store --customer 4").stdout;
        assert!(shown.contains("2026-03-29 03:30:00+02:00"), "{ending}: {shown}");
        let mut entries = dump(&bench.store());
        entries.retain(|(key, _)| key[0] != 0x14);
        entries
    });
    assert!(stores[0] == stores[1], "CSV");
    assert!(stores[0] == stores[2], "JSON lines");
}

#[test]
fn orders_with_only_a_date() {
    let orders = |name: &str, text: &str| seen("America/New_York", "orders", &[(name, text.as_bytes())]);
    assert_eq!(
        orders("x.csv", "order_date,customer_id,config_id\n2026-01-02,1,10\n2026-01-03,1,20\n"),
        [(1, vec![10])]
    );
    let line = |id: i64, times: &str| format!("{{\"customer_id\":1,\"config_id\":{id}{times}}}\n");
    let (date, time) = (",\"order_date\":\"2026-01-02\"", ",\"occurred_at\":\"2026-01-02 12:00\"");
    assert_eq!(orders("x.jsonl", &(line(10, date) + &line(20, ",\"order_date\":\"2026-01-03\""))), [(1, vec![10])]);
    // The column is there as soon as one row has it, as in Parquet; a row without it then has none.
    let both = line(10, date) + &line(20, time);
    let bench = Bench::new();
    write_file(&bench.input().join("orders/dt=2026-01-02/x.jsonl"), both.as_bytes());
    let words = ["1 bad row", "x.jsonl line 1 column occurred_at is null"];
    bench.refused("ingest --create --store store --input input --dt 2026-01-02", &words);
}
