//! `verify` and `repair` on stores without faults, and how they speak of those with some. What each fault looks like is
//! in `faults`.

use lookback::store::{Folder, Store};

use crate::fixture::copy_of;
use crate::support::input::{RawAction, Spread, write_batch};
use crate::support::output::{dump, tree};
use crate::support::program::{Bench, Ran};
use crate::support::random::{Random, seed};
use crate::support::store::{edit, filled};

/// Checks a store in each way and expects no fault, nothing to repair, and that nothing is changed by it.
pub fn assert_clean(bench: &Bench) {
    let before = tree(&bench.store());
    for options in ["", "--deep"] {
        let ran = bench.run(&format!("verify --store store {options}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(ran.said().starts_with("verified store: ") && ran.said().contains("no fault"), "{}", ran.stderr);
    }
    let repaired = bench.ok("repair --store store --dry-run");
    assert!(repaired.stderr.contains("nothing to repair"), "{}", repaired.stderr);
    assert!(tree(&bench.store()) == before, "verify has changed a file");
}

/// Exit code 1 and one sentence on stderr; gives the lines on stdout.
pub fn faults_of(ran: &Ran) -> Vec<&str> {
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.said().starts_with("error: the store at store has "), "{}", ran.stderr);
    ran.stdout.lines().collect()
}

#[test]
fn a_store_is_clean_whatever_it_has_been_through() {
    let seed = seed(5);
    for (max_history, zone) in [(1, "UTC"), (6, "Europe/Berlin"), (50, "America/New_York")] {
        let mut random = Random::new(seed);
        let bench = Bench::new();
        bench.ok(&format!("init --store store --max-history {max_history} --timezone {zone}"));
        assert_clean(&bench);
        // Days of a spring in which clocks change, in any order, some of them more than once and with other actions.
        for step in 0..14 {
            let batch = 20_535 + i64::try_from(random.below(9)).unwrap();
            let date = chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(batch).unwrap());
            let count = if step % 7 == 6 { 0 } else { random.below(200) };
            let actions: Vec<RawAction> = (0..count)
                .map(|_| RawAction {
                    customer: i64::try_from(random.below(25).min(random.below(25))).unwrap() - 5,
                    item: 1 + i64::try_from(random.below(90)).unwrap(),
                    time_us: (batch * 24 - 60 + i64::try_from(random.below(100)).unwrap()) * 3_600_000_000,
                    kind: 1 + u8::try_from(random.below(3)).unwrap(),
                })
                .collect();
            write_batch(&bench.input(), &date.to_string(), &actions, Spread { files: 2, seed: step });
            bench.ok(&format!("ingest --store store --input input --dt {date} --allow-empty"));
            let ran = bench.run("verify --store store --deep");
            assert_eq!(
                (ran.code, ran.stdout.as_str()),
                (0, ""),
                "seed {seed}, histories of {max_history}, step {step}"
            );
        }
        assert_clean(&bench);
    }
}

#[test]
fn frozen_and_migrated_stores_are_clean() {
    for version in ["format-6", "format-6-ids"] {
        let bench = Bench::new();
        copy_of(version, &bench.store());
        assert_clean(&bench);
    }
    for version in ["format-1", "format-2", "format-3", "format-3-removed", "format-4", "format-4-types", "format-5"] {
        let bench = Bench::new();
        copy_of(version, &bench.store());
        let words = format!("format version {}", &version[7..8]);
        bench.refused("verify --store store", &[&words, "lookback migrate"]);
        bench.refused("repair --store store", &[&words, "lookback migrate"]);
        bench.ok("migrate --store store");
        assert_clean(&bench);
    }
}

#[test]
fn what_was_checked_is_counted() {
    let bench = filled();
    let summary = bench.json("verify --store store");
    let entries = dump(&bench.store());
    let of = |keyspace: u8| entries.iter().filter(move |(key, _)| key[0] == keyspace);
    let keyframes = of(0x11).filter(|(key, _)| key.len() == 14).count();
    let customers = of(0x11).map(|(key, _)| &key[..9]).collect::<std::collections::BTreeSet<_>>().len();
    let status = bench.json("status --store store");
    let expected = [
        ("keys", entries.len()),
        ("bytes", entries.iter().map(|(key, value)| key.len() + value.len()).sum()),
        ("portions", of(0x11).count() - keyframes),
        ("keyframes", keyframes),
        ("customers", customers),
        ("index_leaves", of(0x12).count()),
        ("roster_leaves", of(0x13).count()),
        ("batches", 12),
        ("faults", 0),
        ("not_listed", 0),
    ];
    for (field, value) in expected {
        assert_eq!(summary[field], value, "{field}");
    }
    assert!(keyframes > 20 && summary["roster_leaves"].as_u64() > Some(3), "there is something of everything");
    assert!(summary["actions"].as_u64() <= status["actions"].as_u64());
    assert_eq!((&summary["listed"], &summary["deep"]), (&serde_json::json!([]), &false.into()));
}

#[test]
fn verifying_goes_on_beside_a_writer_and_repairing_does_not() {
    let bench = filled();
    let writer = Store::open_writer(&Folder::new(&bench.store())).unwrap();
    bench.ok("verify --store store");
    bench.refused("repair --store store", &["another process is writing", "wait"]);
    drop(writer);
    bench.ok("repair --store store");
}

#[test]
fn faults_are_listed_in_json_up_to_a_limit_and_counted_beyond() {
    let bench = filled();
    let unknown = |number: u16| ([&[0x77][..], &number.to_be_bytes()].concat(), Some(vec![1]));
    edit(&bench.store(), &(0..1_005).map(unknown).collect::<Vec<_>>());
    let ran = bench.run("verify --store store --json");
    assert_eq!(ran.code, 1);
    assert!(ran.said().starts_with("error: "), "{}", ran.stderr);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&summary["faults"], &summary["repairable"], &summary["not_listed"]),
        (&1_005.into(), &0.into(), &5.into())
    );
    let listed = summary["listed"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[999]["key"]), (1_000, &"7703e7".into()));
    for field in ["place", "what", "remedy"] {
        assert!(!listed[0][field].as_str().unwrap().is_empty());
    }
    assert_eq!(faults_of(&bench.run("verify --store store")).len(), 1_005, "as lines, all of them");
}

/// A block of a table file whose checksum is wrong: what it may have held is named, the walk goes on behind it, and
/// nothing that rests on it is judged.
#[test]
fn a_block_that_cannot_be_read_is_named_and_the_walk_goes_on() {
    let seed = seed(9);
    let mut random = Random::new(seed);
    let bench = filled();
    // Behind everything, so that it is seen that the walk has come so far.
    edit(&bench.store(), &[(vec![0x77], Some(vec![1]))]);
    let tables = tree(&bench.store()).into_iter().filter(|(name, _)| name.ends_with(".sst"));
    let (name, good) = tables.max_by_key(|(_, bytes)| bytes.len()).unwrap();
    assert!(good.len() > 60_000, "a table of several blocks");
    let path = bench.store().join(name);
    let mut damage = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << random.below(8);
        std::fs::write(&path, bytes).unwrap();
        random.next()
    };
    // The first block has the store record, without which nothing can be judged.
    let mut chance = damage(100);
    bench.refused("verify --store store", &["checksum", ".sst", "restore it"]);
    // The others, up to nine tenths of the file, have other keys and values; each of them is met.
    for stretch in (10_000..good.len() * 9 / 10).step_by(4_096) {
        let place = stretch + usize::try_from(chance % 4_096).unwrap();
        chance = damage(place);
        let ran = bench.run("verify --store store --deep");
        let lines = faults_of(&ran);
        assert_eq!(lines.len(), 2, "seed {seed}, byte {place}: {}", ran.stdout);
        assert!(lines[0].contains("): nothing between it and ") && lines[0].contains("checksum"), "{}", lines[0]);
        assert!(lines[0].ends_with("; restore the store from a backup, or rebuild it with `lookback backfill`"));
        assert!(lines[1].starts_with("key of unknown form (key 77): "), "{}", lines[1]);
        bench.refused("repair --store store --dry-run", &["nothing between it and ", "restore"]);
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(faults_of(&bench.run("verify --store store")).len(), 1);
}
