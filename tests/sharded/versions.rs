//! Versions of a sharded store: one after the other, whoever makes them; old ones and what none names go.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::time::Duration;

use lookback::resources::Resources;
use lookback::store::{Change, ShardedStore};

use super::{DAYS, deliver, dumps, json, run, show};
use crate::support::output::dump;
use crate::support::places::{Endpoint, S3Server};
use crate::support::program::{Bench, Ran, assert_one_sentence};
use crate::support::random::Random;

/// A sharded store with all batches, each a version.
fn with_batches(seed: u64) -> Bench {
    let (bench, mut random) = (Bench::new(), Random::new(seed));
    json(&bench, None, "shards init --store place --shards 4");
    for day in DAYS {
        deliver(&bench, day, &mut random);
        show(&bench, day, &mut random);
        json(&bench, None, &format!("shards ingest --store place --input input --dt {day}"));
    }
    bench
}

fn refused(bench: &Bench, arguments: &str, words: &[&str]) {
    let ran = run(bench, None, arguments);
    assert_eq!(ran.code, 1, "lookback {arguments}: {}", ran.stderr);
    assert_one_sentence(&ran, words);
}

fn files(bench: &Bench) -> BTreeSet<String> {
    let entries = std::fs::read_dir(bench.path("place/files")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Lets all that is there, but for this file, look as if it had been written so long before.
fn age(bench: &Bench, by: Duration, but_for: &str) {
    for folder in ["place/files", "place/versions"] {
        for entry in std::fs::read_dir(bench.path(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(but_for) {
                continue;
            }
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified - by).unwrap();
        }
    }
}

#[test]
fn a_version_stays_as_it_is_and_status_says_what_it_holds() {
    let bench = with_batches(1);
    let status = json(&bench, None, "shards status --store place");
    assert_eq!((&status["version"], &status["shards"]), (&5.into(), &4.into()));
    assert_eq!(status["versions"], serde_json::json!([1, 2, 3, 4, 5]));
    assert_eq!((&status["change"], status["batches"].as_array().unwrap().len()), (&"ingest 2026-01-04".into(), 4));
    let produce = "shards produce --store place --input input --dt 2026-01-03 --number 3 --out";
    let before = json(&bench, None, &format!("{produce} one"));
    assert_eq!(before["version"], 3);
    json(&bench, None, "shards remove --store place --dt 2026-01-02");
    json(&bench, None, &format!("{produce} other"));
    assert_eq!(bench.run("diff one other").code, 0);
    let gap = json(&bench, None, "shards status --store place");
    assert_eq!(gap["gaps"], serde_json::json!(["2026-01-02"]));
    refused(
        &bench,
        "shards produce --store place --input input --dt 2026-01-03 --out third",
        &["2026-01-02", "--allow-gaps"],
    );
    refused(
        &bench,
        "shards status --store place --number 9",
        &["there is no version 9", "versions there: 1, 2, 3, 4, 5, 6"],
    );
    refused(&bench, "shards status --store input", &["there is no sharded store at input", "lookback shards"]);
    refused(&bench, "shards init --store place --shards 2", &["there is a sharded store at place"]);
    refused(&bench, "shards remove --store place --dt 2026-01-09", &["holds no batch of 2026-01-09"]);
}

#[test]
fn a_batch_of_one_identity_comes_once() {
    let bench = with_batches(2);
    let ingest = "shards ingest --store place --input input --dt 2026-01-02 --batch-id snapshot-7";
    let first = json(&bench, None, ingest);
    assert_eq!((&first["version"], &first["kept"], &first["replaced"]), (&6.into(), &false.into(), &true.into()));
    let second = json(&bench, None, ingest);
    assert_eq!((&second["version"], &second["kept"]), (&6.into(), &true.into()));
    assert!(second.get("actions").is_none(), "{second}");
    // Under the same identity another day is another batch, and a day that was removed comes again.
    let other = json(&bench, None, &ingest.replace("01-02", "01-03"));
    assert_eq!((&other["version"], &other["kept"]), (&7.into(), &false.into()));
    json(&bench, None, "shards remove --store place --dt 2026-01-03");
    assert_eq!(json(&bench, None, &ingest.replace("01-02", "01-03"))["kept"], false);
    let said = run(&bench, None, ingest);
    assert!(
        said.stderr.contains("the batch snapshot-7 has come before, and version 9 stays as it is"),
        "{}",
        said.stderr
    );
}

#[test]
fn table_files_that_are_in_the_cache_are_not_fetched() {
    let bench = with_batches(3);
    let verify = |options: &str| json(&bench, None, &format!("shards verify --store place {options}"));
    let without = verify("");
    assert_eq!(without["fetched_files"], 4 * 5, "of each shard the table of its beginning, and one of each batch");
    assert_eq!(verify("--cache cache")["fetched_files"], 1 + 4 * 4, "all begin with the same table");
    assert_eq!(verify("--cache cache")["fetched_files"], 0);
    // A batch brings one table file to each shard, and fetches none.
    let mut random = Random::new(9);
    deliver(&bench, DAYS[0], &mut random);
    let ingested = json(&bench, None, "shards ingest --store place --input input --dt 2026-01-01 --cache cache");
    assert_eq!(ingested["fetched_files"], 0);
    assert_eq!(ingested["uploaded_files"], 8, "a table file and a bundle for each shard");
    // What it has written is in the cache too.
    assert_eq!(verify("--cache cache")["fetched_files"], 0);
    let read = |folder: &str| -> BTreeSet<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
            .collect()
    };
    assert!(read("cache/files").is_subset(&read("place/files")), "the cache has what the place has, unchanged");
    assert_eq!(
        std::fs::read_dir(bench.path("cache")).unwrap().count(),
        1,
        "nothing but the files is left in the cache"
    );
    verify("--cache cache --cache-size 1B");
    assert_eq!(std::fs::read_dir(bench.path("cache/files")).unwrap().count(), 0);
}

/// A file system gives the numbers of removed files to new ones: a new table must not be taken for an old one.
#[test]
fn a_cache_that_is_emptied_meanwhile_gives_no_other_file() {
    let (bench, mut random) = (Bench::new(), Random::new(12));
    json(&bench, None, "shards init --store place --shards 2");
    bench.ok("init --store store");
    // Enough batches that tables are merged, and removed.
    for number in 1..=18 {
        let day = format!("2026-01-{number:02}");
        deliver(&bench, &day, &mut random);
        json(
            &bench,
            None,
            &format!("shards ingest --store place --input input --dt {day} --cache cache --cache-size 1B"),
        );
        bench.ok(&format!("ingest --store store --input input --dt {day}"));
    }
    json(&bench, None, "shards verify --deep --store place");
    json(&bench, None, "shards export --store place --to exported");
    assert_eq!(dump(&bench.path("exported")), dump(&bench.store()));
}

#[test]
fn what_no_version_names_goes_when_it_is_old() {
    let bench = with_batches(4);
    // Written by a task that has failed.
    let garbage = format!("place/files/{}-3-00000000deadbeef", "ab".repeat(16));
    std::fs::write(bench.path(&garbage), "abc").unwrap();
    let expected = dumps(&bench, None, "place", 5);
    let all = files(&bench);
    let kept = json(&bench, None, "shards gc --store place --keep 2");
    assert_eq!((&kept["removed_versions"], &kept["removed_files"]), (&3.into(), &0.into()), "nothing is old");
    assert_eq!(files(&bench), all);
    age(&bench, Duration::from_secs(50 * 3_600), "none");
    // As old as all else: old is what was written long before the newest version.
    assert_eq!(json(&bench, None, "shards gc --store place --keep 2")["removed_files"], 0);
    age(&bench, Duration::from_secs(50 * 3_600), "000005.json");
    let removed = json(&bench, None, "shards gc --store place --keep 2");
    assert!(removed["removed_files"].as_u64().unwrap() > 4, "{removed}");
    assert!(!bench.path(&garbage).exists());
    assert_eq!(dumps(&bench, None, "place", 5), expected);
    json(&bench, None, "shards verify --store place --number 4");
    refused(&bench, "shards verify --store place --number 3", &["there is no version 3", "versions there: 4, 5"]);
    // The number stays taken.
    deliver(&bench, DAYS[3], &mut Random::new(1));
    assert_eq!(json(&bench, None, "shards ingest --store place --input input --dt 2026-01-04")["version"], 6);
}

#[test]
fn a_forgotten_customer_is_in_no_version_and_no_file() {
    let bench = with_batches(5);
    json(&bench, None, "shards produce --store place --input input --dt 2026-01-03 --out out");
    let before = json(&bench, None, "shards verify --store place");
    let forgotten = json(&bench, None, "shards forget --store place --customer -3 5 12345 --out out --scrub");
    assert_eq!((&forgotten["customers"], &forgotten["known"]), (&3.into(), &2.into()));
    assert_eq!(forgotten["removed_versions"], 5);
    let after = json(&bench, None, "shards verify --store place --deep");
    assert_eq!(after["customers"].as_u64().unwrap() + 2, before["customers"].as_u64().unwrap());
    let actions = |of: &serde_json::Value| of["actions"].as_u64().unwrap();
    assert_eq!(actions(&after) + actions(&forgotten), actions(&before));
    // Files of the versions before are too young, and go with the next collection.
    age(&bench, Duration::from_secs(2 * 3_600), "000006.json");
    json(&bench, None, "shards gc --store place --keep 1 --grace 1h");
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.path("place/versions/000006.json")).unwrap()).unwrap();
    let named = document["files"].as_array().unwrap().iter().map(|file| file["object"].as_str().unwrap().to_owned());
    assert_eq!(files(&bench), named.collect(), "only what the version names is left");
    let again = json(&bench, None, "shards ingest --store place --input input --dt 2026-01-02");
    assert!(again["forgotten"].as_u64().unwrap() > 0, "no batch brings them back: {again}");
    assert_eq!(json(&bench, None, "shards verify --store place")["customers"], after["customers"]);
}

fn spawn(bench: &Bench, arguments: &str) -> Child {
    let mut command = bench.command();
    command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn of_runs_at_once_each_makes_a_version_of_its_own_or_says_that_it_has_lost() {
    let bench = with_batches(6);
    for round in 0..3 {
        let before = json(&bench, None, "shards status --store place")["version"].as_u64().unwrap();
        let runs = (0..6).map(|number| {
            let batch = format!("--dt {} --batch-id round-{round}-{number}", DAYS[number % 4]);
            spawn(&bench, &format!("shards ingest --store place --input input {batch}"))
        });
        let runs: Vec<Child> = runs.collect();
        let mut won = 0;
        for run in runs {
            let ran = Ran::of(run.wait_with_output().unwrap());
            won += u64::from(ran.code == 0);
            if ran.code != 0 {
                assert_one_sentence(
                    &ran,
                    &["other runs have made the next version of the sharded store 5 times meanwhile"],
                );
            }
        }
        assert!(won >= 5, "of six, one may lose five times, and no other: {won}");
        assert_eq!(json(&bench, None, "shards status --store place")["version"], before + won);
    }
    // The same batches in any order leave the same content.
    let (newest, all) =
        (json(&bench, None, "shards status --store place")["version"].as_u64().unwrap(), with_batches(6));
    assert_eq!(dumps(&bench, None, "place", newest), dumps(&all, None, "place", 5));
    let left: Vec<_> =
        std::fs::read_dir(bench.path("place")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing is left beside files, versions and the mark: {left:?}");
}

#[test]
fn what_is_not_a_sharded_store_is_told() {
    let (bench, server) = (Bench::new(), S3Server::start());
    deliver(&bench, DAYS[0], &mut Random::new(1));
    bench.ok("ingest --create --store store --input input --dt 2026-01-01");
    json(&bench, Some(&server), "backup --store store --to s3://bucket/b");
    let ran = run(&bench, Some(&server), "shards status --store s3://bucket/b");
    assert_eq!(ran.code, 1);
    assert_one_sentence(&ran, &["there are backups at s3://bucket/b, and no sharded store"]);
    json(&bench, Some(&server), "shards init --store s3://bucket/s --shards 2");
    let ran = run(&bench, Some(&server), "restore --from s3://bucket/s --store restored");
    assert_eq!(ran.code, 1);
    assert_one_sentence(&ran, &["there is a sharded store at s3://bucket/s, and no backups"]);
    let ran = run(&bench, None, "shards init --store p --shards 3");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("a power of two"), "{}", ran.stderr);
    json(&bench, None, "shards init --store mine --shards 2");
    for (arguments, words) in [
        ("ingest --store mine --input . --dt 2026-01-01", "the store"),
        (
            "produce --store mine --input input --dt 2026-01-01 --out mine/rows",
            "the output mine/rows and the store mine overlap",
        ),
        ("status --store mine --cache mine/cache", "the cache mine/cache and the store mine overlap"),
    ] {
        refused(&bench, &format!("shards {arguments}"), &[words, "overlap"]);
    }
    refused(&bench, "shards checkout --store none --shard 0 --to there", &["there is no sharded store at none"]);
}

#[test]
fn a_file_that_is_missing_or_damaged_is_named() {
    let bench = with_batches(7);
    let document = std::fs::read(bench.path("place/versions/000002.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let mut named = document["files"].as_array().unwrap().iter();
    let table = named.rfind(|file| file["name"].as_str().unwrap().ends_with(".sst")).unwrap();
    let path = bench.path(&format!("place/files/{}", table["object"].as_str().unwrap()));
    let bytes = std::fs::read(&path).unwrap();
    let mut damaged = bytes.clone();
    damaged[100] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    refused(&bench, "shards verify --store place --number 2", &["is damaged", "does not match its checksum"]);
    std::fs::remove_file(&path).unwrap();
    refused(&bench, "shards verify --store place --number 2", &["files/"]);
    std::fs::write(&path, bytes).unwrap();
    json(&bench, None, "shards verify --store place --number 2");
}

/// On the newest version twenty drivers have done their work, and all commit it at the same moment.
#[test]
fn of_twenty_commits_at_once_one_wins_each_time() {
    let bench = with_batches(7);
    let store = ShardedStore::connect(&bench.path("place"), None, &Resources::default()).unwrap();
    for round in 0..10 {
        let head = store.pin(None).unwrap();
        let answers = |_| (0..head.shards().number()).map(|shard| store.unchanged(&head, shard)).collect::<Vec<_>>();
        let start = Barrier::new(20);
        let commit = |number| {
            let (answers, start) = (answers(number), &start);
            start.wait();
            store.commit(&head, answers, Change::Removed(DAYS[0].parse().unwrap())).unwrap().map(|made| made.version())
        };
        let commit = &commit;
        let made: Vec<Option<u32>> = std::thread::scope(|scope| {
            let drivers: Vec<_> = (0..20).map(|number| scope.spawn(move || commit(number))).collect();
            drivers.into_iter().map(|driver| driver.join().unwrap()).collect()
        });
        let won: Vec<u32> = made.into_iter().flatten().collect();
        assert_eq!(won, [head.version() + 1], "round {round}");
    }
}

/// The same at a URL, by processes, each of which begins again when it has lost.
#[test]
fn of_twenty_processes_at_a_url_each_makes_a_version_of_its_own_or_says_that_it_has_lost() {
    let (bench, server) = (with_batches(8), S3Server::start());
    let at: &dyn Endpoint = &server;
    json(&bench, Some(at), "shards init --store s3://bucket/store --shards 1");
    let runs: Vec<Child> = (0..20)
        .map(|number| {
            let mut command = bench.command();
            let words = format!("shards ingest --store s3://bucket/store --input input --dt {}", DAYS[number % 4]);
            command.args(words.split_whitespace()).envs(at.environment());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let ran: Vec<Ran> = runs.into_iter().map(|run| Ran::of(run.wait_with_output().unwrap())).collect();
    let won = ran.iter().filter(|ran| ran.code == 0).count() as u64;
    for lost in ran.iter().filter(|ran| ran.code != 0) {
        assert_one_sentence(lost, &["other runs have made the next version of the sharded store 5 times meanwhile"]);
    }
    assert!(won >= 5, "each version has a winner, and nobody loses more than five: {won}");
    assert_eq!(json(&bench, Some(at), "shards status --store s3://bucket/store")["version"], 1 + won);
}
