//! Two runs at once.

use std::thread;
use std::time::Duration;

use super::{AtUrl, DT, PRODUCE, correct, local};
use crate::support::delta::{seen, table};
use crate::support::input::{PLAIN, RawImpression, write_impressions};
use crate::support::places::{Fault, Kind, Proxy, nth};

const AT_URL: &str = "produce --store store --input input --dt 2026-01-04 --out @/out --table delta";

/// Runs a command that is held up at a request, and another one meanwhile; gives the result of the first.
fn meanwhile(at_url: &AtUrl, held_up: &str, at: &str, other: &str) -> crate::support::program::Ran {
    let proxy = Proxy::to(&at_url.server);
    proxy.fail(nth(1).of(Kind::Put).at(at), Fault::Delay(Duration::from_millis(1_500)));
    thread::scope(|scope| {
        let slow = scope.spawn(|| at_url.run_at(&proxy, held_up));
        while !proxy.requests().iter().any(|seen| seen.kind == Kind::Put && seen.key.contains(at)) {
            thread::sleep(Duration::from_millis(5));
        }
        at_url.ok(other);
        slow.join().unwrap()
    })
}

fn shown_on_the_third(at_url: &AtUrl) -> String {
    let shown = RawImpression { ranking_id: None, customer: 1, elements: vec![(5, None)] };
    write_impressions(&at_url.bench.input(), "2026-01-03", &[shown], PLAIN);
    AT_URL.replace(DT, "2026-01-03")
}

#[test]
fn a_version_that_another_day_has_taken_is_followed_by_the_next() {
    let at_url = AtUrl::new();
    let other_day = shown_on_the_third(&at_url);
    // The first version of the table, and a later one.
    for (seed, version) in [(0, 0), (1, 2)] {
        if seed > 0 {
            correct(&at_url, seed);
        }
        let ran = meanwhile(&at_url, AT_URL, "_delta_log/", &other_day);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let table = table(&at_url.below("out/")).unwrap();
        assert_eq!((table.version, table.active.len()), (version + 1, 2));
    }
}

#[test]
fn of_two_runs_for_a_day_one_wins_and_the_other_says_so() {
    let at_url = AtUrl::new();
    at_url.ok(AT_URL);
    correct(&at_url, 1);
    let ran = meanwhile(&at_url, AT_URL, "_delta_log/", &format!("{AT_URL} --order carousel"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let words = "another run has committed dt=2026-01-04 to the Delta table";
    assert!(ran.said().contains(words) && ran.said().contains("meanwhile, and its rows stay"), "{}", ran.stderr);
    assert_eq!(table(&at_url.below("out/")).unwrap().version, 1);
    at_url.bench.ok(&format!("{} --order carousel", PRODUCE.replace("--out out --table delta", "--out plain")));
    at_url.ok("diff @/out plain");
}

#[test]
fn two_runs_with_the_same_rows_make_one_commit() {
    let at_url = AtUrl::new();
    at_url.ok(AT_URL);
    correct(&at_url, 1);
    let ran = meanwhile(&at_url, AT_URL, "_delta_log/", AT_URL);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(table(&at_url.below("out/")).unwrap().version, 1);
}

/// The other run commits and writes its manifest between this run's commit and manifest: the rows are the other's, and
/// so is the manifest.
#[test]
fn the_manifest_is_that_of_the_newest_commit() {
    let at_url = AtUrl::new();
    at_url.ok(AT_URL);
    correct(&at_url, 1);
    let ran = meanwhile(&at_url, AT_URL, "_manifest.parquet", &format!("{AT_URL} --order carousel"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.said().contains("another run has written the partition"), "{}", ran.stderr);
    let files = at_url.below("out/");
    assert_eq!(table(&files).unwrap().version, 2);
    let (in_table, by_name) = (&seen(&files)["_delta_log"], &seen(&files)[&format!("dt={DT}")]);
    let parts = by_name.iter().filter(|(name, _)| name.starts_with("part-"));
    assert!(in_table.values().eq(parts.map(|(_, bytes)| bytes)));
}

#[test]
fn runs_on_one_disk_take_turns() {
    let at_url = AtUrl::new();
    shown_on_the_third(&at_url);
    at_url.bench.ok(PRODUCE);
    let orders = ["--order carousel", "--order shuffled", "--order shuffled --seed 1", "--order customer"];
    for round in 0..3 {
        correct(&at_url, round + 1);
        let codes: Vec<i32> = thread::scope(|scope| {
            let run = |command: String| {
                scope.spawn(|| {
                    let command = command;
                    at_url.bench.run(&command)
                })
            };
            let mut all: Vec<_> = orders.iter().map(|order| run(format!("{PRODUCE} {order}"))).collect();
            all.push(run(PRODUCE.replace(DT, "2026-01-03")));
            all.into_iter()
                .map(|one| one.join().unwrap())
                .inspect(|ran| {
                    assert!(ran.code == 0 || ran.said().contains("meanwhile, and its rows stay"), "{}", ran.stderr);
                })
                .map(|ran| ran.code)
                .collect()
        });
        assert!(codes[..4].contains(&0), "one of them wins");
        assert_eq!(codes[4], 0, "another day");
        let files = super::files(&at_url);
        let (table, by_name) = (local(&at_url), &seen(&files)[&format!("dt={DT}")]);
        let of_day = table.active.keys().filter_map(|path| path.strip_prefix(&format!("dt={DT}/")));
        assert!(of_day.eq(by_name.keys().map(String::as_str).filter(|name| name.starts_with("part-"))));
    }
}
