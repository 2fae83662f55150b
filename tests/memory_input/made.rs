//! Random rows in the types that files may have too, and the same rows in other orders, batches and encodings.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, FixedSizeListArray, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, TimeUnit};

use super::batch;
use crate::support::input::{RawList, impression_lists, us};
use crate::support::random::Random;

/// The types of times that are tried.
pub const TIMES: usize = 12;

fn pick<'a, T>(random: &mut Random, values: &'a [T]) -> &'a T {
    &values[usize::try_from(random.below(values.len() as u64)).unwrap()]
}

/// Times in a column of the type of this number. All are whole seconds; `None` is null.
fn times(number: usize, seconds: &[Option<i64>]) -> ArrayRef {
    let micros: TimestampMicrosecondArray = seconds.iter().map(|second| second.map(|s| s * 1_000_000)).collect();
    let to = |unit, zone: Option<&str>| {
        cast(&micros, &DataType::Timestamp(unit, None))
            .and_then(|wall| cast(&cast(&wall, &DataType::Int64)?, &DataType::Timestamp(unit, zone.map(Into::into))))
            .unwrap()
    };
    let text = |format: &str| -> ArrayRef {
        let text = |second: &Option<i64>| {
            second.map(|second| chrono::DateTime::from_timestamp(second, 0).unwrap().format(format).to_string())
        };
        Arc::new(seconds.iter().map(text).collect::<StringArray>())
    };
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match number {
        0 => to(Second, None),
        1 => to(Millisecond, None),
        2 => to(Microsecond, None),
        3 => to(Nanosecond, None),
        4 => to(Second, Some("UTC")),
        5 => to(Millisecond, Some("UTC")),
        6 => to(Microsecond, Some("+05:00")),
        7 => to(Nanosecond, Some("UTC")),
        8 => Arc::new(
            seconds
                .iter()
                .map(|second| second.map(|second| i32::try_from(second.div_euclid(86_400)).unwrap()))
                .collect::<Date32Array>(),
        ),
        9 => text("%Y-%m-%dT%H:%M:%SZ"),
        10 => text("%Y-%m-%d %H:%M:%S"),
        11 => Arc::new(seconds.iter().map(|second| second.map(|second| second * 1_000)).collect::<Int64Array>()),
        _ => panic!("there is no type of times {number}"),
    }
}

/// The actions of a source: ties, duplicates, late and early ones; and, of a hundred, some bad rows.
pub fn actions(random: &mut Random, item: &str, time: &str, type_of_times: usize) -> RecordBatch {
    let begin = us("2026-01-02T00:00:00Z") / 1_000_000;
    let (mut customers, mut items, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..300 {
        let bad = random.below(60);
        let day = pick(random, &[0, 0, 0, 0, -1, -30, 1]);
        let second = begin + day * 86_400 + i64::try_from(random.below(40)).unwrap() * 2_000;
        customers.push((bad != 0).then_some(i64::try_from(random.below(25)).unwrap() - 3));
        items.push(if bad == 1 { Some(0) } else { (bad != 2).then_some(i64::try_from(random.below(6)).unwrap() + 1) });
        seconds.push(match bad {
            3 => None,
            4 => Some(-86_400),
            _ => Some(second),
        });
    }
    let ids = |values: Vec<Option<i64>>, random: &mut Random| -> ArrayRef {
        let values = Int64Array::from(values);
        let types = [DataType::Int64, DataType::Int32, DataType::Int16];
        cast(&values, pick(random, &types)).unwrap()
    };
    let unread: ArrayRef = Arc::new(StringArray::from_iter_values((0..300).map(|row| format!("unread {row}"))));
    let customers = ids(customers, random);
    let items = ids(items, random);
    batch(&[("unread", unread), (time, times(type_of_times, &seconds)), (item, items), ("customer_id", customers)])
}

/// Impressions: null and empty lists, null labels, null ranking ids, duplicates; and some bad rows.
pub fn impressions(random: &mut Random) -> RecordBatch {
    let lists: [RawList; 6] = [
        Some(vec![(4, Some(true)), (5, Some(false)), (4, None)]),
        Some(vec![(5, None)]),
        Some(vec![(6, Some(true)), (1, Some(false))]),
        Some(Vec::new()),
        None,
        Some(vec![(3, Some(true)), (2, Some(true))]),
    ];
    let mut rows: Vec<(Option<&str>, Option<i64>, RawList)> = Vec::new();
    for _ in 0..150 {
        let name = *pick(random, &[None, Some(""), Some("a"), Some("é😀"), Some("a somewhat longer name")]);
        let customer = (random.below(40) != 0).then_some(i64::try_from(random.below(25)).unwrap() - 3);
        let bad: RawList = Some(vec![(0, Some(true))]);
        let list = if random.below(40) == 0 { bad } else { pick(random, &lists).clone() };
        rows.push((name, customer, list));
    }
    let names: StringArray = rows.iter().map(|(name, ..)| *name).collect();
    let customers: Int64Array = rows.iter().map(|(_, customer, _)| *customer).collect();
    let lists: Vec<RawList> = rows.into_iter().map(|(.., list)| list).collect();
    batch(&[
        ("ranking_id", Arc::new(names)),
        ("impressions", impression_lists(&lists)),
        ("customer_id", Arc::new(customers)),
    ])
}

/// The same rows in another order, or the same, in batches of any size.
pub fn cut(random: &mut Random, rows: &RecordBatch, is_shuffled: bool) -> Vec<RecordBatch> {
    let mut places: Vec<u32> = (0..u32::try_from(rows.num_rows()).unwrap()).collect();
    if is_shuffled {
        random.shuffle(&mut places);
    }
    let rows = take_record_batch(rows, &UInt32Array::from(places)).unwrap();
    let (mut batches, mut begin) = (vec![rows.slice(0, 0)], 0);
    while begin < rows.num_rows() {
        let most = *pick(random, &[1, 7, 400]);
        let count = usize::try_from(random.below(most) + 1).unwrap().min(rows.num_rows() - begin);
        batches.push(rows.slice(begin, count));
        begin += count;
    }
    assert_eq!(concat_batches(&rows.schema(), &batches).unwrap(), rows);
    batches
}

/// The same rows in another of Arrow's encodings, and with columns in another order.
pub fn encoded(random: &mut Random, batches: &[RecordBatch]) -> Vec<RecordBatch> {
    let text = [
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8)),
        DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8)),
    ];
    let text = pick(random, &text).clone();
    let list = random.below(3);
    let is_dictionary = random.below(2) == 0;
    let other = |column: &ArrayRef| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8 => cast(column, &text).unwrap(),
            DataType::List(element) => {
                let to = match list {
                    0 => DataType::LargeList(Arc::clone(element)),
                    1 => DataType::ListView(Arc::clone(element)),
                    _ => DataType::LargeListView(Arc::clone(element)),
                };
                cast(column, &to).unwrap()
            }
            DataType::Int64 if is_dictionary => {
                cast(column, &DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Int64))).unwrap()
            }
            DataType::Timestamp(unit, Some(_)) => {
                cast(column, &DataType::Timestamp(*unit, Some("Europe/Berlin".into()))).unwrap()
            }
            _ => Arc::clone(column),
        }
    };
    let recoded = batches.iter().map(|rows| {
        let schema = rows.schema();
        let columns = schema.fields().iter().zip(rows.columns()).rev();
        batch(&columns.map(|(field, column)| (field.name().as_str(), other(column))).collect::<Vec<_>>())
    });
    recoded.collect()
}

/// Lists of one length as fixed-size lists.
pub fn fixed_size(lists: &ArrayRef, size: i32) -> ArrayRef {
    let lists: &ListArray = lists.as_list();
    let element = Field::new("x", lists.values().data_type().clone(), true);
    Arc::new(FixedSizeListArray::new(Arc::new(element), size, Arc::clone(lists.values()), None))
}
