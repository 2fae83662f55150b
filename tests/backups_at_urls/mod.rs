//! Backups at a URL: whole, incremental, numbered, one at a time; what is damaged is told; what is removed was named by
//! none.

mod faults;
mod others;
pub mod place;
mod races;

use std::time::Duration;

use crate::support::output::dump;
use crate::support::places::{ConditionalPuts, Fault, Kind, Proxy, S3Server, every};
use crate::support::program::{Bench, Ran, assert_one_sentence};
use place::{URL, batch, checked, json_at, numbers, objects, run_at};

const BACKUP: &str = "backup --store store --to s3://bucket/deep/backups";
const VERIFY: &str = "verify --backup s3://bucket/deep/backups";
const RESTORE: &str = "restore --from s3://bucket/deep/backups --store restored";

/// A store with two batches, each in a backup.
fn two_backups() -> (Bench, S3Server) {
    let (bench, server) = (Bench::new(), S3Server::start());
    for day in ["2026-01-01", "2026-01-02"] {
        batch(&bench, day);
        json_at(&bench, &server, BACKUP);
    }
    (bench, server)
}

fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_one_sentence(ran, words);
}

#[test]
fn each_backup_is_the_store_of_its_time_and_copies_only_what_is_new() {
    let (bench, server) = (Bench::new(), S3Server::start());
    let mut stores = Vec::new();
    for (number, day) in (1..).zip(["2026-01-01", "2026-01-02", "2026-01-03"]) {
        batch(&bench, day);
        stores.push(dump(&bench.store()));
        let before = objects(&server, "files/");
        let made = json_at(&bench, &server, BACKUP);
        assert_eq!((&made["number"], &made["backups"]), (&number.into(), &number.into()));
        let after = objects(&server, "files/");
        // The table of the batch, or the first two, and the bundle.
        let new = if before.is_empty() { 3 } else { 2 };
        assert_eq!((after.len(), &made["uploaded_files"]), (before.len() + new, &new.into()));
        assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    }
    let same = json_at(&bench, &server, BACKUP);
    assert_eq!((&same["number"], &same["uploaded_files"]), (&4.into(), &0.into()), "nothing has changed");
    let requests = &same["timing"]["requests"];
    let count = |kind: &str| requests[kind].as_u64().unwrap();
    // Two lists, the mark and the document before, and the put of the version.
    assert_eq!([count("list"), count("get"), count("put"), count("delete")], [2, 2, 1, 0]);
    assert_eq!(numbers(&server), [1, 2, 3, 4]);
    let verified = json_at(&bench, &server, VERIFY);
    assert_eq!((&verified["backups"], &verified["backup"]), (&4.into(), &URL.into()));
    for (number, store) in (1..).zip(&stores) {
        let restored = json_at(&bench, &server, &format!("{RESTORE}-{number} --number {number}"));
        assert_eq!((&restored["number"], &restored["batches"]), (&number.into(), &number.into()));
        assert_eq!(dump(&bench.path(&format!("restored-{number}"))), *store);
    }
    let ran = run_at(&bench, &server, RESTORE);
    assert!(ran.stderr.contains("restored backup 4: 3 batches, the newest 2026-01-03"), "{}", ran.stderr);
    bench.ok("verify --store restored");
    // The store that came back is the same store, and goes on where it was.
    let again = json_at(&bench, &server, &BACKUP.replace("store store", "store restored"));
    assert_eq!(again["number"], 5);
    refused(&run_at(&bench, &server, RESTORE), &["there is a store at restored already"]);
}

#[test]
fn a_backup_that_is_not_there_or_of_another_store_is_told() {
    let (bench, server) = two_backups();
    let other = "backup --store other --to s3://bucket/deep/backups";
    bench.ok("init --store other");
    refused(
        &run_at(&bench, &server, other),
        &["the backups at s3://bucket/deep/backups are of another store (", "--to"],
    );
    assert_eq!(numbers(&server), [1, 2]);
    let missing = run_at(&bench, &server, &format!("{RESTORE} --number 3"));
    refused(&missing, &["there is no backup 3 at s3://bucket/deep/backups; backups there: 1, 2"]);
    for nothing in ["restore --from s3://bucket/none --store restored", "verify --backup s3://bucket/none"] {
        refused(&run_at(&bench, &server, nothing), &["there is no complete backup at s3://bucket/none"]);
    }
    assert!(!bench.path("restored").exists(), "nothing is left");
    refused(&run_at(&bench, &server, "backup --store none --to s3://bucket/x"), &["there is no store at none"]);
    let ran = run_at(&bench, &server, "backup --store store --to backups --keep 1 --grace 24h");
    assert_eq!((ran.code, ran.said().contains("--grace is for backups at a URL")), (2, true), "{}", ran.stderr);
}

#[test]
fn a_store_without_conditional_puts_is_found_out_before_anything_is_copied() {
    let bench = Bench::new();
    batch(&bench, "2026-01-01");
    for kind in [ConditionalPuts::Ignored, ConditionalPuts::Refused] {
        let server = S3Server::start();
        server.set_conditional_puts(kind);
        refused(&run_at(&bench, &server, BACKUP), &["does not support conditional writes"]);
        assert!(objects(&server, "files/").is_empty() && objects(&server, "versions/").is_empty());
    }
}

#[test]
fn damage_is_named_and_nothing_is_restored_from_it() {
    let (bench, server) = two_backups();
    let whole = objects(&server, "files/");
    for (name, bytes) in &whole {
        let key = format!("deep/backups/files/{name}");
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 1;
        let lacks: [(Option<&[u8]>, &str); 3] = [
            (Some(&changed), "it does not match its checksum"),
            (Some(&bytes[1..]), "it has another size"),
            (None, "it is missing"),
        ];
        for (content, why) in lacks {
            match content {
                Some(content) => server.put(&key, content),
                None => server.remove(&key),
            }
            let said = format!("(files/{name}: {why}); restore another backup with --number");
            refused(&run_at(&bench, &server, VERIFY), &["is damaged", &said]);
            let mut damaged = 0;
            for number in [1, 2] {
                let ran = run_at(&bench, &server, &format!("{RESTORE} --number {number}"));
                assert!(ran.code == 0 || ran.said().contains(&said), "backup {number}: {}", ran.stderr);
                assert_eq!(ran.code == 0, bench.path("restored/db/CURRENT").exists());
                damaged += ran.code;
                let _ = std::fs::remove_dir_all(bench.path("restored"));
            }
            assert!(damaged > 0, "{said}");
        }
        server.put(&key, bytes.clone());
    }
    let version = "deep/backups/versions/000002.json";
    let document = server.objects()[version].clone();
    server.put(version, &document[1..]);
    refused(&run_at(&bench, &server, RESTORE), &["backup 2 at", "is damaged (000002.json: it cannot be read"]);
    server.put(version, String::from_utf8(document.clone()).unwrap().replacen(":1,", ":9,", 1));
    refused(&run_at(&bench, &server, RESTORE), &["it is of version 9, and this lookback reads up to 1"]);
    server.put(version, document);
    run_at(&bench, &server, RESTORE);
    assert_eq!(dump(&bench.path("restored")), dump(&bench.store()));
}

#[test]
fn a_lost_file_is_copied_again_by_the_next_backup_which_is_whole() {
    let (bench, server) = two_backups();
    let (lost, _) = objects(&server, "files/").into_iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    server.remove(&format!("deep/backups/files/{lost}"));
    let ran = run_at(&bench, &server, BACKUP);
    let note = format!("backup 2 at {URL} is damaged: files/{lost} is missing or has another size");
    assert!(ran.code == 0 && ran.stderr.contains(&note), "{}", ran.stderr);
    json_at(&bench, &server, &format!("{VERIFY} --number 3"));
}

#[test]
fn a_restore_goes_on_with_what_has_arrived() {
    let (bench, server) = two_backups();
    // The smallest object is the bundle; the first is fetched without fault.
    let files = objects(&server, "files/");
    let tables: Vec<&String> = checked(&server)[&2]
        .iter()
        .filter(|(name, _)| name.ends_with(".sst"))
        .map(|(_, hash)| files.keys().find(|name| name.starts_with(hash.as_str())).unwrap())
        .collect();
    let last = tables.iter().max().unwrap().as_str();
    let proxy = Proxy::to(&server);
    proxy.fail(every().of(Kind::Get).at(last), Fault::Status(403, "AccessDenied"));
    refused(&run_at(&bench, &proxy, RESTORE), &["access is denied"]);
    assert!(!bench.path("restored/db").exists(), "no store before it is whole");
    proxy.heal();
    proxy.forget();
    let ran = run_at(&bench, &proxy, RESTORE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let fetched: Vec<String> =
        proxy.requests().into_iter().filter(|seen| seen.kind == Kind::Get).map(|seen| seen.key).collect();
    let of = |table: &str| fetched.iter().filter(|key| key.ends_with(table)).count();
    assert_eq!(of(last), 1, "{fetched:?}");
    assert!(
        tables.iter().filter(|table| of(table) == 0).count() >= 1,
        "what was there is not fetched again: {fetched:?}"
    );
    assert_eq!(dump(&bench.path("restored")), dump(&bench.store()));
    assert!(!bench.path("restored/staging").exists());
}

#[test]
fn what_an_interrupted_restore_left_is_kept_by_content_alone() {
    let (bench, server) = two_backups();
    let tables: Vec<String> =
        checked(&server)[&2].iter().map(|(name, _)| name.clone()).filter(|name| name.ends_with(".sst")).collect();
    let aside = bench.path("restored/staging/new");
    std::fs::create_dir_all(aside.join("db/folder")).unwrap();
    std::fs::write(aside.join("mark"), "another").unwrap();
    std::fs::write(aside.join("db/000999.sst"), "another").unwrap();
    let table = std::fs::read(bench.store().join(&tables[0])).unwrap();
    std::fs::write(aside.join(&tables[0]), &table[..table.len() - 1]).unwrap();
    std::fs::write(aside.join(&tables[1]), vec![0; std::fs::read(bench.store().join(&tables[1])).unwrap().len()])
        .unwrap();
    json_at(&bench, &server, RESTORE);
    assert_eq!(dump(&bench.path("restored")), dump(&bench.store()));
    assert!(!bench.path("restored/db/000999.sst").exists() && !bench.path("restored/db/folder").exists());
    bench.ok("verify --store restored");
}

#[test]
fn old_backups_go_at_once_and_their_files_after_the_grace() {
    let (bench, server) = two_backups();
    let day = Duration::from_secs(24 * 3_600);
    // Somebody else's objects are never touched.
    let others = ["files/notes.txt", "files/0123-4-5", "versions/1.json", "versions/readme", "other"];
    others.iter().for_each(|name| server.put(&format!("deep/backups/{name}"), "x"));
    server.put("deep/other", "x");
    batch(&bench, "2026-01-03");
    let before = objects(&server, "files/").len();
    let made = json_at(&bench, &server, &format!("{BACKUP} --keep 1"));
    assert_eq!((&made["backups"], &made["removed_files"]), (&1.into(), &0.into()), "younger than the grace");
    assert_eq!((numbers_of(&server), objects(&server, "files/").len()), (vec![3], before + 2));
    let versions = objects(&server, "versions/");
    assert!(versions["000001.json"].is_empty() && versions["000002.json"].is_empty());
    let missing = run_at(&bench, &server, &format!("{RESTORE} --number 2"));
    refused(&missing, &["there is no backup 2", "backups there: 3"]);
    server.age(day);
    let made = json_at(&bench, &server, &format!("{BACKUP} --keep 2 --grace 2d"));
    assert_eq!(made["removed_files"], 0);
    let made = json_at(&bench, &server, &format!("{BACKUP} --keep 1 --grace 3h"));
    assert_eq!(made["removed_files"], 2, "the bundles of the first two");
    let made = json_at(&bench, &server, &format!("{BACKUP} --keep 1"));
    assert_eq!((&made["number"], &made["removed_files"]), (&6.into(), &0.into()));
    server.age(29 * day);
    json_at(&bench, &server, &format!("{BACKUP} --keep 1"));
    assert!(!objects(&server, "versions/").contains_key("000001.json"), "30 days");
    assert!(objects(&server, "versions/").contains_key("000006.json"));
    json_at(&bench, &server, VERIFY);
    for name in others {
        assert!(objects(&server, "").contains_key(name), "{name}");
    }
    assert!(server.objects().contains_key("deep/other"));
}

/// As `numbers`, beside objects with other names.
fn numbers_of(server: &S3Server) -> Vec<u32> {
    let live = objects(server, "versions/").into_iter().filter(|(name, text)| name.len() == 11 && !text.is_empty());
    live.map(|(name, _)| name.trim_end_matches(".json").parse().unwrap()).collect()
}

#[test]
fn a_removal_that_fails_is_a_note_and_is_made_good() {
    let (bench, server) = two_backups();
    server.age(Duration::from_secs(25 * 3_600));
    batch(&bench, "2026-01-03");
    let proxy = Proxy::to(&server);
    proxy.fail(every().of(Kind::DeleteMany), Fault::Status(403, "AccessDenied"));
    let ran = run_at(&bench, &proxy, &format!("{BACKUP} --keep 1"));
    let note =
        format!("note: old backups at {URL} are not removed, which the next backup does: cannot remove {URL}/files/");
    assert!(ran.code == 0 && ran.stderr.contains(&note) && ran.stderr.contains("access is denied"), "{}", ran.stderr);
    let made = json_at(&bench, &server, &format!("{BACKUP} --keep 1"));
    assert_eq!(made["removed_files"], 2);
    assert_eq!(numbers(&server), [4]);
}
