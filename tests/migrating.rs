//! The way from one format version to the next, with a step that this test defines.

use std::fs;

use lookback::error::{Error, Result};
use lookback::migrations::{Migration, Registry};
use lookback::progress::{Progress, Silent};
use lookback::store::{Folder, RawStore};

use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::output::{dump, tree};
use crate::support::program::Bench;

const STORE_RECORD: [u8; 2] = [0, 0];

fn store_of_one_batch() -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 1, item: 2, time_us: us("2026-01-01T10:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    bench.ingest("2026-01-01");
    bench
}

/// Gives every value the version byte 2; the store record last. Can be told to stop before that, as if killed.
struct ToTwo {
    stop_early: bool,
}

impl Migration for ToTwo {
    fn from(&self) -> u8 {
        1
    }

    fn name(&self) -> &'static str {
        "a step of the tests"
    }

    fn apply(&self, store: &RawStore, _progress: &dyn Progress) -> Result<()> {
        let mut changes = Vec::new();
        let mut record = Vec::new();
        store.visit(&[], |key, value| {
            let changed = [&[2], &value[1..]].concat();
            if key == STORE_RECORD {
                record.push((key.to_vec(), Some(changed)));
            } else {
                changes.push((key.to_vec(), Some(changed)));
            }
            Ok(())
        })?;
        store.write(&changes)?;
        if self.stop_early {
            return Err(Error::refused("stopped by the test", "run again"));
        }
        store.write(&record)
    }

    fn validate(&self, store: &RawStore) -> Result<()> {
        store.visit(&[], |_, value| if value[0] == 2 { Ok(()) } else { Err(Error::corrupt("a value was left behind")) })
    }
}

fn registry(stop_early: bool) -> Registry {
    Registry::with(vec![Box::new(ToTwo { stop_early })], 2)
}

#[test]
fn a_step_is_taken_once_and_can_be_stopped() {
    let bench = store_of_one_batch();
    let folder = Folder::new(&bench.store());
    let old = dump(&bench.store());

    let planned = registry(false).migrate(&folder, true, &Silent).unwrap();
    assert_eq!(planned.steps, ["1 to 2: a step of the tests"]);
    assert_eq!(dump(&bench.store()), old, "a dry run changes nothing");

    assert!(registry(true).migrate(&folder, false, &Silent).is_err());
    assert_eq!(
        RawStore::open_reader(&folder).unwrap().format_version().unwrap(),
        1,
        "of the old version until the last write"
    );

    let done = registry(false).migrate(&folder, false, &Silent).unwrap();
    assert_eq!((done.from, done.to, done.steps.len()), (1, 2, 1));
    let expected: Vec<_> = old.into_iter().map(|(key, value)| (key, [&[2], &value[1..]].concat())).collect();
    assert_eq!(dump(&bench.store()), expected);

    let again = registry(false).migrate(&folder, false, &Silent).unwrap();
    assert_eq!((again.from, again.to, again.steps.len()), (2, 2, 0));
}

#[test]
fn a_newer_store_is_refused_by_every_command_with_both_versions() {
    let bench = store_of_one_batch();
    registry(false).migrate(&Folder::new(&bench.store()), false, &Silent).unwrap();
    let before = dump(&bench.store());
    let commands = [
        "ingest --store store --input input --dt 2026-01-01",
        "produce --store store --input input --dt 2026-01-02 --out out",
        "backfill --store store --input input --from 2026-01-01 --to 2026-01-01",
        "show --store store --customer 1",
        "status --store store",
        "migrate --store store",
    ];
    for command in commands {
        bench.refused(command, &["format version 2", "1", "use a newer lookback"]);
    }
    assert_eq!(dump(&bench.store()), before);
}

#[test]
fn an_older_store_is_told_how_to_migrate_and_opening_never_does() {
    let bench = store_of_one_batch();
    let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    let record = raw.get(&STORE_RECORD).unwrap().unwrap();
    raw.write(&[(STORE_RECORD.to_vec(), Some([&[0], &record[1..]].concat()))]).unwrap();
    drop(raw);
    let before = dump(&bench.store());
    bench.refused("status --store store", &["format version 0", "format version 1", "lookback migrate --store store"]);
    bench.refused("ingest --store store --input input --dt 2026-01-01", &["format version 0"]);
    // This program has no such step, and says so before it changes anything.
    bench.refused("migrate --store store", &["no step from format version 0"]);
    assert_eq!(dump(&bench.store()), before);
}

#[test]
fn a_store_of_this_version_has_nothing_to_migrate() {
    let bench = store_of_one_batch();
    let before = tree(&bench.store().join("db"));
    let summary = bench.json("migrate --store store --dry-run");
    assert_eq!((&summary["from"], &summary["to"], &summary["steps"]), (&1.into(), &1.into(), &serde_json::json!([])));
    assert_eq!(tree(&bench.store().join("db")), before);
    bench.ok("migrate --store store");
    fs::remove_dir_all(bench.store()).unwrap();
}
