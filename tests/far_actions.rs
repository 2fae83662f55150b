//! Batches whose actions mostly lie over ten years from their day: refused, with the unit that was likely meant, unless
//! that is allowed.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMillisecondArray};

use crate::support::input::{us, write_parquet};
use crate::support::output::dump;
use crate::support::program::{Bench, write_file};

const TOML: &str = "[sources.clicks]\ntime_unit = \"ms\"\n";

/// Ten clicks of 2026-01-02, the first `far` of which were written in seconds.
fn ten_clicks(bench: &Bench, far: usize) {
    let mut text = "customer_id,item_id,click_time\n".to_owned();
    for number in 0..10 {
        let time = us("2026-01-02T10:00:00Z") / if number < far { 1_000_000 } else { 1_000 };
        writeln!(text, "{},2,{time}", number + 1).unwrap();
    }
    write_file(&bench.input().join("lookback.toml"), TOML.as_bytes());
    write_file(&bench.input().join("clicks/dt=2026-01-02/a.csv"), text.as_bytes());
}

#[test]
fn more_than_half_is_a_wrong_unit() {
    let bench = Bench::new();
    ten_clicks(&bench, 6);
    let ingest = "ingest --create --store store --input input --dt 2026-01-02";
    let words = [
        "6 of the 10 actions of 2026-01-02 lie over ten years from that day",
        "1970-01-21",
        "a.csv: its unit is likely s, but it is read as ms",
        "--allow-far-day",
    ];
    bench.refused(ingest, &words);
    bench.refused(&format!("{ingest} --quarantine aside"), &words);
    bench.refused("backfill --store store --input input --from 2026-01-02 --to 2026-01-02", &words);
    assert!(!bench.store().exists() && !bench.path("aside").exists());
    bench.ok(&format!("{ingest} --allow-far-day"));
    let held = dump(&bench.store());
    bench.refused(ingest, &words);
    assert_eq!(dump(&bench.store()), held);
    let bench = Bench::new();
    ten_clicks(&bench, 10);
    bench.ok("backfill --store store --input input --from 2026-01-02 --to 2026-01-02 --allow-far-day");
    let bench = Bench::new();
    ten_clicks(&bench, 5);
    assert_eq!(bench.json(ingest)["late"], 5);
}

#[test]
fn ten_years_are_counted_from_the_batch_day_in_both_directions() {
    for (time, is_far) in [
        ("2016-01-02T00:00:00Z", false),
        ("2015-12-31T00:00:00Z", true),
        ("2036-01-02T00:00:00Z", false),
        ("2036-01-04T00:00:00Z", true),
    ] {
        let bench = Bench::new();
        write_file(
            &bench.input().join("clicks/dt=2026-01-02/a.csv"),
            format!("customer_id,item_id,click_time\n1,2,{time}\n").as_bytes(),
        );
        let ran = bench.run("ingest --create --store store --input input --dt 2026-01-02");
        assert_eq!(ran.code, i32::from(is_far), "{time}: {}", ran.stderr);
        assert!(!is_far || ran.said().contains("1 of the 1 actions"), "{}", ran.stderr);
    }
}

/// Parquet says its unit itself; a wrong one is wrong all the same.
#[test]
fn typed_times_can_be_of_a_wrong_unit_too() {
    let bench = Bench::new();
    let seconds = us("2026-01-02T10:00:00Z") / 1_000_000;
    let ids = |id| -> ArrayRef { Arc::new(Int64Array::from(vec![id])) };
    let write = |count: i64| {
        let time = TimestampMillisecondArray::from(vec![count]).with_timezone("UTC");
        let columns: [(&str, ArrayRef); 3] =
            [("customer_id", ids(1)), ("item_id", ids(2)), ("click_time", Arc::new(time))];
        write_parquet(&bench.input().join("clicks/dt=2026-01-02/a.parquet"), &columns);
    };
    write(seconds);
    let words = ["its unit is likely 1,000 times as large as the one it is read in"];
    bench.refused("ingest --create --store store --input input --dt 2026-01-02", &words);
    // Too large a number lies beyond all years: rows that a quarantine would take, all of them.
    write(seconds * 1_000_000);
    let words = ["1 of the 1 actions of 2026-01-02", "beyond the year 2261"];
    bench.refused("ingest --create --store store --input input --dt 2026-01-02 --quarantine aside", &words);
    assert!(!bench.path("aside").exists() && !bench.store().exists());
    bench.refused(
        "ingest --create --store store --input input --dt 2026-01-02",
        &["lies outside the years 1970 to 2261"],
    );
}
