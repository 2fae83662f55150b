//! Produced partitions, read back row by row.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// One training row, cell by cell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// What the column `dt` says; where there is none, the day in the folder's name, as readers of the output have it.
    pub dt: String,
    pub ranking_id: Option<String>,
    pub customer_id: i64,
    pub impression_pos: i32,
    pub impression_item_id: i64,
    pub label: i32,
    pub actions: Vec<i64>,
    pub action_types: Vec<i32>,
    /// The columns that rows have only where they were asked for.
    pub history_length: Option<i32>,
    pub action_ages: Option<Vec<i32>>,
    pub action_times: Option<Vec<i64>>,
}

/// All rows of a partition, part after part; integers of any width.
pub fn read_partition(out: &Path, day: &str) -> Vec<Row> {
    let folder = out.join(format!("dt={day}"));
    assert!(folder.join("_SUCCESS").is_file(), "no _SUCCESS in {}", folder.display());
    let mut rows = Vec::new();
    for number in 0.. {
        let path = folder.join(format!("part-{number:05}.parquet"));
        if !path.exists() {
            break;
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap().build().unwrap();
        for batch in reader {
            let batch = batch.unwrap();
            let column = |name: &str| batch.column_by_name(name).unwrap();
            let int64 = |name: &str| cast(column(name), &DataType::Int64).unwrap().as_primitive::<Int64Type>().clone();
            let int32 = |name: &str| column(name).as_primitive::<Int32Type>().clone();
            let lists = |name: &str| batch.column_by_name(name).map(|column| column.as_list::<i32>().clone());
            let list = |lists: &ListArray, row: usize| -> Vec<i64> {
                let elements = cast(&lists.value(row), &DataType::Int64).unwrap();
                assert_eq!(elements.null_count(), 0);
                elements.as_primitive::<Int64Type>().values().to_vec()
            };
            let small = |list: Vec<i64>| list.into_iter().map(|number| i32::try_from(number).unwrap()).collect();
            let text = |name: &str| cast(column(name), &DataType::Utf8).unwrap().as_string::<i32>().clone();
            let dt = batch.column_by_name("dt").map(|_| text("dt"));
            let ranking = text("ranking_id");
            let (actions, types) = (lists("actions").unwrap(), lists("action_types").unwrap());
            let (ages, times) = (lists("action_ages"), lists("action_times"));
            let lengths = batch.column_by_name("history_length").map(|_| int32("history_length"));
            for row in 0..batch.num_rows() {
                rows.push(Row {
                    dt: dt.as_ref().map_or(day, |dt| dt.value(row)).to_owned(),
                    ranking_id: ranking.is_valid(row).then(|| ranking.value(row).to_owned()),
                    customer_id: int64("customer_id").value(row),
                    impression_pos: int32("impression_pos").value(row),
                    impression_item_id: int64("impression_item_id").value(row),
                    label: int32("label").value(row),
                    actions: list(&actions, row),
                    action_types: small(list(&types, row)),
                    history_length: lengths.as_ref().map(|lengths| lengths.value(row)),
                    action_ages: ages.as_ref().map(|ages| small(list(ages, row))),
                    action_times: times.as_ref().map(|times| list(times, row)),
                });
            }
        }
    }
    rows
}

/// The key-value metadata of a part that lookback writes.
pub fn metadata(path: &Path) -> BTreeMap<String, String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let pairs = builder.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let ours = pairs.into_iter().filter_map(|pair| Some((pair.key.strip_prefix("lookback.")?.to_owned(), pair.value?)));
    ours.collect()
}

/// Every file below a folder with its bytes, by its path below it.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        let Ok(entries) = fs::read_dir(&current) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Keys and values.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// All keys and values of a store.
pub fn dump(store: &Path) -> Entries {
    let store = lookback::internals::store::RawStore::open_reader(&lookback::store::Folder::new(store)).unwrap();
    store.entries(&[]).map(|entry| entry.unwrap()).map(|(key, value)| (key.into_vec(), value.into_vec())).collect()
}
