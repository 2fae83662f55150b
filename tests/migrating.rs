//! The way from one format version to the next.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lookback::error::{Error, Result};
use lookback::internals::format::FORMAT_VERSION;
use lookback::internals::migrations::{Migration, Switch};
use lookback::internals::store::{BulkLoad, RawStore};
use lookback::migrations::Registry;
use lookback::progress::{Progress, Silent};
use lookback::store::Folder;

use crate::fixture::copy_of;
use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::output::{dump, tree};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};
use crate::support::version_1;

const STORE_RECORD: [u8; 2] = [0, 0];

/// A version that no program knows yet.
const NEXT: u8 = FORMAT_VERSION + 1;

fn store_of_one_batch() -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    bench.ingest("2026-01-01");
    bench
}

/// Where a step stops as if killed.
#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Never,
    WhileRewriting,
    BeforeSwitching,
}

/// Copies every key to the range from 80 on, with the next version.
struct ToNext(Stop);

impl ToNext {
    fn stopped(&self, at: Stop) -> Result<()> {
        if self.0 == at { Err(Error::refused("stopped by the test", "run again")) } else { Ok(()) }
    }
}

impl Migration for ToNext {
    fn from(&self) -> u8 {
        FORMAT_VERSION
    }

    fn name(&self) -> &'static str {
        "a step of the tests"
    }

    fn writes(&self) -> (Vec<u8>, Vec<u8>) {
        (vec![0x80], vec![0xff])
    }

    fn rewrite(&self, store: &RawStore, new: &mut BulkLoad<'_>, _: &dyn Progress) -> Result<()> {
        let old = store.entries(&[0x10]).map(|entry| entry.unwrap()).take_while(|(key, _)| key[0] < 0x80);
        for (key, value) in old {
            let moved = [&[key[0] + 0x70], &key[1..]].concat();
            new.set_raw(&moved, Some(&[&[NEXT], &value[1..]].concat()))?;
            self.stopped(Stop::WhileRewriting)?;
        }
        // Something that a stopped run would leave, were it not removed before the next.
        if self.0 == Stop::BeforeSwitching { new.set_raw(&[0xf0], Some(&[NEXT])) } else { Ok(()) }
    }

    fn validate(&self, store: &RawStore, _: &dyn Progress) -> Result<()> {
        self.stopped(Stop::BeforeSwitching)?;
        let behind = store.entries(&[0xf0]).next();
        if behind.is_none() { Ok(()) } else { Err(Error::corrupt("what a stopped run left is still there")) }
    }

    fn switch(&self, store: &RawStore) -> Result<Switch> {
        let record = store.get(&STORE_RECORD)?.unwrap();
        let record = (STORE_RECORD.to_vec(), [&[NEXT], &record[1..]].concat());
        Ok(Switch { set: vec![record], removed: vec![(vec![0x10], vec![0x20])] })
    }
}

fn registry(stop: Stop) -> Registry {
    Registry::with(vec![Box::new(ToNext(stop))], NEXT)
}

#[test]
fn a_step_is_taken_once_and_can_be_stopped() {
    let bench = store_of_one_batch();
    let folder = Folder::new(&bench.store());
    let old = dump(&bench.store());

    let planned = registry(Stop::Never).migrate(&folder, true, &Silent).unwrap();
    assert_eq!(planned.steps, [format!("{FORMAT_VERSION} to {NEXT}: a step of the tests")]);
    assert_eq!(dump(&bench.store()), old, "a dry run changes nothing");

    for stop in [Stop::WhileRewriting, Stop::BeforeSwitching] {
        assert!(registry(stop).migrate(&folder, false, &Silent).is_err());
        let version = RawStore::open_reader(&folder).unwrap().format_version().unwrap();
        assert_eq!(version, FORMAT_VERSION, "of the old version until the last write");
        assert!(old.iter().all(|entry| dump(&bench.store()).contains(entry)));
        assert_eq!(bench.json("status --store store")["actions"], 1, "and can be used as before");
    }

    let done = registry(Stop::Never).migrate(&folder, false, &Silent).unwrap();
    assert_eq!((done.from, done.to, done.steps.len()), (FORMAT_VERSION, NEXT, 1));
    let moved = |key: Vec<u8>| if key[0] == 0 { key } else { [&[key[0] + 0x70], &key[1..]].concat() };
    let expected: Vec<_> = old.into_iter().map(|(key, value)| (moved(key), [&[NEXT], &value[1..]].concat())).collect();
    assert_eq!(dump(&bench.store()), expected);

    let again = registry(Stop::Never).migrate(&folder, false, &Silent).unwrap();
    assert_eq!((again.from, again.to, again.steps.len()), (NEXT, NEXT, 0));
}

#[test]
fn a_newer_store_is_refused_by_every_command_with_both_versions() {
    let bench = store_of_one_batch();
    registry(Stop::Never).migrate(&Folder::new(&bench.store()), false, &Silent).unwrap();
    let before = dump(&bench.store());
    let commands = [
        "ingest --store store --input input --dt 2026-01-01",
        "produce --store store --input input --dt 2026-01-02 --out out",
        "backfill --store store --input input --from 2026-01-01 --to 2026-01-01",
        "show --store store --customer 1",
        "status --store store",
        "forget --store store --customer 1",
        "prune --store store --keep-days 1",
        "migrate --store store",
    ];
    for command in commands {
        bench.refused(
            command,
            &[&format!("format version {NEXT}"), &FORMAT_VERSION.to_string(), "use a newer lookback"],
        );
    }
    assert_eq!(dump(&bench.store()), before);
}

#[test]
fn an_older_store_is_told_how_to_migrate_and_opening_never_does() {
    let bench = Bench::new();
    copy_of("format-1", &bench.store());
    let before = dump(&bench.store());
    for command in [
        "ingest --store store --input input --dt 2026-03-28 --allow-empty",
        "produce --store store --input input --dt 2026-03-29 --out out",
        "backfill --store store --input input --from 2026-03-28 --to 2026-03-28",
        "show --store store --customer 5",
        "status --store store",
    ] {
        fs::create_dir_all(bench.input()).unwrap();
        let words = ["format version 1", "format version 6", "lookback migrate --store store"];
        bench.refused(command, &words);
    }
    assert_eq!(dump(&bench.store()), before);
}

/// A key where the step to version 4 has room for a new one is none of version 3: the store is damaged, or something
/// else wrote it.
#[test]
fn a_store_of_version_3_with_keys_behind_its_own_is_not_migrated() {
    let bench = Bench::new();
    copy_of("format-3", &bench.store());
    let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    raw.write(&[(vec![0x20], vec![3])], &[]).unwrap();
    drop(raw);
    let before = dump(&bench.store());
    bench.refused("migrate --store store", &["format version 3", "has keys of another version"]);
    assert_eq!(dump(&bench.store()), before);
}

#[test]
fn a_version_without_a_step_is_refused_before_anything_is_changed() {
    let bench = store_of_one_batch();
    let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    let record = raw.get(&STORE_RECORD).unwrap().unwrap();
    raw.write(&[(STORE_RECORD.to_vec(), [&[0], &record[1..]].concat())], &[]).unwrap();
    drop(raw);
    let before = dump(&bench.store());
    bench.refused("migrate --store store", &["no step from format version 0"]);
    assert_eq!(dump(&bench.store()), before);
}

#[test]
fn a_store_of_this_version_has_nothing_to_migrate() {
    let bench = store_of_one_batch();
    let before = tree(&bench.store().join("db"));
    let summary = bench.json("migrate --store store --dry-run");
    assert_eq!(
        (&summary["from"], &summary["to"], &summary["steps"]),
        (&FORMAT_VERSION.into(), &FORMAT_VERSION.into(), &serde_json::json!([]))
    );
    assert_eq!(tree(&bench.store().join("db")), before);
    bench.ok("migrate --store store");
    fs::remove_dir_all(bench.store()).unwrap();
}

/// How many table files of a store note that a range of keys was removed: RocksDB has a block of this name for it.
fn with_removed_ranges(store: &Path) -> usize {
    let notes = |bytes: &[u8]| bytes.windows(17).any(|name| name == b"rocksdb.range_del");
    let tables: Vec<_> = tree(store).into_iter().filter(|(name, _)| name.ends_with(".sst")).collect();
    assert!(!tables.is_empty());
    tables.iter().filter(|(_, bytes)| notes(bytes)).count()
}

/// A table file that notes a removed range is read through RocksDB until it is compacted, which takes half as long
/// again: see `src/store/sst`.
#[test]
fn a_step_removes_no_range_where_nothing_is_left_of_an_interrupted_one() {
    let bench = Bench::new();
    let settle = || drop(RawStore::open_writer(&Folder::new(&bench.store())).unwrap());
    copy_of("format-4", &bench.store());
    bench.ok("migrate --store store");
    settle();
    assert_eq!(with_removed_ranges(&bench.store()), 0);
    // Were there one, it would be seen.
    let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    raw.write(&[], &[(vec![0xf0], vec![0xff])]).unwrap();
    drop(raw);
    settle();
    assert!(with_removed_ranges(&bench.store()) > 0);
}

/// 2026-01-01 as days since 1970-01-01.
const FIRST_DAY: i64 = 20_454;

/// Batches of twenty days: customers with few and with many actions, so that some have keyframes; late, early and tied
/// ones, some over the cap.
fn random_batches(random: &mut Random) -> BTreeMap<i64, Vec<RawAction>> {
    let mut batches = BTreeMap::new();
    for batch in FIRST_DAY..FIRST_DAY + 20 {
        let mut actions = Vec::new();
        for _ in 0..120 {
            // Customers far apart, so that lists have several leaves.
            let customer = i64::try_from(random.below(40).min(random.below(40))).unwrap();
            let shift = [0, 0, 0, 0, -1, -3, 1][usize::try_from(random.below(7)).unwrap()];
            let second = i64::try_from(random.below(86_400)).unwrap() / 600 * 600;
            actions.push(RawAction {
                customer: (customer - 20).wrapping_mul(900_000_000_000_000),
                item: 1 + i64::try_from(random.below(500)).unwrap(),
                time_us: ((batch + shift) * 86_400 + second) * 1_000_000,
                kind: 1 + u8::try_from(random.below(3)).unwrap(),
            });
        }
        batches.insert(batch, actions);
    }
    batches
}

#[test]
fn a_migrated_store_equals_one_written_fresh_key_by_key() {
    let seed = seed(41);
    for max_history in [1_usize, 7, 60] {
        let mut random = Random::new(seed);
        let batches = random_batches(&mut random);
        let bench = Bench::new();
        bench.ok(&format!("init --store fresh --max-history {max_history}"));
        for (batch, actions) in &batches {
            let date = chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(*batch).unwrap());
            write_batch(&bench.input(), &date.to_string(), actions, PLAIN);
            bench.ok(&format!("ingest --create --store fresh --input input --dt {date}"));
        }
        let fresh = dump(&bench.path("fresh"));
        let is_keyframe = |key: &[u8]| key[0] == 0x11 && key.len() == 14;
        assert!(fresh.iter().filter(|(key, _)| is_keyframe(key)).count() > 10, "there are keyframes to compare");
        let records = fresh.iter().filter(|(key, _)| key[0] == 0x14);
        let records = records.map(|(key, value)| {
            let day = i32::from_be_bytes(key[1..].try_into().unwrap()) ^ i32::MIN;
            (i64::from(day), value.clone())
        });
        copy_of("format-1", &bench.store());
        let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
        let old = version_1::entries(&batches, &records.collect(), max_history);
        raw.write(&old, &[(vec![0], vec![0xff])]).unwrap();
        drop(raw);
        bench.ok("migrate --store store");
        assert!(dump(&bench.store()) == fresh, "seed {seed}, histories of {max_history}");
    }
}

#[test]
fn a_store_of_version_1_that_is_damaged_is_not_migrated() {
    let bench = Bench::new();
    copy_of("format-1", &bench.store());
    let mut entries = dump(&bench.store());
    let cut = entries.iter().position(|(key, _)| key[0] == 3).unwrap();
    let half = entries[cut].1.len() / 2;
    entries[cut].1.truncate(half);
    let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    raw.write(&entries, &[(vec![0], vec![0xff])]).unwrap();
    drop(raw);
    let before = dump(&bench.store());
    bench.refused("migrate --store store", &["format version 1", "has bytes that lookback does not write"]);
    assert_eq!(dump(&bench.store()), before);
}
