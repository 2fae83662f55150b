//! Batches of a produced partition are those of the store.

use std::fs;
use std::path::{Path, PathBuf};

use lookback::error::{Error, Kind};
use lookback::model::{ExtraColumn, ItemType, RowColumns, RowOrder, TypeType};
use lookback::output::{Layout, RowBatch};
use lookback::produce::RowChoice;
use lookback::progress::{Progress, Silent};
use lookback::resources::{Cancel, Resources};
use lookback::training::{BatchOptions, PartitionOptions, TrainingDay};

use super::{Asked, small};
use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::nights::{DT, MAX_HISTORY, Nights, nights};
use crate::support::output::{Row, read_partition};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};
use crate::support::tamper::{seal, write_rows};

const PRODUCE: &str = "produce --store store --input input --out out --allow-gaps";

/// Rows in any order: their options for `produce`.
const ORDERS: [&str; 4] = ["customer", "carousel --seed 5", "shuffled", "shuffled --seed 77"];

fn from_partition(options: &PartitionOptions) -> TrainingDay {
    TrainingDay::from_partition(options, &Silent).unwrap()
}

fn refused(options: &PartitionOptions) -> Error {
    TrainingDay::from_partition(options, &Silent).err().expect("a day was made of a partition that allows none")
}

fn batches(day: &TrainingDay, epoch: u64, options: &BatchOptions) -> Vec<RowBatch> {
    day.epoch(epoch).unwrap().batches(options).unwrap().map(|batch| batch.unwrap()).collect()
}

fn partition(bench: &Bench, dt: &str) -> PathBuf {
    bench.out().join(format!("dt={dt}"))
}

/// Compares every layout of some epochs, as batches, so that nothing of a batch is left out.
fn assert_same(one: &TrainingDay, other: &TrainingDay, options: &BatchOptions, what: &str) {
    assert_eq!(one.rows(), other.rows(), "{what}");
    for layout in Layout::ALL {
        for epoch in [0, 3] {
            let options = options.layout(layout);
            assert!(batches(one, epoch, &options) == batches(other, epoch, &options), "{what}, {options:?}, {epoch}");
        }
    }
}

/// The model test: partitions and settings by chance, in every order.
#[test]
fn batches_of_a_partition_are_those_of_the_store() {
    let seed = seed(421);
    let mut random = Random::new(seed);
    for case in 0..3 {
        let Nights { bench, .. } = &nights(seed + case);
        for produced in ORDERS {
            let mut draw = |end: u64| usize::try_from(random.below(end)).unwrap();
            let is_narrow = draw(2) == 0;
            let types = if is_narrow { "--item-type int32 --type-type uint8" } else { "" };
            let codec = ["zstd", "snappy", "lz4", "none"][draw(4)];
            let dt = ["", "dt,"][draw(2)];
            let (max_history, lookback_days) = (1 + draw(MAX_HISTORY as u64), [None, Some(4)][draw(2)]);
            let known = [None, Some("2026-03-24")][draw(2)];
            let files =
                format!("--compression {codec} --row-group-rows {} --part-rows {}", 1 + draw(90), 1 + draw(200));
            let with = format!("--with {dt}history_length,action_ages,action_times --max-history {max_history}");
            let lookback = lookback_days.map_or(String::new(), |days| format!("--lookback-days {days}"));
            let known_as_of = known.map_or(String::new(), |day| format!("--known-as-of {day}"));
            let as_produced = format!("--order {produced} {types} {files} {with} {lookback} {known_as_of}");
            bench.ok(&format!("{PRODUCE} --dt {DT} {as_produced}"));
            for order in [RowOrder::Customer, RowOrder::Shuffled(77), RowOrder::Carousel(9)] {
                let with = ExtraColumn::ALL.into_iter().skip(1).filter(|_| draw(2) == 0).collect();
                let asked = Asked {
                    order,
                    columns: RowColumns {
                        with,
                        item_type: [ItemType::Int64, ItemType::Int32][draw(2)],
                        type_type: [TypeType::Int32, TypeType::Uint8][draw(2)],
                    },
                    max_history: Some(1 + draw(max_history as u64)),
                    lookback_days,
                    known_as_of: known,
                    max_rows_per_customer: [None, Some(1 + draw(9))][draw(2)],
                    ..Asked::default()
                };
                let what = format!("seed {seed}, case {case}, {as_produced}, {asked:?}");
                let (stored, day) = (asked.prepare(bench), from_partition(&asked.of_partition(bench)));
                assert_same(&day, &stored, &small(Layout::Padded).batch_size(1 + draw(60)), &what);
                let ranks = small(Layout::Padded).world_size(3).rank(draw(3)).batch_actions_max(Some(50));
                assert_same(&day, &stored, &ranks, &what);
            }
        }
    }
}

/// What only the store or the impressions tell is 0.
#[test]
fn counts_are_those_of_a_produce() {
    let seed = seed(422);
    let Nights { bench, .. } = &nights(seed);
    let counts = |day: &TrainingDay| serde_json::to_value(day.summary()).unwrap();
    let stored = counts(&Asked::default().prepare(bench));
    for order in ORDERS {
        bench.ok(&format!("{PRODUCE} --dt {DT} --order {order} --with action_ages,action_times"));
        let counted = counts(&from_partition(&Asked::default().of_partition(bench)));
        for (name, value) in stored.as_object().unwrap() {
            let is_told = !["rows_with_late_actions", "empty_impressions", "same_content"].contains(&name.as_str());
            let expected = if is_told { value.clone() } else { 0.into() };
            assert_eq!(counted[name], expected, "seed {seed}: {name}");
        }
    }
}

#[test]
fn the_same_batches_with_any_threads_and_memory() {
    let seed = seed(423);
    let Nights { bench, .. } = &nights(seed);
    let scratch = bench.path("scratch");
    for order in ORDERS {
        let files = "--row-group-rows 30 --part-rows 90";
        bench.ok(&format!("{PRODUCE} --dt {DT} --order {order} {files} --with action_ages,action_times"));
        let stored = Asked::default().prepare(bench);
        for (threads, bytes) in [(1, 1 << 30), (2, 500), (5, 4_000)] {
            let resources = Resources::default().with_threads(threads).with_scratch_folder(&scratch);
            let asked = Asked { resources: resources.with_sort_bytes(bytes), ..Asked::default() };
            let day = from_partition(&asked.of_partition(bench));
            let what = format!("seed {seed}, {order}: {threads} threads, {bytes} bytes");
            assert_same(&day, &stored, &small(Layout::Padded), &what);
            drop(day);
            assert!(!scratch.exists(), "scratch files are gone with the day");
        }
    }
}

/// Customers are missing in the partition as they are in the store; the partition may be removed afterwards.
#[test]
fn forgotten_customers_have_no_rows() {
    let seed = seed(424);
    let Nights { bench, impressions, .. } = &nights(seed);
    let shown = impressions.iter().map(|impression| impression.customer).find(|customer| *customer > 0).unwrap();
    for order in ORDERS {
        bench.ok(&format!("{PRODUCE} --dt {DT} --order {order} --with action_ages,action_times"));
        bench.ok(&format!("forget --store store --customer {shown} --out out --scrub"));
        let day = from_partition(&Asked::default().of_partition(bench));
        fs::remove_dir_all(bench.out()).unwrap();
        let what = format!("seed {seed}, {order}");
        assert_same(&day, &Asked::default().prepare(bench), &small(Layout::Padded), &what);
    }
}

#[test]
fn a_fingerprint_is_that_of_the_rows_and_their_order() {
    let seed = seed(425);
    let Nights { bench, .. } = &nights(seed);
    let produce = |options: &str| {
        bench.ok(&format!("{PRODUCE} --dt {DT} --with action_ages,action_times {options}"));
    };
    produce("");
    let fingerprint = |asked: Asked| from_partition(&asked.of_partition(bench)).fingerprint().to_owned();
    let first = fingerprint(Asked::default());
    assert_eq!(fingerprint(Asked { resources: Resources::default().with_threads(1), ..Asked::default() }), first);
    let mut all: Vec<String> = vec![
        first.clone(),
        fingerprint(Asked { order: RowOrder::Shuffled(4), ..Asked::default() }),
        fingerprint(Asked { order: RowOrder::Carousel(3), ..Asked::default() }),
        fingerprint(Asked { max_history: Some(3), ..Asked::default() }),
        fingerprint(Asked { columns: RowColumns::default(), ..Asked::default() }),
        fingerprint(Asked { max_rows_per_customer: Some(1_000), ..Asked::default() }),
    ];
    for changed in ["--lookback-days 3", "--known-as-of 2026-03-20"] {
        produce(changed);
        all.push(fingerprint(Asked::default()));
    }
    produce("");
    assert_eq!(fingerprint(Asked::default()), first, "seed {seed}: the same partition again");
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "seed {seed}");
}

#[test]
fn settings_that_the_rows_do_not_allow_are_refused() {
    let seed = seed(426);
    let Nights { bench, .. } = &nights(seed);
    bench.ok(&format!("{PRODUCE} --dt {DT} --max-history 9 --lookback-days 4 --with history_length"));
    let plain = || Asked { columns: RowColumns::default(), ..Asked::default() }.of_partition(bench);
    let rows = RowChoice::default();
    let of = |column| Some([column].into_iter().collect());
    let cases = [
        (
            rows.max_history(Some(10)),
            Kind::Refused,
            "max_history 10 is more than the rows of the partition of 2026-03-31 have (9); use a smaller number, or produce the day again with produce with max_history 10",
        ),
        (
            rows.lookback_days(Some(5)),
            Kind::Refused,
            "lookback_days 5 was given, but the partition of 2026-03-31 has 4; leave the option out",
        ),
        (
            rows.with(of(ExtraColumn::ActionAges)),
            Kind::Refused,
            "the partition of 2026-03-31 has no column action_ages, which the batches were to have; leave it out, or produce the day again with produce with with action_ages",
        ),
        (rows.with(of(ExtraColumn::ActionTimes)), Kind::Refused, "has no column action_times"),
        (rows.seed(Some(1)), Kind::Usage, "seed 1 has no use with order customer"),
    ];
    for (rows, kind, words) in cases {
        let error = refused(&plain().rows(rows));
        assert!(error.kind() == kind && error.to_string().contains(words), "{error}");
    }
    // What the partition has, or what follows from the actions, can be asked for.
    let both = [ExtraColumn::Dt, ExtraColumn::HistoryLength].into_iter().collect();
    from_partition(&plain().rows(rows.max_history(Some(9)).lookback_days(Some(4)).with(Some(both))));
    bench.ok(&format!("{PRODUCE} --dt {DT}"));
    let length = Some([ExtraColumn::HistoryLength].into_iter().collect());
    let day = from_partition(&plain().rows(rows.with(length)));
    assert!(batches(&day, 0, &small(Layout::Jagged)).iter().all(|batch| batch.histories.history_lengths.is_some()));
    let error = refused(&plain().rows(rows.lookback_days(Some(5))));
    assert!(error.to_string().contains("has none"), "{error}");

    let cancel = Cancel::default();
    cancel.cancel();
    assert_eq!(refused(&plain().resources(Resources::default().with_cancel(cancel))).kind(), Kind::Cancelled);
    let other = PartitionOptions::new(bench.out(), "2026-03-30".parse::<lookback::model::Day>().unwrap());
    assert!(refused(&other).to_string().contains("there is no partition of 2026-03-30"));
}

/// A day of one customer whose history and lists have these items.
fn one_customer(items: [i64; 2], lists: &[Vec<i64>]) -> Bench {
    let bench = Bench::new();
    let action = RawAction { customer: 7, item: items[0], time_us: us("2026-01-01T08:00:00Z"), kind: 1 };
    write_batch(&bench.input(), "2026-01-01", &[action], PLAIN);
    bench.ingest("2026-01-01");
    let impression = |list: &Vec<i64>| RawImpression {
        ranking_id: None,
        customer: 7,
        elements: list.iter().map(|item| (*item + items[1], None)).collect(),
    };
    write_impressions(&bench.input(), "2026-01-02", &lists.iter().map(impression).collect::<Vec<_>>(), PLAIN);
    bench
}

#[test]
fn wide_items_do_not_fit_a_narrow_type() {
    let narrow = RowColumns { item_type: ItemType::Int32, ..RowColumns::default() };
    for (items, words) in [
        ([1 << 31, 0], "the item 2147483648 in the history of customer 7 does not fit item_type int32"),
        ([1, 1 << 31], "the item 2147483650 shown to customer 7 does not fit item_type int32"),
    ] {
        let bench = one_customer(items, &[vec![2]]);
        bench.ok(&format!("{PRODUCE} --dt 2026-01-02"));
        let asked = Asked { dt: "2026-01-02", columns: narrow, ..Asked::default() };
        let (error, stored) = (refused(&asked.of_partition(&bench)), asked.try_prepare(&bench).err().unwrap());
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!((error.kind(), error.to_string()), (stored.kind(), stored.to_string()));
    }
}

/// Of shuffled rows without ranking ids: what the cells or the order decide is read, and the rest refused.
#[test]
fn lists_that_cannot_be_told_apart_are_refused() {
    let asked = Asked { dt: "2026-01-02", columns: RowColumns::default(), ..Asked::default() };
    let lists = |count: i64| (0..count).map(|list| (1..=10).map(|item| 100 * list + item).collect()).collect();
    let same_begin: Vec<Vec<i64>> = vec![vec![1, 2], vec![1, 3], vec![1, 3], vec![1], vec![1, 5]];
    let many: Vec<Vec<i64>> = lists(12);
    for (lists, is_told) in [(same_begin, true), (many, false)] {
        let bench = one_customer([1, 0], &lists);
        let stored = asked.prepare(&bench);
        for order in ORDERS {
            bench.ok(&format!("{PRODUCE} --dt 2026-01-02 --order {order}"));
            if is_told || !order.starts_with("shuffled") {
                let day = from_partition(&asked.of_partition(&bench));
                assert_same(&day, &stored, &small(Layout::Padded), order);
            } else {
                let error = refused(&asked.of_partition(&bench));
                assert_eq!(error.kind(), Kind::Refused);
                let words = "the lists of customer 7 with no ranking id cannot be told apart in the partition of \
                             2026-01-02, whose rows are shuffled; produce the day again with produce with order carousel";
                assert!(error.to_string().contains(words), "{error}");
            }
        }
    }
}

/// Writes the file again while its rows are read.
struct Rewriting(PathBuf);

impl Progress for Rewriting {
    fn begin(&self, phase: &str, _unit: &'static str, _total: Option<u64>) {
        if phase == "reading" {
            let bytes = fs::read(&self.0).unwrap();
            fs::write(&self.0, bytes).unwrap();
        }
    }
}

#[test]
fn files_that_are_not_as_they_were_written_are_refused() {
    let seed = seed(427);
    let Nights { bench, .. } = &nights(seed);
    let options = Asked { columns: RowColumns::default(), ..Asked::default() }.of_partition(bench);
    bench.ok(&format!("{PRODUCE} --dt {DT} --part-rows 100 --row-group-rows 50"));
    let (part, manifest) = ("part-00001.parquet", "_manifest.parquet");
    let path = |name: &str| partition(bench, DT).join(name);
    let harm = |name: &str, harm: &dyn Fn(&Path), words: &str| {
        let good = fs::read(path(name)).unwrap();
        harm(&path(name));
        let error = refused(&options);
        assert!(error.kind() == Kind::Input && error.to_string().contains(words), "{error}");
        fs::write(path(name), good).unwrap();
    };
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    harm(part, &flip, "part-00001.parquet has changed since it was written");
    harm(part, &|path| fs::remove_file(path).unwrap(), "part-00001.parquet is missing");
    harm(part, &|path| fs::write(path, "PAR1").unwrap(), "has 4 bytes where the manifest says");
    harm(manifest, &|path| fs::remove_file(path).unwrap(), "_manifest.parquet cannot be used (it is missing)");
    harm(manifest, &|path| fs::write(path, "PAR1").unwrap(), "_manifest.parquet cannot be used");
    fs::copy(path(part), path("part-00099.parquet")).unwrap();
    assert!(refused(&options).to_string().contains("part-00099.parquet is not in the manifest"));
    fs::remove_file(path("part-00099.parquet")).unwrap();
    let error = TrainingDay::from_partition(&options, &Rewriting(path(part))).err().unwrap();
    assert!(error.to_string().contains("was written while it was being read"), "{error}");
    from_partition(&options);
}

/// Rows written by somebody else, with a manifest to match.
#[test]
fn rows_that_nobody_produced_are_refused() {
    let seed = seed(428);
    let Nights { bench, .. } = &nights(seed);
    let path = partition(bench, DT).join("part-00000.parquet");
    let produced = |order: &str| {
        let with = "--with dt,history_length,action_ages,action_times --lookback-days 1";
        bench.ok(&format!("{PRODUCE} --dt {DT} --order {order} {with}"));
        read_partition(&bench.out(), DT)
    };
    let options = Asked::default().of_partition(bench);
    let changed = |rows: &[Row]| {
        write_rows(&path, rows, |_, value| value);
        seal(&partition(bench, DT));
        TrainingDay::from_partition(&options, &Silent)
    };
    let rows = produced("customer");
    changed(&rows).unwrap();
    let long = |row: &Row| row.history_length.unwrap() > 2 && row.history_length.unwrap() < MAX_HISTORY as i32;
    let at = rows.iter().position(long).unwrap();
    let twice = rows.windows(2).position(|two| two[0].customer_id == two[1].customer_id && long(&two[1])).unwrap() + 1;
    let second = rows.iter().position(|row| row.impression_pos == 1).unwrap();
    type Harm = (usize, fn(&mut Row), &'static str);
    let harms: [Harm; 13] = [
        (at, |row| row.dt = "2026-03-30".to_owned(), "its dt is another day"),
        (at, |row| row.label = 2, "its label neither 0 nor 1"),
        (at, |row| row.impression_item_id = 0, "its impression_item_id is 0"),
        (at, |row| row.impression_pos = -1, "its impression_pos negative"),
        (at, |row| row.actions.truncate(3), "one of its lists does not have 16 elements"),
        (at, |row| row.history_length = Some(1), "its history_length is not the number of its actions"),
        (at, |row| row.actions[MAX_HISTORY - 1] = 5, "its lists are not those of a history"),
        (at, |row| row.action_types[0] = 0, "its lists are not those of a history"),
        (at, |row| row.action_types[1] = 256, "its lists are not those of a history"),
        (at, |row| row.action_ages.as_mut().unwrap()[0] = 90, "its lists are not those of a history"),
        (at, |row| row.action_times.as_mut().unwrap()[0] = 0, "its lists are not those of a history"),
        (twice, |row| row.actions[0] += 1, "its history is not that of another row of customer"),
        (second, |row| row.impression_pos = 2, "its impression_pos does not continue the list before it"),
    ];
    for (at, harm, words) in harms {
        let mut harmed = rows.clone();
        harm(&mut harmed[at]);
        let error = changed(&harmed).err().unwrap_or_else(|| panic!("seed {seed}: not found: {words}"));
        assert_eq!(error.kind(), Kind::Corrupt, "{error}");
        let place = format!("part-00000.parquet row {} is invalid: ", at + 1);
        assert!(error.to_string().contains(&place) && error.to_string().contains(words), "{error}");
    }
    // A row that is missing in a list, and rows that do not stand in the order that the manifest says.
    let rows = produced("shuffled");
    let lacking: Vec<Row> = rows
        .iter()
        .filter(|row| (row.customer_id, row.ranking_id.as_ref(), row.impression_pos) != key_of_a_list(&rows))
        .cloned()
        .collect();
    let error = changed(&lacking).err().unwrap();
    assert!(error.to_string().contains("its list lacks a row"), "{error}");
    let mut turned = rows;
    turned.reverse();
    let error = changed(&turned).err().unwrap();
    assert!(error.to_string().contains("it does not stand where the order of its list places it"), "{error}");
    // Other columns than the manifest says.
    let rows = produced("customer");
    bench.ok(&format!("{PRODUCE} --dt {DT} --with action_times,action_ages"));
    let has_none = |row: &Row| Row { history_length: None, action_ages: None, ..row.clone() };
    write_rows(&path, &rows.iter().map(has_none).collect::<Vec<_>>(), |_, value| value);
    seal(&partition(bench, DT));
    let error = refused(&options);
    assert!(error.to_string().contains("has other columns or rows than its manifest says"), "{error}");
}

/// The first row of a list with more than one.
fn key_of_a_list(rows: &[Row]) -> (i64, Option<&String>, i32) {
    let second = rows.iter().find(|row| row.impression_pos == 1).unwrap();
    (second.customer_id, second.ranking_id.as_ref(), 0)
}
