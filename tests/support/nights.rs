//! Some nights of input with something of everything, the store that they become, and the reference that knows the
//! same.

use super::input::{RawAction, RawImpression, Spread, write_batch, write_impressions};
use super::program::Bench;
use super::random::Random;
use super::reference::{Reference, date};

/// The day whose impressions are produced.
pub const DT: &str = "2026-03-31";

/// Actions that a history keeps: few, so that keyframes and cuts are common.
pub const MAX_HISTORY: usize = 16;

const ZONE: chrono_tz::Tz = chrono_tz::Europe::Berlin;
const CUSTOMERS: u64 = 40;
const FIRST: i64 = 16;
const LAST: i64 = 30;

/// A bench with the input and the store of fifteen batches in Berlin, where one of the days has 23 hours: ties,
/// duplicates, late actions, customers with many actions and with none. Some impressions stand there twice and three
/// times.
pub struct Nights {
    pub bench: Bench,
    pub reference: Reference,
    pub impressions: Vec<RawImpression>,
}

/// How the impressions lie in files.
pub const SPREAD: Spread = Spread { files: 2, seed: 5 };

/// The first seed gives the first case.
pub fn nights(seed: u64) -> Nights {
    let (bench, mut random) = (Bench::new(), Random::new(seed));
    let mut reference = Reference::new(ZONE);
    bench.ok(&format!("init --store store --max-history {MAX_HISTORY} --timezone {}", ZONE.name()));
    let mut draw = |end: u64| i64::try_from(random.below(end)).unwrap();
    for number in FIRST..=LAST {
        let midnight = reference.midnight(date("2026-03-01") + chrono::Days::new(number.unsigned_abs() - 1));
        let mut actions: Vec<RawAction> = (0..150)
            .map(|_| {
                let late = [0, 0, 0, 0, 0, 1, 2, 9][usize::try_from(draw(8)).unwrap()];
                RawAction {
                    customer: if draw(3) == 0 { draw(3) } else { draw(CUSTOMERS) } - 10,
                    item: 1 + draw(40) * 1_000_003,
                    time_us: midnight + (draw(23) - 24 * late) * 3_600_000_000 - draw(2),
                    kind: 1 + u8::try_from(draw(3)).unwrap(),
                }
            })
            .collect();
        actions.extend_from_within(..9);
        let day = format!("2026-03-{number}");
        write_batch(&bench.input(), &day, &actions, Spread { files: 2, seed: number.unsigned_abs() });
        bench.ingest(&day);
        reference.batches.insert(date(&day), actions);
    }
    let mut impressions: Vec<RawImpression> = (0..130)
        .map(|number| RawImpression {
            ranking_id: (number % 4 != 0).then(|| format!("r{}", number % 9)),
            customer: draw(CUSTOMERS + 10) - 10,
            elements: (0..1 + draw(5))
                .map(|_| (1 + draw(9), [None, Some(true), Some(false)][usize::try_from(draw(3)).unwrap()]))
                .collect(),
        })
        .collect();
    impressions.extend_from_within(..12);
    impressions.extend_from_within(..5);
    write_impressions(&bench.input(), DT, &impressions, SPREAD);
    Nights { bench, reference, impressions }
}
