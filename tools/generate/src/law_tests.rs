//! What is promised of the rows: shares, ids, and how activity is spread.
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::action::{Action, Kind};
use crate::arrivals::{Arrivals, Shares};
use crate::customer::Customers;
use crate::impression::{Impression, Impressions};
use crate::item::Items;
use crate::random::{self, Purpose};
use crate::session::DAY_MICROS;
use crate::{customer, item, permutation};

fn a_date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 31).unwrap()
}

/// The first actions of a day, straight from the stream.
fn actions(customers: &Customers, shares: Shares, count: usize) -> Vec<Action> {
    let items = Items::new(5_000).unwrap();
    let random = random::of_part(7, a_date(), Purpose::Actions, 0);
    let mut arrivals = Arrivals::new(random, customers, &items, shares, 0);
    (0..count).map(|_| arrivals.draw()).collect()
}

fn assert_near(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() <= 0.1 * wanted + 0.000_3, "{what}: {found}, not about {wanted}");
}

#[test]
fn the_shares_are_as_asked() {
    let shares = Shares { late: 0.01, tie: 0.03, duplicate: 0.001 };
    let actions = actions(&Customers::new(50_000, 1.5), shares, 300_000);
    let share = |hit: &dyn Fn(&Action) -> bool| actions.iter().filter(|action| hit(action)).count() as f64 / 3e5;
    assert_near(share(&|action| action.kind == Kind::Click), 0.90, "clicks");
    assert_near(share(&|action| action.kind == Kind::AddToCart), 0.09, "carts");
    assert_near(share(&|action| action.kind == Kind::Order), 0.01, "orders");
    assert_near(share(&|action| action.time < 0), 0.01, "late");
    let pairs = |hit: fn(&Action, &Action) -> bool| {
        actions.windows(2).filter(|pair| hit(&pair[0], &pair[1])).count() as f64 / 3e5
    };
    assert_near(
        pairs(|one, next| one.customer == next.customer && one.time == next.time),
        0.031,
        "ties and duplicates",
    );
    // A tie on the same item with the same kind of action looks like a duplicate; there are some.
    let duplicates = pairs(|one, next| one == next);
    assert!((0.001..0.02).contains(&duplicates), "{duplicates}");
}

#[test]
fn extreme_shares_do_not_hang_or_leave_the_day() {
    for share in [0.0, 1.0] {
        let shares = Shares { late: share, tie: share, duplicate: share };
        let actions = actions(&Customers::new(3, 0.0), shares, 1_000);
        assert!(actions.iter().all(|action| (action.time < 0) == (share == 1.0) && action.time < DAY_MICROS));
        assert_eq!(actions.iter().all(|action| *action == actions[0]), share == 1.0);
    }
}

#[test]
fn a_cart_follows_a_click_and_an_order_a_cart() {
    let shares = Shares { late: 0.0, tie: 0.0, duplicate: 0.0 };
    let mut done = BTreeSet::new();
    for action in actions(&Customers::new(50_000, 1.5), shares, 100_000) {
        let key = |kind| (action.customer, action.item, kind);
        let wanted = match action.kind {
            Kind::Click => None,
            Kind::AddToCart => Some(Kind::Click),
            Kind::Order => Some(Kind::AddToCart),
        };
        assert!(wanted.is_none_or(|kind| done.contains(&key(kind as u8))), "{action:?}");
        done.insert(key(action.kind as u8));
    }
}

#[test]
fn ids_are_distinct_and_positive() {
    let customers: BTreeSet<i64> = (0..300_000).map(customer::id).collect();
    assert_eq!(customers.len(), 300_000);
    assert!(customers.iter().all(|id| (1..=1 << 40).contains(id)));
    let items: BTreeSet<i64> = (0..300_000).map(item::id).collect();
    assert_eq!(items.len(), 300_000);
    assert!(items.iter().all(|id| (1..=1_000_000_000).contains(id)));
    assert!(items.iter().any(|id| *id < 10_000_000) && items.iter().any(|id| *id > 990_000_000));
}

#[test]
fn the_shuffle_meets_every_value_once() {
    for bits in [2, 7, 16] {
        let values: BTreeSet<u64> = (0..1 << bits).map(|value| permutation::shuffled(value, bits)).collect();
        assert!(values.len() == 1 << bits && values.iter().all(|value| *value < 1 << bits));
    }
    let values: BTreeSet<u64> = (0..1_000).map(|value| permutation::shuffled_below(value, 1_000, 10)).collect();
    assert!(values.len() == 1_000 && values.iter().all(|value| *value < 1_000));
}

#[test]
fn a_few_customers_are_far_busier_than_the_rest() {
    let shares = Shares { late: 0.0, tie: 0.0, duplicate: 0.0 };
    let heaviest = |sigma| {
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for action in actions(&Customers::new(10_000, sigma), shares, 200_000) {
            *counts.entry(action.customer).or_default() += 1;
        }
        *counts.values().max().unwrap()
    };
    // The mean is 20. The lognormal's top of 10,000 is about exp(1.5 * 3.7 - 1.5 * 1.5 / 2) = 83 times the mean.
    assert!((800..6_000).contains(&heaviest(1.5)), "{}", heaviest(1.5));
    assert!(heaviest(0.0) < 300, "{}", heaviest(0.0));
}

#[test]
fn impressions_have_the_shape_of_real_ones() {
    let (customers, items) = (Customers::new(10_000, 1.5), Items::new(5_000).unwrap());
    let random = random::of_part(7, a_date(), Purpose::Impressions, 0);
    let mut impressions = Impressions::new(random, &customers, &items, 10, a_date());
    let warm: BTreeSet<i64> = (0..10_000).map(customer::id).collect();
    let (mut unranked, mut cold, mut nulls, mut empty, mut ordered, mut unknown) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    let mut seen = BTreeSet::new();
    let mut row = Impression::default();
    for number in 0..40_000 {
        impressions.draw(number, &mut row);
        unranked += f64::from(row.ranking_id.is_none());
        cold += f64::from(!warm.contains(&row.customer));
        nulls += f64::from(row.is_null);
        empty += f64::from(row.items.is_empty() && !row.is_null);
        ordered += row.ordered.iter().filter(|value| **value == Some(true)).count() as f64 / 10.0;
        unknown += row.ordered.iter().filter(|value| value.is_none()).count() as f64 / 10.0;
        seen.insert(row.customer);
        assert_eq!(row.items.len(), row.ordered.len());
        assert!(row.items.is_empty() || row.items.iter().collect::<BTreeSet<_>>().len() == 10);
        assert!(row.ranking_id.as_ref().is_none_or(|id| *id == format!("r-20260131-{number:08}")));
    }
    assert_near(unranked / 4e4, 0.005, "without ranking id");
    assert_near(cold / 4e4, 0.03, "cold");
    assert_near((nulls + empty) / 4e4, 0.001, "without list");
    assert!(nulls > 0.0 && empty > 0.0);
    assert_near(ordered / 4e4, 0.02, "ordered");
    assert_near(unknown / 4e4, 0.001, "not known to be ordered");
    assert!(seen.len() < 10_000, "{} customers", seen.len());
}
