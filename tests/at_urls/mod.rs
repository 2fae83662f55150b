//! Input and output at a URL: the same as from and to folders, whatever happens to a request.

mod audited;
mod errors;
mod faults;
mod input;
mod large;
mod open_files;
mod output;
mod quarantine;
mod replaced;
mod through_proxies;

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::tree;
use crate::support::places::{Endpoint, S3Server, SECRET_KEY};
use crate::support::program::{Bench, Ran, assert_one_sentence};
use crate::support::random::Random;

/// The last day, whose rows are produced.
pub const DT: &str = "2026-01-04";

/// A folder with an input of four days and a store of the first three, and an object store that has the input below
/// `in`.
pub struct AtUrl {
    pub bench: Bench,
    pub server: S3Server,
}

impl AtUrl {
    pub fn new() -> Self {
        let bench = Bench::new();
        for day in 1..=4_u64 {
            batch(&bench, day, 0);
        }
        let shown = |customer| RawImpression {
            ranking_id: Some(format!("r{customer}")),
            customer,
            elements: vec![(5, Some(true)), (9, None)],
        };
        write_impressions(&bench.input(), DT, &(0..12).map(shown).collect::<Vec<_>>(), PLAIN);
        for day in 1..=3 {
            bench.ingest(&format!("2026-01-0{day}"));
        }
        let at_url = AtUrl { bench, server: S3Server::start() };
        at_url.deliver();
        at_url
    }

    /// Puts the input as it is now into the object store.
    pub fn deliver(&self) {
        for (name, bytes) in tree(&self.bench.input()) {
            self.server.put(&format!("in/{name}"), bytes);
        }
    }

    /// Runs a command in which `@` stands for the URL of the bucket.
    pub fn run_at(&self, to: &dyn Endpoint, arguments: &str) -> Ran {
        let arguments = arguments.replace('@', to.url("").trim_end_matches('/'));
        let ran = self.bench.run_in(&to.environment(), arguments.split_whitespace());
        assert!(!ran.stderr.contains(SECRET_KEY) && !ran.stdout.contains(SECRET_KEY), "{}", ran.stderr);
        ran
    }

    pub fn run(&self, arguments: &str) -> Ran {
        self.run_at(&self.server, arguments)
    }

    pub fn ok_at(&self, to: &dyn Endpoint, arguments: &str) -> Ran {
        let ran = self.run_at(to, arguments);
        assert_eq!(ran.code, 0, "lookback {arguments}\n{}", ran.stderr);
        ran
    }

    pub fn ok(&self, arguments: &str) -> Ran {
        self.ok_at(&self.server, arguments)
    }

    pub fn json_at(&self, to: &dyn Endpoint, arguments: &str) -> Value {
        serde_json::from_str(&self.ok_at(to, &format!("{arguments} --json")).stdout).unwrap()
    }

    pub fn refused(&self, arguments: &str, words: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 1, "lookback {arguments}\n{}", ran.stderr);
        assert_one_sentence(&ran, words);
    }

    /// The objects below a key, by the rest of their names.
    pub fn below(&self, key: &str) -> BTreeMap<String, Vec<u8>> {
        let objects = self.server.objects().into_iter();
        objects.filter_map(|(name, bytes)| Some((name.strip_prefix(key)?.to_owned(), bytes))).collect()
    }

    /// The part files of the day in the object store, by the number in their names.
    pub fn parts(&self) -> Vec<Vec<u8>> {
        let parts = self.below(&format!("out/dt={DT}/part-"));
        parts.into_values().collect()
    }

    /// The part files of the day in a local output.
    pub fn local_parts(&self, out: &str) -> Vec<Vec<u8>> {
        let parts = tree(&self.bench.path(out).join(format!("dt={DT}"))).into_iter();
        parts.filter(|(name, _)| name.starts_with("part-")).map(|(_, bytes)| bytes).collect()
    }
}

/// Writes a batch; another seed gives another one of the same day.
pub fn batch(bench: &Bench, day: u64, seed: u64) {
    let mut random = Random::new(100 * seed + day);
    let midnight = us(&format!("2026-01-0{day}T00:00:00Z"));
    let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
    let actions: Vec<RawAction> = (0..60)
        .map(|_| RawAction {
            customer: number(12),
            item: 1 + number(50),
            time_us: midnight + number(86_400_000_000),
            kind: u8::try_from(1 + number(3)).unwrap(),
        })
        .collect();
    let folder = bench.input();
    for source in ["clicks", "add_to_carts", "orders"] {
        let _ = fs::remove_dir_all(folder.join(format!("{source}/dt=2026-01-0{day}")));
    }
    write_batch(&folder, &format!("2026-01-0{day}"), &actions, PLAIN);
}
