//! The same by tasks, as a cluster runs them: the parts that each task has put at a URL, published in one step. Each
//! request goes wrong in turn, and the process is killed at each.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{DAYS, deliver, json, run, show};
use crate::support::places::{Endpoint, Fault, IN_PASSING, Proxy, S3Server, nth};
use crate::support::program::Bench;
use crate::support::random::Random;

const STORE: &str = "s3://bucket/store";
const ROWS: &str = "s3://bucket/rows";

/// A store of three batches at a URL, with impressions for the last two days, and a Python that has the package.
struct Shop {
    bench: Bench,
    server: S3Server,
    python: String,
}

/// Returns the shop; `None` without such a Python, which is said.
fn shop() -> Option<Shop> {
    let Ok(python) = std::env::var("LOOKBACK_TORCH_PYTHON") else {
        eprintln!("LOOKBACK_TORCH_PYTHON is not set, which tools/test does: nothing is run by tasks");
        return None;
    };
    let (bench, server, mut random) = (Bench::new(), S3Server::start(), Random::new(21));
    let shop = Shop { bench, server, python };
    for day in DAYS {
        deliver(&shop.bench, day, &mut random);
        show(&shop.bench, day, &mut random);
    }
    json(&shop.bench, Some(&shop.server), &format!("shards init --store {STORE} --shards 2"));
    for day in &DAYS[..3] {
        shop.done(&shop.server, &["ingest", STORE, "input", day, ""]);
    }
    Some(shop)
}

impl Shop {
    fn command(&self, at: &dyn Endpoint, script: &str, words: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        let of_bench = self.bench.command();
        command.envs(of_bench.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.bench.path("")).envs(at.environment());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script)).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command by tasks, and returns its summary.
    fn done(&self, at: &dyn Endpoint, words: &[&str]) -> Value {
        let ran = self.command(at, "engine.py", words).output().unwrap();
        assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
        serde_json::from_slice(&ran.stdout).unwrap()
    }

    /// A server with the same objects.
    fn copy(&self) -> S3Server {
        let server = S3Server::start();
        self.server.objects().into_iter().for_each(|(key, bytes)| server.put(&key, bytes));
        server
    }

    /// Makes the rows that one process makes, to compare with.
    fn alone(&self, out: &str) {
        json(&self.bench, Some(&self.server), &format!("shards export --store {STORE} --to of-{out}"));
        json(&self.bench, None, &format!("produce --store of-{out} --input input --dt 2026-01-04 --out {out}"));
    }

    /// Whether two outputs have the same rows.
    fn are_same(&self, at: &dyn Endpoint, one: &str, other: &str) -> bool {
        let ran = run(&self.bench, Some(at), &format!("diff {one} {other} --dt 2026-01-04"));
        assert!(ran.code == 0 || ran.code == 3, "{}", ran.stderr);
        ran.code == 0
    }
}

#[test]
fn rows_by_tasks_are_those_of_one_process() {
    let Some(shop) = shop() else { return };
    shop.alone("right");
    for (out, further) in [(ROWS, ""), ("s3://bucket/table", "delta"), ("rows", ""), ("table", "delta")] {
        for round in 0..2 {
            let made = shop.done(&shop.server, &["produce", STORE, "input", "2026-01-04", out, further]);
            assert!(made["rows"].as_u64().unwrap() > 100 && made["fetched_files"] == 0, "{made}");
            let versions = made["table_version"].as_u64();
            assert_eq!(versions.is_some(), further == "delta", "{out}, round {round}");
            assert!(shop.are_same(&shop.server, out, "right"), "{out}, round {round}");
            let checked = format!("manifest --out {out} --dt 2026-01-04 --check");
            assert_eq!(run(&shop.bench, Some(&shop.server), &checked).code, 0, "{out}");
        }
    }
    // A run that replaces the rows removes what they were.
    let parts = shop.server.objects().into_keys().filter(|key| key.starts_with("rows/dt=") && key.contains("/part-"));
    assert_eq!(parts.count(), 2, "one for each shard");
}

#[test]
fn rows_by_spark_at_a_url_are_those_of_one_process() {
    let Some(shop) = shop() else { return };
    shop.alone("right");
    let words = [&["s3://bucket/spark", "input", "s3://bucket/by-spark"][..], &DAYS].concat();
    let ran = shop.command(&shop.server, "on_spark.py", &words).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for kind in ["files", "delta"] {
        assert!(shop.are_same(&shop.server, &format!("s3://bucket/by-spark-{kind}"), "right"), "{kind}");
    }
    let verified = json(&shop.bench, Some(&shop.server), "shards verify --store s3://bucket/spark");
    assert_eq!((&verified["version"], &verified["faults"]), (&4.into(), &0.into()));
}

#[test]
fn a_request_of_tasks_that_goes_wrong_in_passing_changes_nothing() {
    let Some(shop) = shop() else { return };
    shop.alone("right");
    let produce = ["produce", STORE, "input", "2026-01-04", ROWS, ""];
    let proxy = Proxy::to(&shop.server);
    shop.done(&proxy, &produce);
    let requests = proxy.requests().len();
    assert!((8..60).contains(&requests), "{requests}");
    for number in 1..=requests {
        // Each request in some of the faults: in all of them they are tried for the commands of one process.
        for fault in [IN_PASSING[number % IN_PASSING.len()], IN_PASSING[(number + 3) % IN_PASSING.len()]] {
            let server = shop.copy();
            let proxy = Proxy::to(&server);
            proxy.fail(nth(number), fault);
            shop.done(&proxy, &produce);
            proxy.deliver();
            assert!(shop.are_same(&server, ROWS, "right"), "{fault:?} at request {number}");
        }
    }
}

#[test]
fn killed_at_a_request_tasks_leave_the_old_rows_or_the_new() {
    let Some(shop) = shop() else { return };
    shop.alone("before");
    let produce = ["produce", STORE, "input", "2026-01-04", ROWS, ""];
    shop.done(&shop.server, &produce);
    // Other rows come in their place: those after one more batch of an earlier day.
    deliver(&shop.bench, DAYS[0], &mut Random::new(22));
    shop.done(&shop.server, &["ingest", STORE, "input", DAYS[0], ""]);
    shop.alone("after");
    assert!(!shop.are_same(&shop.server, "before", "after"));
    let copy = shop.copy();
    let proxy = Proxy::to(&copy);
    shop.done(&proxy, &produce);
    let requests = proxy.requests().len();
    for number in 1..=requests {
        for fault in [Fault::Stall, Fault::StallAfter] {
            let server = shop.copy();
            let proxy = Proxy::to(&server);
            proxy.fail(nth(number), fault);
            let mut child = shop.command(&proxy, "engine.py", &produce).spawn().unwrap();
            assert!(proxy.wait_stalled(&mut child), "{fault:?} at request {number}");
            child.kill().unwrap();
            child.wait().unwrap();
            let when = format!("killed with {fault:?} at request {number}");
            let checked = format!("manifest --out {ROWS} --dt 2026-01-04 --check");
            assert_eq!(run(&shop.bench, Some(&server), &checked).code, 0, "{when}");
            let is_one = shop.are_same(&server, ROWS, "before") || shop.are_same(&server, ROWS, "after");
            assert!(is_one, "{when}: neither the old rows nor the new");
            shop.done(&server, &produce);
            assert!(shop.are_same(&server, ROWS, "after"), "{when}");
            let parts =
                server.objects().into_keys().filter(|key| key.starts_with("rows/dt=") && key.contains("/part-"));
            assert_eq!(parts.count(), 2, "{when}: nothing is left of the killed run");
        }
    }
}
