//! The rows of a sharded store, and what each shard holds.

use super::{CUSTOMERS, DAYS, deliver, json, run, show};
use crate::support::output::{Entries, dump};
use crate::support::places::{Endpoint, S3Server};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

/// Both kinds of store with the same batches: the second day corrected, the third removed and ingested again.
fn both(bench: &Bench, at: Option<&dyn Endpoint>, store: &str, shards: u32, random: &mut Random) {
    bench.ok("init --store store --max-history 12");
    json(bench, at, &format!("shards init --store {store} --shards {shards} --max-history 12"));
    let ingest = |day: &str| {
        let one = json(bench, None, &format!("ingest --store store --input input --dt {day}"));
        let mut other = json(bench, at, &format!("shards ingest --store {store} --input input --dt {day}"));
        for (name, value) in one.as_object().unwrap() {
            // Those that a share of the customers decides.
            if !["keyframes", "timing"].contains(&name.as_str()) {
                assert_eq!(other[name].take(), *value, "{name} of {day} in {shards} shards");
            }
        }
    };
    for day in DAYS {
        deliver(bench, day, random);
        show(bench, day, random);
        ingest(day);
    }
    deliver(bench, DAYS[1], random);
    ingest(DAYS[1]);
    bench.ok(&format!("remove --store store --dt {}", DAYS[2]));
    json(bench, at, &format!("shards remove --store {store} --dt {}", DAYS[2]));
    ingest(DAYS[2]);
}

fn rows_are_the_same(at: Option<&dyn Endpoint>, place: &str) {
    let seed = seed(23);
    let mut random = Random::new(seed);
    println!("seed {seed}");
    for shards in [1, 2, 8] {
        let bench = Bench::new();
        let store = format!("{place}-{shards}");
        both(&bench, at, &store, shards, &mut random);
        for (number, options) in [
            "",
            "--with action_times,history_length",
            "--order shuffled --part-rows 50 --row-group-rows 50",
            "--max-history 3",
        ]
        .into_iter()
        .enumerate()
        {
            let (one, other) = (format!("one{number}"), format!("other{number}"));
            for day in &DAYS[1..] {
                let rows = json(
                    &bench,
                    None,
                    &format!("produce --store store --input input --dt {day} --out {one} {options}"),
                );
                let sharded =
                    format!("shards produce --store {store} --input input --dt {day} --out {other} {options}");
                let of_shards = json(&bench, at, &sharded);
                for name in ["rows", "impressions", "customers", "filled", "ordered", "without_history", "duplicates"] {
                    assert_eq!(of_shards[name], rows[name], "{name} of {day} in {shards} shards");
                }
                let diff = bench.run(&format!("diff {one} {other} --dt {day}"));
                assert_eq!(diff.code, 0, "{options} of {day} in {shards} shards: {}{}", diff.stdout, diff.stderr);
                bench.ok(&format!("manifest --out {other} --dt {day} --check"));
            }
            let known = format!("--dt 2026-01-04 --known-as-of 2026-01-02 {options}");
            bench.ok(&format!("produce --store store --input input --out {one}k {known}"));
            json(&bench, at, &format!("shards produce --store {store} --input input --out {other}k {known}"));
            assert_eq!(bench.run(&format!("diff {one}k {other}k --dt 2026-01-04")).code, 0, "{options}");
        }
        other_numbers_of_shards(&bench, at, &store, shards);
        let verified = json(&bench, at, &format!("shards verify --deep --store {store}"));
        let held = json(&bench, None, "verify --deep --store store");
        for name in ["actions", "customers", "portions"] {
            assert_eq!(verified[name], held[name], "{name} in {shards} shards");
        }
    }
}

/// Exports the shards, splits them, and imports the store beside them: all have the same content.
fn other_numbers_of_shards(bench: &Bench, at: Option<&dyn Endpoint>, store: &str, shards: u32) {
    let content = |store: &str| {
        let mut entries = dump(&bench.path(store));
        entries.retain(|(key, _)| key[0] != BATCHES);
        entries
    };
    json(bench, at, &format!("shards export --store {store} --to exported"));
    bench.ok("verify --deep --store exported");
    assert_eq!(content("exported"), content("store"), "all of {shards} shards in one");
    let records = |store: &str| -> Entries {
        dump(&bench.path(store)).into_iter().filter(|(key, _)| key[0] == BATCHES).collect()
    };
    assert_eq!(records("exported"), records("store"), "the records of {shards} shards in one");
    let other = format!("{store}-imported");
    json(bench, at, &format!("shards import --store {other} --shards {} --from store", shards * 4));
    let split = json(bench, at, &format!("shards split --store {store}"));
    assert_eq!(split["shards"], shards * 2);
    json(bench, at, &format!("shards split --store {store}"));
    for store in [store, other.as_str()] {
        let verified = json(bench, at, &format!("shards verify --deep --store {store}"));
        assert_eq!(verified["shards"], shards * 4);
        std::fs::remove_dir_all(bench.path("exported")).unwrap();
        json(bench, at, &format!("shards export --store {store} --to exported"));
        assert_eq!(content("exported"), content("store"), "{store} after {shards} became {}", shards * 4);
        assert_eq!(records("exported"), records("store"), "{store} after {shards} became {}", shards * 4);
        let day = "--input input --dt 2026-01-04 --out";
        json(bench, at, &format!("shards produce --store {store} {day} split"));
        bench.ok(&format!("produce --store store {day} whole"));
        assert_eq!(bench.run("diff whole split --dt 2026-01-04").code, 0);
    }
    std::fs::remove_dir_all(bench.path("exported")).unwrap();
}

/// The first byte of the key of a batch record.
const BATCHES: u8 = 0x14;

#[test]
fn the_rows_are_those_of_one_store_from_a_folder() {
    rows_are_the_same(None, "sharded");
}

#[test]
fn the_rows_are_those_of_one_store_from_a_url() {
    let server = S3Server::start();
    rows_are_the_same(Some(&server), "s3://bucket/deep/store");
}

/// Against Python's own hash, which knows nothing of the program: see `support::reference`.
#[test]
fn a_customer_is_in_the_shard_that_its_hash_names() {
    let (bench, mut random) = (Bench::new(), Random::new(5));
    deliver(&bench, DAYS[0], &mut random);
    json(&bench, None, "shards init --store place --shards 4");
    json(&bench, None, "shards ingest --store place --input input --dt 2026-01-01");
    let mut found = 0;
    for shard in 0..4_u64 {
        json(&bench, None, &format!("shards checkout --store place --shard {shard} --to shard{shard}"));
        for customer in -20..i64::try_from(CUSTOMERS).unwrap() - 20 {
            let shown =
                run(&bench, None, &format!("show --store shard{shard} --customer {customer} --dt 2026-01-05 --json"));
            let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
            if !shown["actions"].as_array().unwrap().is_empty() {
                found += 1;
                assert_eq!(xxh64(customer) % 4, shard, "customer {customer}");
            }
        }
        bench.ok(&format!("verify --store shard{shard} --deep"));
    }
    let all = json(&bench, None, "shards verify --store place");
    assert_eq!(all["customers"], found);
}

/// XXH64 of eight bytes with seed 42, as its specification gives it.
fn xxh64(customer: i64) -> u64 {
    const PRIMES: [u64; 5] = [
        0x9E37_79B1_85EB_CA87,
        0xC2B2_AE3D_27D4_EB4F,
        0x1656_67B1_9E37_79F9,
        0x85EB_CA77_C2B2_AE63,
        0x27D4_EB2F_1656_67C5,
    ];
    let [one, two, three, four, five] = PRIMES;
    let lane = customer.cast_unsigned().wrapping_mul(two).rotate_left(31).wrapping_mul(one);
    let mut hash = (42_u64.wrapping_add(five).wrapping_add(8)) ^ lane;
    hash = hash.rotate_left(27).wrapping_mul(one).wrapping_add(four);
    hash = (hash ^ (hash >> 33)).wrapping_mul(two);
    hash = (hash ^ (hash >> 29)).wrapping_mul(three);
    hash ^ (hash >> 32)
}
