//! The least that most commands need: a store of one day, and what was shown on the next.

use super::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use super::program::Bench;

/// A batch of one action of 2026-01-01 in a store, and impressions of the same customer on the next day.
pub fn one_day() -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&bench.input(), "2026-01-02", &[shown], PLAIN);
    bench.ingest("2026-01-01");
    bench
}
