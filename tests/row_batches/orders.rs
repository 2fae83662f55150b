//! The order of the rows, and how it is cut into batches for ranks and workers.

use std::fs;

use lookback::model::{OrderKind, RowOrder};
use lookback::output::{ItemCells, Layout, RowBatch, TypeCells};
use lookback::resources::Resources;
use lookback::training::{BatchOptions, Epoch, RowBatches};

use super::{Asked, asked_again, epoch_rows, rows, rows_of, small, sorted};
use crate::support::nights::{MAX_HISTORY, Nights, nights};
use crate::support::output::Row;
use crate::support::random::{Random, seed};

/// The rows of each step, of all ranks and workers.
fn steps(epoch: &Epoch, options: BatchOptions, [world_size, workers]: [usize; 2]) -> Vec<Vec<Row>> {
    let options = options.world_size(world_size).workers(workers);
    let mut steps: Vec<Vec<Row>> = Vec::new();
    for rank in 0..world_size {
        let of_workers = (0..workers).map(|worker| options.rank(rank).worker(worker));
        let mut of_workers: Vec<RowBatches> = of_workers.map(|options| epoch.batches(&options).unwrap()).collect();
        let counts = (0..workers).map(|worker| options.rank(rank).worker(worker).count(epoch.rows()));
        let counted: Option<u64> = counts.sum();
        for step in 0.. {
            let Some(batch) = of_workers[step % workers].next() else {
                assert!(counted.is_none_or(|counted| counted == step as u64), "{counted:?} of {step}");
                break;
            };
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
                let options =
                    small(Layout::Jagged).batch_size(36).drop_last(drop_last).batch_actions_max(batch_actions_max);
                let whole = steps(&epoch, options, [1, 1]);
                let left_out = usize::try_from(day.rows()).unwrap() - whole.iter().map(Vec::len).sum::<usize>();
                assert_eq!(left_out > 0, drop_last, "seed {seed}: the rows do not divide");
                for (world_size, workers) in [(1, 2), (2, 1), (2, 3), (3, 1), (3, 2)] {
                    let batch_actions_max = batch_actions_max.map(|actions| actions / world_size);
                    let batch_size = 36 / world_size;
                    let parts = options.batch_size(batch_size).batch_actions_max(batch_actions_max);
                    assert!(steps(&epoch, parts, [world_size, workers]) == whole, "seed {seed}, {order:?}: {parts:?}");
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
    let world_size = (3..).find(|world_size| rows % world_size > 0).unwrap();
    let batch_size = rows / world_size - 1;
    let options = |rank| small(Layout::Padded).world_size(world_size).rank(rank).batch_size(batch_size);
    let lasts: Vec<RowBatch> =
        (0..world_size).map(|rank| epoch.batches(&options(rank)).unwrap().last().unwrap().unwrap()).collect();
    let left = rows - batch_size * world_size;
    assert!((world_size + 1..2 * world_size).contains(&left), "seed {seed}");
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
            let options = small(Layout::Dedup).batch_actions_max(batch_actions_max);
            let all: Vec<RowBatch> =
                day.epoch(2).unwrap().batches(&options).unwrap().map(|batch| batch.unwrap()).collect();
            assert_eq!(all.last().unwrap().next_row, day.rows());
            let read = usize::try_from(random.below(all.len() as u64)).unwrap();
            let first_row = all[read].next_row;
            let rest = asked_again(bench, order).epoch(2).unwrap();
            let rest = rest.batches(&options.first_row(first_row)).unwrap();
            let rest: Vec<RowBatch> = rest.map(|batch| batch.unwrap()).collect();
            assert!(rest == all[read + 1..], "seed {seed}, {order:?}: behind batch {read}");
            // With other ranks, the rest of the rows.
            let two = options.first_row(first_row).batch_size(5);
            let rest: Vec<Row> = steps(&day.epoch(2).unwrap(), two, [2, 1]).into_iter().flatten().collect();
            assert!(rest == rows(all[read + 1..].iter().cloned().map(Ok)), "seed {seed}, {order:?}: two ranks");
        }
    }
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

/// Whatever a batch that is given back holds.
#[test]
fn used_memory_leaves_no_trace() {
    let seed = seed(417);
    let Nights { bench, .. } = &nights(seed);
    for order in [RowOrder::Carousel(7), RowOrder::Shuffled(7)] {
        let epoch = asked_again(bench, order).epoch(0).unwrap();
        for layout in Layout::ALL {
            let plain: Vec<RowBatch> = epoch.batches(&small(layout)).unwrap().map(|batch| batch.unwrap()).collect();
            let mut batches = epoch.batches(&small(layout)).unwrap();
            let (used, mut reused) = (batches.used(), 0);
            let mut seen = std::collections::BTreeSet::new();
            for expected in &plain {
                let mut batch = batches.next().unwrap().unwrap();
                assert!(batch == *expected, "seed {seed}, {order:?}, {layout:?}");
                if let ItemCells::Int64(items) = &mut batch.histories.actions {
                    reused += usize::from(!seen.insert(items.as_ptr() as usize));
                    items.fill(-7);
                }
                if let TypeCells::Int32(types) = &mut batch.histories.action_types {
                    types.fill(-7);
                }
                batch.histories.action_ages.iter_mut().for_each(|ages| ages.fill(-7));
                batch.histories.action_times.iter_mut().for_each(|times| times.fill(-7));
                used.give(batch);
            }
            assert!(reused > 0 || layout != Layout::Padded, "seed {seed}: memory is used again");
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
        let options = small(Layout::Jagged).batch_size(30).batch_actions_max(Some(most));
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

/// What a resumed reading compares.
#[test]
fn a_fingerprint_is_that_of_the_rows_and_their_order() {
    let seed = seed(418);
    let Nights { bench, impressions, .. } = &nights(seed);
    let fingerprint = |asked: Asked| asked.prepare(bench).fingerprint().to_owned();
    let first = fingerprint(Asked::default());
    assert_eq!(fingerprint(Asked { resources: Resources::default().with_threads(1), ..Asked::default() }), first);
    let others = [
        Asked { order: RowOrder::Shuffled(4), ..Asked::default() },
        Asked { order: RowOrder::Carousel(3), ..Asked::default() },
        Asked { max_history: Some(3), ..Asked::default() },
        Asked { lookback_days: Some(3), ..Asked::default() },
        Asked { known_as_of: Some("2026-03-20"), ..Asked::default() },
        Asked { max_rows_per_customer: Some(1_000), ..Asked::default() },
    ];
    let mut all: Vec<String> = others.into_iter().map(fingerprint).chain([first]).collect();
    let shown = impressions.iter().map(|impression| impression.customer).find(|customer| *customer > 0).unwrap();
    bench.ok(&format!("forget --store store --customer {shown}"));
    all.push(fingerprint(Asked::default()));
    bench.ok("remove --store store --dt 2026-03-30");
    all.push(fingerprint(Asked::default()));
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "seed {seed}");
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
