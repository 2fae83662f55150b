//! The same bytes from the same batches and impressions: whatever the threads, the files, the order of rows, the order
//! of days.

use std::collections::BTreeMap;

use crate::support::input::{RawAction, RawImpression, Spread, write_batch, write_impressions};
use crate::support::output::{dump, tree};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

const DAYS: [&str; 4] = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"];
const CUSTOMERS: u64 = 700;

/// Enough customers for several turns of both threads, with ties, duplicates and late actions.
fn batches(random: &mut Random) -> Vec<Vec<RawAction>> {
    (0..3_i64)
        .map(|day| {
            let mut actions: Vec<RawAction> = (0..6_000)
                .map(|_| {
                    let late = i64::from(random.below(20) == 0);
                    let hour = i64::try_from(random.below(24)).unwrap();
                    RawAction {
                        customer: i64::try_from(random.below(CUSTOMERS)).unwrap() - 300,
                        item: 1 + i64::try_from(random.below(90)).unwrap(),
                        time_us: ((20_454 + day - late) * 24 + hour) * 3_600_000_000,
                        kind: 1 + u8::try_from(random.below(3)).unwrap(),
                    }
                })
                .collect();
            actions.extend_from_within(..50);
            actions
        })
        .collect()
}

fn impressions(random: &mut Random) -> Vec<RawImpression> {
    (0..900)
        .map(|number| RawImpression {
            ranking_id: (number % 7 != 0).then(|| format!("r{}", number % 50)),
            customer: i64::try_from(random.below(CUSTOMERS + 50)).unwrap() - 300,
            elements: (0..1 + random.below(4))
                .map(|_| (1 + i64::try_from(random.below(9)).unwrap(), Some(true)))
                .collect(),
        })
        .collect()
}

/// Ingests and produces in one way, and gives the output's bytes.
fn run(seed: u64, threads: usize, spread: Spread, order: [usize; 3]) -> (Bench, BTreeMap<String, Vec<u8>>) {
    let bench = Bench::new();
    let mut random = Random::new(seed);
    let batches = batches(&mut random);
    write_impressions(&bench.input(), DAYS[3], &impressions(&mut random), spread);
    for place in order {
        write_batch(&bench.input(), DAYS[place], &batches[place], spread);
        bench.ok(&format!("ingest --create --store store --input input --dt {} --threads {threads}", DAYS[place]));
    }
    // Many row groups and some parts: which thread made which must not show.
    let sizes = "--row-group-rows 100 --part-rows 900";
    bench.ok(&format!("produce --store store --input input --dt {} --out out --threads {threads} {sizes}", DAYS[3]));
    let files = tree(&bench.out());
    (bench, files)
}

/// Without the manifest, which names the files that were read, where these differ on purpose.
fn rows(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let before = files.len();
    files.retain(|name, _| !name.ends_with("/_manifest.parquet"));
    assert_eq!(files.len(), before - 1, "there is one manifest");
    files
}

#[test]
fn threads_files_rows_and_days_in_any_order_give_the_same_bytes() {
    let seed = seed(3);
    let one_file = Spread { files: 1, seed: 1 };
    let (plain, bytes) = run(seed, 1, one_file, [0, 1, 2]);
    assert!(bytes.values().map(Vec::len).sum::<usize>() > 20_000, "there is something to compare");
    let (threaded, same) = run(seed, 2, one_file, [0, 1, 2]);
    assert!(same == bytes, "2 threads");
    assert_eq!(dump(&plain.store()), dump(&threaded.store()), "2 threads");
    let (_, same) = run(seed, 1, Spread { files: 5, seed: 1 }, [0, 1, 2]);
    assert!(rows(same.clone()) == rows(bytes.clone()), "other files");
    let (_, at_once) = run(seed, 4, Spread { files: 5, seed: 1 }, [0, 1, 2]);
    assert!(at_once == same, "several files at once");
    let (_, same) = run(seed, 2, Spread { files: 2, seed: 99 }, [0, 1, 2]);
    assert!(rows(same) == rows(bytes.clone()), "other order of rows");
    let (turned, same) = run(seed, 2, one_file, [2, 0, 1]);
    assert!(same == bytes, "other order of days");
    assert_eq!(dump(&plain.store()), dump(&turned.store()), "other order of days");
    assert!(bytes.keys().filter(|name| name.contains("part-")).count() > 2, "several parts");
    turned.ok("produce --store store --input input --dt 2026-01-04 --out out --threads 1 --row-group-rows 100 --part-rows 900");
    assert!(tree(&turned.out()) == bytes, "a rerun");
}
