//! Shards of an older format version: each command says so, and `shards migrate` makes a version in the newest.

use std::path::Path;

use lookback::internals::format::FORMAT_VERSION;
use lookback::internals::store::RawStore;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::{Change, Pinned, ShardedStore};

use super::{DAYS, deliver, dumps, json, run, show};
use crate::fixture::copy_of;
use crate::support::output::dump;
use crate::support::program::{Bench, assert_one_sentence};
use crate::support::random::Random;

const STORE_RECORD: [u8; 2] = [0, 0];

/// Makes the next version of shards with which `change` has done something, given the folder of each.
fn next(place: &Path, change: impl Fn(&lookback::store::Folder)) -> Pinned {
    let store = ShardedStore::connect(place, None, &Resources::default()).unwrap();
    let head = store.pin(None).unwrap();
    let answer = |number| {
        let open = store.open(&head, number, &Silent).unwrap();
        change(open.folder());
        store.put(&head, open, &Silent).unwrap()
    };
    let answers = (0..head.shards().number()).map(answer).collect();
    store.commit(&head, answers, Change::Split(head.shards())).unwrap().unwrap()
}

/// Makes each shard of the newest version one of this format version: since 5 only a byte and new keys have come, which
/// these stores do not have.
fn as_of_format(place: &Path, version: u8) {
    let made = next(place, |folder| {
        let store = RawStore::open_writer(folder).unwrap();
        let record = store.get(&STORE_RECORD).unwrap().unwrap();
        store.write(&[(STORE_RECORD.to_vec(), [&[version], &record[1..]].concat())], &[]).unwrap();
        store.compact().unwrap();
    });
    assert_eq!(made.format_version(), version);
}

#[test]
fn shards_of_an_older_format_are_told_and_migrated() {
    let (bench, mut random) = (Bench::new(), Random::new(91));
    json(&bench, None, "shards init --store place --shards 2 --max-history 12");
    for day in &DAYS[..3] {
        deliver(&bench, day, &mut random);
        json(&bench, None, &format!("shards ingest --store place --input input --dt {day}"));
    }
    show(&bench, DAYS[3], &mut random);
    let rows = "--input input --dt 2026-01-04";
    json(&bench, None, &format!("shards produce --store place {rows} --out before"));
    let held = dumps(&bench, None, "place", 4);
    as_of_format(&bench.path("place"), FORMAT_VERSION - 1);
    let old = format!("format version {}", FORMAT_VERSION - 1);
    let status = json(&bench, None, "shards status --store place");
    assert_eq!((&status["version"], &status["format_version"]), (&5.into(), &(FORMAT_VERSION - 1).into()));
    let is_told = |arguments: &str| {
        let ran = run(&bench, None, &format!("shards {arguments}"));
        assert_eq!(ran.code, 1, "{arguments}: {}", ran.stderr);
        let words = ["the shards of version 5 at place have", &old, "lookback shards migrate --store place"];
        assert_one_sentence(&ran, &words);
    };
    for arguments in [
        "ingest --store place --input input --dt 2026-01-01",
        "backfill --store place --input input --from 2026-01-01 --to 2026-01-01",
        "produce --store place --input input --dt 2026-01-04 --out out",
        "remove --store place --dt 2026-01-01",
        "forget --store place --customer 1",
        "audit --store place --input input --dt 2026-01-04 --out before",
        "stale --store place --out before",
        "verify --store place",
        "checkout --store place --shard 1 --to second",
        "split --store place",
        "export --store place --to whole",
    ] {
        is_told(arguments);
    }
    assert_eq!(json(&bench, None, "shards status --store place")["version"], 5, "nothing has changed");
    let made = json(&bench, None, "shards migrate --store place");
    assert_eq!((&made["version"], &made["shards"]), (&6.into(), &2.into()));
    assert_eq!((&made["from"], &made["to"]), (&(FORMAT_VERSION - 1).into(), &FORMAT_VERSION.into()));
    assert_eq!(made["steps"], serde_json::json!(["5 to 6: ids that are text"]));
    let status = json(&bench, None, "shards status --store place");
    assert_eq!(
        (&status["change"], &status["format_version"]),
        (&"migrate from format version 5 to 6".into(), &6.into())
    );
    assert_eq!(status["batches"].as_array().unwrap().len(), 3);
    assert_eq!(dumps(&bench, None, "place", 6), held, "key by key");
    assert_eq!(json(&bench, None, "shards verify --store place --deep")["faults"], 0);
    json(&bench, None, &format!("shards produce --store place {rows} --out after"));
    assert_eq!(bench.run("diff before after --dt 2026-01-04").code, 0);
    json(&bench, None, &format!("shards audit --store place {rows} --out after"));
    // The version before stays what it was, and is refused clearly; the ones before it are read.
    is_told("verify --store place --number 5");
    json(&bench, None, "shards verify --store place --number 4");
    let again = json(&bench, None, "shards migrate --store place");
    assert_eq!(
        (&again["version"], &again["steps"], &again["uploaded_files"]),
        (&6.into(), &serde_json::json!([]), &0.into())
    );
    deliver(&bench, DAYS[3], &mut random);
    assert_eq!(json(&bench, None, "shards ingest --store place --input input --dt 2026-01-04")["version"], 7);
}

/// The frozen stores of older programs, each as the one shard of a sharded store.
#[test]
fn shards_that_older_programs_wrote_become_what_their_stores_become() {
    for version in 1..FORMAT_VERSION {
        let (bench, name) = (Bench::new(), format!("format-{version}"));
        json(&bench, None, "shards init --store place --shards 1 --max-history 3 --timezone Europe/Berlin");
        let made = next(&bench.path("place"), |folder| {
            std::fs::remove_dir_all(folder.path()).unwrap();
            copy_of(&name, folder.path());
        });
        assert_eq!(made.format_version(), version);
        let ran = run(&bench, None, "shards verify --store place");
        assert_one_sentence(&ran, &[&format!("format version {version}"), "lookback shards migrate --store place"]);
        let migrated = json(&bench, None, "shards migrate --store place");
        assert_eq!(migrated["steps"].as_array().unwrap().len(), usize::from(FORMAT_VERSION - version));
        json(&bench, None, "shards verify --store place --deep");
        json(&bench, None, "shards checkout --store place --shard 0 --to first");
        copy_of(&name, &bench.store());
        bench.ok("migrate --store store");
        let without_rules = |store: &str| {
            let mut entries = dump(&bench.path(store));
            // The machine's newer rules, which an ordinary migration adopts.
            entries.retain(|(key, _)| key[0] != 0x1a);
            entries
        };
        assert_eq!(without_rules("first"), without_rules("store"), "of format version {version}");
    }
}

#[test]
fn shards_of_a_newer_format_ask_for_a_newer_program() {
    let bench = Bench::new();
    json(&bench, None, "shards init --store place --shards 2");
    as_of_format(&bench.path("place"), FORMAT_VERSION + 1);
    for command in ["verify", "migrate"] {
        let ran = run(&bench, None, &format!("shards {command} --store place"));
        assert_eq!(ran.code, 1, "{command}");
        assert_one_sentence(&ran, &[&format!("format version {}", FORMAT_VERSION + 1), "use a newer lookback"]);
    }
    assert_eq!(json(&bench, None, "shards status --store place")["version"], 2);
}
