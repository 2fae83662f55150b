//! The model test: random batches in random order, with re-ingests, corrections and removals in between; after each
//! step random produces, compared cell by cell with the naive reference; at the end the store, key by key, with a fresh
//! one given the final batches by date. Ids are integers, or both are text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::StringArray;
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};

use lookback::ingest::{IngestOptions, Ingester};
use lookback::internals::zoneinfo::bundled_zone;
use lookback::model::{Day, Duplicates, IdForm, Ids, text_id};
use lookback::produce::{ProduceOptions, ProduceSummary, RowChoice, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::sources::Sources;
use lookback::store::{Folder, Settings, Store};

use crate::support::input::{
    RawAction, RawImpression, Spread, write_batch, write_batch_of, write_impressions, write_impressions_of,
};
use crate::support::output::{dump, metadata, read_partition, tree};
use crate::support::program::AMPLE;
use crate::support::random::seed;
use crate::support::reference::{Question, Reference, date};

const BATCHES: u64 = 7;
/// The day of the first batch. In Berlin the third day has 23 hours.
const FIRST: &str = "2026-03-27";
const CUSTOMERS: [i64; 5] = [i64::MIN, -5, 0, 7, i64::MAX];
const STRANGER: i64 = 99;

/// The text of an id, where ids are text.
fn text_of(id: i64) -> String {
    format!("U-{id:x}")
}

/// What the input has as ids.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Written {
    Integers,
    Texts,
}

impl Written {
    fn ids(self) -> Ids {
        let form = if self == Written::Texts { IdForm::Text } else { IdForm::Integer };
        Ids { customer: form, item: form, item_offset: 0 }
    }

    fn sources(self) -> Sources {
        Sources::default().with_ids(self.ids())
    }

    /// The number of an id in the store and in rows.
    fn number(self, id: i64) -> i64 {
        if self == Written::Texts { text_id(&text_of(id)) } else { id }
    }

    fn action(self, action: &RawAction) -> RawAction {
        RawAction { customer: self.number(action.customer), item: self.number(action.item), ..*action }
    }

    fn shown(self, row: &RawImpression) -> RawImpression {
        let elements = row.elements.iter().map(|(item, is_order)| (self.number(*item), *is_order)).collect();
        RawImpression { customer: self.number(row.customer), elements, ..row.clone() }
    }

    fn write_batch(self, root: &Path, day: &str, actions: &[RawAction], spread: Spread) {
        match self {
            Written::Integers => write_batch(root, day, actions, spread),
            Written::Texts => write_batch_of(root, day, actions, spread, text_column),
        }
    }

    fn write_impressions(self, root: &Path, day: &str, rows: &[RawImpression], spread: Spread) {
        match self {
            Written::Integers => write_impressions(root, day, rows, spread),
            Written::Texts => write_impressions_of(root, day, rows, spread, text_column),
        }
    }
}

fn text_column(ids: &[Option<i64>]) -> arrow::array::ArrayRef {
    Arc::new(ids.iter().map(|id| id.map(text_of)).collect::<StringArray>())
}

/// One action as it is drawn, relative to its batch.
#[derive(Clone, Debug)]
struct Draft {
    customer: usize,
    /// Days before (negative) or after the batch day.
    shift: i64,
    /// Which of a few times of the day, so that ties are common.
    moment: i64,
    kind: u8,
    variant: i64,
    /// How often the row stands there.
    copies: usize,
}

#[derive(Clone, Debug)]
enum Change {
    /// The batch comes, or comes corrected.
    Bring(Vec<Draft>),
    /// The same files once more.
    Again,
    /// The batch comes corrected, with nothing in it.
    Empty,
    /// The batch goes, if it is there.
    Remove,
}

#[derive(Clone, Debug)]
struct Step {
    batch: u64,
    change: Change,
    dt: u64,
    known_as_of: Option<u64>,
    lookback_days: Option<u32>,
    max_history: usize,
    spread_seed: u64,
    /// Memory for sorting: all of it, or so little that most of a batch is spilled.
    sort_bytes: usize,
}

/// Where duplicates are dropped, so few different actions that most come in several batches.
fn draft(copies: impl Strategy<Value = usize>, duplicates: Duplicates) -> impl Strategy<Value = Draft> {
    let (customers, timely, moments, kinds, variants) = match duplicates {
        Duplicates::Keep => (CUSTOMERS.len(), 6, 6_i64, 3_u8, 3_i64),
        Duplicates::Drop => (2, 1, 3, 1, 2),
    };
    let shift = prop_oneof![timely => Just(0_i64), 2 => -4..0_i64, 1 => 1..=2_i64];
    (0..customers, shift, 0..moments, 1..=kinds, 0..variants, copies).prop_map(
        |(customer, shift, moment, kind, variant, copies)| Draft { customer, shift, moment, kind, variant, copies },
    )
}

fn step(
    max_history: usize,
    duplicates: Duplicates,
    copies: impl Strategy<Value = usize> + Clone + 'static,
) -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        8 => proptest::collection::vec(draft(copies, duplicates), 1..14).prop_map(Change::Bring),
        1 => Just(Change::Again),
        1 => Just(Change::Empty),
        2 => Just(Change::Remove),
    ];
    let known = proptest::option::weighted(0.4, 0..BATCHES + 1);
    let lookback = proptest::option::weighted(0.3, 1..6_u32);
    let cut = prop_oneof![2 => Just(max_history), 1 => 1..=max_history];
    let sort_bytes = prop_oneof![Just(AMPLE), Just(3_000_usize)];
    (0..BATCHES, change, 0..BATCHES + 3, known, lookback, cut, any::<u64>(), sort_bytes).prop_map(
        |(batch, change, dt, known_as_of, lookback_days, max_history, spread_seed, sort_bytes)| Step {
            batch,
            change,
            dt,
            known_as_of,
            lookback_days,
            max_history,
            spread_seed,
            sort_bytes,
        },
    )
}

fn nth(number: u64) -> NaiveDate {
    date(FIRST) + Days::new(number)
}

fn day(date: NaiveDate) -> Day {
    Day::from_date(date).unwrap()
}

/// The item tells the day of the action in the zone. So a leak can be seen in a row.
fn item_of(date: NaiveDate, variant: i64) -> i64 {
    i64::from(day(date).number()) * 10 + 1 + variant
}

fn actions_of(reference: &Reference, batch: u64, drafts: &[Draft]) -> Vec<RawAction> {
    let mut actions = Vec::new();
    for draft in drafts {
        let date = nth(batch).checked_add_signed(chrono::TimeDelta::days(draft.shift)).unwrap();
        let (begin, end) = (reference.midnight(date), reference.midnight(date + Days::new(1)));
        // The first and the last microsecond of the day are among the moments.
        let time_us =
            [begin, begin + 1, begin + (end - begin) / 3, begin + (end - begin) / 2, end - 3_600_000_000, end - 1]
                [usize::try_from(draft.moment).unwrap()];
        let action = RawAction {
            customer: CUSTOMERS[draft.customer],
            item: item_of(date, draft.variant),
            time_us,
            kind: draft.kind,
        };
        actions.extend(std::iter::repeat_n(action, draft.copies));
    }
    actions
}

fn impressions() -> Vec<RawImpression> {
    let mut rows = Vec::new();
    for customer in CUSTOMERS.into_iter().chain([STRANGER]) {
        rows.push(RawImpression { ranking_id: None, customer, elements: vec![(5, Some(true)), (3, None)] });
        rows.push(RawImpression { ranking_id: Some("b".into()), customer, elements: vec![(9, Some(false))] });
    }
    // The same ranking id twice, told apart by the lists alone; and one that sorts before by its bytes.
    rows.push(RawImpression { ranking_id: Some("b".into()), customer: 7, elements: vec![(9, Some(false)), (1, None)] });
    rows.push(RawImpression { ranking_id: Some("B".into()), customer: 7, elements: vec![(2, Some(true))] });
    rows
}

fn ingest_all(folder: &Folder, input: &Path, batches: &[NaiveDate], sort_bytes: usize, written: Written) {
    let mut ingester = Ingester::open(folder, &Silent).unwrap();
    for batch in batches {
        let options = IngestOptions::new(input, day(*batch))
            .allow_empty(true)
            .allow_far_day(true)
            .allow_far_actions(true)
            .allow_missing_source(true)
            .sources(written.sources())
            .resources(Resources::default().with_sort_bytes(sort_bytes));
        ingester.ingest(&options, &Silent).unwrap();
    }
}

fn remove(folder: &Folder, batch: NaiveDate, is_held: bool) {
    let removed = Ingester::open(folder, &Silent).unwrap().remove(day(batch), &Silent);
    match removed {
        Ok(summary) => assert!(is_held && summary.customers_left <= Some(summary.customers), "{summary:?}"),
        Err(error) => assert!(!is_held && error.to_string().contains("holds no batch of"), "{error}"),
    }
}

/// Where a case is, and what its ids are.
struct Case {
    folder: Folder,
    input: PathBuf,
    out: PathBuf,
    written: Written,
}

fn produce_one(case: &Case, dt: NaiveDate, question: &Question) -> ProduceSummary {
    let Case { folder, input, out, written } = case;
    let rows = RowChoice::default().max_history(Some(question.max_history)).lookback_days(question.lookback_days);
    let options = ProduceOptions::new(input, day(dt), out)
        .rows(rows)
        .known_as_of(question.known_as_of.map(day))
        .allow_gaps(true)
        .sources(written.sources())
        .resources(Resources::default().with_sort_bytes(2_000));
    produce(&Store::open_reader(folder).unwrap(), &options, &Silent).unwrap()
}

fn create(folder: &Folder, tz: Tz, max_history: usize, duplicates: Duplicates, written: Written) {
    let zone = bundled_zone(tz.name()).unwrap();
    let ids = written.ids();
    Store::create(folder, Settings { max_history, zone, duplicates, ids, ..Settings::default() }).unwrap();
}

fn run(tz: Tz, max_history: usize, (duplicates, written): (Duplicates, Written), steps: &[Step]) {
    let place = tempfile::tempdir().unwrap();
    let (input, out) = (place.path().join("input"), place.path().join("out"));
    let folder = Folder::new(&place.path().join("store"));
    create(&folder, tz, max_history, duplicates, written);
    std::fs::create_dir(&input).unwrap();
    for number in 0..BATCHES + 3 {
        let spread = Spread { files: 2, seed: number };
        written.write_impressions(&input, &nth(number).to_string(), &impressions(), spread);
    }
    let case = Case { folder, input, out, written };
    let (folder, input) = (&case.folder, &case.input);
    // The batches as they are written.
    let mut batches: BTreeMap<NaiveDate, Vec<RawAction>> = BTreeMap::new();
    let mut reference = Reference { drops: duplicates == Duplicates::Drop, ..Reference::new(tz) };
    let mut question = Question { max_history, lookback_days: None, known_as_of: None };
    for step in steps {
        let batch = nth(step.batch);
        match &step.change {
            Change::Bring(drafts) => {
                let actions = actions_of(&reference, step.batch, drafts);
                batches.insert(batch, actions);
            }
            Change::Again => {}
            Change::Empty => {
                batches.insert(batch, Vec::new());
            }
            Change::Remove => {}
        }
        if matches!(step.change, Change::Remove) {
            remove(folder, batch, batches.remove(&batch).is_some());
        } else {
            let actions = batches.entry(batch).or_default();
            written.write_batch(input, &batch.to_string(), actions, Spread { files: 3, seed: step.spread_seed });
            ingest_all(folder, input, &[batch], step.sort_bytes, written);
        }
        let of_batch = |actions: &Vec<RawAction>| actions.iter().map(|action| written.action(action)).collect();
        reference.batches = batches.iter().map(|(batch, actions)| (*batch, of_batch(actions))).collect();

        question = Question {
            max_history: step.max_history,
            lookback_days: step.lookback_days,
            known_as_of: step.known_as_of.map(nth),
        };
        check(&reference, &case, nth(step.dt), &question);
    }
    // Every day once more, from the final state.
    for number in 0..BATCHES + 3 {
        let whole = Question { known_as_of: None, ..question };
        check(&reference, &case, nth(number), &whole);
    }

    let fresh = Folder::new(&place.path().join("fresh"));
    create(&fresh, tz, max_history, duplicates, written);
    for (batch, actions) in &batches {
        // The same files: the record of a batch holds their names and hashes.
        let last = steps.iter().rev().find(|step| nth(step.batch) == *batch && !matches!(step.change, Change::Remove));
        let last = last.unwrap();
        written.write_batch(input, &batch.to_string(), actions, Spread { files: 3, seed: last.spread_seed });
    }
    ingest_all(&fresh, input, &batches.keys().copied().collect::<Vec<_>>(), AMPLE, written);
    assert_eq!(dump(folder.path()), dump(fresh.path()), "the store is a function of its batches");
    let again = Case { folder: fresh, input: input.clone(), out: place.path().join("again"), written };
    let whole = Question { max_history, lookback_days: None, known_as_of: None };
    for case in [&case, &again] {
        produce_one(case, nth(BATCHES), &whole);
    }
    let last = format!("dt={}", nth(BATCHES));
    assert_eq!(tree(&case.out.join(&last)), tree(&again.out.join(&last)), "the rows are the same byte for byte");
}

/// Produces one day and compares every cell; and looks for a leak in every row.
fn check(reference: &Reference, case: &Case, dt: NaiveDate, question: &Question) {
    let (out, written) = (&case.out, case.written);
    let summary = produce_one(case, dt, question);
    let impressions: Vec<RawImpression> = impressions().iter().map(|row| written.shown(row)).collect();
    let late = reference.rows_with_late(dt, &impressions, question);
    assert_eq!(summary.rows_with_late_actions, late as u64, "rows of {dt} with late actions, with {question:?}");
    let rows = read_partition(out, &dt.to_string());
    let expected = reference.rows(dt, &impressions, question);
    assert_eq!(rows.len(), expected.len(), "rows of {dt} with {question:?}");
    let said = metadata(&out.join(format!("dt={dt}/part-00000.parquet")));
    let newest = reference.newest_action(dt, &impressions, question);
    let too_late: BTreeSet<i64> = (0..BATCHES + 5)
        .map(nth)
        .filter(|date| *date >= dt)
        .flat_map(|date| (0..3).map(move |variant| written.number(item_of(date, variant))))
        .collect();
    assert_eq!(said.get("newest_action"), newest.as_ref(), "newest action of {dt} with {question:?}");
    for (row, expected) in rows.iter().zip(&expected) {
        assert_eq!(row, expected, "a row of {dt} with {question:?}");
        for item in row.actions.iter().filter(|item| **item != 0) {
            assert!(!too_late.contains(item), "a row of {dt} holds an action of that day or later");
        }
    }
}

fn check_steps(
    (name, duplicates, written): (u64, Duplicates, Written),
    cases: u32,
    max_history: usize,
    copies: impl Strategy<Value = usize> + Clone + 'static,
) {
    let seed = seed(name);
    let config = Config {
        cases,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let zones = prop_oneof![Just(chrono_tz::UTC), Just(chrono_tz::Europe::Berlin), Just(chrono_tz::America::New_York)];
    let steps = proptest::collection::vec(step(max_history, duplicates, copies), 1..12);
    let tested = TestRunner::new(config).run(&(zones, steps), |(tz, steps)| {
        run(tz, max_history, (duplicates, written), &steps);
        Ok(())
    });
    if let Err(failure) = tested {
        panic!("seed {seed}: {failure}");
    }
}

#[test]
fn small_histories_in_any_order_of_ingestion() {
    check_steps((1, Duplicates::Keep, Written::Integers), 32, 6, 1..4_usize);
}

#[test]
fn a_thousand_actions_and_more_on_one_day() {
    check_steps(
        (2, Duplicates::Keep, Written::Integers),
        4,
        1_000,
        prop_oneof![3 => 1..5_usize, 1 => 300..1_200_usize],
    );
}

#[test]
fn histories_that_hold_equal_actions_once() {
    check_steps((3, Duplicates::Drop, Written::Integers), 24, 6, 1..4_usize);
}

#[test]
fn histories_that_hold_equal_actions_once_and_are_never_full() {
    check_steps(
        (4, Duplicates::Drop, Written::Integers),
        6,
        1_000,
        prop_oneof![3 => 1..5_usize, 1 => 300..1_200_usize],
    );
}

#[test]
fn ids_that_are_text_in_any_order_of_ingestion() {
    check_steps((5, Duplicates::Keep, Written::Texts), 16, 6, 1..4_usize);
    check_steps((6, Duplicates::Drop, Written::Texts), 8, 6, 1..4_usize);
}

#[test]
fn the_reference_itself_does_what_the_contract_says() {
    let mut reference = Reference::new(chrono_tz::UTC);
    let noon = reference.midnight(date("2026-01-02")) + 43_200_000_000;
    let action = |time_us, kind, item| RawAction { customer: 1, item, time_us, kind };
    reference.batches.insert(date("2026-01-03"), vec![action(noon, 1, 5), action(noon, 1, 6), action(noon, 3, 4)]);
    reference.batches.insert(date("2026-01-02"), vec![action(noon + 1, 1, 7), action(noon + 86_400_000_000, 1, 8)]);
    let question = Question { max_history: 3, lookback_days: None, known_as_of: None };
    let items = |history: Vec<RawAction>| history.iter().map(|action| action.item).collect::<Vec<_>>();
    assert_eq!(items(reference.history(1, date("2026-01-03"), &question)), [7, 4, 6]);
    let known = Question { known_as_of: Some(date("2026-01-02")), ..question };
    assert_eq!(items(reference.history(1, date("2026-01-04"), &known)), [8, 7]);
    let one_day = Question { lookback_days: Some(1), ..question };
    assert_eq!(items(reference.history(1, date("2026-01-04"), &one_day)), [8]);
}
