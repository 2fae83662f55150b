//! Taking things out for good: customers by `forget`, old days by `prune`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use lookback::internals::store::RawStore;
use lookback::store::Folder;

use crate::support::input::{PLAIN, RawAction, RawImpression, write_batch, write_impressions};
use crate::support::output::{Entries, dump, read_partition, tree};
use crate::support::program::{Bench, assert_one_sentence, write_file};
use crate::support::random::{Random, seed};

/// 2026-01-01 as days since 1970-01-01.
const FIRST_DAY: i64 = 20_454;
const BATCHES: i64 = 12;

fn date(day: i64) -> String {
    (chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(day).unwrap())).to_string()
}

/// Ids so large that no other bytes of a store look like them. Many of them, so that lists have several leaves and some
/// leaves begin with one who is to go.
fn customers() -> Vec<i64> {
    (1..=1_500_i64).map(|number| number.wrapping_mul(0x1f3a_5b7c_9d2e_4f61)).collect()
}

fn actions_of(batch: i64, random: &mut Random) -> Vec<RawAction> {
    let everybody = customers();
    let mut actions = Vec::new();
    for number in 0..400 {
        // A few customers with many actions, so that some have keyframes.
        let customer = if number < 150 { random.below(6) } else { random.below(everybody.len() as u64) };
        let shift = [0, 0, 0, 0, -1, -5, 1][usize::try_from(random.below(7)).unwrap()];
        let second = i64::try_from(random.below(86_400)).unwrap() / 900 * 900;
        actions.push(RawAction {
            customer: everybody[usize::try_from(customer).unwrap()],
            item: 1 + i64::try_from(random.below(500)).unwrap(),
            time_us: ((batch + shift) * 86_400 + second) * 1_000_000,
            kind: 1 + u8::try_from(random.below(3)).unwrap(),
        });
    }
    actions
}

/// Twelve batches from 2026-01-01 on, written to `input` and taken into `store`.
fn filled(seed: u64) -> (Bench, BTreeMap<i64, Vec<RawAction>>) {
    let bench = Bench::new();
    let mut random = Random::new(seed);
    let mut batches = BTreeMap::new();
    bench.ok("init --store store --max-history 30");
    for batch in FIRST_DAY..FIRST_DAY + BATCHES {
        let actions = actions_of(batch, &mut random);
        write_batch(&bench.input(), &date(batch), &actions, PLAIN);
        bench.ingest(&date(batch));
        batches.insert(batch, actions);
    }
    (bench, batches)
}

/// But for the block list, whose tokens rest on a secret of each store.
fn without_tokens(entries: Entries) -> Entries {
    entries.into_iter().filter(|(key, _)| key[0] != 0x16).collect()
}

fn key_bytes(customer: i64) -> [u8; 8] {
    (customer ^ i64::MIN).to_be_bytes()
}

/// The customers, of those asked for, whose key stands anywhere in the files of the store.
fn found_in_files(bench: &Bench, customers: &[i64]) -> Vec<i64> {
    let files = tree(&bench.store());
    let found = |customer: &&i64| {
        let key = key_bytes(**customer);
        files.values().any(|bytes| bytes.windows(8).any(|window| window == key))
    };
    customers.iter().filter(found).copied().collect()
}

fn show_to(bench: &Bench, day: &str, customers: &[i64]) {
    let shown = |customer: &i64| RawImpression { ranking_id: None, customer: *customer, elements: vec![(1, None)] };
    write_impressions(&bench.input(), day, &customers.iter().map(shown).collect::<Vec<_>>(), PLAIN);
}

#[test]
fn forgotten_customers_are_gone_from_the_store_and_its_files_and_do_not_come_back() {
    let seed = seed(61);
    let (bench, batches) = filled(seed);
    let held: BTreeSet<i64> = batches.values().flatten().map(|action| action.customer).collect();
    // Among them customers with keyframes, the first and the last of the store, and some at which leaves begin: those
    // whose id is a key by itself.
    let leaves: Vec<i64> = dump(&bench.store())
        .iter()
        .filter(|(key, _)| key[0] == 0x13)
        .map(|(key, _)| i64::from_be_bytes(key[1..].try_into().unwrap()) ^ i64::MIN)
        .filter(|customer| held.contains(customer))
        .collect();
    assert!(leaves.len() > 1, "seed {seed}");
    let mut random = Random::new(seed);
    let mut going: BTreeSet<i64> = held.iter().filter(|_| random.below(9) == 0).copied().collect();
    going.extend(customers()[..2].iter().chain(held.first()).chain(held.last()).chain(&leaves));
    let going: Vec<i64> = going.into_iter().collect();
    // Keys that share bytes with the one before are shortened in the files, so that not all can be found there even
    // before.
    assert!(found_in_files(&bench, &going).len() > going.len() / 2, "seed {seed}");
    let tables = |bench: &Bench| -> BTreeSet<String> {
        tree(&bench.store()).into_keys().filter(|name| name.ends_with(".sst")).collect()
    };
    let tables_before = tables(&bench);

    let stranger = 4_611_686_018_427_387_905_i64;
    let lines: Vec<String> = going.iter().chain([&stranger]).map(i64::to_string).collect();
    write_file(&bench.path("going.txt"), lines.join("\n").as_bytes());
    let receipt = bench.json("forget --store store --customers going.txt");
    let each = receipt["customers"].as_array().unwrap();
    assert_eq!(each.len(), going.len() + 1);
    assert!(each.iter().all(|customer| customer["keys_after"] == 0 && customer["already_forgotten"] == false));
    let taken = each.iter().filter(|customer| customer["actions_before"].as_u64().unwrap() > 0).count();
    assert_eq!(taken, going.len(), "all but the stranger");
    assert!(each.iter().any(|customer| customer["keyframes_before"].as_u64().unwrap() > 0));
    let before = receipt["customers_before"].as_u64().unwrap();
    assert_eq!(receipt["customers_after"].as_u64().unwrap(), before - going.len() as u64);
    assert!(!receipt.to_string().contains(&going[0].to_string()), "the receipt names nobody");
    assert_eq!(found_in_files(&bench, &going), [0_i64; 0], "seed {seed}");
    assert!(tables(&bench).is_disjoint(&tables_before), "every file was written anew, and the old ones deleted");
    assert_eq!(bench.json("status --store store")["forgotten"], going.len() + 1);

    // A store that forgot them before it ever saw them.
    let fresh = Bench::new();
    fresh.ok("init --store store --max-history 30");
    write_file(&fresh.path("going.txt"), lines.join("\n").as_bytes());
    fresh.ok("forget --store store --customers going.txt");
    let mut left_out = 0;
    for (batch, actions) in &batches {
        write_batch(&fresh.input(), &date(*batch), actions, PLAIN);
        let summary = fresh.json(&format!("ingest --store store --input input --dt {}", date(*batch)));
        let expected = actions.iter().filter(|action| going.contains(&action.customer)).count();
        assert_eq!(summary["forgotten"], expected, "seed {seed}");
        left_out += expected;
    }
    assert!(left_out > 100, "seed {seed}");
    let expected = without_tokens(dump(&fresh.store()));
    assert!(without_tokens(dump(&bench.store())) == expected, "seed {seed}");

    // Nor does a batch that is ingested once more bring them back.
    let again = FIRST_DAY + 3;
    bench.ingest(&date(again));
    assert!(without_tokens(dump(&bench.store())) == expected, "seed {seed}");
    assert_eq!(found_in_files(&bench, &going), [0_i64; 0], "seed {seed}");

    // Their impressions give no rows; those of the others do.
    let staying = *held.iter().find(|customer| !going.contains(customer)).unwrap();
    let day = date(FIRST_DAY + BATCHES);
    show_to(&bench, &day, &[going[0], staying, stranger]);
    let summary = bench.json(&format!("produce --store store --input input --dt {day} --out out"));
    assert_eq!((&summary["forgotten"], &summary["rows"]), (&2.into(), &1.into()));
    let rows = read_partition(&bench.out(), &day);
    assert_eq!(rows.iter().map(|row| row.customer_id).collect::<Vec<_>>(), [staying]);

    // Once more changes nothing.
    let store = dump(&bench.store());
    let receipt = bench.json(&format!("forget --store store --customer {} {stranger}", going[0]));
    assert_eq!(receipt["customers"][0]["already_forgotten"], true);
    assert_eq!(receipt["block_list"], going.len() + 1);
    assert_eq!(dump(&bench.store()), store);
}

#[test]
fn a_purge_that_was_interrupted_is_made_up_for_by_the_next_ingest() {
    let (bench, batches) = filled(seed(62));
    let going = batches[&FIRST_DAY][0].customer;
    bench.ok(&format!("forget --store store --customer {going}"));
    let expected = dump(&bench.store());
    // What a run leaves that is killed between removing and purging: the record that says so, and the old keys in the
    // files.
    let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    let old = [&[0x11_u8][..], &key_bytes(going), &[0x7f, 0xff, 0xb0, 0x1a]].concat();
    raw.write(&[(old.clone(), vec![2])], &[]).unwrap();
    raw.write(&[(vec![0x18], vec![3])], &[(old.clone(), [old, vec![0]].concat())]).unwrap();
    drop(raw);
    assert_eq!(found_in_files(&bench, &[going]), [going]);
    bench.ingest(&date(FIRST_DAY + 1));
    assert_eq!(dump(&bench.store()), expected, "the same content, and no record of a purge");
    // Opened once more, RocksDB begins its manifest anew.
    bench.ingest(&date(FIRST_DAY + 1));
    assert_eq!(found_in_files(&bench, &[going]), [0_i64; 0]);
}

#[test]
fn lists_of_customers_that_cannot_be_read_forget_nobody() {
    let (bench, batches) = filled(seed(63));
    let before = dump(&bench.store());
    let going = batches[&FIRST_DAY][0].customer;
    write_file(&bench.path("going.txt"), format!("{going}\n\n12 monkeys\n").as_bytes());
    bench.refused("forget --store store --customers going.txt", &["line 3 of going.txt", "nobody has been forgotten"]);
    bench.refused("forget --store store --customers nowhere.txt", &["nowhere.txt"]);
    bench.refused("forget --store elsewhere --customer 1", &["no store"]);
    assert_eq!(bench.run("forget --store store").code, 2);
    assert_eq!(dump(&bench.store()), before);
}

/// The batches without what is from before a day.
fn cut(batches: &BTreeMap<i64, Vec<RawAction>>, first_day: i64) -> BTreeMap<i64, Vec<RawAction>> {
    let kept = |action: &&RawAction| action.time_us >= first_day * 86_400_000_000;
    batches.iter().map(|(batch, actions)| (*batch, actions.iter().filter(kept).copied().collect())).collect()
}

/// A store into which these batches were ingested. Without batch records: they tell of the files, which are others
/// here.
fn of_batches(batches: &BTreeMap<i64, Vec<RawAction>>) -> Entries {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 30");
    fs::create_dir_all(bench.input()).unwrap();
    for (batch, actions) in batches {
        write_batch(&bench.input(), &date(*batch), actions, PLAIN);
        bench.ok(&format!("ingest --store store --input input --dt {} --allow-empty", date(*batch)));
    }
    without_records(dump(&bench.store()))
}

fn without_records(entries: Entries) -> Entries {
    entries.into_iter().filter(|(key, _)| key[0] < 0x14 || key[0] == 0x15).collect()
}

#[test]
fn a_pruned_store_is_one_that_never_had_the_days_before_the_horizon() {
    let seed = seed(64);
    let (bench, mut batches) = filled(seed);
    assert!(bench.json("prune --store store --keep-days 400")["horizon"].is_null(), "nothing is that old");
    let whole = dump(&bench.store());
    let newest = FIRST_DAY + BATCHES - 1;
    for keep in [7, 4] {
        let summary = bench.json(&format!("prune --store store --keep-days {keep} --allow-large-removal"));
        let horizon = newest - keep;
        assert_eq!(summary["horizon"], date(horizon));
        assert!(summary["portions"].as_u64().unwrap() > 100 && summary["customers_left"].as_u64().unwrap() > 10);
        assert!(without_records(dump(&bench.store())) == of_batches(&cut(&batches, horizon)), "seed {seed}, {keep}");
    }
    assert!(dump(&bench.store()).len() < whole.len());
    let horizon = newest - 4;
    assert_eq!(bench.json("status --store store")["horizon"], date(horizon));

    // Further batches: what is from before the horizon stays out, and is counted.
    let mut random = Random::new(seed + 1);
    let mut left_out = 0;
    for batch in [FIRST_DAY + 2, newest - 2, newest + 1] {
        let actions = actions_of(batch, &mut random);
        write_batch(&bench.input(), &date(batch), &actions, PLAIN);
        let summary = bench.json(&format!("ingest --store store --input input --dt {}", date(batch)));
        let expected = actions.iter().filter(|action| action.time_us < horizon * 86_400_000_000).count();
        assert_eq!(summary["pruned"], expected);
        left_out += expected;
        batches.insert(batch, actions);
    }
    assert!(left_out > 100);
    assert!(without_records(dump(&bench.store())) == of_batches(&cut(&batches, horizon)), "seed {seed}");
    let pruned = bench.json("prune --store store --keep-days 4 --allow-large-removal");
    assert_eq!(pruned["horizon"], date(horizon + 1), "by the newest batch");
    assert!(bench.ok("prune --store store --keep-days 4").stderr.contains("nothing to prune"));
    let kept = bench.json("prune --store store --keep-days 400");
    assert_eq!(kept["horizon"], date(horizon + 1), "a horizon never moves back");
}

#[test]
fn rows_that_would_need_what_was_pruned_are_refused_unless_allowed() {
    let (bench, batches) = filled(seed(65));
    let everybody: Vec<i64> = batches[&FIRST_DAY].iter().map(|action| action.customer).collect();
    let newest = FIRST_DAY + BATCHES - 1;
    let day = date(newest + 1);
    show_to(&bench, &day, &everybody);
    let produce = format!("produce --store store --input input --dt {day}");
    bench.ok(&format!("{produce} --out whole --lookback-days 6"));
    bench.ok("prune --store store --keep-days 5 --allow-large-removal");
    let horizon = date(newest - 5);
    let words = [horizon.as_str(), "--lookback-days 6", "--allow-pruned"];
    bench.refused(&format!("{produce} --out out"), &words);
    bench.refused(&format!("{produce} --out out --lookback-days 7"), &words);
    let backfill = format!("backfill --store store --input input --from {day} --to {day} --out out");
    assert_one_sentence(&bench.run(&backfill), &words);
    assert!(!bench.out().exists());

    bench.ok(&format!("{produce} --out out --lookback-days 6"));
    let rows = read_partition(&bench.out(), &day);
    assert_eq!(rows, read_partition(&bench.path("whole"), &day), "the days that are left are whole");
    assert!(rows.iter().any(|row| row.actions[0] != 0));
    bench.ok(&format!("{produce} --out out --allow-pruned"));
    assert_eq!(read_partition(&bench.out(), &day), rows, "more is not there");
    fs::remove_dir_all(bench.out()).unwrap();
    bench.ok(&format!("{backfill} --allow-pruned"));
    assert_eq!(read_partition(&bench.out(), &day), rows);
}

#[test]
fn an_audit_knows_who_was_forgotten() {
    let (bench, batches) = filled(seed(66));
    let shown: Vec<i64> = batches[&FIRST_DAY].iter().map(|action| action.customer).take(20).collect();
    let day = date(FIRST_DAY + BATCHES);
    show_to(&bench, &day, &shown);
    let audit = format!("audit --store store --input input --out out --dt {day}");
    bench.produce(&day);
    bench.ok(&audit);
    let going = *shown.iter().min().unwrap();
    let forget = format!("forget --store store --customer {going} --out out");
    let receipt = bench.json(&forget);
    assert_eq!(receipt["partitions"], serde_json::json!([format!("out/dt={day}")]));
    let ran = bench.run(&audit);
    assert_eq!(ran.code, 1, "the partition still has rows of a customer who has been forgotten");
    assert!(ran.stderr.contains("part-00000.parquet"), "{}", ran.stderr);
    bench.produce(&day);
    bench.ok(&audit);
    let receipt = bench.json(&forget);
    assert_eq!(receipt["partitions"], serde_json::json!([]), "produced again, it has none");
}

/// What was committed is said, whatever fails behind it.
#[test]
fn a_failure_behind_the_removal_says_that_they_are_forgotten() {
    let bench = Bench::new();
    let action = RawAction { customer: 7, item: 2, time_us: FIRST_DAY * 86_400_000_000, kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    bench.ingest("2026-01-01");
    let part = bench.out().join("dt=2026-01-02/part-00000.parquet");
    write_file(&part, b"no Parquet");
    let forget = "forget --store store --customer 7 --out out";
    bench.refused(
        forget,
        &["the customers are forgotten", "a receipt, which forgetting them again prints", "part-00000"],
    );
    assert_eq!(bench.json("status --store store")["forgotten"], 1);
    fs::remove_file(part).unwrap();
    let receipt = bench.json(forget);
    assert_eq!(receipt["customers"][0]["already_forgotten"], true);
}
