//! Days of 23 and 25 hours, through the real binary.

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{metadata, read_partition};
use crate::support::program::Bench;

/// Items seen on `dt` of clicks at the given instants, whose items are 1, 2, 3, … in that order; newest first.
fn seen(zone: &str, times: &[&str], batch: &str, dt: &str, options: &str) -> Vec<i64> {
    let bench = Bench::new();
    bench.ok(&format!("init --store store --max-history 9 --timezone {zone}"));
    let clicks: Vec<RawAction> =
        (1..).zip(times).map(|(item, time)| RawAction { customer: 1, item, time_us: us(time), kind: 1 }).collect();
    write_batch(&bench.input(), batch, &clicks, PLAIN);
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), dt, &[shown], PLAIN);
    bench.ok(&format!("ingest --create --store store --input input --dt {batch} --allow-far-day"));
    bench.ok(&format!("produce --store store --input input --dt {dt} --out out --allow-gaps {options}"));
    let pairs = metadata(&bench.out().join(format!("dt={dt}/part-00000.parquet")));
    assert_eq!(pairs["time_zone"], zone);
    let rows = read_partition(&bench.out(), dt);
    rows[0].actions.iter().copied().filter(|item| *item != 0).collect()
}

#[test]
fn the_day_of_23_hours_ends_at_its_own_midnight() {
    // Berlin, 2026-03-29: from 23:00 UTC of the day before to 22:00 UTC.
    let times =
        ["2026-03-28T22:59:59.999999Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z", "2026-03-29T22:00:00Z"];
    assert_eq!(seen("Europe/Berlin", &times, "2026-03-29", "2026-03-29", ""), [1]);
    assert_eq!(seen("Europe/Berlin", &times, "2026-03-29", "2026-03-30", ""), [3, 2, 1]);
    assert_eq!(seen("Europe/Berlin", &times, "2026-03-29", "2026-03-31", ""), [4, 3, 2, 1]);
}

#[test]
fn the_day_of_25_hours_ends_at_its_own_midnight() {
    // New York, 2026-11-01: from 04:00 UTC to 05:00 UTC of the next day.
    let times = ["2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z", "2026-11-02T05:00:00Z"];
    assert_eq!(seen("America/New_York", &times, "2026-11-01", "2026-11-01", ""), [1]);
    assert_eq!(seen("America/New_York", &times, "2026-11-01", "2026-11-02", ""), [3, 2, 1]);
}

#[test]
fn lookback_days_are_days_of_the_zone() {
    let times = ["2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"];
    assert_eq!(seen("Europe/Berlin", &times, "2026-03-29", "2026-03-30", "--lookback-days 1"), [3, 2]);
    assert_eq!(seen("Europe/Berlin", &times, "2026-03-29", "2026-03-30", "--lookback-days 2"), [3, 2, 1]);
    let ends = ["1970-01-01T00:00:00Z", "2261-12-31T22:00:00Z"];
    assert_eq!(seen("UTC", &ends, "2026-01-01", "2026-01-02", "--lookback-days 4000000000"), [1]);
}

#[test]
fn the_first_and_the_last_day() {
    let ends = ["1970-01-01T00:00:00Z", "2261-12-30T23:59:59.999999Z", "2261-12-31T00:00:00Z"];
    assert_eq!(seen("UTC", &ends, "1970-01-01", "1970-01-01", ""), [0; 0]);
    assert_eq!(seen("UTC", &ends, "2261-12-31", "2261-12-31", ""), [2, 1]);
}
