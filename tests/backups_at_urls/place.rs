//! A store with batches, an object store to back it up to, and what is there.

use std::collections::BTreeMap;
use std::process::Child;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use crate::support::input::{PLAIN, RawAction, us, write_batch};
use crate::support::places::{Endpoint, S3Server, SECRET_KEY};
use crate::support::program::{Bench, Ran};

/// What all backups are written below.
pub const URL: &str = "s3://bucket/deep/backups";

/// A batch of 300 actions, ingested.
pub fn batch(bench: &Bench, day: &str) {
    let click = |customer| RawAction { customer, item: 7, time_us: us(&format!("{day}T10:00:00Z")), kind: 1 };
    write_batch(&bench.input(), day, &(0..300).map(click).collect::<Vec<_>>(), PLAIN);
    bench.ingest(day);
}

/// Runs the program against an object store. Says the secret nowhere.
pub fn run_at(bench: &Bench, at: &dyn Endpoint, arguments: &str) -> Ran {
    let mut command = bench.command();
    let ran = Ran::of(command.args(arguments.split_whitespace()).envs(at.environment()).output().unwrap());
    assert!(!(ran.stdout.clone() + &ran.stderr).contains(SECRET_KEY), "{}", ran.stderr);
    ran
}

/// The same, with success and a summary.
pub fn json_at(bench: &Bench, at: &dyn Endpoint, arguments: &str) -> Value {
    let ran = run_at(bench, at, &format!("{arguments} --json"));
    assert_eq!(ran.code, 0, "lookback {arguments}\n{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

pub fn spawn_at(bench: &Bench, at: &dyn Endpoint, arguments: &str) -> Child {
    let mut command = bench.command();
    let pipe = std::process::Stdio::piped;
    command.args(arguments.split_whitespace()).envs(at.environment()).stdout(pipe()).stderr(pipe()).spawn().unwrap()
}

/// The objects below the URL whose names begin so, without that.
pub fn objects(server: &S3Server, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let prefix = format!("deep/backups/{prefix}");
    let objects = server.objects().into_iter();
    objects.filter_map(|(key, bytes)| Some((key.strip_prefix(&prefix)?.to_owned(), bytes))).collect()
}

/// Checks all that is there without the program's help: each object is named after its content, and each version names
/// files that lie in such objects and match their hashes. Returns name and hash of the files of each version.
pub fn checked(server: &S3Server) -> BTreeMap<u32, Vec<(String, String)>> {
    let hash = |bytes: &[u8]| format!("{:032x}", xxh3_128(bytes));
    let files = objects(server, "files/");
    for (name, bytes) in &files {
        assert!(name.starts_with(&format!("{}-{}-", hash(bytes), bytes.len())), "{name}");
    }
    let mut versions = BTreeMap::new();
    for (name, text) in objects(server, "versions/") {
        if text.is_empty() {
            continue;
        }
        let document: Value = serde_json::from_slice(&text).unwrap();
        let number: u32 = name.trim_end_matches(".json").parse().unwrap();
        assert_eq!((&document["document"], &document["number"]), (&1.into(), &number.into()));
        let mut named = Vec::new();
        for file in document["files"].as_array().unwrap() {
            let text = |key: &str| file[key].as_str().unwrap().to_owned();
            let number = |key: &str| usize::try_from(file[key].as_u64().unwrap()).unwrap();
            let object = files.get(&text("object")).unwrap_or_else(|| panic!("{name} names what is not there: {file}"));
            let bytes = &object[number("offset")..number("offset") + number("bytes")];
            assert_eq!(text("xxh3_128"), hash(bytes), "{file}");
            named.push((text("name"), text("xxh3_128")));
        }
        versions.insert(number, named);
    }
    versions
}

/// The numbers of the versions that are there.
pub fn numbers(server: &S3Server) -> Vec<u32> {
    checked(server).into_keys().collect()
}
