//! Each request of a backup and of a restore in turn goes wrong, and the process is killed at each: afterwards the old
//! state or the new, and the next run ends as an undisturbed one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::place::{batch, checked, json_at, numbers, objects, run_at, spawn_at};
use super::{BACKUP, RESTORE, VERIFY, two_backups};
use crate::support::output::dump;
use crate::support::places::{Fault, IN_PASSING, Proxy, S3Server, nth};
use crate::support::program::Bench;

/// A store one batch ahead of its two backups, all of which are older than the grace.
struct Before {
    bench: Bench,
    objects: BTreeMap<String, Vec<u8>>,
    /// The files of the backup that an undisturbed run makes, and of the one before.
    versions: BTreeMap<u32, Vec<(String, String)>>,
    /// The requests of an undisturbed run.
    requests: usize,
    /// The objects of files after an undisturbed run.
    files: usize,
}

impl Before {
    fn new() -> Self {
        let (bench, server) = two_backups();
        batch(&bench, "2026-01-03");
        let objects = server.objects();
        let mut versions = checked(&server);
        let before = Before { bench, objects, versions: BTreeMap::new(), requests: 0, files: 0 };
        let server = before.server();
        let proxy = Proxy::to(&server);
        let made = json_at(&before.bench, &proxy, KEEP);
        assert_eq!((&made["uploaded_files"], &made["removed_files"]), (&2.into(), &2.into()));
        versions.extend(checked(&server));
        let files = self::objects(&server, "files/").len();
        Before { versions, requests: proxy.requests().len(), files, ..before }
    }

    fn server(&self) -> S3Server {
        let server = S3Server::start();
        self.objects.iter().for_each(|(key, bytes)| server.put(key, bytes.clone()));
        server.age(Duration::from_secs(25 * 3_600));
        server
    }
}

const KEEP: &str = "backup --store store --to s3://bucket/deep/backups --keep 1 --request-timeout 20";

#[test]
fn a_request_that_goes_wrong_in_passing_changes_nothing() {
    let before = Before::new();
    assert!(before.requests > 10, "{}", before.requests);
    std::thread::scope(|scope| {
        for faults in IN_PASSING.chunks(4) {
            let before = &before;
            scope.spawn(move || {
                for fault in faults {
                    for number in 1..=before.requests {
                        let server = before.server();
                        let proxy = Proxy::to(&server);
                        proxy.fail(nth(number), *fault);
                        let ran = run_at(&before.bench, &proxy, KEEP);
                        assert_eq!(ran.code, 0, "{fault:?} at request {number}: {}", ran.stderr);
                        assert!(!ran.stderr.contains("note:"), "{fault:?} at request {number}: {}", ran.stderr);
                        proxy.deliver();
                        let versions = checked(&server);
                        assert_eq!(versions.keys().copied().collect::<Vec<_>>(), [3], "{fault:?} at request {number}");
                        assert_eq!(versions[&3], before.versions[&3], "{fault:?} at request {number}");
                        assert_eq!(objects(&server, "files/").len(), before.files, "{fault:?} at request {number}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_process_killed_at_a_request_leaves_the_old_state_or_the_new() {
    let before = Before::new();
    std::thread::scope(|scope| {
        for fault in [Fault::Stall, Fault::StallAfter] {
            let before = &before;
            scope.spawn(move || {
                for number in 1..=before.requests {
                    let server = before.server();
                    let proxy = Proxy::to(&server);
                    proxy.fail(nth(number), fault);
                    let mut child = spawn_at(&before.bench, &proxy, KEEP);
                    assert!(proxy.wait_stalled(&mut child), "{fault:?} at request {number}");
                    child.kill().unwrap();
                    child.wait().unwrap();
                    for (version, files) in checked(&server) {
                        assert_eq!(files, before.versions[&version], "{fault:?} at request {number}: {version}");
                    }
                    let newest = *numbers(&server).last().unwrap();
                    assert!([2, 3].contains(&newest), "{fault:?} at request {number}: {newest}");
                    let made = json_at(&before.bench, &server, KEEP);
                    assert_eq!(made["number"], newest + 1, "{fault:?} at request {number}");
                    let versions = checked(&server);
                    assert_eq!(versions.into_values().collect::<Vec<_>>(), [before.versions[&3].clone()]);
                    json_at(&before.bench, &server, VERIFY);
                    // All that may be left beside it was written just now.
                    server.age(Duration::from_secs(25 * 3_600));
                    json_at(&before.bench, &server, KEEP);
                    assert_eq!(objects(&server, "files/").len(), before.files, "{fault:?} at request {number}");
                }
            });
        }
    });
}

#[test]
fn a_restore_survives_each_request_and_each_kill() {
    let (bench, server) = two_backups();
    let expected = dump(&bench.store());
    let folder = bench.path("restored");
    let remove = || std::fs::remove_dir_all(&folder).unwrap();
    let proxy = Proxy::to(&server);
    json_at(&bench, &proxy, RESTORE);
    let requests = proxy.requests().len();
    assert!(requests >= 6, "{requests}");
    remove();
    for number in 1..=requests {
        for fault in IN_PASSING {
            let proxy = Proxy::to(&server);
            proxy.fail(nth(number), fault);
            let ran = run_at(&bench, &proxy, RESTORE);
            assert_eq!(ran.code, 0, "{fault:?} at request {number}: {}", ran.stderr);
            assert_eq!(dump(&folder), expected, "{fault:?} at request {number}");
            remove();
        }
        for fault in [Fault::Stall, Fault::StallAnswer] {
            let proxy = Proxy::to(&server);
            proxy.fail(nth(number), fault);
            let mut child = spawn_at(&bench, &proxy, RESTORE);
            assert!(proxy.wait_stalled(&mut child), "{fault:?} at request {number}");
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!folder.join("db").exists(), "{fault:?} at request {number}");
            json_at(&bench, &server, RESTORE);
            assert_eq!(dump(&folder), expected, "{fault:?} at request {number}");
            remove();
        }
    }
}

#[test]
fn a_store_that_fails_for_good_is_one_sentence_and_leaves_the_old_state() {
    let before = Before::new();
    for number in 1..=before.requests {
        let server = before.server();
        let proxy = Proxy::to(&server);
        proxy.fail(nth(number), Fault::Status(403, "AccessDenied"));
        let ran = run_at(&before.bench, &proxy, KEEP);
        let is_note = ran.code == 0 && ran.stderr.contains("note: old backups at");
        assert!(is_note || ran.code == 1 && ran.said().contains("access is denied"), "{number}: {}", ran.stderr);
        assert_eq!(numbers(&server).contains(&3), is_note, "{number}: {}", ran.stderr);
        checked(&server);
        json_at(&before.bench, &server, BACKUP);
    }
}
