//! Part `size`: bytes of the store beside one Parquet file of the same actions.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use lookback::error::{Error, Result};
use lookback::internals::store::RawStore;
use lookback::model::{Action, CustomerId};
use lookback::store::Store;
use lookback::text::count;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::actions::each_action;
use crate::input::Input;
use crate::stores::{Stores, copy};
use crate::table::Line;

/// Zstandard's own default, which warehouses write with.
const ZSTD_LEVEL: i32 = 3;

/// Rows given to the writer at once.
const BATCH_ROWS: usize = 65_536;

/// The store as an ingest leaves it, the same compacted into one run, and the Parquet file. No rounds: they would all
/// be the same.
///
/// Memory: 32 bytes for each action of the store.
pub fn measure(input: &Input, store: &Store, stores: &Stores) -> Result<Vec<Line>> {
    let actions: u64 = store.batches()?.iter().map(|(_, batch)| batch.actions).sum();
    let settled = store.disk_bytes()?;
    let compacted = compacted_bytes(stores)?;
    let parquet = parquet_bytes(input, stores.work(), actions)?;
    let line = |name, what: &str, bytes: u64| {
        Line::sized(name, format!("{what}: {} bytes, {} actions", count(bytes), count(actions)), bytes, actions)
    };
    let ratio = |bytes: u64| bytes as f64 / parquet.max(1) as f64;
    Ok(vec![
        line("size settled", "the store after settling", settled).with_fixed_ratio("store/parquet", ratio(settled)),
        line("size compacted", "a copy compacted whole", compacted).with_fixed_ratio("store/parquet", ratio(compacted)),
        line("size parquet", "one file, zstd 3, by customer and time", parquet),
    ])
}

fn compacted_bytes(stores: &Stores) -> Result<u64> {
    let folder = copy(&stores.full, &stores.work().join("compacted"))?;
    RawStore::open_writer(&folder)?.compact()?;
    let bytes = Store::open_reader(&folder)?.disk_bytes()?;
    fs::remove_dir_all(folder.path()).map_err(|error| Error::io("remove", folder.path(), error))?;
    Ok(bytes)
}

fn parquet_bytes(input: &Input, work: &Path, held: u64) -> Result<u64> {
    let mut actions = Vec::new();
    for batch in input.earlier.iter().chain([&input.newest]) {
        each_action(&input.root, *batch, |read| actions.push((read.customer, read.action)))?;
    }
    if actions.len() as u64 != held {
        return Err(Error::corrupt(format!("the store has {held} actions and the input {}", actions.len())));
    }
    actions.sort_unstable_by_key(|(customer, action)| (*customer, action.time_us, action.action_type, action.item_id));
    let path = work.join("actions.parquet");
    let write = || -> Result<(), ParquetError> {
        let codec = Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?);
        let properties = WriterProperties::builder().set_compression(codec).build();
        let mut writer = ArrowWriter::try_new(File::create(&path)?, batch_of(&[])?.schema(), Some(properties))?;
        for rows in actions.chunks(BATCH_ROWS) {
            writer.write(&batch_of(rows)?)?;
        }
        writer.close()?;
        Ok(())
    };
    write().map_err(|error| Error::io("write", &path, std::io::Error::other(error.to_string())))?;
    let metadata = fs::metadata(&path).map_err(|error| Error::io("read", &path, error))?;
    fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
    Ok(metadata.len())
}

fn batch_of(rows: &[(CustomerId, Action)]) -> Result<RecordBatch, ParquetError> {
    let customers: Int64Array = rows.iter().map(|(customer, _)| Some(customer.0)).collect();
    let items: Int64Array = rows.iter().map(|(_, action)| Some(action.item_id)).collect();
    let times: TimestampMicrosecondArray = rows.iter().map(|(_, action)| Some(action.time_us)).collect();
    let types: Int32Array = rows.iter().map(|(_, action)| Some(i32::from(action.action_type.number()))).collect();
    let columns: [(&str, ArrayRef, bool); 4] = [
        ("customer_id", Arc::new(customers), false),
        ("item_id", Arc::new(items), false),
        ("action_time", Arc::new(times.with_timezone("UTC")), false),
        ("action_type", Arc::new(types), false),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
