//! A column that orders the rows of one time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
use lookback::ingest::IngestOptions;

use super::{configure, content, in_memory, ingest, number, sources, text, write_spread, write_table};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions, write_parquet};
use crate::support::output::{read_partition, tree};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::text::Cells;

const DAY: &str = "2026-01-02";
const NEXT: &str = "2026-01-03";
const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-02";
const TOML: &str = "[sources.clicks]\ncolumns = { time = \"at\" }\ntime_unit = \"s\"\norder_column = \"seq\"\n";

fn cells(action: &RawAction) -> Cells {
    vec![
        ("customer_id", number(action.customer)),
        ("item_id", number(action.item)),
        ("at", number(action.time_us.div_euclid(1_000_000))),
        ("seq", number(action.time_us.rem_euclid(1_000_000))),
    ]
}

#[test]
fn rows_of_one_time_are_in_the_order_of_the_column() {
    let seed = seed(76);
    let mut random = Random::new(seed);
    let mut below = |end: u64| i64::try_from(random.below(end)).unwrap();
    let begin = us("2026-01-02T10:00:00Z");
    let mut action = |_| {
        let seq = [below(4), below(1_000_000), 999_999, 0][usize::try_from(below(4)).unwrap()];
        RawAction { customer: below(3) + 1, item: below(9) + 1, time_us: begin + below(2) * 1_000_000 + seq, kind: 1 }
    };
    let actions: Vec<RawAction> = (0..90).map(&mut action).collect();
    let shown: Vec<_> =
        (1..4).map(|customer| RawImpression { ranking_id: None, customer, elements: vec![(9, None)] }).collect();
    let [bench, plain] = [Bench::new(), Bench::new()];
    configure(&bench, TOML);
    let rows: Vec<Cells> = actions.iter().map(cells).collect();
    write_spread(&bench.input().join(format!("clicks/dt={DAY}")), &rows, &mut random);
    write_batch(&plain.input(), DAY, &actions, PLAIN);
    for bench in [&bench, &plain] {
        write_impressions(&bench.input(), NEXT, &shown, PLAIN);
        bench.ok(INGEST);
        bench.produce(NEXT);
        bench.ok(&format!("audit --store store --input input --out out --dt {NEXT}"));
    }
    assert!(content(&bench.store()) == content(&plain.store()), "seed {seed}");
    let parts = |bench: &Bench| tree(&bench.out()).into_iter().find(|(name, _)| name.contains("part-")).unwrap();
    assert!(parts(&bench) == parts(&plain), "seed {seed}");
    let sources = sources(&bench);
    let options =
        IngestOptions::new(in_memory(&sources, "clicks", &rows), DAY.parse::<lookback::model::Day>().unwrap());
    ingest(&bench.path("memory"), &options.sources(sources));
    assert!(content(&bench.path("memory")) == content(&plain.store()), "seed {seed}");
}

/// Times of the type that nearly all files have, which are read by a way of their own.
#[test]
fn timestamps_in_microseconds_are_ordered_too() {
    let bench = Bench::new();
    configure(&bench, "[sources.clicks]\norder_column = \"seq\"\n");
    let file = bench.input().join(format!("clicks/dt={DAY}/a.parquet"));
    let write = |time_us: i64| {
        let ids = |ids: [i64; 3]| -> ArrayRef { Arc::new(Int64Array::from(ids.to_vec())) };
        let times = TimestampMicrosecondArray::from(vec![time_us; 3]).with_timezone("UTC");
        let columns = [
            ("customer_id", ids([7; 3])),
            ("item_id", ids([1, 2, 3])),
            ("click_time", Arc::new(times) as ArrayRef),
            ("seq", ids([1, 2, 0])),
        ];
        write_parquet(&file, &columns);
    };
    write(us("2026-01-02T10:00:00Z") + 1);
    bench.refused(INGEST, &["3 bad rows", "column click_time is finer than a second"]);
    write(us("2026-01-02T10:00:00Z"));
    bench.ok(INGEST);
    let shown = RawImpression { ranking_id: None, customer: 7, elements: vec![(9, None)] };
    write_impressions(&bench.input(), NEXT, &[shown], PLAIN);
    bench.ok(&format!("produce --store store --input input --dt {NEXT} --out out --max-history 4"));
    assert_eq!(read_partition(&bench.out(), NEXT)[0].actions, [2, 1, 3, 0]);
}

/// Each time and number, and what is wrong with them.
#[test]
fn what_cannot_be_ordered_is_a_bad_row() {
    let time = "column at is finer than a second, so the column seq cannot order it";
    for (at, seq, reason) in [
        ("2026-01-02T10:00:00.000001Z", "0", time),
        ("2026-01-02T10:00:00.5Z", "1", time),
        ("2026-01-02T10:00:00Z", "1000000", "column seq is 1000000, but only 0 to 999999 order the rows of a second"),
        ("2026-01-02T10:00:00Z", "-1", "column seq is -1, but only 0 to 999999 order the rows of a second"),
        ("2026-01-02T10:00:00Z", "", "column seq is null"),
        ("2026-01-02T10:00:00Z", "x", "column seq is not an integer"),
        ("2026-01-02", "86400000000", "column seq is 86400000000, but only 0 to 86399999999 order the rows of a day"),
    ] {
        let bench = Bench::new();
        configure(&bench, &TOML.replace("time_unit = \"s\"\n", ""));
        let file = bench.input().join(format!("clicks/dt={DAY}/a.csv"));
        write_file(&file, format!("customer_id,item_id,at,seq\n7,5,{at},{seq}\n").as_bytes());
        bench.refused(INGEST, &["1 bad row", reason]);
        assert!(!bench.store().exists());
    }
    let bench = Bench::new();
    configure(&bench, TOML);
    let folder = bench.input().join(format!("clicks/dt={DAY}"));
    write_table(
        &folder.join("a.parquet"),
        &[vec![("customer_id", number(7)), ("item_id", number(5)), ("at", number(1)), ("seq", text(Some("first")))]],
    );
    bench.refused(INGEST, &["a.parquet", "seq"]);
    write_table(
        &folder.join("a.parquet"),
        &[vec![("customer_id", number(7)), ("item_id", number(5)), ("at", number(1))]],
    );
    bench.refused(INGEST, &["a.parquet has no column seq"]);
}

/// A day of 23 hours has fewer microseconds, and a number may not lead out of it.
#[test]
fn rows_of_a_date_are_ordered_within_the_day_of_the_zone() {
    let bench = Bench::new();
    bench.ok("init --store store --timezone Europe/Berlin");
    configure(&bench, &TOML.replace("time_unit = \"s\"\n", ""));
    let file = bench.input().join("clicks/dt=2026-03-29/a.csv");
    let ingest = "ingest --store store --input input --dt 2026-03-29";
    let hours_us = 23 * 3_600_000_000_i64;
    write_file(&file, format!("customer_id,item_id,at,seq\n7,5,2026-03-29,{hours_us}\n").as_bytes());
    bench.refused(ingest, &["only 0 to 82799999999 order the rows of a day"]);
    let rows =
        format!("customer_id,item_id,at,seq\n7,5,2026-03-29,{}\n7,6,2026-03-29,0\n7,4,2026-03-29,1\n", hours_us - 1);
    write_file(&file, rows.as_bytes());
    bench.ok(ingest);
    let shown = RawImpression { ranking_id: None, customer: 7, elements: vec![(9, None)] };
    write_impressions(&bench.input(), "2026-03-30", &[shown], PLAIN);
    bench.ok("produce --store store --input input --dt 2026-03-30 --out out --max-history 4");
    assert_eq!(read_partition(&bench.out(), "2026-03-30")[0].actions, [5, 4, 6, 0]);
    bench.ok("audit --store store --input input --out out --dt 2026-03-30");
}
