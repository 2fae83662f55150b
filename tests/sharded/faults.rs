//! Each request of an ingest in turn goes wrong, and the process is killed at each: afterwards the old version or the
//! new, and the next run ends as an undisturbed one.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};

use super::{DAYS, deliver, dumps, json, run};
use crate::support::output::Entries;
use crate::support::places::{Endpoint, Fault, IN_PASSING, Proxy, S3Server, nth};
use crate::support::program::Bench;
use crate::support::random::Random;

const INIT: &str = "shards init --store s3://bucket/deep/store --shards 2";
const INGEST: &str = "shards ingest --store s3://bucket/deep/store --input input --request-timeout 20 --dt 2026-01-02";

/// A store of one batch, before the second.
struct Before {
    bench: Bench,
    objects: BTreeMap<String, Vec<u8>>,
    /// Both shards with both batches.
    expected: Vec<Entries>,
    /// The requests of an undisturbed run.
    requests: usize,
}

impl Before {
    fn new() -> Self {
        let (bench, server, mut random) = (Bench::new(), S3Server::start(), Random::new(8));
        json(&bench, Some(&server), INIT);
        for day in &DAYS[..2] {
            deliver(&bench, day, &mut random);
        }
        json(&bench, Some(&server), &INGEST.replace("01-02", "01-01"));
        let objects = server.objects();
        let proxy = Proxy::to(&server);
        let counted = json(&bench, Some(&proxy), INGEST);
        let requests = proxy.requests().len();
        let told = counted["timing"]["requests"].as_object().unwrap().values().map(|count| count.as_u64().unwrap());
        assert_eq!(usize::try_from(told.sum::<u64>()).unwrap(), requests);
        let expected = dumps(&bench, Some(&server), "s3://bucket/deep/store", 3);
        Before { bench, objects, expected, requests }
    }

    fn server(&self) -> S3Server {
        let server = S3Server::start();
        self.objects.iter().for_each(|(key, bytes)| server.put(key, bytes.clone()));
        server
    }

    fn check(&self, server: &S3Server, number: u64, when: &str) {
        assert_eq!(dumps(&self.bench, Some(server), "s3://bucket/deep/store", number), self.expected, "{when}");
    }

    fn newest(&self, server: &S3Server) -> u64 {
        json(&self.bench, Some(server), "shards status --store s3://bucket/deep/store")["version"].as_u64().unwrap()
    }
}

#[test]
fn a_request_that_goes_wrong_in_passing_changes_nothing() {
    let before = Before::new();
    assert!((8..40).contains(&before.requests), "{}", before.requests);
    for number in 1..=before.requests {
        for fault in IN_PASSING {
            let server = before.server();
            let proxy = Proxy::to(&server);
            proxy.fail(nth(number), fault);
            let made = json(&before.bench, Some(&proxy), INGEST);
            proxy.deliver();
            let when = format!("{fault:?} at request {number}");
            assert_eq!((&made["version"], before.newest(&server)), (&3.into(), 3), "{when}");
            before.check(&server, 3, &when);
        }
    }
}

fn spawn(bench: &Bench, at: &dyn Endpoint, arguments: &str) -> Child {
    let mut command = bench.command();
    command.args(arguments.split_whitespace()).envs(at.environment());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_process_killed_at_a_request_leaves_the_old_version_or_the_new() {
    let before = Before::new();
    for number in 1..=before.requests {
        for fault in [Fault::Stall, Fault::StallAfter] {
            let server = before.server();
            let proxy = Proxy::to(&server);
            proxy.fail(nth(number), fault);
            let mut child = spawn(&before.bench, &proxy, INGEST);
            assert!(proxy.wait_stalled(&mut child), "{fault:?} at request {number}");
            child.kill().unwrap();
            child.wait().unwrap();
            let when = format!("killed with {fault:?} at request {number}");
            let newest = before.newest(&server);
            assert!([2, 3].contains(&newest), "{when}: {newest}");
            json(&before.bench, Some(&server), "shards verify --store s3://bucket/deep/store");
            let made = json(&before.bench, Some(&server), INGEST);
            assert_eq!(made["version"], newest + 1, "{when}");
            before.check(&server, newest + 1, &when);
        }
    }
}

#[test]
fn a_store_that_fails_for_good_is_one_sentence_and_leaves_the_old_version() {
    let before = Before::new();
    for number in 1..=before.requests {
        let server = before.server();
        let proxy = Proxy::to(&server);
        proxy.fail(nth(number), Fault::Status(403, "AccessDenied"));
        let ran = run(&before.bench, Some(&proxy), INGEST);
        assert_eq!(ran.code, 1, "{number}: {}", ran.stderr);
        assert!(ran.said().contains("access is denied"), "{number}: {}", ran.stderr);
        assert_eq!(before.newest(&server), 2, "{number}");
    }
}
