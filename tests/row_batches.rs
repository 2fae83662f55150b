//! Batches of training rows in memory: the rows of a partition, each once an epoch, whatever the layout, the ranks, the
//! threads and the memory.

use std::fs;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int64Type};

use lookback::error::{Kind, Result};
use lookback::model::{Day, ExtraColumn, ItemType, OrderKind, RowColumns, RowOrder, TypeType};
use lookback::output::{ItemCells, Layout, RowBatch, TypeCells};
use lookback::produce::DayOptions;
use lookback::progress::Silent;
use lookback::resources::{Cancel, Resources};
use lookback::sources::ImpressionSource;
use lookback::store::{Folder, Store};
use lookback::training::{BatchOptions, Epoch, RowBatches, TrainingDay, TrainingOptions};

use crate::support::input::{PLAIN, RawAction, RawImpression, us, write_batch, write_impressions};
use crate::support::nights::{DT, MAX_HISTORY, Nights, nights};
use crate::support::output::{Row, read_partition};
use crate::support::program::Bench;
use crate::support::random::{Random, seed};

/// What a test asks for, apart from where it lies.
#[derive(Clone, Debug)]
struct Asked {
    dt: &'static str,
    order: RowOrder,
    columns: RowColumns,
    max_history: Option<usize>,
    lookback_days: Option<u32>,
    known_as_of: Option<&'static str>,
    max_rows_per_customer: Option<usize>,
    resources: Resources,
}

fn all_columns() -> RowColumns {
    let with = [ExtraColumn::HistoryLength, ExtraColumn::ActionAges, ExtraColumn::ActionTimes].into_iter().collect();
    RowColumns { with, ..RowColumns::default() }
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            dt: DT,
            order: RowOrder::Shuffled(3),
            columns: all_columns(),
            max_history: None,
            lookback_days: None,
            known_as_of: None,
            max_rows_per_customer: None,
            resources: Resources::default().with_threads(2),
        }
    }
}

impl Asked {
    fn try_prepare(&self, bench: &Bench) -> Result<TrainingDay> {
        let store = Store::open_reader(&Folder::new(&bench.store()))?;
        let (input, impressions) = (bench.input(), ImpressionSource::default());
        let day = |text: &str| -> Day { text.parse().unwrap() };
        let day = DayOptions {
            input: &input,
            impressions: &impressions,
            dt: day(self.dt),
            max_history: self.max_history,
            lookback_days: self.lookback_days,
            known_as_of: self.known_as_of.map(day),
            columns: self.columns,
            order: self.order,
            allow_gaps: true,
            allow_pruned: false,
            quarantine: None,
            resources: &self.resources,
        };
        let max_rows_per_customer = self.max_rows_per_customer.and_then(NonZeroUsize::new);
        TrainingDay::prepare(&store, &TrainingOptions { day, max_rows_per_customer }, &Silent)
    }

    fn prepare(&self, bench: &Bench) -> TrainingDay {
        self.try_prepare(bench).unwrap()
    }

    /// The rows of a partition that the program writes with the same settings.
    fn produced(&self, bench: &Bench) -> Vec<Row> {
        let option =
            |name: &str, value: Option<String>| value.map_or(String::new(), |value| format!(" {name} {value}"));
        let columns = self.columns;
        let order = format!(
            " --order {}{}",
            self.order.kind().name(),
            option("--seed", self.order.seed().map(|seed| seed.to_string()))
        );
        let with = option("--with", (!columns.with.is_empty()).then(|| columns.with.name()));
        let types = format!(" --item-type {} --type-type {}", columns.item_type.name(), columns.type_type.name());
        let history = option("--max-history", self.max_history.map(|actions| actions.to_string()));
        let lookback = option("--lookback-days", self.lookback_days.map(|days| days.to_string()));
        let known = option("--known-as-of", self.known_as_of.map(str::to_owned));
        let produce = format!("produce --store store --input input --out out --allow-gaps --dt {}", self.dt);
        bench.ok(&format!("{produce}{order}{with}{types}{history}{lookback}{known}"));
        read_partition(&bench.out(), self.dt)
    }
}

/// The rows of batches that count, cell by cell, each batch in all layouts the same.
fn rows(batches: impl IntoIterator<Item = Result<RowBatch>>) -> Vec<Row> {
    batches.into_iter().flat_map(|batch| rows_of(&batch.unwrap())).collect()
}

fn rows_of(batch: &RowBatch) -> Vec<Row> {
    let padded = batch.to_padded().unwrap();
    let length = padded.histories.shape().max_history;
    let cells = |row: usize| -> Range<usize> { row * length..(row + 1) * length };
    let of_row = |row: usize| Row {
        dt: padded.dt.to_string(),
        ranking_id: padded.ranking_ids.as_ref().and_then(|names| names[row].clone()),
        customer_id: padded.customer_ids[row],
        impression_pos: padded.positions[row],
        impression_item_id: padded.impressions[row],
        label: padded.labels[row],
        actions: match &padded.histories.actions {
            ItemCells::Int64(items) => items[cells(row)].to_vec(),
            ItemCells::Int32(items) => items[cells(row)].iter().map(|item| i64::from(*item)).collect(),
        },
        action_types: match &padded.histories.action_types {
            TypeCells::Int32(types) => types[cells(row)].to_vec(),
            TypeCells::Uint8(types) => types[cells(row)].iter().map(|number| i32::from(*number)).collect(),
        },
        history_length: padded.histories.history_lengths.as_ref().map(|lengths| lengths[row]),
        action_ages: padded.histories.action_ages.as_ref().map(|ages| ages[cells(row)].to_vec()),
        action_times: padded.histories.action_times.as_ref().map(|times| times[cells(row)].to_vec()),
    };
    (0..padded.rows() - padded.filled).map(of_row).collect()
}

fn sorted(mut rows: Vec<Row>) -> Vec<String> {
    let mut rows: Vec<String> = rows.drain(..).map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

/// Small batches with everything that can be asked for.
fn small(layout: Layout) -> BatchOptions {
    BatchOptions { layout, batch_size: 7, ranking_ids: true, ..BatchOptions::default() }
}

fn epoch_rows(day: &TrainingDay, epoch: u64, options: &BatchOptions) -> Vec<Row> {
    rows(day.epoch(epoch).unwrap().batches(options).unwrap())
}

/// The model test: settings by chance, every order, every layout.
#[test]
fn rows_are_those_of_a_partition_in_its_order() {
    let seed = seed(401);
    let mut random = Random::new(seed);
    for case in 0..4 {
        let Nights { bench, .. } = &nights(seed + case);
        for order in [RowOrder::Customer, RowOrder::Shuffled(random.next()), RowOrder::Carousel(random.next())] {
            let mut draw = |end: u64| usize::try_from(random.below(end)).unwrap();
            let with = ExtraColumn::ALL.into_iter().skip(1).filter(|_| draw(2) == 0).collect();
            let asked = Asked {
                order,
                columns: RowColumns {
                    with,
                    item_type: [ItemType::Int64, ItemType::Int32][draw(2)],
                    type_type: [TypeType::Int32, TypeType::Uint8][draw(2)],
                },
                max_history: [None, Some(1), Some(1 + draw(MAX_HISTORY as u64))][draw(3)],
                lookback_days: [None, Some(3)][draw(2)],
                known_as_of: [None, Some("2026-03-24")][draw(2)],
                ..Asked::default()
            };
            let what = format!("seed {seed}, case {case}, {asked:?}");
            let (produced, day) = (asked.produced(bench), asked.prepare(bench));
            assert_eq!(day.rows(), produced.len() as u64, "{what}");
            for layout in Layout::ALL {
                let batch_size = 1 + draw(60);
                let options = BatchOptions { batch_size, ..small(layout) };
                assert!(epoch_rows(&day, 0, &options) == produced, "{what}, {layout:?} of {batch_size}");
                let later = epoch_rows(&day, 5, &options);
                assert_eq!(later == produced, order.kind() == OrderKind::Customer, "{what}, {layout:?}: epoch 5");
                assert!(sorted(later) == sorted(produced.clone()), "{what}, {layout:?}: epoch 5");
            }
        }
    }
}

#[test]
fn columns_of_each_layout_have_the_cells_that_they_say() {
    let seed = seed(402);
    let Nights { bench, .. } = &nights(seed);
    let day = Asked { order: RowOrder::Carousel(1), ..Asked::default() }.prepare(bench);
    let epoch = day.epoch(0).unwrap();
    for layout in Layout::ALL {
        for batch in epoch.batches(&BatchOptions { batch_size: 40, ..small(layout) }).unwrap() {
            let batch = batch.unwrap();
            let (rows, columns) = (batch.rows(), &batch.histories);
            let mut customers = batch.customer_ids.clone();
            customers.sort_unstable();
            customers.dedup();
            let histories = if layout == Layout::Padded { rows } else { customers.len() };
            let lengths = columns.history_lengths.as_ref().unwrap();
            let actions: i32 = lengths.iter().sum();
            let cells =
                if layout == Layout::Jagged { usize::try_from(actions).unwrap() } else { histories * MAX_HISTORY };
            let ages = columns.action_ages.as_ref().unwrap().len();
            let sizes = (lengths.len(), columns.actions.len(), ages, columns.action_times.as_ref().unwrap().len());
            assert_eq!(sizes, (histories, cells, cells, cells), "seed {seed}, {layout:?}");
            assert_eq!(batch.inverse.len(), if layout == Layout::Padded { 0 } else { rows });
            if layout == Layout::Jagged {
                let ends = lengths.iter().scan(0, |end, length| {
                    *end += i64::from(*length);
                    Some(*end)
                });
                assert_eq!(columns.offsets, std::iter::once(0).chain(ends).collect::<Vec<_>>(), "seed {seed}");
            }
        }
    }
}

/// The lists of a column of each row, without padding where there is none, and its integers as lists of one.
fn arrow_cells(batch: &RecordBatch, name: &str) -> Vec<Vec<i64>> {
    let mut column: ArrayRef = batch.column_by_name(name).unwrap().clone();
    if let DataType::Dictionary(..) = column.data_type() {
        let dictionary = column.as_dictionary::<Int64Type>();
        column = take(dictionary.values(), dictionary.keys(), None).unwrap();
    }
    let integers = |cells: &ArrayRef| -> Vec<i64> {
        assert_eq!(cells.null_count(), 0);
        cast(cells, &DataType::Int64).unwrap().as_primitive::<Int64Type>().values().to_vec()
    };
    match column.data_type() {
        DataType::LargeList(_) => column.as_list::<i64>().iter().map(|list| integers(&list.unwrap())).collect(),
        _ => integers(&column).into_iter().map(|cell| vec![cell]).collect(),
    }
}

#[test]
fn batches_are_arrow_too() {
    let seed = seed(416);
    let Nights { bench, .. } = &nights(seed);
    let narrow = RowColumns { item_type: ItemType::Int32, type_type: TypeType::Uint8, ..all_columns() };
    for columns in [all_columns(), narrow] {
        let epoch = Asked { columns, ..Asked::default() }.prepare(bench).epoch(0).unwrap();
        for layout in Layout::ALL {
            for batch in epoch.batches(&BatchOptions { batch_size: 50, ..small(layout) }).unwrap() {
                let batch = batch.unwrap();
                let rows = rows_of(&batch);
                let arrow = batch.into_arrow().unwrap();
                let check = |name: &str, of_row: &dyn Fn(&Row) -> Vec<i64>| {
                    let expected: Vec<Vec<i64>> = rows.iter().map(of_row).collect();
                    assert!(arrow_cells(&arrow, name) == expected, "seed {seed}, {layout:?}: {name}");
                };
                let length = |row: &Row| match layout {
                    Layout::Jagged => usize::try_from(row.history_length.unwrap()).unwrap(),
                    _ => row.actions.len(),
                };
                let wide = |cells: &[i32]| cells.iter().copied().map(i64::from).collect::<Vec<_>>();
                check("customer_id", &|row| vec![row.customer_id]);
                check("impression_pos", &|row| vec![row.impression_pos.into()]);
                check("impression_item_id", &|row| vec![row.impression_item_id]);
                check("label", &|row| vec![row.label.into()]);
                check("history_length", &|row| vec![row.history_length.unwrap().into()]);
                check("actions", &|row| row.actions[..length(row)].to_vec());
                check("action_types", &|row| wide(&row.action_types[..length(row)]));
                check("action_ages", &|row| wide(&row.action_ages.as_ref().unwrap()[..length(row)]));
                check("action_times", &|row| row.action_times.as_ref().unwrap()[..length(row)].to_vec());
                let names = arrow.column_by_name("ranking_id").unwrap().as_string::<i32>().iter();
                assert!(names.eq(rows.iter().map(|row| row.ranking_id.as_deref())), "seed {seed}, {layout:?}");
            }
        }
    }
}

/// The rows of each step, of all ranks and workers.
fn steps(epoch: &Epoch, options: &BatchOptions) -> Vec<Vec<Row>> {
    let BatchOptions { world_size, workers, .. } = *options;
    let mut steps: Vec<Vec<Row>> = Vec::new();
    for rank in 0..world_size {
        let of_workers = (0..workers).map(|worker| BatchOptions { rank, worker, ..*options });
        let mut of_workers: Vec<RowBatches> = of_workers.map(|options| epoch.batches(&options).unwrap()).collect();
        for step in 0.. {
            let Some(batch) = of_workers[step % workers].next() else { break };
            let batch = batch.unwrap();
            if rank == 0 {
                steps.push(Vec::new());
            }
            assert!(batch.filled == 0 || world_size > 1, "one rank has nothing to fill");
            steps[step].extend(rows_of(&batch));
        }
        assert!(of_workers.iter_mut().all(|batches| batches.next().is_none()), "workers end at the same step");
    }
    steps
}

#[test]
fn global_batches_have_the_same_rows_for_any_ranks_and_workers() {
    let seed = seed(403);
    let Nights { bench, .. } = &nights(seed);
    for order in [RowOrder::Shuffled(2), RowOrder::Carousel(2)] {
        let day = Asked { order, ..Asked::default() }.prepare(bench);
        let epoch = day.epoch(1).unwrap();
        for batch_actions_max in [None, Some(60)] {
            for drop_last in [false, true] {
                let options = BatchOptions { batch_size: 36, drop_last, batch_actions_max, ..small(Layout::Jagged) };
                let whole = steps(&epoch, &options);
                let left_out = usize::try_from(day.rows()).unwrap() - whole.iter().map(Vec::len).sum::<usize>();
                assert_eq!(left_out > 0, drop_last, "seed {seed}: the rows do not divide");
                for (world_size, workers) in [(1, 2), (2, 1), (2, 3), (3, 1), (3, 2)] {
                    let batch_actions_max = batch_actions_max.map(|actions| actions / world_size);
                    let batch_size = 36 / world_size;
                    let parts = BatchOptions { world_size, workers, batch_size, batch_actions_max, ..options };
                    assert!(steps(&epoch, &parts) == whole, "seed {seed}, {order:?}: {parts:?}");
                }
            }
        }
    }
}

/// All ranks have equally many rows in each step, and what fills them up is counted.
#[test]
fn the_last_batch_is_filled_from_its_beginning() {
    let seed = seed(404);
    let Nights { bench, .. } = &nights(seed);
    let day = Asked::default().prepare(bench);
    let epoch = day.epoch(0).unwrap();
    let rows = usize::try_from(day.rows()).unwrap();
    let world_size = 5;
    let batch_size = (rows - 2) / world_size;
    let options = |rank| BatchOptions { world_size, rank, batch_size, ..small(Layout::Padded) };
    let lasts: Vec<RowBatch> =
        (0..world_size).map(|rank| epoch.batches(&options(rank)).unwrap().last().unwrap().unwrap()).collect();
    let left = rows - batch_size * world_size;
    assert!((2..=6).contains(&left), "seed {seed}");
    assert!(lasts.iter().all(|batch| batch.rows() == left.div_ceil(world_size)), "seed {seed}");
    assert_eq!(lasts.iter().map(|batch| batch.rows() - batch.filled).sum::<usize>(), left, "seed {seed}");
    let first = &lasts[0];
    let filler = lasts.iter().find(|batch| batch.filled > 0).unwrap();
    let at = filler.rows() - filler.filled;
    assert_eq!(filler.impressions[at], first.impressions[0], "seed {seed}");
    assert_eq!(filler.customer_ids[at], first.customer_ids[0], "seed {seed}");
}

#[test]
fn reading_goes_on_behind_any_batch() {
    let seed = seed(405);
    let mut random = Random::new(seed);
    let Nights { bench, .. } = &nights(seed);
    for order in [RowOrder::Customer, RowOrder::Shuffled(4), RowOrder::Carousel(4)] {
        let day = Asked { order, ..Asked::default() }.prepare(bench);
        for batch_actions_max in [None, Some(50)] {
            let options = BatchOptions { batch_actions_max, ..small(Layout::Dedup) };
            let all: Vec<RowBatch> =
                day.epoch(2).unwrap().batches(&options).unwrap().map(|batch| batch.unwrap()).collect();
            assert_eq!(all.last().unwrap().next_row, day.rows());
            let read = usize::try_from(random.below(all.len() as u64)).unwrap();
            let first_row = all[read].next_row;
            let rest = asked_again(bench, order).epoch(2).unwrap();
            let rest = rest.batches(&BatchOptions { first_row, ..options }).unwrap();
            let rest: Vec<RowBatch> = rest.map(|batch| batch.unwrap()).collect();
            assert!(rest == all[read + 1..], "seed {seed}, {order:?}: behind batch {read}");
            // With other ranks, the rest of the rows.
            let two = BatchOptions { first_row, world_size: 2, batch_size: 5, ..options };
            let rest: Vec<Row> = steps(&day.epoch(2).unwrap(), &two).into_iter().flatten().collect();
            assert!(rest == rows(all[read + 1..].iter().cloned().map(Ok)), "seed {seed}, {order:?}: two ranks");
        }
    }
}

fn asked_again(bench: &Bench, order: RowOrder) -> TrainingDay {
    Asked { order, ..Asked::default() }.prepare(bench)
}

#[test]
fn epochs_differ_and_come_again() {
    let seed = seed(406);
    let Nights { bench, .. } = &nights(seed);
    for order in [RowOrder::Shuffled(7), RowOrder::Carousel(7)] {
        let (day, again) = (asked_again(bench, order), asked_again(bench, order));
        let options = small(Layout::Jagged);
        let epochs: Vec<Vec<Row>> = (0..4).map(|epoch| epoch_rows(&day, epoch, &options)).collect();
        for (number, epoch) in epochs.iter().enumerate() {
            assert!(epochs[..number].iter().all(|earlier| earlier != epoch), "seed {seed}, {order:?}");
            assert!(epoch_rows(&again, number as u64, &options) == *epoch, "seed {seed}, {order:?}");
        }
        if order.kind() == OrderKind::Carousel {
            for epoch in &epochs {
                let lists = epoch.chunk_by(|_, next| next.impression_pos != 0);
                for list in lists {
                    let whose = |row: &Row| (row.customer_id, row.ranking_id.clone());
                    assert!(list.iter().zip(0..).all(|(row, place)| row.impression_pos == place), "seed {seed}");
                    assert!(list.iter().all(|row| whose(row) == whose(&list[0])), "seed {seed}");
                }
            }
        }
    }
}

/// With little memory, impressions, histories and places lie in scratch files, and sorting spills.
#[test]
fn the_same_batches_with_any_threads_and_memory() {
    let seed = seed(407);
    let Nights { bench, .. } = &nights(seed);
    for order in [RowOrder::Customer, RowOrder::Shuffled(7), RowOrder::Carousel(7)] {
        let batches = |resources: Resources| {
            let day = Asked { order, resources, ..Asked::default() }.prepare(bench);
            let batches = day.epoch(3).unwrap().batches(&small(Layout::Jagged)).unwrap();
            let batches: Vec<RowBatch> = batches.map(|batch| batch.unwrap()).collect();
            (day.fingerprint().to_owned(), batches)
        };
        let plain = batches(Resources::default().with_threads(1));
        let scratch = bench.path("scratch");
        for (threads, bytes) in [(2, 500), (5, 1 << 30), (3, 4_000)] {
            let resources = Resources::default().with_threads(threads).with_scratch_folder(&scratch);
            let resources = resources.with_sort_bytes(bytes);
            assert!(batches(resources) == plain, "seed {seed}, {order:?}: {threads} threads, {bytes} bytes");
            assert!(!scratch.exists(), "scratch files are gone with the day");
        }
    }
}

#[test]
fn batches_end_before_they_have_too_many_actions() {
    let seed = seed(408);
    let Nights { bench, .. } = &nights(seed);
    let day = Asked::default().prepare(bench);
    let epoch = day.epoch(0).unwrap();
    let without = epoch_rows(&day, 0, &small(Layout::Padded));
    for most in [1, MAX_HISTORY, 100] {
        let options = BatchOptions { batch_size: 30, batch_actions_max: Some(most), ..small(Layout::Jagged) };
        let batches: Vec<RowBatch> = epoch.batches(&options).unwrap().map(|batch| batch.unwrap()).collect();
        assert!(rows(batches.iter().cloned().map(Ok)) == without, "seed {seed}: at most {most}");
        assert!(batches.iter().any(|batch| batch.rows() < 30));
        // Actions by row, where the customer is not that of the row before.
        let actions = |batch: &RowBatch| {
            let length = |row: usize| {
                let history = usize::try_from(batch.inverse[row]).unwrap();
                batch.histories.offsets[history + 1] - batch.histories.offsets[history]
            };
            let is_new = |row: &usize| *row == 0 || batch.customer_ids[row - 1] != batch.customer_ids[*row];
            let lengths: Vec<i64> = (0..batch.rows()).filter(is_new).map(length).collect();
            usize::try_from(lengths.iter().sum::<i64>()).unwrap()
        };
        for pair in batches.windows(2) {
            let (one, next) = (&pair[0], &pair[1]);
            let is_of_one = one.customer_ids.iter().all(|customer| *customer == one.customer_ids[0]);
            assert!(is_of_one || actions(one) <= most, "seed {seed}: at most {most}");
            let goes_on = next.customer_ids[0] == one.customer_ids[one.rows() - 1];
            let first = if goes_on { 0 } else { next.histories.offsets[1] };
            let more = actions(one) + usize::try_from(first).unwrap();
            assert!(one.rows() == 30 || more > most, "seed {seed}: no batch ends too early");
        }
    }
}

#[test]
fn rows_of_a_customer_are_limited_to_the_same_ones() {
    let seed = seed(409);
    let Nights { bench, .. } = &nights(seed);
    let limited = |order, max_rows_per_customer, threads, bytes| {
        let resources = Resources::default().with_threads(threads).with_sort_bytes(bytes);
        Asked { order, max_rows_per_customer: Some(max_rows_per_customer), resources, ..Asked::default() }
            .prepare(bench)
    };
    let options = small(Layout::Dedup);
    let all = asked_again(bench, RowOrder::Shuffled(5));
    let shuffled = epoch_rows(&all, 0, &options);
    for most in [1, 4, 1_000] {
        // Of each customer the rows that come first in the shuffled order of epoch 0.
        let mut counts = std::collections::BTreeMap::new();
        let mut expected = shuffled.clone();
        expected.retain(|row| {
            let count = counts.entry(row.customer_id).or_insert(0);
            *count += 1;
            *count <= most
        });
        let day = limited(RowOrder::Shuffled(5), most, 2, 1 << 30);
        assert!(epoch_rows(&day, 0, &options) == expected, "seed {seed}: at most {most}");
        assert_eq!(day.rows(), expected.len() as u64, "seed {seed}");
        assert_ne!(day.fingerprint(), all.fingerprint());
        let epoch = day.epoch(9).unwrap();
        assert_eq!(epoch.rows(), day.rows());
        assert!(sorted(epoch_rows(&day, 9, &options)) == sorted(expected.clone()), "seed {seed}: at most {most}");
        let carousel = limited(RowOrder::Carousel(5), most, 3, 1_000);
        assert!(sorted(epoch_rows(&carousel, 2, &options)) == sorted(expected), "seed {seed}: at most {most}");
    }
}

#[test]
fn later_epochs_read_neither_store_nor_input() {
    let seed = seed(410);
    let Nights { bench, .. } = &nights(seed);
    let day = Asked::default().prepare(bench);
    let options = small(Layout::Padded);
    let before = epoch_rows(&day, 1, &options);
    fs::remove_dir_all(bench.store()).unwrap();
    fs::remove_dir_all(bench.input()).unwrap();
    assert!(epoch_rows(&day, 1, &options) == before, "seed {seed}");
    assert!(sorted(epoch_rows(&day, 2, &options)) == sorted(before), "seed {seed}");
}

#[test]
fn counts_are_those_of_a_produce() {
    let seed = seed(411);
    let Nights { bench, .. } = &nights(seed);
    let day = Asked::default().prepare(bench);
    let mut counted = serde_json::to_value(day.summary()).unwrap();
    let mut produced = bench.json(&format!("produce --store store --input input --dt {DT} --out out --order shuffled"));
    for only in ["parts", "timing", "older_partition"] {
        counted.as_object_mut().unwrap().remove(only);
        produced.as_object_mut().unwrap().remove(only);
    }
    for (name, value) in counted.as_object().unwrap() {
        assert_eq!(&produced[name], value, "seed {seed}: {name}");
    }
}

#[test]
fn what_cannot_be_done_is_said_in_one_sentence() {
    let Nights { bench, .. } = &nights(seed(412));
    let day = Asked::default().prepare(bench);
    let epoch = day.epoch(0).unwrap();
    let rows = day.rows();
    let plain = small(Layout::Padded);
    let cases = [
        (
            BatchOptions { batch_size: 0, ..plain },
            "a batch without rows or actions was asked for; ask for at least one",
        ),
        (BatchOptions { batch_actions_max: Some(0), ..plain }, "a batch without rows or actions was asked for; "),
        (BatchOptions { rank: 2, world_size: 2, ..plain }, "there is no rank 2 with world_size 2; give a rank from 0"),
        (BatchOptions { worker: 0, workers: 0, ..plain }, "there is no worker 0 with workers 0; "),
        (BatchOptions { first_row: rows + 1, ..plain }, "lies beyond the"),
    ];
    for (options, words) in cases {
        let error = epoch.batches(&options).err().unwrap();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains(words), "{error}");
    }
    let mut nothing_left = epoch.batches(&BatchOptions { first_row: rows, ..plain }).unwrap();
    assert!(nothing_left.next().is_none());

    let resources = Resources::default().with_memory(1 << 20).with_threads(2);
    let tight = Asked { resources, ..Asked::default() }.prepare(bench).epoch(0).unwrap();
    let large = BatchOptions { batch_size: 4_000, ..plain };
    let error = tight.batches(&large).err().unwrap();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("a batch of 4000 rows may take 1 MB of memory, and there are 0 MB"), "{error}");
    assert!(error.to_string().ends_with("batch_actions_max, or allow more by memory_limit"), "{error}");
    // Deduplicated there are at most the day's customers, and jagged at most the actions asked for.
    tight.batches(&BatchOptions { batch_size: 1_000, layout: Layout::Dedup, ..plain }).unwrap();
    let jagged = BatchOptions { batch_size: 1_000, layout: Layout::Jagged, batch_actions_max: Some(500), ..plain };
    tight.batches(&jagged).unwrap();

    let too_long = Asked { max_history: Some(MAX_HISTORY + 1), ..Asked::default() };
    assert_eq!(too_long.try_prepare(bench).err().unwrap().kind(), Kind::Usage);
    let no_impressions = Asked { dt: "2026-04-02", ..Asked::default() }.try_prepare(bench).err().unwrap();
    assert!(no_impressions.to_string().contains("there is no impression file"), "{no_impressions}");
}

#[test]
fn it_stops_where_it_is_asked_to() {
    let Nights { bench, .. } = &nights(seed(413));
    let cancel = Cancel::default();
    let resources = Resources::default().with_threads(2).with_cancel(cancel.clone());
    let asked = Asked { resources, ..Asked::default() };
    let epoch = asked.prepare(bench).epoch(0).unwrap();
    let mut batches = epoch.batches(&BatchOptions { batch_size: 1, ..small(Layout::Padded) }).unwrap();
    batches.next().unwrap().unwrap();
    cancel.cancel();
    assert!(batches.any(|batch| batch.is_err_and(|error| error.kind() == Kind::Cancelled)));
    assert_eq!(asked.try_prepare(bench).err().unwrap().kind(), Kind::Cancelled);
}

/// A reader may drop batches at any time, and hand everything to other threads.
#[test]
fn batches_can_be_dropped_and_sent() {
    fn is_sent<T: Send>(value: T) -> T {
        value
    }
    let Nights { bench, .. } = &nights(seed(414));
    let scratch = bench.path("scratch");
    let resources = Resources::default().with_threads(3).with_sort_bytes(500).with_scratch_folder(&scratch);
    // Scratch files have no names.
    let open = || {
        let files = fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| fs::read_link(file.unwrap().path()).ok());
        files.filter(|file| file.starts_with(&scratch)).count()
    };
    let day = is_sent(Asked { resources, ..Asked::default() }.prepare(bench));
    let epoch = is_sent(day.epoch(0).unwrap());
    drop(day);
    let mut batches = is_sent(epoch.batches(&small(Layout::Dedup)).unwrap());
    is_sent(batches.next().unwrap().unwrap());
    drop(epoch);
    assert_eq!(open(), 3, "the batches hold impressions, histories and places");
    batches.next().unwrap().unwrap();
    drop(batches);
    assert_eq!((open(), scratch.exists()), (0, false));
}

/// The memory limit of [`reads_within_the_limit`].
const LIMIT: u64 = 128 << 20;

/// What has the input of [`reads_within_the_limit`].
const ROOT: &str = "LOOKBACK_TEST_ROOT";

/// A million rows, whose places alone are more than an eighth of the limit, and histories that are not in order.
#[test]
fn memory_stays_within_the_limit() {
    const CUSTOMERS: i64 = 20_000;
    let mut random = Random::new(seed(415));
    let bench = Bench::new();
    let begin = us("2026-01-01T00:00:00Z");
    let mut actions = Vec::new();
    for customer in 0..CUSTOMERS {
        actions.extend((0..100).map(|_| RawAction {
            customer,
            item: 1 + i64::try_from(random.below(1 << 40)).unwrap(),
            time_us: begin + i64::try_from(random.below(86_400_000_000)).unwrap(),
            kind: 1,
        }));
    }
    write_batch(&bench.input(), "2026-01-01", &actions, PLAIN);
    drop(actions);
    bench.ok("init --store store --max-history 200");
    bench.ingest("2026-01-01");
    let shown = |number: i64| RawImpression {
        ranking_id: Some(format!("an impression with a long name {number}")),
        customer: number % CUSTOMERS,
        elements: (1..=10).map(|item| (item, None)).collect(),
    };
    write_impressions(&bench.input(), "2026-01-02", &(0..100_000).map(shown).collect::<Vec<_>>(), PLAIN);
    let own = std::env::current_exe().unwrap();
    let child = Command::new(own)
        .args(["row_batches::reads_within_the_limit", "--exact", "--ignored", "--nocapture"])
        .env(ROOT, bench.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("peak of 1000000 rows"), "{said}");
}

#[test]
#[ignore = "run by memory_stays_within_the_limit, in a process of its own"]
fn reads_within_the_limit() {
    let root = std::env::var(ROOT).unwrap();
    let root = Path::new(&root);
    let peak = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    let before = peak();
    let resources = Resources::default().with_threads(2).with_memory(LIMIT).with_scratch_folder(&root.join("scratch"));
    let store = Store::open_reader(&Folder::new(&root.join("store"))).unwrap();
    let day = DayOptions {
        input: &root.join("input"),
        impressions: &ImpressionSource::default(),
        dt: "2026-01-02".parse().unwrap(),
        max_history: None,
        lookback_days: None,
        known_as_of: None,
        columns: RowColumns::default(),
        order: RowOrder::Shuffled(1),
        allow_gaps: false,
        allow_pruned: false,
        quarantine: None,
        resources: &resources,
    };
    let day = TrainingDay::prepare(&store, &TrainingOptions { day, max_rows_per_customer: None }, &Silent).unwrap();
    drop(store);
    let mut rows = 0;
    for epoch in 0..2 {
        let batches = day.epoch(epoch).unwrap().batches(&BatchOptions::default()).unwrap();
        rows = batches.map(|batch| batch.unwrap().rows()).sum();
    }
    let peak = peak();
    println!("peak of {rows} rows: {} MiB, {} MiB before", peak >> 20, before >> 20);
    assert!(peak - before <= LIMIT, "{} MiB", (peak - before) >> 20);
}
