//! Which files of older versions go, and when.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use super::{AtUrl, DT, PRODUCE, correct, files, local, parts_there};
use crate::support::output::tree;
use crate::support::places::Kind;
use crate::support::program::write_file;

const HOUR: Duration = Duration::from_secs(3_600);

/// Makes a file look older.
fn age_file(path: &Path, by: Duration) {
    let file = File::options().append(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified - by).unwrap();
}

/// Makes everything in the local output older, also in the words of the log.
fn age(at_url: &AtUrl, by: Duration) {
    let out = at_url.bench.out();
    for (name, bytes) in tree(&out) {
        let path = out.join(&name);
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        if let Some(bytes) = aged(&name, &bytes, by) {
            fs::write(&path, bytes).unwrap();
        }
        File::options().append(true).open(&path).unwrap().set_modified(modified - by).unwrap();
    }
}

/// A commit whose removals were earlier.
fn aged(name: &str, bytes: &[u8], by: Duration) -> Option<Vec<u8>> {
    let lines = String::from_utf8(bytes.to_vec()).ok().filter(|_| name.starts_with("_delta_log/"))?;
    let line = |line: &str| {
        let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(removed) = action.get_mut("remove") {
            let at = removed["deletionTimestamp"].as_u64().unwrap() - u64::try_from(by.as_millis()).unwrap();
            removed["deletionTimestamp"] = at.into();
        }
        format!("{action}\n")
    };
    Some(lines.lines().map(line).collect::<String>().into_bytes())
}

#[test]
fn files_go_once_they_left_the_table_long_enough_ago() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let first = parts_there(&files(&at_url));
    age(&at_url, 30 * 24 * HOUR);
    // What was written long ago and has just left stays.
    correct(&at_url, 1);
    let summary = at_url.bench.json(&format!("{PRODUCE} --vacuum 1h"));
    assert_eq!((&summary["vacuumed"], &summary["table_version"]), (&0.into(), &1.into()));
    assert_eq!(parts_there(&files(&at_url)).len(), 2);
    age(&at_url, 25 * HOUR);
    correct(&at_url, 2);
    assert_eq!(at_url.bench.json(&format!("{PRODUCE} --vacuum 2d"))["vacuumed"], 0);
    assert_eq!(parts_there(&files(&at_url)).len(), 3);
    let ran = at_url.bench.ok(&format!("{PRODUCE} --vacuum 24h"));
    assert!(ran.stderr.contains("removed 1 file of older versions"), "{}", ran.stderr);
    let there = parts_there(&files(&at_url));
    assert!(there.len() == 2 && !there.contains(&first[0]), "{there:?}");
    // The version before can still be read, and so can the newest.
    let table = local(&at_url);
    assert!(table.active.keys().all(|path| there.contains(path)));
    at_url.bench.ok(&format!("manifest --out out --dt {DT} --check"));
    // An unchanged rerun removes too, and its now is the newest commit.
    age(&at_url, 10 * 24 * HOUR);
    assert_eq!(at_url.bench.json(&format!("{PRODUCE} --vacuum 1h"))["vacuumed"], 0, "nothing is committed since");
}

#[test]
fn parts_that_never_came_into_the_table_go_by_their_own_age() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let folder = at_url.bench.out().join(format!("dt={DT}"));
    let part = |number: u8| folder.join(format!("part-00000-{number:032x}.parquet"));
    for path in [part(1), part(2), folder.join("part-00000-else.parquet"), folder.join("notes.txt")] {
        write_file(&path, b"x");
    }
    for path in [part(1), folder.join("part-00000-else.parquet"), folder.join("notes.txt")] {
        age_file(&path, 8 * 24 * HOUR);
    }
    assert_eq!(at_url.bench.json(&format!("{PRODUCE} --vacuum 7d"))["vacuumed"], 1);
    assert!(!part(1).exists() && part(2).exists());
    assert!(folder.join("part-00000-else.parquet").exists() && folder.join("notes.txt").exists(), "of someone else");
}

#[test]
fn what_the_manifest_names_stays_even_if_the_table_has_it_no_more() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    let own = local(&at_url).active.keys().next().unwrap().clone();
    let log = at_url.bench.out().join("_delta_log/00000000000000000001.json");
    let remove = format!("{{\"remove\":{{\"path\":\"{own}\",\"deletionTimestamp\":7,\"dataChange\":false}}}}\n");
    write_file(&log, remove.as_bytes());
    age_file(&log, 9 * 24 * HOUR);
    let elsewhere = PRODUCE.replace(DT, "2026-01-03");
    crate::support::input::write_impressions(
        &at_url.bench.input(),
        "2026-01-03",
        &[crate::support::input::RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] }],
        crate::support::input::PLAIN,
    );
    assert_eq!(at_url.bench.json(&format!("{elsewhere} --vacuum 1d"))["vacuumed"], 0);
    at_url.bench.ok(&format!("manifest --out out --dt {DT} --check"));
}

#[test]
fn at_a_url_ages_are_by_the_clock_of_the_store() {
    let at_url = AtUrl::new();
    let produce = PRODUCE.replace("--out out", "--out @/out");
    at_url.ok(&produce);
    correct(&at_url, 1);
    at_url.ok(&produce);
    let age = |by: Duration| {
        for (name, bytes) in at_url.below("out/") {
            if let Some(bytes) = aged(&name, &bytes, by) {
                at_url.server.put(&format!("out/{name}"), bytes);
            }
        }
        at_url.server.age(by);
    };
    age(25 * HOUR);
    correct(&at_url, 2);
    let old = at_url.below("out/");
    assert_eq!(at_url.json_at(&at_url.server, &format!("{produce} --vacuum 2d"))["vacuumed"], 0);
    // A removal that fails is a note.
    at_url.server.deny(Kind::Delete);
    let ran = at_url.ok(&format!("{produce} --vacuum 24h"));
    assert!(ran.stderr.contains("note: files of older versions are still in "), "{}", ran.stderr);
    assert!(ran.stderr.contains("(the next run with --vacuum removes them)"), "{}", ran.stderr);
    let there: BTreeMap<String, Vec<u8>> = at_url.below("out/");
    assert!(old.keys().all(|name| there.contains_key(name)));
}

#[test]
fn at_a_url_they_go_too() {
    let at_url = AtUrl::new();
    let produce = PRODUCE.replace("--out out", "--out @/out");
    at_url.ok(&produce);
    correct(&at_url, 1);
    at_url.ok(&produce);
    let first = crate::support::delta::table(&at_url.below("out/")).unwrap().removed;
    for (name, bytes) in at_url.below("out/") {
        if let Some(bytes) = aged(&name, &bytes, 25 * HOUR) {
            at_url.server.put(&format!("out/{name}"), bytes);
        }
    }
    at_url.server.age(25 * HOUR);
    correct(&at_url, 2);
    assert_eq!(at_url.json_at(&at_url.server, &format!("{produce} --vacuum 24h"))["vacuumed"], 1);
    let there = at_url.below("out/");
    assert!(first.keys().all(|path| !there.contains_key(path)));
    assert_eq!(parts_there(&there).len(), 2);
}

/// What the log says is of the machines that wrote it: a clock that was wrong then removes nothing early.
#[test]
fn a_removal_that_claims_to_be_old_is_as_old_as_its_commit() {
    let at_url = AtUrl::new();
    at_url.bench.ok(PRODUCE);
    correct(&at_url, 1);
    at_url.bench.ok(PRODUCE);
    let path = at_url.bench.out().join("_delta_log/00000000000000000001.json");
    let early = aged("_delta_log/1.json", &fs::read(&path).unwrap(), 365 * 24 * HOUR).unwrap();
    fs::write(&path, early).unwrap();
    assert_eq!(at_url.bench.json(&format!("{PRODUCE} --vacuum 1h"))["vacuumed"], 0);
    assert_eq!(parts_there(&files(&at_url)).len(), 2);
}
