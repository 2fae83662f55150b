//! Two backups at once, and a backup beside a removal.

use std::process::{Child, Command};
use std::time::Duration;

use super::place::{batch, checked, json_at, numbers, spawn_at};
use super::{BACKUP, VERIFY, two_backups};
use crate::support::places::{Endpoint, Fault, Kind, Proxy, nth};
use crate::support::program::{Bench, Ran, assert_one_sentence};

/// Holds a process up while others work.
fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Begins a backup that is held up at its first request of a kind and key, which does not reach the store; runs
/// `meanwhile`; then lets it go on.
pub fn held_up(
    bench: &Bench,
    server: &dyn Endpoint,
    (kind, key): (Kind, &str),
    backup: &str,
    meanwhile: impl FnOnce(),
) -> Ran {
    let proxy = Proxy::to(server);
    proxy.fail(nth(1).of(kind).at(key), Fault::Stall);
    let mut child = spawn_at(bench, &proxy, &format!("{backup} --request-timeout 2"));
    assert!(proxy.wait_stalled(&mut child));
    signal(&child, "-STOP");
    meanwhile();
    signal(&child, "-CONT");
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn of_two_backups_at_once_one_wins_and_the_other_says_so() {
    let (bench, server) = two_backups();
    batch(&bench, "2026-01-03");
    for removal in ["", "--keep 1"] {
        let number = numbers(&server).last().unwrap() + 1;
        let ran = held_up(&bench, &server, (Kind::Put, &format!("versions/{number:06}")), BACKUP, || {
            // With a removal, the number is free again but for the empty object that keeps it.
            json_at(&bench, &server, &format!("{BACKUP} {removal}"));
            json_at(&bench, &server, &format!("{BACKUP} {removal}"));
        });
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let said =
            format!("another run has made backup {number} at s3://bucket/deep/backups meanwhile; nothing is lost");
        assert_one_sentence(&ran, &[&said]);
        json_at(&bench, &server, VERIFY);
        json_at(&bench, &server, BACKUP);
    }
}

#[test]
fn a_removal_leaves_what_another_backup_is_about_to_name() {
    let (bench, server) = two_backups();
    server.age(Duration::from_secs(25 * 3_600));
    // Of a run that was stopped: neither named nor young.
    let versions = checked(&server);
    assert_eq!(versions.len(), 2);
    // The store of this run is a batch ahead of what the remover saw; it has uploaded all, and is held up before its
    // version appears.
    batch(&bench, "2026-01-03");
    let ran = held_up(&bench, &server, (Kind::Put, "versions/000003"), BACKUP, || {
        let made = json_at(&bench, &server, &format!("{BACKUP} --keep 1 --grace 1h"));
        assert_eq!(made["number"], 3);
        checked(&server);
    });
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    // What the loser has written is young, and is taken up by the winner or the next.
    let made = json_at(&bench, &server, BACKUP);
    assert_eq!(made["uploaded_files"], 0);
    json_at(&bench, &server, VERIFY);
}

#[test]
fn a_removal_that_is_held_up_takes_nothing_that_appeared_meanwhile() {
    let (bench, server) = two_backups();
    server.age(Duration::from_secs(25 * 3_600));
    // The remover has published 3, has listed, and is held up at its first removal.
    batch(&bench, "2026-01-03");
    let ran = held_up(&bench, &server, (Kind::DeleteMany, ""), &format!("{BACKUP} --keep 1"), || {
        // The same store again, and one batch further: old content that version 3 does not name comes back under new
        // names.
        for day in ["2026-01-04", "2026-01-05"] {
            batch(&bench, day);
            json_at(&bench, &server, &format!("{BACKUP} --keep 1"));
            checked(&server);
        }
    });
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(numbers(&server), [5]);
    json_at(&bench, &server, VERIFY);
    json_at(&bench, &server, &format!("{BACKUP} --keep 1"));
    json_at(&bench, &server, VERIFY);
}

#[test]
fn an_old_object_that_no_version_names_is_never_taken_up_again() {
    let (bench, server) = two_backups();
    batch(&bench, "2026-01-03");
    // A run that was stopped before its version appeared.
    let proxy = Proxy::to(&server);
    proxy.fail(nth(1).of(Kind::Put).at("versions/000003"), Fault::Stall);
    let mut child = spawn_at(&bench, &proxy, BACKUP);
    assert!(proxy.wait_stalled(&mut child));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(proxy);
    // Its objects are written after version 2: the next takes them up.
    let before = server.objects().len();
    let made = json_at(&bench, &server, BACKUP);
    assert_eq!((&made["uploaded_files"], server.objects().len()), (&0.into(), before + 1));
    // The same behind a version that is much younger: a remover may be about to take them.
    let version = "deep/backups/versions/000003.json";
    let document = server.objects()[version].clone();
    let files = checked(&server)[&3].clone();
    server.remove(version);
    server.age(Duration::from_secs(2 * 3_600));
    let second = "deep/backups/versions/000002.json";
    server.put(second, server.objects()[second].clone());
    let made = json_at(&bench, &server, BACKUP);
    assert!(made["uploaded_files"].as_u64().unwrap() > 0);
    assert_eq!(checked(&server)[&3], files);
    assert_ne!(server.objects()[version], document);
}
