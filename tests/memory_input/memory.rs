//! How much memory it takes to put rows aside, whatever comes; and that nothing is left of them.

use std::sync::Arc;

use allocation_counter::measure;
use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use lookback::input::MemoryInput;
use lookback::resources::Resources;
use lookback::sources::Sources;

use super::{batch, ingest, lazy, options};
use crate::support::input::impression_lists;

/// Some rows of clicks.
fn clicks(begin: i64, rows: i64) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values((begin..begin + rows).map(|row| row % 5_000 + 1)));
    let times = (0..rows).map(|row| 1_767_323_045_000_000 + row);
    let times = arrow::array::TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    batch(&[("customer_id", Arc::clone(&ids)), ("item_id", ids), ("click_time", Arc::new(times))])
}

/// With the least memory that the program takes.
fn limited(scratch: &std::path::Path) -> MemoryInput {
    let resources = Resources::default().with_memory(128 << 20).with_threads(2).with_scratch_folder(scratch);
    MemoryInput::new(&Sources::default(), &resources)
}

/// Of the allocator, beyond what the reader holds: the bytes that a slice takes, a few times.
const BOUND: u64 = 16 << 20;

#[test]
fn rows_larger_than_the_bound_go_through() {
    let scratch = tempfile::tempdir().unwrap();
    let mut input = limited(scratch.path());
    let schema = clicks(0, 1).schema();
    let many = measure(|| {
        let batches = (0..200).map(|number| Ok(clicks(number * 10_000, 10_000)));
        input.add("clicks", lazy(schema, batches)).unwrap();
    });
    assert!(many.bytes_max < BOUND, "200 batches of 240 kB: {}", many.bytes_max);
    let orders = {
        let (rows, names) = (clicks(0, 2_000_000), ["customer_id", "config_id", "occurred_at"]);
        batch(&names.into_iter().zip(rows.columns().iter().cloned()).collect::<Vec<_>>())
    };
    let schema = orders.schema();
    let one = measure(|| input.add("orders", lazy(schema, std::iter::once(Ok(orders)))).unwrap());
    assert!(one.bytes_max < BOUND, "one batch of 48 MB: {}", one.bytes_max);
    let at = tempfile::tempdir().unwrap();
    let summary = ingest(&at.path().join("store"), &options(input)).unwrap();
    assert_eq!((summary.clicks, summary.orders), (Some(2_000_000), Some(2_000_000)));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "no file has a name");
}

#[test]
fn long_texts_of_a_dictionary_are_unpacked_a_few_at_a_time() {
    let scratch = tempfile::tempdir().unwrap();
    let mut input = limited(scratch.path());
    let names = StringArray::from(vec!["x".repeat(100_000)]);
    let names: DictionaryArray<_> = DictionaryArray::new(Int32Array::from(vec![0; 1_000]), Arc::new(names));
    let lists = impression_lists(&vec![Some(vec![(1, None)]); 1_000]);
    let customers: ArrayRef = Arc::new(Int64Array::from(vec![1; 1_000]));
    let rows = batch(&[("ranking_id", Arc::new(names)), ("customer_id", customers), ("impressions", lists)]);
    let schema = rows.schema();
    let taken = measure(|| input.add_impressions(lazy(schema, std::iter::once(Ok(rows)))).unwrap());
    assert!(taken.bytes_max < BOUND, "100 MB of text: {}", taken.bytes_max);
}
