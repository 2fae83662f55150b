//! How many requests commands on a sharded store make, by the number of shards: the table of docs/sharded-costs.md, and
//! what tools/year reckons with.

use serde_json::Value;

use super::{DAYS, deliver, json, show};
use crate::support::places::{Kind, Proxy, S3Server};
use crate::support::program::Bench;
use crate::support::random::Random;

/// Requests by what they cost: lists, reads and writes of objects; removals cost nothing.
#[derive(Debug, Eq, PartialEq)]
struct Requests {
    lists: usize,
    gets: usize,
    puts: usize,
    removals: usize,
}

/// Runs a command on a store at a server, and counts.
fn counted(bench: &Bench, server: &S3Server, arguments: &str) -> (Requests, Value) {
    let proxy = Proxy::to(server);
    let summary = json(bench, Some(&proxy), arguments);
    let count = |kinds: &[Kind]| kinds.iter().map(|kind| proxy.count(*kind)).sum();
    let (lists, gets) = (count(&[Kind::List]), count(&[Kind::Get, Kind::Head]));
    let puts = count(&[Kind::Put, Kind::CreateUpload, Kind::UploadPart, Kind::CompleteUpload]);
    let removals = count(&[Kind::Delete]);
    assert_eq!(lists + gets + puts + removals, proxy.requests().len(), "of no other kind: {arguments}");
    let told = summary["timing"]["requests"].as_object().unwrap().values().map(|count| count.as_u64().unwrap());
    assert_eq!(usize::try_from(told.sum::<u64>()).unwrap(), proxy.requests().len(), "{arguments}: {summary}");
    (Requests { lists, gets, puts, removals }, summary)
}

fn number(summary: &Value, name: &str) -> usize {
    summary[name].as_u64().unwrap_or_else(|| panic!("{name}: {summary}")).try_into().unwrap()
}

#[test]
fn requests_follow_from_the_shards_and_from_the_table_files_that_the_cache_lacks() {
    for shards in [1, 2, 8] {
        let (bench, server, mut random) = (Bench::new(), S3Server::start(), Random::new(14));
        let run = |command: &str, options: &str| {
            counted(&bench, &server, &format!("shards {command} --store s3://bucket/store {options}"))
        };
        let (made, _) = run("init", &format!("--shards {shards}"));
        // The shards begin as one table file and one bundle, the same for all; the mark is written twice, to see
        // whether the store takes conditions.
        assert_eq!(made, Requests { lists: 1, gets: 1, puts: 5, removals: 0 }, "init");
        for day in DAYS {
            deliver(&bench, day, &mut random);
            show(&bench, day, &mut random);
        }
        for (number_of_day, day) in DAYS.iter().enumerate() {
            let (ingested, told) = run("ingest", &format!("--input input --dt {day} --cache cache"));
            // The list of versions and the newest of them; of each shard its bundle, a new one, and a new table file;
            // then the next version. Only the first batch finds a table file that the cache lacks, the same of all
            // shards.
            let fetched = number(&told, "fetched_files");
            assert_eq!(fetched, usize::from(number_of_day == 0), "{day}");
            assert_eq!(number(&told, "uploaded_files"), 2 * shards, "{day}");
            let gets = 1 + shards + fetched;
            assert_eq!(ingested, Requests { lists: 1, gets, puts: 2 * shards + 1, removals: 0 }, "{day}, {shards}");
        }
        let produce = "--input input --dt 2026-01-04 --out rows";
        let (warm, told) = run("produce", &format!("{produce} --cache cache"));
        assert_eq!((warm, number(&told, "fetched_files")), (reading(1 + shards), 0), "produce, {shards} shards");
        // A table file of the first version and one of each batch.
        let tables = 1 + DAYS.len();
        for command in ["produce", "verify"] {
            let (cold, told) = run(command, if command == "produce" { produce } else { "" });
            let expected = (reading(1 + shards + tables * shards), tables * shards);
            assert_eq!((cold, number(&told, "fetched_files")), expected, "{command}, {shards} shards");
        }
        let (ingested, told) = run("ingest", "--input input --dt 2026-01-01");
        assert_eq!(number(&told, "uploaded_files"), 2 * shards);
        let expected = Requests { puts: 2 * shards + 1, ..reading(1 + shards + tables * shards) };
        assert_eq!(ingested, expected, "a batch without a cache, {shards} shards");
        let (status, _) = run("status", "");
        assert_eq!(status, Requests { lists: 2, ..reading(1) });
        collecting(&run, &server, shards);
    }
}

fn reading(gets: usize) -> Requests {
    Requests { lists: 1, gets, puts: 0, removals: 0 }
}

/// Six versions are there, and two stay.
fn collecting(run: &dyn Fn(&str, &str) -> (Requests, Value), server: &S3Server, shards: usize) {
    let objects = || server.objects().keys().filter(|key| key.starts_with("store/files/")).count();
    let before = objects();
    server.set_page(5);
    let pages = before.div_ceil(5);
    // The versions twice, the second time with what was removed before; two pages of them.
    let (removed, told) = run("gc", "--keep 2");
    let all = Requests { lists: pages + 4, gets: 2, puts: 4, removals: 0 };
    assert_eq!((removed, number(&told, "removed_versions")), (all, 4), "gc of {shards} shards");
    server.set_page(1_000);
    let (again, _) = run("gc", "--keep 2");
    assert_eq!(again, Requests { lists: 3, gets: 2, puts: 0, removals: 0 }, "gc of {shards} shards, again");
    assert_eq!(objects(), before, "all is young");
}
