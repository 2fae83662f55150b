//! Rows without a customer: bad rows, or left out and counted.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use lookback::ingest::IngestOptions;

use super::{configure, content, in_memory, ingest, number, sources, write_table};
use crate::support::input::{impression_lists, us, write_parquet};
use crate::support::program::{Bench, write_file};
use crate::support::text::Cells;

const DAY: &str = "2026-01-02";
const NEXT: &str = "2026-01-03";
const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-02";

const TOML: &str = "[sources.clicks]\ncolumns = { time = \"at\" }\ntime_unit = \"us\"\n";

fn row(customer: Option<i64>, item: Option<i64>) -> Cells {
    vec![("customer_id", number(customer)), ("item_id", number(item)), ("at", number(us("2026-01-02T10:00:00Z")))]
}

fn leave_out() -> String {
    format!("{TOML}without_customer = \"leave_out\"\n[impressions]\nwithout_customer = \"leave_out\"\n")
}

#[test]
fn rows_without_a_customer_are_bad_or_left_out_in_every_format() {
    let expected = {
        let bench = Bench::new();
        configure(&bench, TOML);
        write_table(&bench.input().join(format!("clicks/dt={DAY}/a.parquet")), &[row(Some(7), Some(1))]);
        bench.ok(INGEST);
        content(&bench.store())
    };
    let rows = [row(None, Some(3)), row(Some(7), Some(1)), row(None, None)];
    for ending in super::ENDINGS {
        let bench = Bench::new();
        configure(&bench, TOML);
        let file = bench.input().join(format!("clicks/dt={DAY}/a.{ending}"));
        write_table(&file, &rows);
        bench.refused(INGEST, &["2 bad rows", "column customer_id is null"]);
        configure(&bench, &leave_out());
        let ran = bench.ok(INGEST);
        assert!(
            ran.stderr.contains("1 action ") && ran.stderr.contains("; 2 left out (without a customer)"),
            "{}",
            ran.stderr
        );
        let summary = bench.json(INGEST);
        assert_eq!((&summary["without_customer"], &summary["quarantined"]), (&2.into(), &0.into()), "{ending}");
        assert!(content(&bench.store()) == expected, "{ending}");
        // What is wrong otherwise is a bad row all the same, and only what is null is left out.
        write_table(&file, &[row(None, Some(3)), row(Some(7), None), row(Some(7), Some(0))]);
        bench.refused(INGEST, &["2 bad rows", "column item_id is null", "column item_id is 0"]);
        let checked = bench.run(&format!("config check --input input --dt {DAY}"));
        assert!(
            checked.stdout.contains("  rows without a customer are left out") && checked.stdout.contains("2 bad rows")
        );
        write_table(&file, &rows);
        let vocabulary = format!("vocabulary --input input --from {DAY} --to {DAY} --of items --out items.parquet");
        let found = bench.json(&vocabulary);
        assert_eq!((&found["actions"], &found["without_customer"]), (&1.into(), &2.into()), "{ending}");
    }
    let bench = Bench::new();
    configure(&bench, &leave_out());
    let sources = sources(&bench);
    let options =
        IngestOptions::new(in_memory(&sources, "clicks", &rows), DAY.parse::<lookback::model::Day>().unwrap());
    assert_eq!(ingest(&bench.store(), &options.sources(sources)).without_customer, 2);
    assert!(content(&bench.store()) == expected);
}

/// Writers of JSON leave nulls out, so a file of anonymous rows alone has no such key; a line that cannot be read, and
/// a customer that is no integer, are bad rows.
#[test]
fn json_lines_may_lack_the_customer_where_rows_without_one_are_left_out() {
    let bench = Bench::new();
    configure(&bench, &leave_out());
    let folder = bench.input().join(format!("clicks/dt={DAY}"));
    let at = us("2026-01-02T10:00:00Z");
    write_file(
        &folder.join("a.jsonl"),
        format!("{{\"item_id\":3,\"at\":{at}}}\n{{\"item_id\":4,\"at\":{at}}}\n").as_bytes(),
    );
    write_file(&folder.join("b.csv"), format!("customer_id,item_id,at\n7,1,{at}\n,x,{at}\n").as_bytes());
    let summary = bench.json(INGEST);
    assert_eq!((&summary["actions"], &summary["without_customer"]), (&1.into(), &3.into()));
    write_file(
        &folder.join("a.jsonl"),
        format!("{{\"item_id\":3,\"at\":{at}}}\nx\n{{\"customer_id\":\"me\",\"item_id\":4,\"at\":{at}}}\n").as_bytes(),
    );
    bench.refused(INGEST, &["2 bad rows", "a.jsonl line 2", "a.jsonl line 3 column customer_id is not an integer"]);
    // A file with columns has to have this one.
    write_file(&folder.join("a.jsonl"), format!("{{\"item_id\":3,\"at\":{at}}}\n").as_bytes());
    write_file(&folder.join("b.csv"), format!("item_id,at\n1,{at}\n").as_bytes());
    bench.refused(INGEST, &["b.csv has no column customer_id"]);
    configure(&bench, TOML);
    std::fs::remove_file(folder.join("b.csv")).unwrap();
    bench.refused(INGEST, &["a.jsonl has no column customer_id"]);
}

#[test]
fn impressions_without_a_customer_are_bad_or_left_out() {
    for layout in ["lists", "flat"] {
        let bench = Bench::new();
        configure(&bench, &leave_out());
        write_table(&bench.input().join(format!("clicks/dt={DAY}/a.parquet")), &[row(Some(7), Some(1))]);
        bench.ok(INGEST);
        let file = bench.input().join(format!("impressions/dt={NEXT}/a.parquet"));
        let customers: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(7), None]));
        let lists = impression_lists(&[Some(vec![(3, None)]), Some(vec![(4, Some(true))]), Some(vec![(0, None)])]);
        let items: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), Some(4), None]));
        let shown = if layout == "lists" { ("impressions", lists) } else { ("item_id", items) };
        write_parquet(&file, &[("customer_id", customers), shown]);
        let produce = format!("produce --store store --input input --dt {NEXT} --out out");
        configure(&bench, &format!("{TOML}[impressions]\nlayout = {layout:?}\n"));
        bench.refused(&produce, &["2 bad rows", "a.parquet row 1 column customer_id is null"]);
        configure(&bench, &leave_out().replace("[impressions]", &format!("[impressions]\nlayout = {layout:?}")));
        let ran = bench.ok(&produce);
        assert!(ran.stderr.contains("; 2 rows without a customer left out"), "{}", ran.stderr);
        let summary = bench.json(&format!("{produce} --max-history 3"));
        assert_eq!((&summary["rows"], &summary["without_customer"]), (&1.into(), &2.into()), "{layout}");
        bench.ok(&format!("audit --store store --input input --out out --dt {NEXT}"));
        let filled = bench.json(&format!("backfill --store store --input input --from {NEXT} --to {NEXT} --out out"));
        assert_eq!(filled["produced"][0]["rows"], 1, "{filled}");
    }
}

/// A batch remembers what the rules left out of it, and a batch of which nothing is left out does not.
#[test]
fn status_shows_what_rules_left_out_of_each_batch() {
    let bench = Bench::new();
    let sessions = "[sources.clicks]\nexplode = \"seen\"\ncolumns = { item_id = \"seen.id\", time = \"seen.at\" }\n\
                    distinct_by = \"seen.event\"\nwithout_customer = \"leave_out\"\n";
    configure(&bench, sessions);
    let seen = |event: u8| format!("{{\"id\":1,\"at\":\"2026-01-02 10:00\",\"event\":{event}}}");
    let (first, second) = (seen(1), seen(2));
    let file = |day: &str| bench.input().join(format!("clicks/dt={day}/a.json"));
    let rules = format!(
        "{{\"customer_id\":7,\"seen\":[{first},{second},{first}]}}\n{{\"customer_id\":7,\"seen\":[]}}\n{{\"customer_id\":8}}\n\
         {{\"customer_id\":null,\"seen\":[{first},{second},{second}]}}\n{{\"customer_id\":7,\"seen\":null}}\n"
    );
    write_file(&file(DAY), rules.as_bytes());
    write_file(&file(NEXT), format!("{{\"customer_id\":7,\"seen\":[{first}]}}\n").as_bytes());
    let ingested = bench.json(INGEST);
    bench.ingest(NEXT);
    let status = bench.json("status --store store");
    let counts = [("without_customer", 3), ("deduplicated", 1), ("empty_lists", 3)];
    for (count, number) in counts {
        let found = [&ingested[count], &status[count], &status["held"][0][count], &status["held"][1][count]];
        assert_eq!(found, [number, number, number, 0], "{count}");
    }
    let shown = bench.ok("status --store store").stdout;
    for line in ["no customer     3", "deduplicated    1", "empty lists     3"] {
        assert!(shown.lines().any(|found| found == line), "{line} in {shown}");
    }
    bench.ok("verify --store store --deep");
    // The record is that of the files: the same batch without those rows has none of these counts.
    write_file(&file(DAY), format!("{{\"customer_id\":7,\"seen\":[{first},{second}]}}\n").as_bytes());
    bench.ingest(DAY);
    let status = bench.json("status --store store");
    assert_eq!(
        (&status["without_customer"], &status["deduplicated"], &status["empty_lists"]),
        (&0.into(), &0.into(), &0.into())
    );
    assert!(!bench.ok("status --store store").stdout.contains("no customer"));
}
