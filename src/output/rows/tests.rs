//! Tests that read row groups back with the ordinary reader.

use std::fs::File;

use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::file::statistics::Statistics;
use proptest::prelude::*;

use super::*;
use crate::cancel::Cancel;
use crate::history::History;
use crate::model::{CustomerId, Day, Duplicates, Element, Impression, RowColumns, RowOrder};
use crate::storage::Fingerprint;

fn settings(max_history: usize, compression: Compression) -> RowSettings {
    RowSettings {
        dt: Day::from_number(20_000).unwrap(),
        cut_off: String::new(),
        time_zone: "UTC".to_owned(),
        zone_rules: None,
        max_history,
        lookback_days: None,
        newest_batch: None,
        action_types: None,
        compression,
        sizes: FileSizes { row_group_rows: 100, part_rows: 250 },
        columns: RowColumns::default(),
        order: RowOrder::Customer,
        duplicates: Duplicates::Keep,
    }
}

/// Items and types of one row.
type Lists = (Vec<i64>, Vec<i32>);

/// A customer's history and the number of elements of each impression of the customer.
type Draft = (History, Vec<usize>);

/// Writes each of `groups` as a row group and reads everything back: items, types, and the encodings of the list
/// columns.
fn write_and_read(settings: &RowSettings, groups: &[Vec<Draft>]) -> (Vec<Lists>, Vec<Vec<Encoding>>) {
    let folder = tempfile::tempdir().unwrap();
    let schema = RowSchema::new(settings).unwrap();
    let mut writer = RowWriter::new(folder.path().to_owned(), settings, &schema);
    let mut group = RowGroup::new(&schema, settings).unwrap();
    for drafts in groups {
        for (history, impressions) in drafts {
            group.begin_customer(history.view()).unwrap();
            for elements in impressions {
                let elements = vec![Element { item_id: 5, label: 1 }; *elements];
                group.add(&Impression { customer: CustomerId(1), ranking_id: None, elements }).unwrap();
            }
        }
        writer.append(group.encode().unwrap()).unwrap();
    }
    let parts = writer.finish().unwrap();
    let (mut read, mut encodings) = (Vec::new(), Vec::new());
    for part in &parts {
        let path = folder.path().join(&part.name);
        let fingerprint = Fingerprint::of(&path, &Cancel::default()).unwrap();
        assert_eq!((part.bytes, &part.xxh3_128), (fingerprint.bytes, &fingerprint.hex()), "hashed while written");
        let file = File::open(path).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let pairs = builder.metadata().file_metadata().key_value_metadata().unwrap();
        let newest = pairs.iter().find(|pair| pair.key == NEWEST_ACTION).map(|pair| pair.value.clone().unwrap());
        assert_eq!(newest, part.newest_action, "the manifest says the same as the file");
        for group in builder.metadata().row_groups() {
            for list in [5, 6] {
                let column = group.column(list);
                assert_eq!(column.num_values(), group.num_rows() * i64::try_from(settings.max_history).unwrap());
                encodings.push(column.encodings().collect());
            }
            let sizes: i64 = group.columns().iter().map(|column| column.compressed_size()).sum();
            assert_eq!(group.compressed_size(), sizes);
        }
        let statistics: Vec<Statistics> =
            builder.metadata().row_groups().iter().map(|group| group.column(5).statistics().unwrap().clone()).collect();
        let mut reader = builder.build().unwrap();
        let first = read.len();
        for batch in &mut reader {
            let batch = batch.unwrap();
            let (actions, types) = (batch.column(5).as_list::<i32>(), batch.column(6).as_list::<i32>());
            for row in 0..batch.num_rows() {
                let items = actions.value(row).as_primitive::<Int64Type>().values().to_vec();
                let types = types.value(row).as_primitive::<Int32Type>().values().to_vec();
                read.push((items, types));
            }
        }
        let values = || read[first..].iter().flat_map(|(items, _): &(Vec<i64>, _)| items.iter().copied());
        let bounds = |statistics: &Statistics| match statistics {
            Statistics::Int64(values) => {
                (*values.min_opt().unwrap(), *values.max_opt().unwrap(), values.null_count_opt())
            }
            other => panic!("{other:?}"),
        };
        if let Some(least) = values().min() {
            assert_eq!(statistics.iter().map(|one| bounds(one).0).min(), Some(least));
            assert_eq!(statistics.iter().map(|one| bounds(one).1).max(), values().max());
            assert!(statistics.iter().all(|one| bounds(one).2 == Some(0)));
        }
    }
    assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), read.len() as u64);
    (read, encodings)
}

/// The expected rows: padded with zeros, once for each element.
fn expected(max_history: usize, groups: &[Vec<Draft>]) -> Vec<Lists> {
    let mut rows = Vec::new();
    for (history, impressions) in groups.iter().flatten() {
        let mut items: Vec<i64> = history.item_ids.iter().take(max_history).copied().collect();
        let mut types: Vec<i32> =
            history.action_types.iter().take(max_history).map(|number| i32::from(*number)).collect();
        items.resize(max_history, 0);
        types.resize(max_history, 0);
        rows.extend(std::iter::repeat_n((items, types), impressions.iter().sum()));
    }
    rows
}

fn history(items: impl IntoIterator<Item = i64>) -> History {
    let item_ids: Vec<i64> = items.into_iter().collect();
    let action_types = item_ids.iter().map(|item| 1 + u8::try_from(item.rem_euclid(3)).unwrap()).collect();
    let newest_us = item_ids.first().copied();
    History { item_ids, action_types, newest_us, ..History::default() }
}

fn any_compression() -> impl Strategy<Value = Compression> {
    prop_oneof![Just(Compression::Zstd), Just(Compression::Snappy), Just(Compression::Lz4), Just(Compression::None)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn every_length_comes_back_padded(
        max_history in prop_oneof![1..40_usize, Just(64), Just(200)],
        kinds in prop_oneof![Just(1_i64), Just(2), Just(9), Just(300), Just(i64::MAX)],
        drafts in proptest::collection::vec(
            proptest::collection::vec((proptest::collection::vec(any::<i64>(), 0..80), proptest::collection::vec(1..9_usize, 1..4)), 1..8),
            0..4,
        ),
        compression in any_compression(),
    ) {
        let groups: Vec<Vec<Draft>> = drafts
            .into_iter()
            .map(|group| group.into_iter().map(|(items, rows)| (history(items.into_iter().map(|item| item % kinds)), rows)).collect())
            .collect();
        let (read, _) = write_and_read(&settings(max_history, compression), &groups);
        prop_assert_eq!(read, expected(max_history, &groups));
    }
}

#[test]
fn rows_of_a_thousand_fill_many_pages_and_parts() {
    // Three parts; several pages of 1 MiB within a row group; indices of 13 and more bits.
    let mut item = 0_i64;
    let mut draft = |length: usize, rows: usize| {
        let items: Vec<i64> = (0..length)
            .map(|_| {
                item = (item * 7 + 13) % 9_973;
                item + 1_000_000_007
            })
            .collect();
        (history(items), vec![rows])
    };
    let groups: Vec<Vec<Draft>> =
        (0..4).map(|group| vec![draft(1_000, 90), draft(437 + group, 10), draft(0, 3), draft(1_200, 900)]).collect();
    let settings = settings(1_000, Compression::Zstd);
    let (read, encodings) = write_and_read(&settings, &groups);
    assert!(read == expected(1_000, &groups));
    assert!(encodings.iter().all(|encodings| encodings.contains(&Encoding::RLE_DICTIONARY)), "{encodings:?}");
}

#[test]
fn a_dictionary_that_does_not_pay_is_left_out() {
    // Every value occurs once: the dictionary would be as large as the column, and the indices would be added.
    let groups =
        vec![(0..50).map(|customer| (history(customer * 8 + 1..customer * 8 + 9), vec![1])).collect::<Vec<_>>()];
    let (read, encodings) = write_and_read(&settings(8, Compression::Zstd), &groups);
    assert_eq!(read, expected(8, &groups));
    assert!(!encodings[0].contains(&Encoding::RLE_DICTIONARY), "items: {:?}", encodings[0]);
    assert!(encodings[1].contains(&Encoding::RLE_DICTIONARY), "types: {:?}", encodings[1]);
}

/// Ages in runs and times, in every width of a page: padded, cut, once for each row.
#[test]
fn extra_columns_come_back_padded() {
    use crate::model::ExtraColumn;
    use arrow::datatypes::TimestampMicrosecondType;
    let folder = tempfile::tempdir().unwrap();
    let with = ExtraColumn::ALL.into_iter().collect();
    let settings =
        RowSettings { columns: RowColumns { with, ..RowColumns::default() }, ..settings(1_000, Compression::Zstd) };
    let schema = RowSchema::new(&settings).unwrap();
    let mut writer = RowWriter::new(folder.path().to_owned(), &settings, &schema);
    let mut group = RowGroup::new(&schema, &settings).unwrap();
    let mut expected = Vec::new();
    for length in [0, 1, 7, 437, 1_000, 3] {
        let mut history = history((0..length).map(|place| 900 - place % 50));
        history.times_us = (0..length).map(|place| 1_700_000_000_000_000 - place * 1_234_567).collect();
        let mut ages = Vec::new();
        for place in 0..i32::try_from(length).unwrap() {
            history.push_day(Day::from_number(19_999 - place / 60).unwrap(), 1);
            ages.push(1 + place / 60);
        }
        ages.resize(1_000, 0);
        let mut times = history.times_us.clone();
        times.resize(1_000, 0);
        group.begin_customer(history.view()).unwrap();
        let elements = vec![Element { item_id: 5, label: 1 }; 40];
        group.add(&Impression { customer: CustomerId(1), ranking_id: None, elements }).unwrap();
        expected.extend(std::iter::repeat_n((i32::try_from(length).unwrap(), ages, times), 40));
    }
    writer.append(group.encode().unwrap()).unwrap();
    let parts = writer.finish().unwrap();
    let file = File::open(folder.path().join(&parts[0].name)).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    match builder.metadata().row_group(0).column(10).statistics().unwrap() {
        Statistics::Int64(found) => {
            assert_eq!((found.min_opt(), found.max_opt()), (Some(&0), Some(&1_700_000_000_000_000)));
        }
        other => panic!("{other:?}"),
    }
    let mut read = Vec::new();
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        let lengths = batch.column(8).as_primitive::<Int32Type>();
        let (ages, times) = (batch.column(9).as_list::<i32>(), batch.column(10).as_list::<i32>());
        for row in 0..batch.num_rows() {
            let ages = ages.value(row).as_primitive::<Int32Type>().values().to_vec();
            let times = times.value(row).as_primitive::<TimestampMicrosecondType>().values().to_vec();
            read.push((lengths.value(row), ages, times));
        }
    }
    assert!(read == expected);
}

#[test]
fn a_partition_without_rows_is_one_part_with_the_schema() {
    let (read, encodings) = write_and_read(&settings(3, Compression::Zstd), &[]);
    assert!(read.is_empty() && encodings.is_empty());
}
