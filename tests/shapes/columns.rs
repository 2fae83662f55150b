//! Sessions as columns of Arrow: structs and lists of structs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int32Array, Int64Array, LargeListArray, ListArray, StringArray, StructArray,
    TimestampMillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};

use super::{Event, Session};

/// A struct of these fields; null where `is_there` says so.
pub fn structs(fields: &[(&str, ArrayRef)], is_there: Option<Vec<bool>>) -> ArrayRef {
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = fields
        .iter()
        .map(|(name, column)| (Field::new(*name, column.data_type().clone(), true), Arc::clone(column)))
        .unzip();
    Arc::new(StructArray::new(Fields::from(fields), columns, is_there.map(NullBuffer::from)))
}

fn column<T>(events: &[Event], value: impl Fn(&Event) -> T) -> Vec<T> {
    events.iter().map(value).collect()
}

/// The fields of events, the item in a struct of its own, beside fields that nobody reads.
pub fn event_fields(events: &[Event]) -> Vec<(&'static str, ArrayRef)> {
    let aid: ArrayRef = Arc::new(Int32Array::from(column(events, |event| i32::try_from(event.0).unwrap())));
    let price: ArrayRef = Arc::new(StringArray::from(vec!["9.99"; events.len()]));
    let times = TimestampMillisecondArray::from(column(events, |event| event.1)).with_timezone("UTC");
    vec![
        ("price", Arc::clone(&price)),
        ("product", structs(&[("price", price), ("aid", Arc::clone(&aid))], None)),
        ("aid", aid),
        ("ts", Arc::new(times)),
        ("type", Arc::new(StringArray::from(column(events, |event| event.2)))),
    ]
}

/// A row for each event: `user.id`, `event.product.aid`, `event.ts`, `event.type`.
pub fn nested(sessions: &[Session]) -> Vec<(&'static str, ArrayRef)> {
    let events: Vec<Event> = sessions.iter().flat_map(|session| session.events.clone()).collect();
    let users = sessions.iter().flat_map(|session| session.events.iter().map(|_| session.user));
    let users: ArrayRef = Arc::new(users.collect::<Int64Array>());
    // Beside them a column whose name is what comes before the dot, and one that nobody reads.
    let others: ArrayRef = Arc::new(Int64Array::from(vec![99; events.len()]));
    vec![
        ("id", Arc::clone(&others)),
        ("user", structs(&[("name", others), ("id", users)], None)),
        ("event", structs(&event_fields(&events), None)),
    ]
}

/// A row for each session, and one without list, without elements and without any: `user`, `events`. Elements of a null
/// list, and of no list, are there too and count for nothing.
pub fn exploded(sessions: &[Session], is_large: bool) -> Vec<(&'static str, ArrayRef)> {
    let nothing = || Session { user: 3, events: vec![(77, 0, "clicks")] };
    let empty = || Session { user: 3, events: Vec::new() };
    let (before, after) = ([nothing(), empty()], [empty(), nothing()]);
    let all: Vec<&Session> = before.iter().chain(sessions).chain(&after).collect();
    let last = all.len() - 1;
    let events: Vec<Event> = all.iter().flat_map(|session| session.events.clone()).collect();
    let values = structs(&event_fields(&events), None);
    let users: ArrayRef = Arc::new(all.iter().map(|session| session.user).collect::<Int64Array>());
    let element = Arc::new(Field::new("element", values.data_type().clone(), true));
    let lengths = all.iter().map(|session| session.events.len());
    let nulls = Some(NullBuffer::from((0..=last).map(|row| row > 0 && row < last).collect::<Vec<_>>()));
    let lists: ArrayRef = if is_large {
        Arc::new(LargeListArray::new(element, OffsetBuffer::from_lengths(lengths), values, nulls))
    } else {
        Arc::new(ListArray::new(element, OffsetBuffer::from_lengths(lengths), values, nulls))
    };
    vec![("user", structs(&[("id", users)], None)), ("events", lists)]
}

/// The columns as record batches of few rows, sliced from one.
pub fn cut(columns: &[(&'static str, ArrayRef)], rows: usize) -> Vec<arrow::array::RecordBatch> {
    let columns = columns.iter().map(|(name, column)| (*name, Arc::clone(column), true));
    let batch = arrow::array::RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    (0..batch.num_rows()).step_by(rows).map(|begin| batch.slice(begin, rows.min(batch.num_rows() - begin))).collect()
}

/// The names of all types in a schema that are lists or structs, to see that a file has what it should have.
pub fn is_nested(columns: &[(&'static str, ArrayRef)]) -> bool {
    columns.iter().any(|(_, column)| {
        matches!(column.data_type(), DataType::Struct(_) | DataType::List(_) | DataType::LargeList(_))
    })
}
