//! `lookback explain`: each action of a history with its place, its batch and why it counts or not, against the naive
//! reference.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::read_partition;
use crate::support::program::Bench;
use crate::support::random::{Random, seed};
use crate::support::reference::{Question, Reference, date};

fn action(kind: u8, item: i64, time: &str) -> RawAction {
    RawAction { customer: 1, item, time_us: us(time), kind }
}

/// A store that keeps six actions, with two batches: one action of the second came a day late, one of the first a day
/// early.
fn two_batches() -> Bench {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 6");
    let first = [
        action(1, 11, "2026-01-01T10:00:00Z"),
        action(3, 12, "2026-01-01T10:00:00Z"),
        action(1, 11, "2026-01-02T07:00:00Z"),
    ];
    let second = [action(2, 14, "2026-01-02T08:00:00Z"), action(1, 15, "2026-01-01T09:00:00Z")];
    for (day, actions) in [("2026-01-01", &first[..]), ("2026-01-02", &second)] {
        write_batch(&bench.input(), day, actions, PLAIN);
        bench.ingest(day);
    }
    bench
}

#[test]
fn each_action_has_its_place_and_its_batch() {
    let bench = two_batches();
    let explain = "explain --store store --dt 2026-01-03 --customer 1";
    let expected = "customer 1 as of 2026-01-03: 5 actions before 2026-01-03 00:00:00+00:00 in the history, 0 left out\n\
        #  time                       type         item  batch       came         in the history\n\
        1  2026-01-02 08:00:00+00:00  add_to_cart    14  2026-01-02  same day     yes\n\
        2  2026-01-02 07:00:00+00:00  click          11  2026-01-01  1 day early  yes\n\
        3  2026-01-01 10:00:00+00:00  order          12  2026-01-01  same day     yes\n\
        4  2026-01-01 10:00:00+00:00  click          11  2026-01-01  same day     yes\n\
        5  2026-01-01 09:00:00+00:00  click          15  2026-01-02  1 day late   yes\n";
    assert_eq!(bench.ok(explain).stdout, expected);

    let expected = "customer 1 as of 2026-01-03: 3 actions before 2026-01-03 00:00:00+00:00 in the history, 2 left out: 2 beyond the number that counts\n\
        #  time                       type   item  batch       came         in the history\n\
        2  2026-01-02 07:00:00+00:00  click    11  2026-01-01  1 day early  yes\n\
        4  2026-01-01 10:00:00+00:00  click    11  2026-01-01  same day     no: max_history\n\
        the first left out is number 4, the click of 2026-01-01 10:00:00+00:00 on item 11 from batch 2026-01-01: only the newest 3 count (max_history)\n";
    assert_eq!(bench.ok(&format!("{explain} --item 11 --max-history 3")).stdout, expected);

    let text = bench.ok(&format!("{explain} --lookback-days 1 --limit 1")).stdout;
    assert!(
        text.contains("2 actions before") && text.contains("3 left out: 3 older than the days that count"),
        "{text}"
    );
    assert!(text.contains("… and 4 more\n") && text.contains("number 3, the order"), "{text}");
    assert!(text.contains("from before 2026-01-02, where --lookback-days 1 begins"), "{text}");

    let known = bench.json(&format!("{explain} --known-as-of 2026-01-01"));
    assert_eq!(known["left_out"], json!({"known_as_of": 2, "lookback_days": 0, "max_history": 0}));
    assert_eq!((&known["first_left_out"], &known["history_length"]), (&Value::Null, &json!(3)));
    let first = json!({
        "place": null, "time": "2026-01-02 08:00:00+00:00", "time_us": us("2026-01-02T08:00:00Z"), "action_type": "add_to_cart",
        "item_id": 14, "batch": "2026-01-02", "days_late": 0, "left_out": "known_as_of",
    });
    assert_eq!(known["actions"][0], first);
    assert_eq!((&known["actions"][1]["place"], &known["actions"][1]["days_late"]), (&json!(1), &json!(-1)));
    let ran = bench.run(&format!("{explain} --max-history 7"));
    assert!(ran.code == 2 && ran.stderr.contains("more than the store keeps (6)"), "{}", ran.stderr);
}

#[test]
fn what_there_is_nothing_to_explain_of_is_a_plain_sentence() {
    let bench = two_batches();
    let explain = "explain --store store --dt 2026-01-03 --customer";
    let nothing = "customer 77 has no actions before 2026-01-03 00:00:00+00:00 in the store\n";
    assert_eq!(bench.ok(&format!("{explain} 77")).stdout, nothing);
    assert_eq!(bench.ok(&format!("{explain} 77 --item 5")).stdout, nothing);
    let other = bench.ok(&format!("{explain} 1 --item 5")).stdout;
    assert!(other.ends_with("0 left out\nnone of them is on item 5\n"), "{other}");
    write_batch(&bench.input(), "2026-01-05", &[action(1, 1, "2026-01-05T00:00:00Z")], PLAIN);
    bench.ingest("2026-01-05");
    let gap = bench.ok("explain --store store --dt 2026-01-06 --customer 77").stdout;
    assert!(gap.ends_with("batches that the store does not hold: 2026-01-03, 2026-01-04\n"), "{gap}");
    bench.ok("prune --store store --keep-days 3 --allow-large-removal");
    let pruned = bench.ok(&format!("{explain} 1")).stdout;
    assert!(
        pruned.contains("2 actions before") && pruned.ends_with("actions from before 2026-01-02 have been pruned\n"),
        "{pruned}"
    );
    bench.ok("forget --store store --customer 1");
    let forgotten = bench.ok(&format!("{explain} 1")).stdout;
    assert!(forgotten.starts_with("customer 1 has been forgotten: ") && forgotten.lines().count() == 1, "{forgotten}");
    assert_eq!(bench.json(&format!("{explain} 1"))["forgotten"], true);
}

#[test]
fn where_the_store_has_cut_a_batch_the_places_behind_are_said_to_be_uncertain() {
    let bench = Bench::new();
    bench.ok("init --store store --max-history 3");
    let clicks: Vec<RawAction> = (1..=5).map(|item| action(1, item, &format!("2026-01-02T10:00:0{item}Z"))).collect();
    write_batch(&bench.input(), "2026-01-02", &clicks, PLAIN);
    bench.ingest("2026-01-02");
    write_batch(&bench.input(), "2026-01-01", &[action(1, 9, "2026-01-01T10:00:00Z")], PLAIN);
    bench.ingest("2026-01-01");
    let json = bench.json("explain --store store --dt 2026-01-03 --customer 1");
    assert_eq!((&json["incomplete_behind"], &json["history_length"]), (&json!(3), &json!(3)));
    assert_eq!((&json["first_left_out"]["item_id"], &json["first_left_out"]["place"]), (&json!(9), &json!(4)));
    let text = bench.ok("explain --store store --dt 2026-01-03 --customer 1").stdout;
    assert!(text.contains("there may have been more after number 3"), "{text}");
}

/// Random batches, late and early; customers, days and options by chance. What is inside must be the history of the
/// reference and the row of `produce`.
#[test]
fn what_counts_is_what_the_rows_have() {
    let seed = seed(71);
    let mut random = Random::new(seed);
    let bench = Bench::new();
    bench.ok("init --store store --max-history 8 --timezone Europe/Berlin");
    let mut reference = Reference::new(chrono_tz::Europe::Berlin);
    let nth = |number: u64| date("2026-03-26") + Days::new(number);
    for number in 0..6 {
        let actions: Vec<RawAction> = (0..24)
            .map(|_| {
                let shift = [0, 0, 0, 1, 2, 4][usize::try_from(random.below(6)).unwrap()];
                let day = if random.below(9) == 0 { nth(number + 1) } else { nth(number) - Days::new(shift) };
                let minute = i64::try_from(random.below(20) * 60).unwrap();
                RawAction {
                    customer: i64::try_from(random.below(3)).unwrap(),
                    item: 1 + i64::try_from(random.below(5)).unwrap(),
                    time_us: reference.midnight(day) + minute * 60_000_000,
                    kind: 1 + u8::try_from(random.below(3)).unwrap(),
                }
            })
            .collect();
        write_batch(&bench.input(), &nth(number).to_string(), &actions, PLAIN);
        bench.ingest(&nth(number).to_string());
        reference.batches.insert(nth(number), actions);
    }
    let shown: Vec<_> =
        (0..3).map(|customer| RawImpression { ranking_id: None, customer, elements: vec![(5, None)] }).collect();
    let mut left_out = 0;
    for _ in 0..12 {
        let dt = nth(2 + random.below(6));
        let question = Question {
            max_history: 1 + usize::try_from(random.below(8)).unwrap(),
            lookback_days: (random.below(2) == 0).then(|| 1 + u32::try_from(random.below(4)).unwrap()),
            known_as_of: (random.below(3) == 0).then(|| nth(random.below(6))),
        };
        let mut options = format!("--max-history {}", question.max_history);
        options += &question.lookback_days.map_or_else(String::new, |days| format!(" --lookback-days {days}"));
        options += &question.known_as_of.map_or_else(String::new, |day| format!(" --known-as-of {day}"));
        write_impressions(&bench.input(), &dt.to_string(), &shown, PLAIN);
        bench.ok(&format!("produce --store store --input input --out out --allow-gaps --dt {dt} {options}"));
        for row in read_partition(&bench.out(), &dt.to_string()) {
            let customer = row.customer_id;
            let json = bench.json(&format!("explain --store store --dt {dt} --customer {customer} {options}"));
            let context = format!("seed {seed}: customer {customer} as of {dt} with {options}");
            left_out += check(&reference, customer, dt, &question, &json, &context);
            let inside = json["actions"].as_array().unwrap().iter().filter(|action| action["left_out"].is_null());
            let items: Vec<i64> = inside.map(|action| action["item_id"].as_i64().unwrap()).collect();
            let in_row: Vec<i64> = row.actions.into_iter().filter(|item| *item != 0).collect();
            assert_eq!(items, in_row, "{context}");
        }
    }
    assert!(left_out > 100, "only {left_out} actions were left out");
}

/// Compares every action with what the raw batches say. Gives how many are left out.
fn check(reference: &Reference, customer: i64, dt: NaiveDate, question: &Question, json: &Value, context: &str) -> u64 {
    let cut_off = reference.midnight(dt);
    let oldest = question.lookback_days.map_or(i64::MIN, |days| reference.midnight(dt - Days::new(days.into())));
    let mut all: Vec<(RawAction, NaiveDate)> = Vec::new();
    for (batch, actions) in &reference.batches {
        let mine = actions.iter().filter(|action| action.customer == customer && action.time_us < cut_off);
        all.extend(mine.map(|action| (*action, *batch)));
    }
    all.sort_by_key(|(action, batch)| (-action.time_us, -i64::from(action.kind), -action.item, *batch));
    let listed = json["actions"].as_array().unwrap();
    // The store keeps eight actions of one batch and day, and no customer has as many.
    assert_eq!(listed.len(), all.len(), "{context}");
    assert_eq!(json["incomplete_behind"], Value::Null, "{context}");
    let (mut place, mut inside, mut left_out) = (0_u64, 0_u64, 0);
    for ((action, batch), listed) in all.iter().zip(listed) {
        let is_known = question.known_as_of.is_none_or(|known| *batch <= known);
        place += u64::from(is_known);
        let why = if !is_known {
            Some("known_as_of")
        } else if action.time_us < oldest {
            Some("lookback_days")
        } else if place > question.max_history as u64 {
            Some("max_history")
        } else {
            None
        };
        inside += u64::from(why.is_none());
        left_out += u64::from(why.is_some());
        assert_eq!(
            (&listed["time_us"], &listed["item_id"]),
            (&json!(action.time_us), &json!(action.item)),
            "{context}"
        );
        let kind = ["click", "add_to_cart", "order"][usize::from(action.kind) - 1];
        assert_eq!(listed["action_type"], kind, "{context}");
        assert_eq!(listed["left_out"], json!(why), "{context}");
        assert_eq!(listed["place"], json!(is_known.then_some(place)), "{context}");
        assert_eq!(listed["batch"], batch.to_string(), "{context}");
        let local = chrono::DateTime::from_timestamp_micros(action.time_us).unwrap().with_timezone(&reference.tz);
        assert_eq!(listed["days_late"], (*batch - local.date_naive()).num_days(), "{context}");
    }
    assert_eq!(json["history_length"], inside, "{context}");
    let first = listed.iter().find(|listed| !listed["left_out"].is_null() && !listed["place"].is_null());
    assert_eq!(&json["first_left_out"], first.unwrap_or(&Value::Null), "{context}");
    left_out
}
