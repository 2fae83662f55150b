//! Several days of a backfill produced together: the same bytes as one day after the other, and what is left where one
//! of them fails.

use std::collections::BTreeMap;
use std::fs;

use lookback::internals::format::{Key, encode_delta};
use lookback::internals::store::RawStore;
use lookback::model::{Action, ActionType, CustomerId, Day};
use lookback::store::Folder;
use serde_json::Value;

use crate::support::input::{RawAction, RawImpression, Spread, us, write_batch, write_impressions};
use crate::support::output::tree;
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

/// Batches of 1 to 12 January; impressions from the 5th on.
const LAST: u32 = 12;
const FIRST_SHOWN: u32 = 5;

/// The customer whose rows fill more than a turn, which has 50,000, on some days.
const BUSY: i64 = 17;

fn name(day: u32) -> String {
    format!("2026-01-{day:02}")
}

/// A store that keeps 12 actions of a customer, so that keyframes and cuts are common; some actions are late, some
/// early.
fn bench(random: &mut Random) -> Bench {
    let bench = Bench::new();
    let mut number = |end: u64| i64::try_from(random.below(end)).unwrap();
    for day in 1..=LAST {
        let action = |_| {
            let customer = number(40).min(number(40)) - 5;
            let shift = [0, 0, 0, 0, -1, -3, 1][usize::try_from(number(7)).unwrap()];
            let minute = number(144) * 10;
            RawAction {
                customer,
                item: 1 + number(500),
                time_us: ((20_453 + i64::from(day) + shift) * 1_440 + minute) * 60_000_000,
                kind: 1 + u8::try_from(number(3)).unwrap(),
            }
        };
        let actions: Vec<_> = (0..160).map(action).collect();
        write_batch(&bench.input(), &name(day), &actions, Spread { files: 1, seed: 1 });
    }
    for day in FIRST_SHOWN..=LAST {
        // 300 customers from -10 on, most without history: more than a turn has.
        let mut shown: Vec<_> = (0..420)
            .map(|place| RawImpression {
                ranking_id: (place % 7 != 0).then(|| format!("r{}", place % 5)),
                customer: number(300) - 10,
                elements: (0..1 + number(4)).map(|_| (1 + number(9), Some(true))).collect(),
            })
            .collect();
        shown.extend_from_within(..3);
        if day % 4 == 0 {
            let many = RawImpression { ranking_id: None, customer: BUSY, elements: vec![(7, None); 900] };
            shown.extend((0..70).map(|_| many.clone()));
        }
        write_impressions(&bench.input(), &name(day), &shown, Spread { files: 2, seed: 1 });
    }
    bench.ok("init --store store --max-history 12");
    bench.ok(&format!("backfill --store store --input input --from {} --to {}", name(1), name(LAST)));
    bench
}

fn backfill(out: &str) -> String {
    format!("backfill --store store --input input --from {} --to {} --out {out}", name(1), name(LAST))
}

/// What was worked on while rows were written.
fn items(summary: &Value) -> Vec<&str> {
    let phases = summary["timing"]["phases"].as_array().unwrap().iter();
    phases.filter(|phase| phase["phase"] == "writing").map(|phase| phase["item"].as_str().unwrap()).collect()
}

fn singles(bench: &Bench, out: &str, options: &str) -> BTreeMap<String, Vec<u8>> {
    for day in FIRST_SHOWN..=LAST {
        bench.ok(&format!("produce --store store --input input --dt {} --out {out} --threads 1 {options}", name(day)));
    }
    tree(&bench.path(out))
}

#[test]
fn days_together_have_the_bytes_of_days_alone() {
    let mut random = Random::new(seed(51));
    let bench = bench(&mut random);
    let sizes = "--row-group-rows 90 --part-rows 400";
    // What goes together, and what does not since its histories do not lie in one another.
    for (place, (options, threads, together)) in [
        ("", 2, true),
        (sizes, 1, true),
        (sizes, 3, true),
        ("--max-history 5 --compression snappy --item-type int32", 2, true),
        ("--lookback-days 3", 2, false),
        ("--with action_ages", 2, false),
        ("--row-group-rows 90 --order carousel", 2, false),
        (sizes, 9, false),
    ]
    .into_iter()
    .enumerate()
    {
        let (out, alone) = (format!("together-{place}"), format!("alone-{place}"));
        let summary = bench.json(&format!("{} --threads {threads} {options}", backfill(&out)));
        let expected: &[&str] = match together {
            true => &["produce 2026-01-05..2026-01-11"],
            false => &[],
        };
        assert_eq!(items(&summary), expected, "{options}");
        let files = tree(&bench.path(&out));
        assert!(files.values().map(Vec::len).sum::<usize>() > 100_000, "there is something to compare");
        assert!(files == singles(&bench, &alone, options), "{options} with {threads} threads");
        for (day, summary) in (FIRST_SHOWN..).zip(summary["produced"].as_array().unwrap()) {
            let again = bench.json(&format!(
                "produce --store store --input input --dt {} --out again --threads 2 {options}",
                name(day)
            ));
            for (field, value) in summary.as_object().unwrap() {
                assert_eq!(&again[field], value, "{field} of {}", name(day));
            }
        }
    }
    let one = tree(&bench.path("together-1"));
    assert!(one.keys().filter(|name| name.contains("part-")).count() > 20, "several parts a day");
}

#[test]
fn days_that_are_current_are_left_and_the_others_go_together() {
    let bench = bench(&mut Random::new(seed(52)));
    let expected = singles(&bench, "alone", "");
    for day in [6, 9] {
        bench.ok(&format!("produce --store store --input input --dt {} --out out", name(day)));
    }
    let summary = bench.json(&format!("{} --threads 2", backfill("out")));
    let kept: Vec<_> = summary["produced"].as_array().unwrap().iter().map(|day| day["kept"] == true).collect();
    assert_eq!(kept, [false, true, false, false, true, false, false, false]);
    assert!(tree(&bench.out()) == expected);
    let days: Vec<_> = summary["produced"].as_array().unwrap().iter().map(|day| day["dt"].as_str().unwrap()).collect();
    assert!(days.is_sorted(), "{days:?}");
}

#[test]
fn where_a_day_is_refused_those_before_it_are_produced() {
    let bench = bench(&mut Random::new(seed(53)));
    let expected = singles(&bench, "alone", "");
    // An element without an item.
    let bad = RawImpression { ranking_id: None, customer: 1, elements: vec![(0, None)] };
    write_impressions(&bench.input(), &name(9), &[bad], Spread { files: 1, seed: 1 });
    bench.refused(&format!("{} --threads 2", backfill("out")), &["impressions/dt=2026-01-09/part-0.parquet"]);
    let files = tree(&bench.out());
    let before: BTreeMap<_, _> = expected.into_iter().filter(|(name, _)| name.as_str() < "dt=2026-01-09/").collect();
    assert!(files == before, "{:?}", files.keys());
    fs::remove_dir_all(bench.input().join("impressions/dt=2026-01-09")).unwrap();
    bench.ok(&format!("{} --threads 2", backfill("out")));
    assert_eq!(fs::read_dir(bench.out()).unwrap().count(), 1 + 7);
}

/// Bytes that say of an action before a day that it was on the day: no row of any of the days is made of them.
#[test]
fn a_delta_whose_times_are_not_on_its_day_stops_all_days() {
    let bench = bench(&mut Random::new(seed(54)));
    let day: Day = name(7).parse().unwrap();
    let at_the_cut_off = Action { time_us: us("2026-01-08T00:00:00Z"), item_id: 21, action_type: ActionType::CLICK };
    let mut bytes = Vec::new();
    encode_delta(day, &[at_the_cut_off], &mut bytes);
    let store = RawStore::open_writer(&Folder::new(&bench.store())).unwrap();
    // Busy on the 8th, which is neither the first nor the last day.
    let key = Key::Delta { customer: CustomerId(BUSY), day, batch: day }.encode();
    store.write(&[(key.to_vec(), bytes)], &[]).unwrap();
    drop(store);
    bench.refused(
        &format!("{} --threads 2", backfill("out")),
        &["customer 17", "that is not before", "the store is damaged"],
    );
    assert!(!bench.out().exists());
}
