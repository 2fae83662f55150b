//! A store with something of everything, made once and copied for each test.

use std::path::Path;
use std::sync::OnceLock;

use lookback::internals::store::RawStore;
use lookback::store::Folder;

use super::input::{PLAIN, RawAction, RawImpression, write_batch, write_impressions};
use super::output::tree;
use super::program::{Bench, write_file};
use super::random::Random;

/// The newest so many actions are kept, so that keyframes and cuts are common.
pub const MAX_HISTORY: usize = 12;

/// The batch that has been corrected.
pub const CORRECTED: &str = "2026-01-05";

/// The day whose rows can be produced.
pub const PRODUCED: &str = "2026-01-13";

const BATCHES: std::ops::RangeInclusive<u32> = 1..=12;

/// The day of a batch, 1 to 12.
pub fn batch_day(number: u32) -> String {
    format!("2026-01-{number:02}")
}

/// The customers with many actions, between those with one. With each of the first twenty a leaf begins.
fn active(number: u64) -> i64 {
    let first = [
        4_296, 1_941, 2_328, 143, 2_752, 4_373, 1_164, 4_631, 4_739, 5_571, 5_590, 6_261, 6_479, 6_914, 7_391, 7_408,
        7_521, 0, -2_213, -2_944,
    ];
    let number = usize::try_from(number).unwrap();
    first.get(number).copied().unwrap_or(i64::try_from(number).unwrap() * 5 - 140)
}

/// Puts input and store into a bench: twelve batches, one of them corrected, which makes ten and more loads and so a
/// compaction; customers with a few actions and with many, late and early ones; in the first batch also many customers
/// with one action, so that lists have several leaves.
fn fill(bench: &Bench) {
    let mut random = Random::new(12);
    let mut batches = Vec::new();
    for number in BATCHES {
        let mut actions = Vec::new();
        for _ in 0..160 {
            let shift = [0, 0, 0, 0, -1, -3, 1][usize::try_from(random.below(7)).unwrap()];
            let minute = i64::try_from(random.below(144)).unwrap() * 10;
            actions.push(RawAction {
                customer: active(random.below(30).min(random.below(30))),
                item: 1 + i64::try_from(random.below(500)).unwrap(),
                time_us: ((20_453 + i64::from(number) + shift) * 1_440 + minute) * 60_000_000,
                kind: 1 + u8::try_from(random.below(3)).unwrap(),
            });
        }
        if number == 1 {
            let click = |customer: i64| RawAction {
                customer: 1_000 + 3 * customer,
                item: customer + 1,
                time_us: (20_454 * 1_440 + customer % 1_440) * 60_000_000 + customer,
                kind: 1,
            };
            actions.extend((0..2_500).map(click));
        }
        batches.push((batch_day(number), actions));
    }
    bench.ok(&format!("init --store store --max-history {MAX_HISTORY}"));
    for (day, actions) in &batches {
        write_batch(&bench.input(), day, actions, PLAIN);
        bench.ingest(day);
        if day == CORRECTED {
            write_batch(&bench.input(), day, &actions[..140], PLAIN);
        }
    }
    bench.ingest(CORRECTED);
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(5, Some(true)), (6, None)] };
    let customers = (0..30).map(active).chain([77, 1_000, 1_003, 5_000]);
    write_impressions(&bench.input(), PRODUCED, &customers.map(shown).collect::<Vec<_>>(), PLAIN);
}

/// A new bench with a copy of input and store.
pub fn filled() -> Bench {
    static MADE: OnceLock<Bench> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let bench = Bench::new();
        fill(&bench);
        bench
    });
    let bench = Bench::new();
    for (from, to) in [(made.store(), bench.store()), (made.input(), bench.input())] {
        copy(&from, &to);
    }
    bench
}

/// Copies all files below a folder.
pub fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        write_file(&to.join(name), &bytes);
    }
}

/// Sets keys of a store, or removes them, behind the program's back.
pub fn edit(store: &Path, edits: &[(Vec<u8>, Option<Vec<u8>>)]) {
    let raw = RawStore::open_writer(&Folder::new(store)).unwrap();
    let set: Vec<_> = edits.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
    let removed = edits.iter().filter(|(_, value)| value.is_none());
    let removed: Vec<_> = removed.map(|(key, _)| (key.clone(), [&key[..], &[0]].concat())).collect();
    raw.write(&set, &removed).unwrap();
}
