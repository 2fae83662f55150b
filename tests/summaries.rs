//! What a summary counts, against a count of the raw rows; and what a person sees while work goes on, on a terminal and
//! in a log.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use lookback::ingest::{IngestOptions, Ingester};
use lookback::model::Day;
use lookback::output::PartitionFolder;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::Folder;
use serde_json::{Value, json};

use crate::support::input::{RawAction, RawImpression, Spread, write_batch, write_impressions};
use crate::support::program::{AMPLE, Bench, TODAY, is_phase};
use crate::support::random::{Random, seed};
use crate::support::reference::{Question, Reference, date};

/// 2026-01-01 as days since 1970-01-01.
const FIRST_DAY: i64 = 20_454;
const MAX_HISTORY: usize = 8;
const DAY_US: i64 = 86_400_000_000;

fn name(day: i64) -> String {
    (chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(day).unwrap())).to_string()
}

/// Few customers, items and times, so that many rows are equal; some late, some early.
fn actions(random: &mut Random, batch: i64) -> Vec<RawAction> {
    (0..random.below(400))
        .map(|_| {
            let mut draw = |end: u64| i64::try_from(random.below(end)).unwrap();
            let shift = [0, 0, 0, 0, -1, -4, 1][usize::try_from(draw(7)).unwrap()];
            RawAction {
                customer: draw(6).min(draw(60)) * draw(12),
                item: 1 + draw(3),
                time_us: (batch + shift) * DAY_US + draw(5) * 3_600_000_000,
                kind: 1 + u8::try_from(draw(3)).unwrap(),
            }
        })
        .collect()
}

/// What the store takes.
#[derive(Default)]
struct Admitted {
    forgotten: BTreeSet<i64>,
    horizon: i64,
}

impl Admitted {
    fn takes(&self, action: &RawAction) -> bool {
        !self.forgotten.contains(&action.customer) && action.time_us.div_euclid(DAY_US) >= self.horizon
    }
}

/// The counts that the ingest of a batch should give, of a store with these batches before and afterwards.
fn counted(
    batch: i64,
    before: &BTreeMap<i64, Vec<RawAction>>,
    after: &BTreeMap<i64, Vec<RawAction>>,
    admitted: &Admitted,
) -> BTreeMap<&'static str, usize> {
    let actions = &after[&batch];
    let day = |action: &&RawAction| action.time_us.div_euclid(DAY_US);
    let taken: Vec<&RawAction> = actions.iter().filter(|action| admitted.takes(action)).collect();
    let distinct: BTreeSet<_> = taken.iter().map(|one| (one.customer, one.item, one.time_us, one.kind)).collect();
    let customers: BTreeSet<i64> = taken.iter().map(|action| action.customer).collect();
    let held = |batches: &BTreeMap<i64, Vec<RawAction>>, customer: i64| {
        let all = batches.values().flatten().filter(|action| action.customer == customer && admitted.takes(action));
        all.count()
    };
    BTreeMap::from([
        ("actions", actions.len()),
        ("clicks", actions.iter().filter(|action| action.kind == 1).count()),
        ("late", actions.iter().filter(|action| day(action) < batch).count()),
        ("early", actions.iter().filter(|action| day(action) > batch).count()),
        ("duplicates", taken.len() - distinct.len()),
        ("forgotten", actions.iter().filter(|action| admitted.forgotten.contains(&action.customer)).count()),
        (
            "pruned",
            actions.iter().filter(|one| !admitted.forgotten.contains(&one.customer) && !admitted.takes(one)).count(),
        ),
        ("customers", customers.len()),
        ("new_customers", customers.iter().filter(|customer| held(before, **customer) == 0).count()),
        ("customers_at_cap", customers.iter().filter(|customer| held(after, **customer) >= MAX_HISTORY).count()),
    ])
}

/// Takes a batch with little memory for sorting, so that it is merged from disk, or with much.
fn ingest(bench: &Bench, batch: i64, sort_bytes: usize) -> Value {
    let mut ingester = Ingester::open(&Folder::new(&bench.store()), &Silent).unwrap();
    let input = bench.input();
    let options = IngestOptions::new(&input, name(batch).parse::<Day>().unwrap())
        .allow_empty(true)
        .allow_far_day(true)
        .allow_far_actions(true)
        .allow_missing_source(true)
        .resources(Resources::default().with_sort_bytes(sort_bytes));
    serde_json::to_value(ingester.ingest(&options, &Silent).unwrap()).unwrap()
}

#[test]
fn an_ingest_counts_what_is_odd() {
    let seed = seed(31);
    let mut met = BTreeMap::<&str, usize>::new();
    for round in 0..6 {
        let mut random = Random::new(seed + round);
        let bench = Bench::new();
        bench.ok(&format!("init --store store --max-history {MAX_HISTORY}"));
        let (mut batches, mut admitted) = (BTreeMap::new(), Admitted::default());
        for step in 0..12 {
            // Days in any order, some of them again with other actions.
            let batch = FIRST_DAY + i64::try_from(random.below(8)).unwrap();
            let before = batches.clone();
            batches.insert(batch, actions(&mut random, batch));
            write_batch(&bench.input(), &name(batch), &batches[&batch], Spread { files: 2, seed });
            let sort_bytes = if step % 2 == 0 { AMPLE } else { 3_000 };
            let summary = ingest(&bench, batch, sort_bytes);
            for (field, number) in counted(batch, &before, &batches, &admitted) {
                assert_eq!(summary[field], number, "seed {seed}, round {round}, step {step}: {field}");
                *met.entry(field).or_default() += number;
            }
            if step == 5 {
                bench.ok("forget --store store --customer 0 4");
                admitted.forgotten.extend([0, 4]);
            }
            if step == 8 {
                bench.ok("prune --store store --keep-days 5 --allow-large-removal");
                admitted.horizon = batches.keys().max().unwrap() - 5;
            }
        }
    }
    assert!(met.values().all(|number| *number > 0), "something was never met: {met:?}");
}

/// A day of impressions with some that are equal, of customers with and without history.
fn impressions(random: &mut Random) -> Vec<RawImpression> {
    let mut draw = |end: u64| i64::try_from(random.below(end)).unwrap();
    (0..200)
        .map(|_| RawImpression {
            ranking_id: (draw(3) == 0).then(|| "r".to_owned()),
            customer: draw(40),
            elements: (0..draw(3)).map(|_| (1 + draw(2), Some(draw(2) == 0))).collect(),
        })
        .collect()
}

#[test]
fn a_produce_counts_what_is_odd_and_so_does_the_manifest() {
    let seed = seed(32);
    for round in 0..4 {
        let mut random = Random::new(seed + round);
        let bench = Bench::new();
        bench.ok(&format!("init --store store --max-history {MAX_HISTORY}"));
        let mut reference = Reference::new(chrono_tz::UTC);
        for batch in FIRST_DAY..FIRST_DAY + 4 {
            let actions = actions(&mut random, batch);
            write_batch(&bench.input(), &name(batch), &actions, Spread { files: 1, seed });
            ingest(&bench, batch, AMPLE);
            reference.batches.insert(date(&name(batch)), actions);
        }
        let shown = impressions(&mut random);
        let dt = name(FIRST_DAY + 4);
        write_impressions(&bench.input(), &dt, &shown, Spread { files: 2, seed });
        let some: Vec<&RawImpression> = shown.iter().filter(|row| !row.elements.is_empty()).collect();
        let distinct: BTreeSet<_> = some.iter().map(|row| (row.customer, &row.ranking_id, &row.elements)).collect();
        let customers: BTreeSet<i64> = some.iter().map(|row| row.customer).collect();
        for max_history in [MAX_HISTORY, 3] {
            let question = Question { max_history, lookback_days: None, known_as_of: None };
            let rows = reference.rows(date(&dt), &shown, &question);
            let length = |customer: &i64| reference.history(*customer, date(&dt), &question).len();
            let filled =
                rows.iter().map(|row| row.action_types.iter().filter(|kind| **kind != 0).count()).sum::<usize>();
            let cold = rows.iter().filter(|row| row.action_types.iter().all(|kind| *kind == 0)).count();
            let ordered = rows.iter().filter(|row| row.label == 1).count();
            let expected = [
                ("rows", rows.len()),
                ("ordered", ordered),
                ("impressions", some.len()),
                ("empty_impressions", shown.len() - some.len()),
                ("duplicates", some.len() - distinct.len()),
                ("rows_without_history", cold),
                ("filled", filled),
                ("customers", customers.len()),
                ("without_history", customers.iter().filter(|customer| length(customer) == 0).count()),
                ("customers_at_cap", customers.iter().filter(|customer| length(customer) == max_history).count()),
            ];
            // Small row groups, so that customers go on from one to the next.
            let sizes = format!("--row-group-rows 3 --max-history {max_history}");
            let summary = bench.json(&format!("produce --store store --input input --dt {dt} --out out {sizes}"));
            for (field, number) in expected {
                assert_eq!(summary[field], number, "seed {seed}, round {round}: {field}");
                assert!(number > 0, "{field} was not met");
            }
            let out = Resources::default().place(&bench.out()).unwrap();
            let manifest = PartitionFolder::new(&out, dt.parse().unwrap()).manifest().unwrap();
            let said = json!({ "ordered": ordered, "rows_without_history": cold, "filled": filled });
            assert_eq!(serde_json::to_value(manifest.tally).unwrap(), said);
        }
    }
}

/// Three days of actions, and impressions on the last.
fn three_days() -> Bench {
    let bench = Bench::new();
    let mut random = Random::new(seed(33));
    for batch in FIRST_DAY..FIRST_DAY + 3 {
        write_batch(&bench.input(), &name(batch), &actions(&mut random, batch), Spread { files: 2, seed: 1 });
    }
    write_impressions(&bench.input(), &name(FIRST_DAY + 2), &impressions(&mut random), Spread { files: 2, seed: 1 });
    bench
}

const BACKFILL: &str = "backfill --store store --input input --from 2026-01-01 --to 2026-01-03 --out out";

#[test]
fn a_log_has_one_line_for_each_phase_and_the_last_line_sums_up() {
    let bench = three_days();
    let ran = bench.ok(BACKFILL);
    let what: Vec<&str> =
        ran.stderr.lines().filter(|line| is_phase(line)).map(|line| line.rsplit_once(": ").unwrap().0).collect();
    let expected = [
        "comparing",
        "ingest 2026-01-01: reading",
        "ingest 2026-01-01: folding",
        "ingest 2026-01-02: folding",
        "ingest 2026-01-03: folding",
        "compacting",
        "producing",
    ];
    assert_eq!(what, expected, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("note: there is no store at store yet"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), expected.len() + 2, "{}", ran.stderr);
    let said = ran.said();
    assert!(said.starts_with("backfilled 2026-01-01..2026-01-03: ingested 3 days with "), "{said}");
    for odd in
        ["new customers", " late", " early", "duplicates (kept)", "rows without history", " actions/s, ", " rows/s)"]
    {
        assert!(said.contains(odd), "no {odd} in {said}");
    }
    // What has happened is told in numbers too.
    let ingest = bench.json("ingest --store store --input input --dt 2026-01-02");
    let phases = ingest["timing"]["phases"].as_array().unwrap();
    assert_eq!(phases.iter().map(|phase| &phase["phase"]).collect::<Vec<_>>(), ["reading", "folding", "compacting"]);
    assert_eq!(
        (&phases[0]["unit"], &phases[1]["unit"], &phases[2]["unit"]),
        (&json!("bytes"), &json!("actions"), &Value::Null)
    );
    assert_eq!((&phases[0]["done"], &phases[1]["done"]), (&ingest["bytes"], &ingest["actions"]));
    let all: f64 = phases.iter().map(|phase| phase["seconds"].as_f64().unwrap()).sum();
    assert!(all > 0.0 && all <= ingest["timing"]["seconds"].as_f64().unwrap(), "{ingest}");
}

/// `script` (of util-linux) gives the program a terminal, and copies what it writes there.
#[cfg(target_os = "linux")]
fn screen_of(bench: &Bench, columns: usize) -> String {
    bench.ok("init --store store");
    let command = format!("stty rows 24 cols {columns}; {} {BACKFILL}", env!("CARGO_BIN_EXE_lookback"));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env(TODAY.0, TODAY.1)
        .env_remove("NO_COLOR")
        .current_dir(bench.path(""))
        .output()
        .expect("script, which every Debian has");
    let screen = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{screen}");
    without_escapes(&screen)
}

/// Without what moves the cursor or clears a line.
#[cfg(target_os = "linux")]
fn without_escapes(screen: &str) -> String {
    let mut pieces = screen.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    let end = |piece: &str| piece.find(|letter: char| letter.is_ascii_alphabetic()).map_or(0, |place| place + 1);
    first + &pieces.map(|piece| &piece[end(piece)..]).collect::<String>()
}

#[test]
#[cfg(target_os = "linux")]
fn bars_fit_a_narrow_terminal() {
    for columns in [60, 80, 100, 119] {
        let screen = screen_of(&three_days(), columns);
        let bars: Vec<&str> = screen.split(['\r', '\n']).filter(|line| line.ends_with(" left")).collect();
        for what in ["ingest 2026-01-01 (1 of 3): reading", "ingest 2026-01-02 (2 of 3): folding", "producing"] {
            assert!(bars.iter().any(|line| line.starts_with(what)), "no {what} on {columns} columns: {screen:?}");
        }
        assert!(bars.iter().all(|line| line.chars().count() <= columns), "{columns}: {bars:?}");
        // Nothing but the last line, however long it is.
        assert_eq!(screen.split('\n').filter(|line| !line.trim().is_empty()).count(), 1, "{columns}: {screen:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_shows_a_bar_with_rate_and_time_left() {
    let screen = screen_of(&three_days(), 120);
    for (bar, what) in [
        ("ingest 2026-01-01 (1 of 3): reading [", " kB of "),
        ("ingest 2026-01-02 (2 of 3): folding [", " actions, "),
        ("producing [", " of 1 day, "),
    ] {
        let drawn = screen.split(['\r', '\n']).find(|line| line.contains(bar));
        let drawn = drawn.unwrap_or_else(|| panic!("no bar {bar:?} in {screen:?}"));
        assert!(drawn.contains("/s, ") && drawn.contains(" left"), "{drawn:?}");
        assert!(screen.contains(what), "no {what:?} in {screen:?}");
    }
    // The bars are gone at the end, and no phase has left a line.
    let left: Vec<&str> = screen.split('\n').filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(left.len(), 1, "{screen:?}");
    assert!(left[0].contains("backfilled 2026-01-01..2026-01-03: "), "{screen:?}");
}
