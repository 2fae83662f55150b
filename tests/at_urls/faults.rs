//! Each request of a run goes wrong in turn, in each way; and the process is killed at each.

use std::process::Stdio;

use super::{AtUrl, DT, batch};
use crate::support::output::dump;
use crate::support::places::{Endpoint, Fault, Proxy, nth};

const INGEST: &str = "ingest --create --store url --input @/in --dt 2026-01-01 --request-timeout 1";
const PRODUCE: &str = "produce --store store --input input --dt 2026-01-04 --out @/out --request-timeout 1";

/// Ways in which a request fails in passing.
const FAULTS: [Fault; 10] = [
    Fault::Status(503, "SlowDown"),
    Fault::Status(500, "InternalError"),
    Fault::StatusAfter(500, "InternalError"),
    Fault::Cut,
    Fault::LostAnswer,
    Fault::CutAnswer,
    Fault::Twice,
    Fault::TwiceLater(2),
    Fault::Late(2),
    Fault::StallAnswer,
];

#[test]
fn an_ingest_comes_through_whatever_one_request_meets() {
    let at_url = AtUrl::new();
    at_url.ok(INGEST);
    let whole = dump(&at_url.bench.path("url"));
    let proxy = Proxy::to(&at_url.server);
    std::fs::remove_dir_all(at_url.bench.path("url")).unwrap();
    at_url.ok_at(&proxy, INGEST);
    let requests = proxy.requests().len();
    for number in 1..=requests {
        for fault in FAULTS {
            std::fs::remove_dir_all(at_url.bench.path("url")).unwrap();
            proxy.heal();
            proxy.deliver();
            proxy.forget();
            proxy.fail(nth(number), fault);
            let ran = at_url.run_at(&proxy, INGEST);
            assert_eq!(ran.code, 0, "{fault:?} at {number}: {}", ran.stderr);
            assert!(dump(&at_url.bench.path("url")) == whole, "{fault:?} at {number}");
        }
    }
}

/// An output that has the rows of before a correction.
fn before_a_correction() -> AtUrl {
    let at_url = AtUrl::new();
    at_url.ok(PRODUCE);
    batch(&at_url.bench, 2, 1);
    at_url.bench.ok("ingest --store store --input input --dt 2026-01-02");
    at_url.bench.produce(DT);
    at_url
}

/// Makes the object store what `objects` are.
fn put_back(at_url: &AtUrl, objects: &std::collections::BTreeMap<String, Vec<u8>>) {
    for key in at_url.server.objects().keys().filter(|key| !objects.contains_key(*key)) {
        at_url.server.remove(key);
    }
    for (key, bytes) in objects {
        if at_url.server.objects().get(key) != Some(bytes) {
            at_url.server.put(key, bytes.clone());
        }
    }
    at_url.server.age(std::time::Duration::from_secs(60));
}

#[test]
fn rows_come_through_whatever_one_request_meets() {
    let at_url = before_a_correction();
    let old = at_url.server.objects();
    let proxy = Proxy::to(&at_url.server);
    at_url.ok_at(&proxy, PRODUCE);
    let (requests, new) = (proxy.requests().len(), at_url.server.objects());
    assert_eq!(at_url.parts(), at_url.local_parts("out"));
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
            assert!(at_url.server.objects() == new, "{fault:?} at {number}");
            assert!(at_url.server.open_uploads().is_empty(), "{fault:?} at {number}");
        }
    }
}

#[test]
fn a_run_that_is_killed_at_a_request_leaves_the_old_rows_or_the_new() {
    let at_url = before_a_correction();
    let old = at_url.server.objects();
    let proxy = Proxy::to(&at_url.server);
    at_url.ok_at(&proxy, PRODUCE);
    let (requests, new) = (proxy.requests().len(), at_url.server.objects());
    let manifest = format!("out/dt={DT}/_manifest.parquet");
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
            let there = at_url.server.objects();
            let is_old = there[&manifest] == old[&manifest];
            assert!(is_old || there[&manifest] == new[&manifest], "{fault:?} at {number}");
            let named = if is_old { &old } else { &new };
            let kept = named.keys().all(|key| there.contains_key(key));
            assert!(kept, "{fault:?} at {number}: a part that the manifest names is missing");
            at_url.server.age(std::time::Duration::from_secs(60));
            at_url.ok(PRODUCE);
            assert!(at_url.server.objects() == new, "{fault:?} at {number}: the next run");
        }
    }
}
