//! Backups: whole, incremental, beside a writer, and what is damaged is told.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fixture::copy_of;
use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::output::{dump, tree};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

fn batch(bench: &Bench, day: &str, item: i64) {
    let click = |customer| RawAction { customer, item, time_us: us(&format!("{day}T10:00:00Z")), kind: 1 };
    write_batch(&bench.input(), day, &(0..300).map(click).collect::<Vec<_>>(), PLAIN);
    bench.ingest(day);
}

fn names(folder: &std::path::Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

fn tables(bench: &Bench) -> BTreeMap<String, Vec<u8>> {
    tree(&bench.path("backups")).into_iter().filter(|(name, _)| name.ends_with(".sst")).collect()
}

/// A backup made before an upgrade can be restored behind it.
#[test]
fn a_backup_of_an_older_format_is_restored_to_be_migrated() {
    let bench = Bench::new();
    copy_of("format-2", &bench.store());
    bench.ok("backup --store store --to backups");
    let restored = bench.ok("restore --from backups --store restored").stderr;
    assert!(restored.contains("a store of format version 2") && restored.contains("lookback migrate"), "{restored}");
    let restored = bench.json("restore --from backups --store again");
    assert_eq!((&restored["format_version"], restored.get("batches")), (&2.into(), None));
    for store in ["store", "restored"] {
        bench.ok(&format!("migrate --store {store}"));
    }
    assert_eq!(dump(&bench.path("restored")), dump(&bench.store()));
}

#[test]
fn each_backup_is_the_store_of_its_time_and_copies_only_what_is_new() {
    let bench = Bench::new();
    let mut stores = Vec::new();
    for (number, day) in (1..).zip(["2026-01-01", "2026-01-02", "2026-01-03"]) {
        batch(&bench, day, 7);
        stores.push(dump(&bench.store()));
        let before = tables(&bench);
        let made = bench.json("backup --store store --to backups");
        assert_eq!((&made["number"], &made["backups"]), (&number.into(), &number.into()));
        let after = tables(&bench);
        assert_eq!(after.len(), before.len() + if before.is_empty() { 2 } else { 1 }, "the new batch's file alone");
        assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    }
    let mode = fs::metadata(bench.path("backups")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "as private as the store");
    assert_eq!(names(&bench.store()), ["db", "mark"], "nothing is left");

    for (number, expected) in (1..).zip(&stores) {
        let store = format!("restored-{number}");
        let restored = bench.json(&format!("restore --from backups --number {number} --store {store}"));
        assert_eq!(restored["batches"], number);
        assert_eq!(&dump(&bench.path(&store)), expected);
        let entries: Vec<_> =
            fs::read_dir(bench.path(&store)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(entries, ["db"]);
    }
    // A restored store goes on like the one that it was made from, and can be backed up beside its past.
    bench.ok("ingest --store restored-2 --input input --dt 2026-01-03");
    assert_eq!(dump(&bench.path("restored-2")), stores[2]);
    let kept = bench.json("backup --store restored-2 --to backups --keep 2");
    assert_eq!((&kept["number"], &kept["backups"]), (&4.into(), &2.into()));
    bench.refused("restore --from backups --number 1 --store again", &["no backup 1", "3, 4"]);
    bench.ok("restore --from backups --store again");
    assert_eq!(dump(&bench.path("again")), stores[2]);

    bench.refused("restore --from backups --store again", &["a store at again already"]);
    bench.refused("restore --from input --store elsewhere", &["no backup at input"]);
    bench.refused("backup --store nowhere --to backups", &["no store"]);
}

/// A killed backup leaves second names of table files; they must not keep what is forgotten afterwards.
#[test]
fn what_a_killed_backup_leaves_is_removed_by_the_next_writer() {
    let bench = Bench::new();
    batch(&bench, "2026-01-01", 7);
    let left = bench.store().join("checkpoint-1/db");
    fs::create_dir_all(&left).unwrap();
    for (name, _) in tree(&bench.store()).into_iter().filter(|(name, _)| name.ends_with(".sst")) {
        let path = bench.store().join(name);
        fs::hard_link(&path, left.join(path.file_name().unwrap())).unwrap();
    }
    assert!(fs::read_dir(&left).unwrap().next().is_some());
    bench.ok("forget --store store --customer 5");
    assert_eq!(names(&bench.store()), ["db", "mark"]);
}

/// Three backups that share files, and in the middle of them a byte of a shared one changes.
#[test]
fn a_damaged_shared_file_is_named_before_anything_is_restored_or_deleted() {
    let bench = Bench::new();
    let backup = "backup --store store --to backups";
    for day in ["2026-01-01", "2026-01-02"] {
        batch(&bench, day, 7);
        bench.ok(backup);
    }
    let verified = bench.json("verify --backup backups");
    let files = tree(&bench.path("backups"));
    let counted = files.keys().filter(|name| name.starts_with("shared_checksum") || name.starts_with("private"));
    assert_eq!(verified["files"], counted.count());
    assert_eq!((&verified["backup"], &verified["backups"]), (&"backups".into(), &2.into()));
    let bytes = files.iter().filter(|(name, _)| !name.starts_with("meta")).map(|(_, bytes)| bytes.len()).sum::<usize>();
    assert_eq!(verified["bytes"], bytes);
    bench.refused("verify --backup backups --number 3", &["no backup 3 at backups", "backups there: 1, 2"]);
    bench.refused("verify --backup input", &["no backup at input"]);

    let shared = |name: &&String| name.ends_with(".sst");
    let (name, newest) = (files.keys().find(shared).unwrap(), files.keys().rfind(shared).unwrap());
    assert_ne!(name, newest);
    let damage = |name: &str| {
        let mut bytes = files[name].clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(bench.path("backups").join(name), bytes).unwrap();
    };
    damage(name);
    let sentence = format!("backup 1 at backups is damaged ({name} does not match its checksum)");
    bench.refused("verify --backup backups", &[&sentence, "move the named file away"]);
    batch(&bench, "2026-01-03", 7);
    // As before, nobody looks.
    bench.ok(backup);
    let sentence = format!("backup 4 at backups is damaged ({name} does not match its checksum)");
    bench.refused(&format!("{backup} --check --keep 1"), &[&sentence]);
    assert_eq!(names(&bench.path("backups/meta")), ["1", "2", "3", "4"], "no older one is deleted");
    // What is moved away is copied anew, and the older ones are whole again.
    fs::remove_file(bench.path("backups").join(name)).unwrap();
    assert_eq!(bench.json(&format!("{backup} --check"))["checked"], true);
    assert_eq!(bench.json("verify --backup backups")["backups"], 5);
    bench.ok("restore --from backups --number 1 --store restored");

    // Of one backup only its own files are read.
    damage(newest);
    bench.ok("verify --backup backups --number 1");
    bench.refused("verify --backup backups --number 2", &["backup 2 at backups is damaged", newest.as_str()]);
    fs::write(bench.path("backups").join(newest), &files[newest]).unwrap();
    fs::remove_file(bench.path("backups").join(name)).unwrap();
    bench.refused("verify --backup backups", &["backup 1 at backups is damaged", name.as_str(), "No such file"]);
}

/// Whatever byte of whatever file of a backup is changed, its list included: it is noticed, but in what the list says
/// of the time.
#[test]
fn a_changed_byte_of_any_file_is_noticed() {
    let seed = seed(72);
    let mut random = Random::new(seed);
    let bench = Bench::new();
    batch(&bench, "2026-01-01", 7);
    bench.ok("backup --store store --to backups");
    let files = tree(&bench.path("backups"));
    for (name, good) in files.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        for _ in 0..6 {
            let mut bytes = good.clone();
            let from = if name.starts_with("meta") { bytes.len() / 2 } else { 0 };
            let place = from + usize::try_from(random.below((bytes.len() - from) as u64)).unwrap();
            bytes[place] ^= 1 << random.below(8);
            fs::write(bench.path("backups").join(name), &bytes).unwrap();
            let ran = bench.run("verify --backup backups");
            assert_eq!(ran.code, 1, "seed {seed}: {name} at {place}: {}", ran.stderr);
            assert!(ran.said().starts_with("error: backup 1 at backups is damaged ("), "{}", ran.stderr);
        }
        fs::write(bench.path("backups").join(name), good).unwrap();
    }
    bench.ok("verify --backup backups");
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let seed = seed(71);
    let mut random = Random::new(seed);
    let bench = Bench::new();
    batch(&bench, "2026-01-01", 7);
    batch(&bench, "2026-01-02", 8);
    bench.ok("backup --store store --to backups");
    let whole = tree(&bench.path("backups"));
    let expected = dump(&bench.store());
    let names: Vec<&String> = whole.keys().collect();
    let (mut refused, mut harmless) = (0, 0);
    for round in 0..24 {
        let name = names[usize::try_from(random.below(names.len() as u64)).unwrap()];
        let mut bytes = whole[name].clone();
        if bytes.is_empty() {
            continue;
        }
        let place = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        bytes[place] ^= 1 << random.below(8);
        let path = bench.path("backups").join(name);
        fs::write(&path, &bytes).unwrap();
        let ran = bench.run("restore --from backups --store restored");
        if ran.code == 0 {
            assert!(dump(&bench.path("restored")) == expected, "seed {seed}, round {round}: {name} at {place}");
            fs::remove_dir_all(bench.path("restored")).unwrap();
            harmless += 1;
        } else {
            assert_eq!(ran.code, 1);
            assert!(ran.stderr.starts_with("error: ") && !ran.stderr.contains("panicked"), "{}", ran.stderr);
            assert!(
                !bench.path("restored").exists(),
                "{name} at {place}: {:?} is left behind, {}",
                tree(&bench.path("restored")).keys(),
                ran.stderr
            );
            refused += 1;
        }
        fs::write(&path, &whole[name]).unwrap();
    }
    assert!(refused > 8, "seed {seed}: {refused} refused, {harmless} harmless");
    bench.ok("restore --from backups --store restored");
}

#[test]
fn backups_beside_a_writer_are_states_that_were_committed() {
    let bench = Bench::new();
    // The same day with one item after the other: in a whole state all customers have the same.
    batch(&bench, "2026-01-01", 1);
    let done = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            for item in 2..30 {
                batch(&bench, "2026-01-01", item);
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut made = 0;
        while !done.load(Ordering::SeqCst) || made < 3 {
            bench.ok("backup --store store --to backups");
            made += 1;
        }
        made
    });
    let mut items = Vec::new();
    for number in 1..=made {
        bench.ok(&format!("restore --from backups --number {number} --store restored"));
        let shown: Vec<i64> = [0, 150, 299].map(|customer| last_item(&bench, customer)).to_vec();
        assert!(shown.iter().all(|item| *item == shown[0]), "a mixture: {shown:?}");
        items.push(shown[0]);
        fs::remove_dir_all(bench.path("restored")).unwrap();
    }
    assert!(items.is_sorted() && items[0] < 29, "{items:?}");
}

fn last_item(bench: &Bench, customer: i64) -> i64 {
    let shown = bench.json(&format!("show --store restored --customer {customer}"));
    assert_eq!(shown["actions"].as_array().unwrap().len(), 1);
    shown["actions"][0]["item_id"].as_i64().unwrap()
}
