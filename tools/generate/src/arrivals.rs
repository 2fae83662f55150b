//! The actions that arrive on one day: session after session, in no order of time, as they lie in real files.

use rand::{Rng, RngExt};

use crate::action::{Action, Kind};
use crate::customer::Customers;
use crate::item::Items;
use crate::quota::Quota;
use crate::session::{DAY_MICROS, Session};

/// Shares of all actions; the rest are clicks.
const CART_SHARE: f64 = 0.09;
const ORDER_SHARE: f64 = 0.01;
/// A late action is dated this many days back at most.
pub const LATE_DAYS_MAX: u32 = 7;

/// How many actions are out of the ordinary, as shares of all from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// Dated one to [`LATE_DAYS_MAX`] days before the day they arrive on.
    pub late: f64,
    /// At exactly the time of the action before, of the same customer.
    pub tie: f64,
    /// Equal to the action before in everything.
    pub duplicate: f64,
}

/// An endless stream of the actions of one day. Holds one session and nothing else.
#[derive(Debug)]
pub struct Arrivals<'a, R> {
    random: R,
    customers: &'a Customers,
    items: &'a Items,
    day_start: i64,
    late_share: f64,
    carts: Quota,
    orders: Quota,
    ties: Quota,
    duplicates: Quota,
    session: Session,
    previous: Option<Action>,
}

impl<'a, R: Rng> Arrivals<'a, R> {
    /// Takes the start of the day in microseconds since 1970-01-01 UTC.
    pub fn new(mut random: R, customers: &'a Customers, items: &'a Items, shares: Shares, day_start: i64) -> Self {
        Self {
            session: Session::start(customers, day_start, &mut random),
            random,
            customers,
            items,
            day_start,
            late_share: shares.late,
            carts: Quota::new(CART_SHARE),
            orders: Quota::new(ORDER_SHARE),
            ties: Quota::new(shares.tie),
            duplicates: Quota::new(shares.duplicate),
            previous: None,
        }
    }

    /// The next action.
    pub fn draw(&mut self) -> Action {
        self.duplicates.draw(&mut self.random);
        if let Some(previous) = self.previous
            && self.duplicates.take()
        {
            return previous;
        }
        if self.session.is_over() {
            self.session = Session::start(self.customers, self.day_start, &mut self.random);
        }
        let time = self.draw_time();
        let (kind, item) = self.draw_deed();
        self.session.pass(time, &mut self.random);
        let action = Action { customer: self.session.customer, item, time, kind };
        self.previous = Some(action);
        action
    }

    /// Actions so far that have the time of the customer's action before.
    pub fn ties(&self) -> u64 {
        self.ties.taken()
    }

    /// Actions so far that equal the one before.
    pub fn duplicates(&self) -> u64 {
        self.duplicates.taken()
    }

    /// A tie with a late action is as late. That keeps the share of late actions, since the tie takes the place of a
    /// draw.
    fn draw_time(&mut self) -> i64 {
        self.ties.draw(&mut self.random);
        if let Some(written) = self.session.written
            && self.ties.take()
        {
            return written;
        }
        let days_late = match self.random.random_bool(self.late_share) {
            true => self.random.random_range(1..=LATE_DAYS_MAX),
            false => 0,
        };
        self.session.clock - i64::from(days_late) * DAY_MICROS
    }

    /// What is done to which item: a cart follows a click on its item, and an order the cart.
    fn draw_deed(&mut self) -> (Kind, i64) {
        self.carts.draw(&mut self.random);
        self.orders.draw(&mut self.random);
        if let Some(item) = self.session.carted
            && self.orders.take()
        {
            self.session.carted = None;
            return (Kind::Order, item);
        }
        if let Some(item) = self.session.clicked
            && self.carts.take()
        {
            self.session.carted = Some(item);
            return (Kind::AddToCart, item);
        }
        (Kind::Click, self.session.click(self.items, &mut self.random))
    }
}
