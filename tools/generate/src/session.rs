//! One visit of one customer: a start by the hour of the day, then actions with some seconds between them, on a few
//! items that are looked at again and again.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use rand_distr::Exp1;

use crate::customer::Customers;
use crate::item::Items;

/// Actions in a session, on average: after each it goes on with the same probability.
const ACTIONS_MEAN: f64 = 6.0;
/// Between two actions of a session, on average.
const GAP_MEAN_MICROS: f64 = 40e6;
/// How often a click is on an item that is new to the session.
const NEW_ITEM_SHARE: f64 = 0.4;

const HOUR_MICROS: i64 = 3_600_000_000;
pub const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// How many sessions start in each hour, midnight first: quiet at four, busiest at nine in the evening.
const HOUR_WEIGHTS: [u32; 24] =
    [22, 13, 8, 6, 5, 7, 14, 25, 36, 43, 47, 49, 51, 50, 48, 48, 50, 54, 60, 69, 75, 77, 61, 38];

/// A session as far as it has come.
#[derive(Debug)]
pub struct Session {
    pub customer: i64,
    /// When the next action happens, in microseconds since 1970-01-01 UTC; within the session's day unless it is over.
    pub clock: i64,
    /// The time of the last action as it was written: that of a late one is days before the clock.
    pub written: Option<i64>,
    /// The item of the last click.
    pub clicked: Option<i64>,
    /// The item put in the cart last, until it is ordered.
    pub carted: Option<i64>,
    seen: Vec<i64>,
    day_end: i64,
    ended: bool,
}

impl Session {
    /// Draws a customer and a start within the day that begins at `day_start`.
    pub fn start(customers: &Customers, day_start: i64, random: &mut impl Rng) -> Self {
        Self {
            customer: customers.draw(random),
            clock: day_start + draw_time_of_day(random),
            written: None,
            clicked: None,
            carted: None,
            seen: Vec::new(),
            day_end: day_start + DAY_MICROS,
            ended: false,
        }
    }

    /// Clicks on an item: one from the catalogue, or one that was clicked in this session before.
    pub fn click(&mut self, items: &Items, random: &mut impl Rng) -> i64 {
        let again = if random.random_bool(NEW_ITEM_SHARE) { None } else { self.seen.choose(random).copied() };
        let item = again.unwrap_or_else(|| {
            let item = items.draw(random);
            self.seen.push(item);
            item
        });
        self.clicked = Some(item);
        item
    }

    /// Records an action written with `time`, and lets some seconds pass. Whoever is still there at midnight leaves, so
    /// that no action falls into the next day.
    pub fn pass(&mut self, time: i64, random: &mut impl Rng) {
        self.written = Some(time);
        // At least a microsecond, so that times are equal only where a tie was meant.
        self.clock += 1 + (random.sample::<f64, _>(Exp1) * GAP_MEAN_MICROS) as i64;
        self.ended = self.clock >= self.day_end || random.random_bool(1.0 / ACTIONS_MEAN);
    }

    /// Whether no action follows.
    pub fn is_over(&self) -> bool {
        self.ended
    }
}

/// Microseconds since midnight.
fn draw_time_of_day(random: &mut impl Rng) -> i64 {
    let mut left = random.random_range(0..HOUR_WEIGHTS.iter().sum());
    let mut hour = 0;
    for weight in HOUR_WEIGHTS {
        if left < weight {
            break;
        }
        left -= weight;
        hour += 1;
    }
    hour * HOUR_MICROS + random.random_range(0..HOUR_MICROS)
}
