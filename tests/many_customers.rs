//! Batches and stores of more than one share, which threads work on side by side: the same store however they are cut.

use lookback::ingest::{IngestOptions, Ingester};
use lookback::model::Day;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::Folder;

use crate::support::input::{RawAction, Spread, write_batch};
use crate::support::output::dump;
use crate::support::program::AMPLE;
use crate::support::random::{Random, seed};

/// More than the customer index lines of two shares.
const CUSTOMERS: u64 = 10_000;
const DAYS: [&str; 2] = ["2026-01-01", "2026-01-02"];
const NOON_US: i64 = (20_454 * 24 + 12) * 3_600_000_000;

/// An action of a random customer, an hour at most from noon of a day; one of ten is a day late.
fn action(random: &mut Random, day: i64, customers: u64) -> RawAction {
    let late = i64::from(random.below(10) == 0);
    RawAction {
        // Far apart, so that they come into several pieces; on both sides of 0.
        customer: (i64::try_from(random.below(customers)).unwrap() - 4_000) << 30,
        item: 1 + i64::try_from(random.below(500)).unwrap(),
        time_us: NOON_US + (day - late) * 86_400_000_000 + i64::try_from(random.below(3_600)).unwrap() * 1_000_000,
        kind: 1 + u8::try_from(random.below(3)).unwrap(),
    }
}

/// A store into which batches came in this order, each with its day, its actions, and the memory for sorting them.
fn store_of(batches: &[(usize, &[RawAction], usize)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let place = tempfile::tempdir().unwrap();
    let (input, folder) = (place.path().join("input"), Folder::new(&place.path().join("store")));
    std::fs::create_dir(&input).unwrap();
    let mut ingester = Ingester::open_or_create(&folder, &Silent).unwrap();
    for (day, actions, sort_bytes) in batches {
        write_batch(&input, DAYS[*day], actions, Spread { files: 3, seed: 5 });
        let dt: Day = DAYS[*day].parse().unwrap();
        let options = IngestOptions::new(&input, dt)
            .allow_empty(true)
            .allow_far_day(true)
            .allow_far_actions(true)
            .allow_missing_source(true)
            .resources(Resources::default().with_sort_bytes(*sort_bytes));
        ingester.ingest(&options, &Silent).unwrap();
    }
    drop(ingester);
    dump(folder.path())
}

#[test]
fn a_batch_beyond_the_budget_gives_the_store_of_one_within_it() {
    let mut random = Random::new(seed(11));
    let mut actions: Vec<RawAction> = (0..20_000).map(|_| action(&mut random, 0, CUSTOMERS)).collect();
    // One customer has more than a history, and more than a piece, on one day.
    let busy: Vec<RawAction> = (0..9_000).map(|_| action(&mut random, 0, 1)).collect();
    actions.extend(busy);
    let within = store_of(&[(0, &actions, AMPLE)]);
    assert!(within.len() > 8_000, "there is something to compare");
    for sort_bytes in [300_000, 20_000] {
        assert!(store_of(&[(0, &actions, sort_bytes)]) == within, "with {sort_bytes} bytes");
    }
}

#[test]
fn small_batches_among_many_customers() {
    let mut random = Random::new(seed(12));
    let mut some =
        |day, count, customers| -> Vec<RawAction> { (0..count).map(|_| action(&mut random, day, customers)).collect() };
    let (large, shrunk) = (some(0, 40_000, CUSTOMERS), some(0, 600, CUSTOMERS + 20));
    let (small, corrected) = (some(1, 30, CUSTOMERS + 20), some(1, 25, 2 * CUSTOMERS));
    let with = |batches: &[(usize, &[RawAction])]| {
        store_of(&batches.iter().map(|(day, actions)| (*day, *actions, AMPLE)).collect::<Vec<_>>())
    };
    let both = with(&[(1, &corrected), (0, &large)]);
    assert!(with(&[(0, &large), (1, &small), (1, &corrected)]) == both, "a small one corrected");
    assert!(
        with(&[(0, &shrunk), (1, &corrected), (0, &[]), (0, &large)]) == both,
        "a large one in place of an empty one"
    );
    let few = with(&[(1, &corrected), (0, &shrunk)]);
    assert!(with(&[(0, &large), (1, &corrected), (0, &shrunk)]) == few, "a large one shrunk");
    let one = with(&[(0, &[]), (1, &corrected)]);
    assert!(with(&[(0, &large), (1, &corrected), (0, &[])]) == one, "a large one emptied");
}
