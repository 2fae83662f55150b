//! The rules of a store's zone: recorded, adopted, refused, taken. Each test brings the rules that a machine has.

use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{dump, read_partition};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::zones::{TestRules, seconds};

const ZONE: &str = "America/Vancouver";
const BATCHES: [&str; 6] = ["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"];

/// What the machine has from now on.
fn machine_has(bench: &Bench, rules: &TestRules, edition: &str) {
    rules.write(&bench.path("zones"), ZONE, edition);
}

/// A store by the rules of 2025b, and nothing in it.
fn store_of_2025(max_history: usize) -> Bench {
    let bench = Bench::new();
    machine_has(&bench, &TestRules::vancouver_before(), "2025b");
    bench.ok(&format!("init --store store --max-history {max_history} --timezone {ZONE}"));
    bench
}

/// Batches of the six days, with actions of all hours, some late and some early, of customers whose list has several
/// leaves.
fn random_batches(bench: &Bench, random: &mut Random) {
    for batch in BATCHES {
        let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
        let actions = (0..150).map(|_| RawAction {
            customer: (number(40) - 20).wrapping_mul(900_000_000_000_000),
            item: 1 + number(300),
            time_us: us(&format!("{batch}T08:00:00Z"))
                + [0, 0, 0, 0, -86_400, 86_400, -3 * 86_400][usize::try_from(number(7)).unwrap()] * 1_000_000
                + number(24 * 12) * 300_000_000,
            kind: 1 + u8::try_from(number(3)).unwrap(),
        });
        write_batch(&bench.input(), batch, &actions.collect::<Vec<_>>(), PLAIN);
    }
}

fn ingest_all(bench: &Bench) {
    BATCHES.iter().for_each(|batch| drop(bench.ingest(batch)));
}

/// What a new store of the same batches holds by the rules that the machine has.
fn fresh(bench: &Bench, max_history: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    bench.ok(&format!("init --store fresh --max-history {max_history} --timezone {ZONE}"));
    for batch in BATCHES {
        bench.ok(&format!("ingest --create --store fresh --input input --dt {batch}"));
    }
    let fresh = dump(&bench.path("fresh"));
    std::fs::remove_dir_all(bench.path("fresh")).unwrap();
    fresh
}

fn editions(bench: &Bench) -> (Value, Value) {
    let status = bench.json("status --store store");
    (status["zone_rules"]["version"].clone(), status["newer_zone_rules"]["version"].clone())
}

#[test]
fn rules_that_move_no_day_held_are_adopted_with_the_next_ingest_and_told() {
    let bench = store_of_2025(9);
    random_batches(&bench, &mut Random::new(seed(1)));
    // The actions of these two end with 31 October, before clocks would have gone back.
    let until = us("2026-11-01T06:59:00Z");
    let action = |time_us| RawAction { customer: 1, item: 2, time_us, kind: 1 };
    write_batch(&bench.input(), BATCHES[0], &[action(until - 86_400_000_000), action(until)], PLAIN);
    bench.ingest(BATCHES[0]);
    let before = dump(&bench.store());
    machine_has(&bench, &TestRules::vancouver_since(), "2026f");
    assert_eq!(editions(&bench), (json!("2025b"), json!("2026f")));
    let text = bench.ok("status --store store").stdout;
    assert!(text.contains("zone rules      tzdata 2025b, ") && text.contains("the next ingest adopts them"), "{text}");
    assert_eq!(dump(&bench.store()), before, "nothing that only reads changes the rules");

    let ran = bench.ingest(BATCHES[1]);
    let told = "note: the store has adopted the rules of America/Vancouver in tzdata 2026f of ";
    assert!(ran.stderr.contains(told) && ran.stderr.contains("replacing tzdata 2025b"), "{}", ran.stderr);
    assert_eq!(editions(&bench), (json!("2026f"), json!(null)));
    assert!(!bench.ingest(BATCHES[2]).stderr.contains("note: "), "told once");
    // By the new rules 2 November begins at 07:00 UTC.
    let shown = bench.json("show --store store --customer 1 --dt 2026-11-02");
    assert_eq!(shown["cut_off"], "2026-11-02 00:00:00-07:00");

    // An older edition, and one that is not known, change nothing, and nothing is told.
    let adopted = dump(&bench.store());
    machine_has(&bench, &TestRules::vancouver_before(), "2025b");
    assert!(!bench.ok("migrate --store store").stderr.contains("note: "));
    std::fs::remove_file(bench.path("zones/tzdata.zi")).unwrap();
    assert!(!bench.ok("migrate --store store").stderr.contains("note: "));
    assert_eq!(dump(&bench.store()), adopted);
    let words = ["older rules of America/Vancouver", "than the store records (tzdata 2026f)", "install newer tzdata"];
    bench.refused("migrate --store store --take-zone-rules", &words);
}

#[test]
fn days_begin_by_the_recorded_rules_and_what_newer_ones_would_change_is_refused() {
    let bench = store_of_2025(9);
    random_batches(&bench, &mut Random::new(seed(2)));
    ingest_all(&bench);
    for dt in ["2026-10-31", "2026-11-03"] {
        let shown = RawImpression { ranking_id: None, customer: 0, elements: vec![(1, None)] };
        write_impressions(&bench.input(), dt, &[shown], PLAIN);
        bench.produce(dt);
    }
    let before = dump(&bench.store());
    machine_has(&bench, &TestRules::vancouver_since(), "2026f");

    let words = [
        "newer rules of America/Vancouver in tzdata 2026f",
        "on 2026-11-03 from those that the store records (tzdata 2025b)",
        "begins at 2026-11-03 00:00:00-07:00, not at 2026-11-03 00:00:00-08:00",
        "`lookback migrate --store store --take-zone-rules`",
    ];
    bench.refused("produce --store store --input input --dt 2026-11-03 --out out", &words);
    bench.refused("ingest --create --store store --input input --dt 2026-11-03", &words);
    bench.refused("audit --store store --input input --out out --dt 2026-11-03", &words);
    let from_moved = "produce --store store --input input --dt 2027-06-01 --out out --allow-gaps --lookback-days 210";
    write_impressions(&bench.input(), "2027-06-01", &[], PLAIN);
    bench.refused(from_moved, &["on 2026-11-03 from those"]);
    bench.refused(
        "backfill --store store --input input --from 2026-11-03 --to 2026-11-05 --allow-empty",
        &["2026-11-05"],
    );
    assert_eq!(dump(&bench.store()), before);
    // Days that are what they were go on.
    bench.produce("2026-10-31");
    bench.ok("audit --store store --input input --out out --dt 2026-10-31");
    let note = bench.ingest("2026-10-30").stderr;
    let told = "has newer rules in tzdata 2026f of ";
    assert!(note.contains(told) && note.contains("2026-11-01..2026-11-05; take them with"), "{note}");
    let status = bench.json("status --store store");
    assert_eq!(status["newer_zone_rules"]["version"], "2026f");
    assert_eq!(status["newer_zone_rules"]["moved_days"][0], "2026-11-01");
    assert_eq!(dump(&bench.store()), before, "the same batch again");
    bench.ok("verify --store store --deep");
}

#[test]
fn rules_that_were_taken_give_the_store_that_a_fresh_one_would_be() {
    let seed = seed(3);
    for round in 0..3 {
        let bench = store_of_2025(500);
        random_batches(&bench, &mut Random::new(seed + round));
        ingest_all(&bench);
        let before = dump(&bench.store());
        machine_has(&bench, &TestRules::vancouver_since(), "2026f");
        let planned = bench.json("migrate --store store --take-zone-rules --dry-run");
        assert_eq!(dump(&bench.store()), before, "a dry run changes nothing");
        let taken = bench.json("migrate --store store --take-zone-rules");
        assert_eq!(planned["zone_rules"], taken["zone_rules"]);
        let rules = &taken["zone_rules"];
        assert_eq!((&rules["from"], &rules["to"], &rules["to_ingest"]), (&json!("2025b"), &json!("2026f"), &json!([])));
        assert_eq!(rules["moved_days"][0], "2026-11-01", "{rules}");
        assert!(rules["moved_actions"].as_u64().unwrap() > 10, "{rules}");
        assert!(dump(&bench.store()) == fresh(&bench, 500), "seed {}", seed + round);
        bench.ok("verify --store store --deep");
        let again = bench.json("migrate --store store --take-zone-rules");
        assert_eq!(again["zone_rules"], json!(null));
    }
}

#[test]
fn batches_that_were_cut_or_have_wall_times_are_ingested_again() {
    let seed = seed(4);
    for (max_history, has_wall_times) in [(2, false), (500, true)] {
        let bench = store_of_2025(max_history);
        random_batches(&bench, &mut Random::new(seed));
        if has_wall_times {
            // Wall times in two batches, of which only one is of moved days; and a date, whose midnight it is.
            for (batch, time) in [("2026-10-30", "2026-10-30T09:30:00"), ("2026-11-03", "2026-11-03T09:30:00")] {
                let csv = format!("customer_id,item_id,click_time\n0,7,{time}\n");
                write_file(&bench.input().join(format!("clicks/dt={batch}/wall.csv")), csv.as_bytes());
            }
            let csv = b"customer_id,config_id,order_date\n0,8,2026-11-02\n";
            let folder = bench.input().join("orders/dt=2026-11-02");
            std::fs::remove_dir_all(&folder).unwrap();
            write_file(&folder.join("dates.csv"), csv);
        }
        ingest_all(&bench);
        machine_has(&bench, &TestRules::vancouver_since(), "2026f");
        let taken = bench.json("migrate --store store --take-zone-rules");
        let again: Vec<&str> =
            taken["zone_rules"]["to_ingest"].as_array().unwrap().iter().map(|day| day.as_str().unwrap()).collect();
        if has_wall_times {
            assert_eq!(again, ["2026-11-02", "2026-11-03"]);
        } else {
            assert!(again.len() > 2, "{again:?}");
        }
        bench.ok("verify --store store --deep");
        assert_eq!(bench.json("status --store store")["to_ingest"], taken["zone_rules"]["to_ingest"]);

        // Rows that rest on them are refused, until they have been ingested again.
        let shown = RawImpression { ranking_id: None, customer: 0, elements: vec![(1, None)] };
        write_impressions(&bench.input(), "2026-11-05", &[shown], PLAIN);
        let produce = "produce --store store --input input --dt 2026-11-05 --out out";
        let words = ["batches that were ingested by older rules of the time zone", "2026-1", "lookback backfill"];
        bench.refused(produce, &words);
        bench.ok(&format!("{produce} --allow-gaps"));
        let range =
            |from: &str| format!("backfill --store store --input input --from {from} --to 2026-11-05 --out out");
        bench.refused(&range("2026-11-04"), &["by older rules of the time zone", "2026-1"]);
        let done = bench.json(&range("2026-10-30"));
        let ingested: Vec<&str> =
            done["to_ingest"].as_array().unwrap().iter().map(|day| day[0].as_str().unwrap()).collect();
        assert_eq!(ingested, again, "those, and no other");
        assert!(dump(&bench.store()) == fresh(&bench, max_history), "seed {seed}, histories of {max_history}");
        bench.ok("audit --store store --input input --out out --dt 2026-11-05");
    }
}

#[test]
fn partitions_made_by_other_rules_are_stale() {
    let bench = store_of_2025(500);
    random_batches(&bench, &mut Random::new(seed(5)));
    ingest_all(&bench);
    let days = ["2026-10-31", "2026-11-01", "2026-11-02", "2026-11-04"];
    for dt in days {
        let shown: Vec<_> = (-20..20)
            .map(|number: i64| RawImpression {
                ranking_id: None,
                customer: number.wrapping_mul(900_000_000_000_000),
                elements: vec![(1, None)],
            })
            .collect();
        write_impressions(&bench.input(), dt, &shown, PLAIN);
        bench.produce(dt);
    }
    let rows = |dt: &str| read_partition(&bench.out(), dt);
    let before = days.map(rows);
    machine_has(&bench, &TestRules::vancouver_since(), "2026f");
    bench.ok("migrate --store store --take-zone-rules");
    let listed = bench.json("stale --store store --out out");
    let named: Vec<&str> = listed["listed"].as_array().unwrap().iter().map(|one| one["dt"].as_str().unwrap()).collect();
    assert_eq!(named, ["2026-11-02", "2026-11-04"]);
    assert_eq!(listed["listed"][0]["zone_rules"], true);
    let text = bench.ok("stale --store store --out out").stdout;
    assert!(text.contains("2026-11-02  other rules of the time zone"), "{text}");
    bench.refused(
        "audit --store store --input input --out out --dt 2026-11-04",
        &["produced by other rules", "lookback stale"],
    );
    bench.ok("audit --store store --input input --out out --dt 2026-11-01");

    let done = bench.json("backfill --store store --input input --from 2026-10-31 --to 2026-11-04 --out out --stale");
    assert_eq!(done["to_produce"], json!(["2026-11-02", "2026-11-04"]));
    assert_eq!((&before[0], &before[1]), (&rows(days[0]), &rows(days[1])));
    assert_ne!((&before[2], &before[3]), (&rows(days[2]), &rows(days[3])), "an hour of actions less");
    assert_eq!(bench.json("stale --store store --out out")["stale"], 0);
    for dt in days {
        bench.ok(&format!("audit --store store --input input --out out --dt {dt}"));
    }
}

#[test]
fn a_store_of_format_4_keeps_its_days_until_newer_rules_are_taken() {
    use lookback::internals::store::RawStore;
    use lookback::store::Folder;

    let bench = store_of_2025(500);
    random_batches(&bench, &mut Random::new(seed(6)));
    ingest_all(&bench);
    // As lookback 0.4.0 would have written it: without rules, with the store record of its version.
    let raw = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    let record = raw.get(&[0, 0]).unwrap().unwrap();
    raw.write(&[(vec![0, 0], [&[4], &record[1..]].concat())], &[(vec![0x1a], vec![0x1b])]).unwrap();
    drop(raw);
    let old = dump(&bench.store());
    // The rules of the program, which are newer, whatever the machine has.
    std::fs::remove_dir_all(bench.path("zones")).unwrap();
    bench.refused("status --store store", &["format version 4", "lookback migrate --store store"]);
    let said = bench.ok("migrate --store store --take-zone-rules --dry-run").stderr;
    assert!(said.contains("4 to 5") && said.contains("after the migration"), "{said}");
    let ran = bench.ok("migrate --store store");
    assert!(ran.stderr.contains("take them with `lookback migrate --take-zone-rules`"), "{}", ran.stderr);
    let plain = |entries: Vec<(Vec<u8>, Vec<u8>)>| -> Vec<_> {
        entries.into_iter().filter(|(key, _)| (0x11..0x14).contains(&key[0])).collect()
    };
    assert!(plain(dump(&bench.store())) == plain(old), "the same days");
    assert_eq!(editions(&bench), (json!("2025b"), json!("2026f")));

    // Whether such batches had wall times is not known, so those of moved days have to come again.
    let taken = bench.json("migrate --store store --take-zone-rules");
    assert_eq!(taken["zone_rules"]["source"], "the program");
    let days = taken["zone_rules"]["to_ingest"].as_array().unwrap().len();
    assert!(days >= 4, "{taken}");
    bench.ok("backfill --store store --input input --from 2026-10-30 --to 2026-11-04");
    bench.ok("verify --store store --deep");
    let of_batches = |entries: Vec<(Vec<u8>, Vec<u8>)>| -> Vec<_> {
        entries.into_iter().filter(|(key, _)| key[0] != 0x14).collect()
    };
    assert!(of_batches(dump(&bench.store())) == of_batches(fresh(&bench, 500)));
}

#[test]
fn a_pruned_store_whose_first_day_would_move_keeps_its_rules() {
    let bench = store_of_2025(500);
    random_batches(&bench, &mut Random::new(seed(7)));
    ingest_all(&bench);
    bench.ok("prune --store store --keep-days 1 --allow-large-removal");
    machine_has(&bench, &TestRules::vancouver_since(), "2026f");
    let before = dump(&bench.store());
    bench.refused("migrate --store store --take-zone-rules", &["pruned up to 2026-11-03", "lookback backfill"]);
    assert_eq!(dump(&bench.store()), before);
}

/// Rules that set clocks otherwise in the middle of a day, and move none.
#[test]
fn clocks_that_are_set_at_another_hour_matter_where_there_are_wall_times() {
    let mut before = TestRules::vancouver_since();
    before.changes.push((seconds(2026, 11, 3) + 20 * 3_600, -6 * 3_600));
    before.changes.push((seconds(2026, 11, 3) + 22 * 3_600, -7 * 3_600));
    for has_wall_times in [false, true] {
        let bench = Bench::new();
        machine_has(&bench, &before, "2025b");
        bench.ok(&format!("init --store store --timezone {ZONE}"));
        let time = if has_wall_times { "2026-11-03T14:30:00" } else { "2026-11-03T14:30:00Z" };
        let csv = format!("customer_id,item_id,click_time\n0,7,{time}\n");
        write_file(&bench.input().join("clicks/dt=2026-11-03/wall.csv"), csv.as_bytes());
        bench.ingest("2026-11-03");
        machine_has(&bench, &TestRules::vancouver_since(), "2026f");
        let note = bench.ok("migrate --store store").stderr;
        assert_eq!(note.contains("has adopted"), !has_wall_times, "{note}");
        assert_eq!(note.contains("take them with"), has_wall_times, "{note}");
        let taken = bench.json("migrate --store store --take-zone-rules");
        if has_wall_times {
            assert_eq!(taken["zone_rules"]["to_ingest"], json!(["2026-11-03"]));
            assert_eq!(taken["zone_rules"]["moved_days"], json!([]));
        } else {
            assert_eq!(taken["zone_rules"], json!(null));
        }
    }
}
