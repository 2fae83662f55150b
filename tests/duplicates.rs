//! Stores whose histories hold equal actions once. That histories and rows are right after any batches, corrections and
//! removals is in `tests/model.rs`.

use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{dump, metadata, read_partition};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

/// A click on an item at an hour of a day.
fn click(item: i64, time: &str) -> RawAction {
    RawAction { customer: 7, item, time_us: us(&format!("2026-01-{time}:00:00Z")), kind: 1 }
}

/// Three batches that bring the same action, the first of them twice; and others.
fn three_batches() -> Bench {
    let bench = Bench::new();
    bench.ok("init --store store --duplicates drop");
    let twice = click(11, "02T10");
    for (day, actions) in [
        ("2026-01-02", vec![twice, twice, click(12, "02T11")]),
        ("2026-01-03", vec![twice, click(13, "03T11")]),
        ("2026-01-04", vec![twice, click(14, "02T09")]),
    ] {
        write_batch(&bench.input(), day, &actions, PLAIN);
        bench.ingest(day);
    }
    bench
}

fn items(bench: &Bench, more: &str) -> Vec<i64> {
    let explained = bench.json(&format!("explain --store store --customer 7 --dt 2026-01-05 {more}"));
    let listed = explained["actions"].as_array().unwrap();
    let inside = listed.iter().filter(|action| action["left_out"].is_null());
    inside.map(|action| action["item_id"].as_i64().unwrap()).collect()
}

#[test]
fn an_action_counts_as_the_first_batch_s_and_stays_as_long_as_one_has_it() {
    let bench = three_batches();
    let explained = bench.json("explain --store store --customer 7 --item 11 --dt 2026-01-05");
    let listed = explained["actions"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["batch"], &listed[0]["place"]), (1, &"2026-01-02".into(), &3.into()));
    assert_eq!(items(&bench, ""), [13, 12, 11, 14]);
    assert_eq!(items(&bench, "--known-as-of 2026-01-02"), [12, 11]);
    // The first batch comes corrected, without it; then the second goes.
    write_batch(&bench.input(), "2026-01-02", &[click(12, "02T11")], PLAIN);
    bench.ingest("2026-01-02");
    assert_eq!(items(&bench, ""), [13, 12, 11, 14]);
    assert_eq!(items(&bench, "--known-as-of 2026-01-02"), [12]);
    bench.ok("remove --store store --dt 2026-01-03");
    assert_eq!(items(&bench, ""), [12, 11, 14]);
    bench.ok("remove --store store --dt 2026-01-04");
    assert_eq!(items(&bench, ""), [12]);
}

#[test]
fn what_is_dropped_is_counted_and_said() {
    let bench = Bench::new();
    for (store, dropped, said) in [("keep", 0, "; kept)"), ("drop", 2, "; dropped)")] {
        bench.ok(&format!("init --store {store} --duplicates {store}"));
        let twice = click(11, "02T10");
        write_batch(&bench.input(), "2026-01-02", &[twice, twice, twice], PLAIN);
        let ingest = format!("ingest --store {store} --input input --dt 2026-01-02");
        let summary = bench.json(&ingest);
        assert_eq!((&summary["duplicates"], &summary["duplicates_dropped"]), (&2.into(), &dropped.into()));
        assert_eq!(summary["actions"], 3, "those of the files");
        let ran = bench.ok(&ingest);
        assert!(ran.said().contains(&format!("2 duplicates (equal to another of the batch{said}")), "{}", ran.stderr);
        let status = bench.json(&format!("status --store {store}"));
        assert_eq!((&status["duplicates"], &status["median_history"]), (&json!(store), &(3 - dropped).into()));
        assert_eq!(bench.ok(&format!("status --store {store}")).stdout.contains("duplicates"), store == "drop");
    }
    assert_eq!(bench.run("init --store other --duplicates some").code, 2);
}

/// Many actions of few kinds in few batches: full histories, keyframes, and cuts by `max_history`.
fn filled(random: &mut Random) -> Bench {
    let bench = Bench::new();
    bench.ok("init --store store --duplicates drop --max-history 20");
    for number in 2..=9_u64 {
        let actions: Vec<RawAction> = (0..120)
            .map(|_| {
                let day = number - random.below(3).min(number - 2);
                let time = format!("{day:02}T{:02}", random.below(12));
                RawAction { customer: i64::try_from(random.below(3)).unwrap(), ..click(5, &time) }
            })
            .collect();
        let day = format!("2026-01-{number:02}");
        write_batch(&bench.input(), &day, &actions, PLAIN);
        bench.ingest(&day);
    }
    bench
}

#[test]
fn a_store_that_drops_agrees_with_itself_with_the_raw_files_and_is_made_anew() {
    let seed = seed(911);
    let bench = filled(&mut Random::new(seed));
    let verified = bench.json("verify --store store --deep");
    assert!(verified["keyframes"].as_u64().unwrap() > 0, "seed {seed}: {verified}");
    let shown = |customer| RawImpression { ranking_id: None, customer, elements: vec![(5, Some(true))] };
    write_impressions(&bench.input(), "2026-01-10", &[shown(0), shown(1), shown(2), shown(3)], PLAIN);
    bench.produce("2026-01-10");
    bench.ok("audit --store store --input input --out out --dt 2026-01-10");
    for row in read_partition(&bench.out(), "2026-01-10") {
        let shown = bench.json(&format!("show --store store --customer {} --dt 2026-01-10", row.customer_id));
        let times: Vec<&Value> = shown["actions"].as_array().unwrap().iter().map(|action| &action["time_us"]).collect();
        assert!(times.windows(2).all(|pair| pair[0] != pair[1]), "seed {seed}: one item and type, so no time twice");
        assert_eq!(row.actions.iter().filter(|item| **item != 0).count(), times.len());
    }
    // The summary of what is at the cap counts different actions.
    let at_cap = (0..3).filter(|customer| {
        let shown = bench.json(&format!("show --store store --customer {customer} --dt 2026-01-20"));
        shown["history_length"] == 20
    });
    let at_cap = at_cap.count();
    assert_eq!(bench.json("status --store store")["customers_at_cap"], at_cap);

    // A forgotten customer and a pruned day leave what a store without them has.
    bench.ok("forget --store store --customer 1");
    bench.ok("prune --store store --keep-days 4 --allow-large-removal");
    bench.ok("verify --store store --deep");
    let before = dump(&bench.store());
    for number in 2..=9 {
        bench.ingest(&format!("2026-01-{number:02}"));
    }
    assert!(dump(&bench.store()) == before, "seed {seed}: the same batches again change nothing");
}

#[test]
fn rows_of_a_store_that_keeps_are_not_current_for_one_that_drops() {
    let bench = Bench::new();
    let twice = click(11, "02T10");
    write_batch(&bench.input(), "2026-01-02", &[twice, twice], PLAIN);
    let shown = RawImpression { ranking_id: None, customer: 7, elements: vec![(5, None)] };
    write_impressions(&bench.input(), "2026-01-03", &[shown], PLAIN);
    let histories = [("keep", [11, 11]), ("drop", [11, 0])];
    for (store, expected) in histories {
        bench.ok(&format!("init --store {store} --duplicates {store} --max-history 2"));
        let range = "--input input --from 2026-01-02 --to 2026-01-03 --out out --allow-empty";
        bench.ok(&format!("backfill --store {store} {}", range.replace(" --allow-empty", "")));
        assert_eq!(read_partition(&bench.out(), "2026-01-03")[0].actions, expected, "{store}");
        let manifest = bench.json("manifest --out out --dt 2026-01-03");
        let recorded = (store == "drop").then_some("drop");
        assert_eq!(manifest["settings"].get("duplicates").and_then(Value::as_str), recorded);
        let part = bench.out().join("dt=2026-01-03/part-00000.parquet");
        assert_eq!(metadata(&part).get("duplicates").map(String::as_str), recorded);
        bench.ok(&format!("audit --store {store} --input input --out out --dt 2026-01-03"));
        // The store of the rows, and the other one.
        assert_eq!(bench.json(&format!("stale --store {store} --out out"))["stale"], 0);
        let other = if store == "drop" { "keep" } else { "other" };
        bench.run("init --store other --duplicates drop --max-history 2");
        bench.run("ingest --store other --input input --dt 2026-01-02");
        let stale = bench.json(&format!("stale --store {other} --out out"));
        assert_eq!((&stale["listed"][0]["duplicates"], &stale["listed"][0]["replaced"]), (&json!(true), &json!([])));
        let said = bench.ok(&format!("stale --store {other} --out out")).stdout;
        assert!(said.contains("2026-01-03  equal actions were kept or dropped otherwise"), "{said}");
    }
    bench.ok("backfill --store keep --input input --from 2026-01-02 --to 2026-01-03 --out out --stale");
    assert_eq!(read_partition(&bench.out(), "2026-01-03")[0].actions, [11, 11]);
    assert_eq!(bench.json("stale --store keep --out out")["stale"], 0);
}
