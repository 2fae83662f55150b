//! The commands that change something, as scenarios: small stores with late actions, keyframes and several leaves.

use crate::fixture::copy_of;
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{Entries, dump};
use crate::support::program::Bench;
use crate::support::random::Random;
use crate::support::scenario::Scenario;
use crate::support::zones::TestRules;

/// Batches of 1 to 7 January with some late actions, and impressions of the 3rd and 4th; the same in each bench.
pub fn bench() -> Bench {
    let bench = Bench::new();
    for day in 1..=7 {
        batch(&bench, day, 0);
    }
    for day in 3..=4 {
        shown(&bench, day, 40);
    }
    bench
}

/// Another seed gives another batch of the same day.
fn batch(bench: &Bench, day: u8, seed: u64) {
    let mut random = Random::new(seed * 100 + u64::from(day));
    let midnight = us(&format!("2026-01-0{day}T00:00:00Z"));
    let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
    let actions = (0..120).map(|_| RawAction {
        customer: (number(20) - 10).wrapping_mul(900_000_000_000_000),
        item: 1 + number(500),
        time_us: midnight + number(86_400) * 1_000_000 - number(8) / 7 * 86_400_000_000,
        kind: 1 + number(3) as u8,
    });
    write_batch(&bench.input(), &format!("2026-01-0{day}"), &actions.collect::<Vec<_>>(), PLAIN);
}

fn shown(bench: &Bench, day: u8, impressions: i64) {
    let shown = |number: i64| RawImpression {
        ranking_id: Some(format!("r{number}")),
        customer: (number % 25 - 12) * 900_000_000_000_000,
        elements: vec![(number + 1, None), (number + 2, Some(true))],
    };
    let shown: Vec<_> = (0..impressions).map(shown).collect();
    write_impressions(&bench.input(), &format!("2026-01-0{day}"), &shown, PLAIN);
}

/// A bench whose store holds the batches of 1 January to `through`.
fn filled(through: u8) -> Bench {
    let bench = bench();
    bench.ok("init --store store --max-history 20");
    if through > 0 {
        let to = format!("2026-01-0{through}");
        bench.ok(&format!("backfill --store store --input input --from 2026-01-01 --to {to}"));
    }
    bench
}

fn ingest(day: u8) -> String {
    format!("ingest --store store --input input --dt 2026-01-0{day}")
}

const PRODUCE: &str = "produce --store store --input input --dt 2026-01-04 --out out";

pub fn first_batch() -> Scenario {
    Scenario::new(bench(), &format!("{} --create", ingest(1)))
}

pub fn new_batch() -> Scenario {
    Scenario::new(filled(2), &ingest(3))
}

pub fn replaced_batch() -> Scenario {
    let bench = filled(3);
    batch(&bench, 2, 1);
    Scenario::new(bench, &ingest(2))
}

/// The eighth sorted run sets off the merging of all of them, which comes behind the commit.
pub fn batch_with_compaction() -> Scenario {
    let bench = filled(3);
    for day in 4..=6 {
        bench.ingest(&format!("2026-01-0{day}"));
    }
    let scenario = Scenario::new(bench, &ingest(7));
    let merged = scenario.calls.iter().filter(|call| call.what == "unlink" && call.path.ends_with(".sst")).count();
    assert!(merged > 7, "{:?}", scenario.calls);
    scenario
}

/// Rows without an item were set aside when the batch came first; the corrected one has fewer of them.
pub fn batch_with_quarantine() -> Scenario {
    let bench = filled(2);
    let action = |item| RawAction { customer: 900_000_000_000_000, item, time_us: us("2026-01-03T10:00:00Z"), kind: 1 };
    let quarantined = format!("{} --quarantine bad", ingest(3));
    write_batch(&bench.input(), "2026-01-03", &[action(0), action(7), action(0)], PLAIN);
    bench.ok(&quarantined);
    write_batch(&bench.input(), "2026-01-03", &[action(0), action(7), action(8)], PLAIN);
    Scenario::new(bench, &quarantined)
}

pub fn new_partition() -> Scenario {
    Scenario::new(filled(3), PRODUCE)
}

pub fn replaced_partition() -> Scenario {
    let bench = filled(3);
    bench.ok(PRODUCE);
    shown(&bench, 4, 60);
    Scenario::new(bench, &format!("{PRODUCE} --part-rows 50 --row-group-rows 20"))
}

pub fn new_delta_partition() -> Scenario {
    Scenario::new(filled(3), &format!("{PRODUCE} --table delta"))
}

pub fn replaced_delta_partition() -> Scenario {
    let bench = filled(3);
    bench.ok(&format!("{PRODUCE} --table delta"));
    shown(&bench, 4, 60);
    Scenario::new(bench, &format!("{PRODUCE} --table delta --part-rows 50 --row-group-rows 20"))
}

/// The customer is gone from the store already, and has rows in the newest version and in the one before.
pub fn scrubbed_delta_partition() -> Scenario {
    let bench = filled(3);
    bench.ok(&format!("{PRODUCE} --table delta"));
    shown(&bench, 4, 60);
    bench.ok(&format!("{PRODUCE} --table delta"));
    bench.ok("forget --store store --customer 900000000000000");
    let scenario = Scenario::new(bench, "forget --store store --customer 900000000000000 --out out --scrub");
    let is_part = |path: &str| path.contains("/part-") && path.ends_with(".parquet");
    let removed = scenario.calls.iter().filter(|call| call.what == "unlink" && is_part(&call.path)).count();
    assert_eq!(removed, 2, "{:?}", scenario.calls);
    scenario
}

pub fn shuffled_partition() -> Scenario {
    Scenario::new(filled(3), &format!("{PRODUCE} --order shuffled --row-group-rows 20"))
}

/// A bench with a partition of 4 January in `out`, and with others of its rows in `bad`.
pub fn produced() -> Bench {
    let bench = filled(3);
    bench.ok(PRODUCE);
    bench.ok("produce --store store --input input --dt 2026-01-04 --out bad --row-group-rows 20 --compression lz4");
    bench
}

pub fn backfill() -> Scenario {
    let stepwise = bench();
    let mut between = Vec::new();
    for day in ["2026-01-02", "2026-01-03"] {
        stepwise.ingest(day);
        between.push(dump(&stepwise.store()));
    }
    let range = "--from 2026-01-02 --to 2026-01-04";
    let mut scenario = Scenario::new(bench(), &format!("backfill --store store --input input {range} --out out"));
    assert_eq!(scenario.new.partitions.len(), 2);
    scenario.between = between;
    scenario
}

pub fn forgotten_customer() -> Scenario {
    with_purge(Scenario::new(filled(3), "forget --store store --customer 900000000000000 --customer -900000000000000"))
}

/// The customer is gone from the store already, so that all calls are of the partition.
pub fn scrubbed_partition() -> Scenario {
    let bench = filled(3);
    bench.ok(PRODUCE);
    bench.ok("forget --store store --customer 900000000000000");
    Scenario::new(bench, "forget --store store --customer 900000000000000 --out out --scrub")
}

pub fn pruned_days() -> Scenario {
    with_purge(Scenario::new(filled(4), "prune --store store --keep-days 1 --allow-large-removal"))
}

pub fn removed_batch() -> Scenario {
    let mut scenario = Scenario::new(filled(4), "remove --store store --dt 2026-01-02");
    scenario.refused_when_done = Some("the store holds no batch of 2026-01-02");
    scenario
}

/// Between the removal and the end of the purge the store says that one is owed, and is otherwise as afterwards.
fn with_purge(mut scenario: Scenario) -> Scenario {
    let mut owing = scenario.new.store.clone().unwrap();
    owing.push((vec![0x18], vec![3]));
    scenario.between = vec![owing];
    scenario
}

/// The last steps: the rules of the zone beside the keys of version 4; those recorded, in a store of version 5; and the
/// same in a store of version 6, before newer rules are adopted.
fn to_version_6() -> [Entries; 3] {
    let bench = Bench::new();
    copy_of("format-4", &bench.store());
    let mut beside = dump(&bench.store());
    // An older edition is never adopted.
    TestRules::vancouver_before().write(&bench.path("zones"), "Europe/Berlin", "2000a");
    bench.ok("migrate --store store");
    let recorded = dump(&bench.store());
    beside.extend(recorded.iter().filter(|(key, _)| key[0] == 0x1a).cloned());
    assert!(beside.iter().any(|(key, _)| key[0] == 0x1a));
    let mut fifth = recorded.clone();
    assert_eq!((fifth[0].0.as_slice(), fifth[0].1[0]), ([0, 0].as_slice(), 6));
    fifth[0].1[0] = 5;
    [beside, fifth, recorded]
}

pub fn migration_from(version: u8) -> Scenario {
    let bench = Bench::new();
    copy_of(&format!("format-{version}"), &bench.store());
    let old = dump(&bench.store());
    let mut scenario = Scenario::new(bench, "migrate --store store");
    let frozen = |version: u8| {
        let bench = Bench::new();
        copy_of(&format!("format-{version}"), &bench.store());
        dump(&bench.store())
    };
    if version == 1 {
        // The keys of version 2 beside those of version 1, with the store record of version 1.
        let second = frozen(2);
        let beside = second.iter().filter(|(key, _)| key[0] != 0);
        let mut both: Entries = old.into_iter().chain(beside.cloned()).collect();
        both.sort();
        scenario.between.push(both);
    }
    scenario.between.extend((version + 1..5).map(frozen));
    scenario.between.extend(to_version_6());
    scenario
}

/// A store of Vancouver by the rules of tzdata 2025b, with batches of autumn 2026, which takes those of the program.
pub fn taken_zone_rules() -> Scenario {
    let bench = Bench::new();
    TestRules::vancouver_before().write(&bench.path("zones"), "America/Vancouver", "2025b");
    bench.ok("init --store store --max-history 20 --timezone America/Vancouver");
    let mut random = Random::new(5);
    for day in 1..=4 {
        let midnight = us(&format!("2026-11-0{day}T08:00:00Z"));
        let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
        let actions = (0..80).map(|_| RawAction {
            customer: (number(12) - 6).wrapping_mul(900_000_000_000_000),
            item: 1 + number(500),
            time_us: midnight + number(24) * 3_600_000_000,
            kind: 1,
        });
        write_batch(&bench.input(), &format!("2026-11-0{day}"), &actions.collect::<Vec<_>>(), PLAIN);
        bench.ingest(&format!("2026-11-0{day}"));
    }
    let before = dump(&bench.store());
    let scenario = Scenario::new(bench, "migrate --store store --take-zone-rules");
    assert!(scenario.new.store.as_ref().is_some_and(|store| *store != before));
    scenario
}
