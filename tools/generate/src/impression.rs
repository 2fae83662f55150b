//! One impression row: the list of items that was shown to a customer, and which of them were ordered.

use chrono::NaiveDate;
use rand::{Rng, RngExt};

use crate::customer::Customers;
use crate::item::Items;

/// Rows of customers who never act, so that a history can be empty.
const COLD_SHARE: f64 = 0.03;
/// Rows without a ranking id.
const UNRANKED_SHARE: f64 = 0.005;
/// Rows with a null list, and as many with an empty one.
const NO_LIST_SHARE: f64 = 0.000_5;
/// Elements that were ordered.
const ORDERED_SHARE: f64 = 0.02;
/// Elements of which it is not known.
const UNKNOWN_SHARE: f64 = 0.001;

/// One row. Overwritten in place by [`Impressions::draw`], so that a day does not allocate a million lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Impression {
    pub ranking_id: Option<String>,
    pub customer: i64,
    /// Whether the list is null; `items` is then empty.
    pub is_null: bool,
    pub items: Vec<i64>,
    /// As many as `items`.
    pub ordered: Vec<Option<bool>>,
}

/// The impression rows of one part of one day. Holds no row.
#[derive(Debug)]
pub struct Impressions<'a, R> {
    random: R,
    customers: &'a Customers,
    items: &'a Items,
    list_length: u32,
    date: String,
}

impl<'a, R: Rng> Impressions<'a, R> {
    /// Takes the length of every list, which must not exceed the number of items.
    pub fn new(random: R, customers: &'a Customers, items: &'a Items, list_length: u32, date: NaiveDate) -> Self {
        Self { random, customers, items, list_length, date: date.format("%Y%m%d").to_string() }
    }

    /// Overwrites `row` with the next one, of which `number` is the number within the day.
    pub fn draw(&mut self, number: u64, row: &mut Impression) {
        let random = &mut self.random;
        row.ranking_id = match random.random_bool(UNRANKED_SHARE) {
            true => None,
            false => Some(format!("r-{}-{number:08}", self.date)),
        };
        row.customer = match random.random_bool(COLD_SHARE) {
            true => self.customers.draw_cold(random),
            false => self.customers.draw(random),
        };
        row.is_null = random.random_bool(NO_LIST_SHARE);
        let is_empty = row.is_null || random.random_bool(NO_LIST_SHARE);
        self.items.draw_list(if is_empty { 0 } else { self.list_length }, &mut row.items, random);
        row.ordered.clear();
        for _ in &row.items {
            let is_known = !random.random_bool(UNKNOWN_SHARE);
            row.ordered.push(is_known.then(|| random.random_bool(ORDERED_SHARE)));
        }
    }
}
