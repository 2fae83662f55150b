//! Rows at a URL that take the place of others.

use std::thread;
use std::time::Duration;

use super::{AtUrl, DT, batch};
use crate::support::places::{Fault, Kind, Proxy, nth};

const PRODUCE: &str = "produce --store store --input input --dt 2026-01-04 --out @/out";

/// Corrects the batch of 2 January, so that the rows are others.
fn correct(at_url: &AtUrl) {
    batch(&at_url.bench, 2, 1);
    at_url.bench.ok("ingest --store store --input input --dt 2026-01-02");
}

#[test]
fn old_parts_go_with_the_manifest_that_named_them() {
    let at_url = AtUrl::new();
    at_url.ok(PRODUCE);
    let old = at_url.parts();
    correct(&at_url);
    at_url.ok(PRODUCE);
    at_url.bench.produce(DT);
    assert_eq!(at_url.parts(), at_url.local_parts("out"));
    assert_ne!(at_url.parts(), old);
}

#[test]
fn a_removal_that_fails_is_a_note_and_the_next_run_makes_up_for_it() {
    let at_url = AtUrl::new();
    at_url.ok(PRODUCE);
    correct(&at_url);
    at_url.server.deny(Kind::Delete);
    at_url.server.deny(Kind::DeleteMany);
    let ran = at_url.ok(PRODUCE);
    assert!(ran.stderr.contains("note: parts that were replaced are still in "), "{}", ran.stderr);
    assert_eq!(at_url.parts().len(), 2);
    // Who reads the names from the manifest sees the new rows alone.
    at_url.bench.produce(DT);
    at_url.ok("diff @/out out");
}

#[test]
fn of_two_runs_one_wins_and_the_other_says_so() {
    let at_url = AtUrl::new();
    let proxy = Proxy::to(&at_url.server);
    proxy.fail(nth(1).of(Kind::Put).at("_manifest.parquet"), Fault::Delay(Duration::from_millis(1_500)));
    let ran = thread::scope(|scope| {
        let slow = scope.spawn(|| at_url.run_at(&proxy, PRODUCE));
        while !proxy.requests().iter().any(|seen| seen.kind == Kind::Put && seen.key.ends_with("_manifest.parquet")) {
            thread::sleep(Duration::from_millis(5));
        }
        at_url.ok(&format!("{PRODUCE} --order carousel"));
        slow.join().unwrap()
    });
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.said().contains("another run has written the partition"), "{}", ran.stderr);
    at_url.bench.ok(&format!("produce --store store --input input --dt {DT} --out out --order carousel"));
    at_url.ok("diff @/out out");
}

/// The parts of a run that was killed go with the next run, once the manifest is newer than they are.
#[test]
fn parts_of_a_run_that_did_not_end_are_removed() {
    let at_url = AtUrl::new();
    let orphan = format!("out/dt={DT}/part-00000-{:032x}.parquet", 7);
    at_url.server.put("out/.lookback-output", b"".to_vec());
    at_url.server.put(&orphan, b"of a killed run".to_vec());
    at_url.server.age(Duration::from_secs(60));
    at_url.ok(PRODUCE);
    assert!(at_url.server.objects().contains_key(&orphan), "it is older than no manifest yet");
    at_url.server.age(Duration::from_secs(60));
    at_url.ok(PRODUCE);
    assert!(!at_url.server.objects().contains_key(&orphan));
}
