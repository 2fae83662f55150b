//! Each cell of each layout is that of a partition, also as Arrow.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int64Type};

use lookback::model::{ExtraColumn, ItemType, OrderKind, RowColumns, RowOrder, TypeType};
use lookback::output::Layout;

use super::{Asked, all_columns, epoch_rows, rows_of, small, sorted};
use crate::support::nights::{MAX_HISTORY, Nights, nights};
use crate::support::output::Row;
use crate::support::random::{Random, seed};

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
                let options = small(layout).batch_size(batch_size);
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
        for batch in epoch.batches(&small(layout).batch_size(40)).unwrap() {
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
            for batch in epoch.batches(&small(layout).batch_size(50)).unwrap() {
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
