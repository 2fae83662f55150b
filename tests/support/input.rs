//! Days of input, written as Parquet in the layout of the contract.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use parquet::arrow::ArrowWriter;

use super::random::Random;

/// One action as a row of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RawAction {
    pub customer: i64,
    pub item: i64,
    pub time_us: i64,
    /// 1 click, 2 add to cart, 3 order.
    pub kind: u8,
}

/// One impression row; an element is (item, is_order).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RawImpression {
    pub ranking_id: Option<String>,
    pub customer: i64,
    pub elements: Vec<(i64, Option<bool>)>,
}

/// How rows are spread over files: the number of files, and the order of rows by this seed.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub files: usize,
    pub seed: u64,
}

pub const PLAIN: Spread = Spread { files: 1, seed: 0 };

/// (folder, item column, time column) of each kind of action.
const FOLDERS: [(&str, &str, &str); 3] = [
    ("clicks", "item_id", "click_time"),
    ("add_to_carts", "config_id", "occurred_at"),
    ("orders", "config_id", "occurred_at"),
];

/// How ids are written: a column of integers, or of something else that is made of them.
pub type IdColumn = fn(&[Option<i64>]) -> ArrayRef;

/// A column of ids as they are.
fn integers(ids: &[Option<i64>]) -> ArrayRef {
    Arc::new(ids.iter().copied().collect::<Int64Array>())
}

/// Puts a batch in the place of what was there. Without actions of a kind there is no folder for it.
pub fn write_batch(root: &Path, day: &str, actions: &[RawAction], spread: Spread) {
    write_batch_of(root, day, actions, spread, integers);
}

/// The same, with ids in such a column.
pub fn write_batch_of(root: &Path, day: &str, actions: &[RawAction], spread: Spread, ids: IdColumn) {
    for (index, (folder, item, time)) in FOLDERS.iter().enumerate() {
        let folder = day_folder(root, folder, day);
        let _ = fs::remove_dir_all(&folder);
        let mut rows: Vec<RawAction> =
            actions.iter().filter(|action| usize::from(action.kind) == index + 1).copied().collect();
        Random::new(spread.seed).shuffle(&mut rows);
        if rows.is_empty() {
            continue;
        }
        for (number, part) in rows.chunks(rows.len().div_ceil(spread.files)).enumerate() {
            // Files at different depths, as different writers leave them.
            let file =
                if number % 2 == 0 { format!("part-{number}.parquet") } else { format!("deep/er/{number}.parquet") };
            let column =
                |value: fn(&RawAction) -> i64| ids(&part.iter().map(|action| Some(value(action))).collect::<Vec<_>>());
            let times: TimestampMicrosecondArray = part.iter().map(|action| Some(action.time_us)).collect();
            let columns: [(&str, ArrayRef); 3] = [
                ("customer_id", column(|action| action.customer)),
                (item, column(|action| action.item)),
                (time, Arc::new(times.with_timezone("UTC"))),
            ];
            write_parquet(&folder.join(file), &columns);
        }
    }
}

/// Puts the impressions of a day in the place of what was there.
pub fn write_impressions(root: &Path, day: &str, impressions: &[RawImpression], spread: Spread) {
    write_impressions_of(root, day, impressions, spread, integers);
}

/// The same, with ids in such columns.
pub fn write_impressions_of(root: &Path, day: &str, impressions: &[RawImpression], spread: Spread, ids: IdColumn) {
    let folder = day_folder(root, "impressions", day);
    let _ = fs::remove_dir_all(&folder);
    let mut rows = impressions.to_vec();
    Random::new(spread.seed).shuffle(&mut rows);
    let parts: Vec<&[RawImpression]> =
        if rows.is_empty() { vec![&[]] } else { rows.chunks(rows.len().div_ceil(spread.files)).collect() };
    for (number, part) in parts.into_iter().enumerate() {
        let ranking_ids: StringArray = part.iter().map(|row| row.ranking_id.as_deref()).collect();
        let customers: Vec<Option<i64>> = part.iter().map(|row| Some(row.customer)).collect();
        let lists = part.iter().map(|row| Some(row.elements.clone())).collect::<Vec<_>>();
        let columns: [(&str, ArrayRef); 3] = [
            ("ranking_id", Arc::new(ranking_ids)),
            ("customer_id", ids(&customers)),
            ("impressions", impression_lists_of(&lists, ids)),
        ];
        write_parquet(&folder.join(format!("part-{number}.parquet")), &columns);
    }
}

/// A list of (item, is_order); `None` is null.
pub type RawList = Option<Vec<(i64, Option<bool>)>>;

/// The nested column; a list that is `None` is null, an item 0 is written as null.
pub fn impression_lists(lists: &[RawList]) -> ArrayRef {
    impression_lists_of(lists, integers)
}

fn impression_lists_of(lists: &[RawList], ids: IdColumn) -> ArrayRef {
    let elements: Vec<(i64, Option<bool>)> = lists.iter().flatten().flatten().copied().collect();
    let items = ids(&elements.iter().map(|(item, _)| (*item != 0).then_some(*item)).collect::<Vec<_>>());
    let orders: BooleanArray = elements.iter().map(|(_, order)| *order).collect();
    let fields = Fields::from(vec![
        Field::new("item_id", items.data_type().clone(), true),
        Field::new("is_order", DataType::Boolean, true),
    ]);
    let element = Field::new("element", DataType::Struct(fields.clone()), true);
    let values = StructArray::new(fields, vec![items, Arc::new(orders)], None);
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.as_ref().map_or(0, Vec::len)));
    let nulls = NullBuffer::from(lists.iter().map(Option::is_some).collect::<Vec<_>>());
    Arc::new(ListArray::new(Arc::new(element), offsets, Arc::new(values), Some(nulls)))
}

/// Writes one Parquet file and the folders above it.
pub fn write_parquet(path: &Path, columns: &[(&str, ArrayRef)]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.iter().map(|(name, column)| (*name, Arc::clone(column), true)),
    )
    .unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub fn day_folder(root: &Path, folder: &str, day: &str) -> PathBuf {
    root.join(folder).join(format!("dt={day}"))
}

/// Microseconds since 1970-01-01 UTC of a time such as `2026-01-02T03:04:05Z`.
pub fn us(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}
