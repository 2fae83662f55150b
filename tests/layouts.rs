//! Other names and layouts: the same actions give the same histories, whatever their files look like.

use std::collections::BTreeMap;
use std::fs;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::json;

use crate::support::described::Layout;
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::output::{dump, read_partition, tree};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::reference::{Question, Reference, date};

const DAYS: [&str; 4] = ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"];

/// The day whose rows are produced, after all batches.
const SHOWN: &str = "2026-03-03";

const MAX_HISTORY: usize = 9;

/// Batches of these types with many ties, late and early actions, at whole seconds.
fn random_batches(random: &mut Random, kinds: &[u8]) -> BTreeMap<NaiveDate, Vec<RawAction>> {
    let mut below = |end: usize| usize::try_from(random.below(end as u64)).unwrap();
    let first = date(DAYS[0]).signed_duration_since(NaiveDate::default()).num_days();
    let mut batches = BTreeMap::new();
    for (number, day) in DAYS.iter().enumerate() {
        let mut actions = Vec::new();
        for _ in 0..50 {
            let on = first + i64::try_from(number).unwrap() + [0, 0, 0, -1, 1][below(5)];
            actions.push(RawAction {
                customer: i64::try_from(below(6)).unwrap() - 2,
                item: 1 + i64::try_from(below(30)).unwrap(),
                time_us: (on * 86_400 + i64::try_from(below(4)).unwrap() * 20_000) * 1_000_000,
                kind: kinds[below(kinds.len())],
            });
        }
        batches.insert(date(day), actions);
    }
    batches
}

fn impressions() -> Vec<RawImpression> {
    let shown = |customer| RawImpression {
        ranking_id: (customer > 0).then(|| format!("r{customer}")),
        customer,
        elements: vec![(7, Some(true)), (8, None), (9, Some(false))],
    };
    (-3..5).map(shown).collect()
}

/// A bench whose configuration this is, in the input root.
fn bench_with(configuration: &str) -> Bench {
    let bench = Bench::new();
    write_file(&bench.input().join("lookback.toml"), configuration.as_bytes());
    bench
}

/// A bench in the layout of the contract.
fn plain_bench(batches: &BTreeMap<NaiveDate, Vec<RawAction>>) -> Bench {
    let bench = Bench::new();
    for (day, actions) in batches {
        write_batch(&bench.input(), &day.to_string(), actions, PLAIN);
    }
    write_impressions(&bench.input(), SHOWN, &impressions(), PLAIN);
    bench
}

fn write_all(bench: &Bench, batches: &BTreeMap<NaiveDate, Vec<RawAction>>, random: &mut Random) -> u64 {
    let layout = Layout::of(bench);
    layout.write_impressions(bench, SHOWN, &impressions());
    batches.iter().map(|(day, actions)| layout.write_batch(bench, &day.to_string(), actions, random)).sum()
}

/// Backfills all batches, and produces and audits the rows.
fn run(bench: &Bench) -> serde_json::Value {
    bench.ok(&format!("init --store store --max-history {MAX_HISTORY}"));
    let range = format!("--from {} --to {SHOWN}", DAYS[0]);
    let summary = bench.json(&format!("backfill --store store --input input {range} --out out"));
    bench.ok(&format!("audit --store store --input input --out out --dt {SHOWN}"));
    bench.ok("verify --store store --deep");
    summary
}

/// What the store holds but for the records of its batches, which tell of files.
fn content(bench: &Bench) -> Vec<(Vec<u8>, Vec<u8>)> {
    dump(&bench.store()).into_iter().filter(|(key, _)| key[0] != 0x14).collect()
}

fn part(bench: &Bench) -> Vec<u8> {
    fs::read(bench.out().join(format!("dt={SHOWN}/part-00000.parquet"))).unwrap()
}

fn rows_are_those_of_the_reference(bench: &Bench, batches: &BTreeMap<NaiveDate, Vec<RawAction>>) {
    let reference = Reference { batches: batches.clone(), ..Reference::new(Tz::UTC) };
    let question = Question { max_history: MAX_HISTORY, lookback_days: None, known_as_of: None };
    let expected = reference.rows(date(SHOWN), &impressions(), &question);
    assert!(read_partition(&bench.out(), SHOWN) == expected);
    assert!(expected.iter().any(|row| row.actions.iter().all(|item| *item != 0)), "some history is full");
}

/// The blocks of a text that are written in TOML.
pub fn examples(text: &str) -> Vec<&str> {
    let blocks = text.split("```toml\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0).collect()
}

#[test]
fn every_example_of_a_configuration_runs() {
    let seed = seed(61);
    let guide = examples(include_str!("../docs/input.md"));
    // Those of other shapes than flat files of Parquet are run in `shapes`.
    let is_flat = |example: &&str| !example.contains("[csv]") && !example.contains("explode");
    let reference: Vec<&str> =
        examples(include_str!("../src/config/reference.md")).into_iter().filter(is_flat).collect();
    assert_eq!((guide.len(), reference.len()), (1, 6));
    for example in guide.into_iter().chain(reference) {
        let mut random = Random::new(seed);
        let bench = bench_with(example);
        let layout = Layout::of(&bench);
        let mut kinds: Vec<u8> = layout.types.values().copied().collect();
        // Two examples describe no source of carts.
        kinds.retain(|kind| layout.types.get("add_to_cart") != Some(kind));
        let batches = random_batches(&mut random, &kinds);
        let ignored = write_all(&bench, &batches, &mut random);
        for day in DAYS {
            bench.ok(&format!("config check --input input --dt {day}"));
        }
        let summary = run(&bench);
        let counted: u64 =
            summary["ingested"].as_array().unwrap().iter().map(|day| day["ignored"].as_u64().unwrap()).sum();
        assert_eq!(counted, ignored, "{example}");
        assert_eq!(ignored > 0, example.contains("\nignore = "), "{example}");
        // With other ids, rows are in `tests/text_ids.rs`.
        if !example.starts_with("[ids]") {
            rows_are_those_of_the_reference(&bench, &batches);
        }
    }
}

/// One log of all events, renamed columns, and integers for times: the store holds the same bytes, and the part file is
/// the same.
#[test]
fn the_same_actions_in_another_layout_give_the_same_store_and_rows() {
    let seed = seed(62);
    let mut random = Random::new(seed);
    let batches = random_batches(&mut random, &[1, 2, 3]);
    let plain = plain_bench(&batches);
    run(&plain);
    rows_are_those_of_the_reference(&plain, &batches);
    let combined = r#"
        [sources.events]
        pattern = "events/{dt}.parquet"
        columns = { customer_id = "visitorid", item_id = "itemid", time = "timestamp", type = "event" }
        time_unit = "UNIT"
        values = { view = "click", addtocart = "add_to_cart", transaction = "order" }
        ignore = ["heartbeat"]
    "#;
    let renamed = r#"
        [sources.orders]
        columns = { item_id = "product", time = "bought at" }
        [sources.clicks]
        pattern = "c/{yyyy}/{mm}-{dd}"
        columns = { customer_id = "Kunde", item_id = "Artikel", time = "Zeit" }
        [sources.add_to_carts]
        pattern = "carts-{dt}-*/*/**/*.parquet"
        columns = { customer_id = "c", item_id = "i", time = "t" }
        time_unit = "UNIT"
        [impressions]
        pattern = "shown/{yyyy}{mm}{dd}.parquet"
        columns = { ranking_id = "q", customer_id = "c", impressions = "list", item_id = "i", is_order = "yes" }
    "#;
    for configuration in [combined, renamed] {
        for unit in ["s", "ms", "us"] {
            let bench = bench_with(&configuration.replace("UNIT", unit));
            write_all(&bench, &batches, &mut random);
            run(&bench);
            assert!(content(&bench) == content(&plain), "seed {seed}, {unit}, {configuration}");
            assert!(part(&bench) == part(&plain), "seed {seed}, {unit}, {configuration}");
        }
    }
}

/// A description that says what there is without one changes nothing, not even in the records of the batches.
#[test]
fn a_configuration_that_says_what_is_so_anyway_changes_no_byte() {
    let mut random = Random::new(seed(63));
    let batches = random_batches(&mut random, &[1, 2, 3]);
    let plain = plain_bench(&batches);
    run(&plain);
    let said = r#"
        [types]
        order = 3
        click = 1
        add_to_cart = 2
        [sources.orders]
        pattern = "orders/dt={yyyy}-{mm}-{dd}"
        columns = { date = "order_date" }
        type = "order"
        [sources.add_to_carts]
        [sources.clicks]
        columns = { time = "click_time" }
        [impressions]
    "#;
    for configuration in [said, ""] {
        let bench = bench_with(configuration);
        for (name, bytes) in tree(&plain.input()) {
            write_file(&bench.input().join(name), &bytes);
        }
        run(&bench);
        assert!(dump(&bench.store()) == dump(&plain.store()), "{configuration}");
        assert!(tree(&bench.out()) == tree(&plain.out()), "{configuration}");
    }
}

const MANY_TYPES: &str = r#"
    [types]
    view = 1
    cart = 2
    buy = 3
    wish = 4
    share = 5
    refund = 255
    [sources.log]
    pattern = "{dt}/*"
    columns = { time = "at", type = "what" }
"#;

/// At equal times the higher number counts as newer; and the store does not depend on the order of its batches.
#[test]
fn more_types_than_three_keep_the_order_and_the_store_a_function_of_its_batches() {
    let seed = seed(64);
    let mut random = Random::new(seed);
    let batches = random_batches(&mut random, &[1, 2, 3, 4, 5, 255]);
    let bench = bench_with(MANY_TYPES);
    write_all(&bench, &batches, &mut random);
    run(&bench);
    rows_are_those_of_the_reference(&bench, &batches);
    bench.ok(&format!("init --store other --max-history {MAX_HISTORY}"));
    for day in [2, 0, 3, 1, 2].map(|place| DAYS[place]) {
        bench.ok(&format!("ingest --create --store other --input input --dt {day}"));
    }
    assert!(dump(&bench.path("other")) == dump(&bench.store()), "seed {seed}");
    assert!(dump(&bench.store()).iter().any(|(key, _)| key[0] == 0x11 && key.len() == 14), "there are keyframes");

    let count = |kind: u8| batches.values().flatten().filter(|action| action.kind == kind).count();
    let status = bench.json("status --store store");
    let expected = json!({
        "view": count(1), "cart": count(2), "buy": count(3), "wish": count(4), "share": count(5), "refund": count(255)
    });
    assert_eq!(status["types"], expected);
    assert_eq!(status["type_numbers"]["refund"], 255);
    assert!(status.get("clicks").is_none(), "there is no type of that name");
    let text = bench.ok("status --store store").stdout;
    assert!(text.contains(&format!("  refund        {}\n", count(255))), "{text}");
    assert!(text.contains("type numbers    view 1, cart 2, buy 3, wish 4, share 5, refund 255\n"), "{text}");
    let manifest = bench.json(&format!("manifest --out out --dt {SHOWN}"));
    assert_eq!(manifest["action_types"], "view=1,cart=2,buy=3,wish=4,share=5,refund=255");
    let shown = bench.ok(&format!("show --store store --customer 1 --dt {SHOWN}")).stdout;
    let names = ["view", "cart", "buy", "wish", "share", "refund"];
    assert!(names.iter().any(|name| shown.contains(&format!("  {name}  "))), "{shown}");
    let metadata = crate::support::output::metadata(&bench.out().join(format!("dt={SHOWN}/part-00000.parquet")));
    assert_eq!(metadata["action_types"], manifest["action_types"]);
    let ingested = bench.ok(&format!("ingest --create --store store --input input --dt {}", DAYS[0])).stderr;
    assert!(ingested.contains(" view, ") && ingested.contains(" refund) of "), "{ingested}");
}

/// What the rows were made from has no type that came later.
#[test]
fn a_type_that_comes_later_changes_no_byte_of_what_was_known_before() {
    let mut random = Random::new(seed(65));
    let mut batches = random_batches(&mut random, &[1, 2, 3]);
    let bench = bench_with(&MANY_TYPES.replace("    refund = 255\n", ""));
    write_all(&bench, &batches, &mut random);
    run(&bench);
    let before = tree(&bench.out());
    let later = "2026-03-04";
    let action = RawAction { customer: 1, item: 5, time_us: us("2026-03-02T23:00:00Z"), kind: 255 };
    batches.insert(date(later), vec![action]);
    write_file(&bench.input().join("lookback.toml"), MANY_TYPES.as_bytes());
    Layout::of(&bench).write_batch(&bench, later, &[action], &mut random);
    bench.ok(&format!("ingest --store store --input input --dt {SHOWN} --allow-empty"));
    bench.ok(&format!("ingest --store store --input input --dt {later}"));
    let known = format!("--dt {SHOWN} --known-as-of {}", DAYS[3]);
    bench.ok(&format!("produce --store store --input input {known} --out again"));
    assert!(tree(&bench.path("again")) == before);
    // And all of it is in the rows that rest on it.
    bench.produce(SHOWN);
    rows_are_those_of_the_reference(&bench, &batches);
    let manifest = bench.json(&format!("manifest --out out --dt {SHOWN}"));
    assert!(manifest["action_types"].as_str().unwrap().ends_with(",refund=255"), "{manifest}");
}
