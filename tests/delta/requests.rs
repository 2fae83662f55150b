//! A Delta table at a URL: each request of a run goes wrong in turn, in each way; and the process is killed at each.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use super::{AtUrl, DT, correct, parts_there};
use crate::support::delta::{commits, seen, table};
use crate::support::places::{Endpoint, Fault, Kind, Proxy, nth};

const PRODUCE: &str =
    "produce --store store --input input --dt 2026-01-04 --out @/out --table delta --request-timeout 1";

/// Ways in which a request fails in passing.
const FAULTS: [Fault; 9] = [
    Fault::Status(503, "SlowDown"),
    Fault::StatusAfter(500, "InternalError"),
    Fault::Cut,
    Fault::LostAnswer,
    Fault::CutAnswer,
    Fault::Twice,
    Fault::TwiceLater(2),
    Fault::Late(2),
    Fault::StallAnswer,
];

type Files = BTreeMap<String, Vec<u8>>;

/// A table that has the rows of before a correction.
fn before_a_correction() -> AtUrl {
    let at_url = AtUrl::new();
    at_url.ok(PRODUCE);
    correct(&at_url, 1);
    at_url
}

/// Makes the object store what `objects` are.
fn put_back(at_url: &AtUrl, objects: &Files) {
    for key in at_url.server.objects().keys().filter(|key| !objects.contains_key(*key)) {
        at_url.server.remove(key);
    }
    for (key, bytes) in objects {
        if at_url.server.objects().get(key) != Some(bytes) {
            at_url.server.put(key, bytes.clone());
        }
    }
    at_url.server.age(Duration::from_secs(60));
}

/// The requests of an undisturbed run, and what there is before and after it.
fn undisturbed(at_url: &AtUrl, proxy: &Proxy) -> (usize, Files, Files) {
    let old = at_url.server.objects();
    at_url.ok_at(proxy, PRODUCE);
    let new = at_url.below("out/");
    assert_eq!(table(&new).unwrap().version, 1);
    (proxy.requests().len(), old, new)
}

#[test]
fn a_commit_comes_through_whatever_one_request_meets() {
    let at_url = before_a_correction();
    let proxy = Proxy::to(&at_url.server);
    let (requests, old, new) = undisturbed(&at_url, &proxy);
    for number in 1..=requests {
        for fault in FAULTS {
            put_back(&at_url, &old);
            proxy.heal();
            proxy.deliver();
            proxy.forget();
            proxy.fail(nth(number), fault);
            let ran = at_url.run_at(&proxy, PRODUCE);
            proxy.deliver();
            assert_eq!(ran.code, 0, "{fault:?} at {number}: {}", ran.stderr);
            let there = at_url.below("out/");
            // All but the times in the log are as in the undisturbed run.
            assert!(there.keys().eq(new.keys()), "{fault:?} at {number}");
            assert!(seen(&there) == seen(&new), "{fault:?} at {number}");
            assert_eq!(commits(&there).len(), 2, "{fault:?} at {number}");
            assert!(at_url.server.open_uploads().is_empty(), "{fault:?} at {number}");
        }
    }
}

#[test]
fn a_run_that_is_killed_at_a_request_leaves_one_version_or_the_next() {
    let at_url = before_a_correction();
    let proxy = Proxy::to(&at_url.server);
    let (requests, old, new) = undisturbed(&at_url, &proxy);
    let below = |objects: &Files| -> Files {
        objects.iter().filter_map(|(key, bytes)| Some((key.strip_prefix("out/")?.to_owned(), bytes.clone()))).collect()
    };
    let (old_seen, new_seen, mut between) = (seen(&below(&old)), seen(&new), 0);
    for number in 1..=requests {
        for fault in [Fault::Stall, Fault::StallAfter] {
            put_back(&at_url, &old);
            proxy.heal();
            proxy.deliver();
            proxy.forget();
            proxy.fail(nth(number), fault);
            let arguments =
                PRODUCE.replace('@', proxy.url("").trim_end_matches('/')).replace("timeout 1", "timeout 60");
            let mut command = at_url.bench.command();
            command.envs(proxy.environment()).args(arguments.split_whitespace());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            assert!(proxy.kill_stalled(&mut child), "{fault:?} at {number}");
            proxy.heal();
            // Each reader sees the old rows or the new, each for itself.
            let there = seen(&at_url.below("out/"));
            for kind in ["_delta_log", &format!("dt={DT}")] {
                let is_whole = there[kind] == old_seen[kind] || there[kind] == new_seen[kind];
                assert!(is_whole, "{fault:?} at {number}: {kind}");
            }
            between += usize::from(there != old_seen && there != new_seen);
            at_url.ok(PRODUCE);
            let done = at_url.below("out/");
            assert!(done.keys().eq(new.keys()), "{fault:?} at {number}: the next run");
            assert!(seen(&done) == new_seen, "{fault:?} at {number}: the next run");
        }
    }
    assert!(between > 0, "some runs were killed between the commit and the manifest");
}

#[test]
fn an_unchanged_rerun_uploads_nothing() {
    let at_url = AtUrl::new();
    at_url.ok(PRODUCE);
    let before = at_url.server.objects();
    let proxy = Proxy::to(&at_url.server);
    at_url.ok_at(&proxy, PRODUCE);
    let sent = [Kind::Put, Kind::CreateUpload, Kind::Delete].map(|kind| proxy.count(kind));
    assert_eq!(sent, [0, 0, 0]);
    assert!(at_url.server.objects() == before);
}

#[test]
fn the_rows_at_a_url_are_those_of_a_folder_and_every_command_reads_them() {
    let at_url = before_a_correction();
    at_url.ok(PRODUCE);
    assert_eq!(parts_there(&at_url.below("out/")).len(), 2);
    at_url.ok(&PRODUCE.replace("@/out --table delta", "plain"));
    at_url.ok("diff @/out plain");
    at_url.ok(&format!("audit --store store --input input --out @/out --dt {DT}"));
    at_url.ok(&format!("manifest --out @/out --dt {DT} --check"));
    assert!(at_url.ok("stale --store store --out @/out").stdout.is_empty());
    at_url.refused(&PRODUCE.replace("--table delta", ""), &["is a Delta table; give --table delta"]);
    at_url.ok(&PRODUCE.replace("@/out --table delta", "@/plain"));
    at_url.refused(&PRODUCE.replace("@/out", "@/plain"), &["has partitions, and is not a Delta table"]);
}
