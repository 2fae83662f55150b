//! Part files and manifests written anew with other content, as somebody might who has nothing to do with the program:
//! by the ordinary writer.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int32Builder, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringArray,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::output::{Row, metadata};

/// Writes rows in the place of a part's, with the metadata that it has but for what `change` changes.
pub fn write_rows(path: &Path, rows: &[Row], change: impl Fn(&str, String) -> String) {
    let pairs = metadata(path);
    let has_dt = pairs.get("with").is_some_and(|with| with.split(',').any(|name| name == "dt"));
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(key, value)| KeyValue::new(format!("lookback.{key}"), change(&key, value))).collect();
    let int64 = |cell: fn(&Row) -> i64| -> ArrayRef { Arc::new(rows.iter().map(cell).collect::<Int64Array>()) };
    let int32 = |cell: fn(&Row) -> i32| -> ArrayRef { Arc::new(rows.iter().map(cell).collect::<Int32Array>()) };
    let list = |kind| Field::new("element", kind, false);
    let mut actions = ListBuilder::new(Int64Builder::new()).with_field(list(DataType::Int64));
    let mut types = ListBuilder::new(Int32Builder::new()).with_field(list(DataType::Int32));
    for row in rows {
        actions.values().append_slice(&row.actions);
        actions.append(true);
        types.values().append_slice(&row.action_types);
        types.append(true);
    }
    let columns: [(&str, ArrayRef); 8] = [
        ("dt", Arc::new(rows.iter().map(|row| Some(row.dt.as_str())).collect::<StringArray>())),
        ("ranking_id", Arc::new(rows.iter().map(|row| row.ranking_id.as_deref()).collect::<StringArray>())),
        ("customer_id", int64(|row| row.customer_id)),
        ("impression_pos", int32(|row| row.impression_pos)),
        ("impression_item_id", int64(|row| row.impression_item_id)),
        ("label", int32(|row| row.label)),
        ("actions", Arc::new(actions.finish())),
        ("action_types", Arc::new(types.finish())),
    ];
    let mut columns = columns[usize::from(!has_dt)..].to_vec();
    if rows[0].history_length.is_some() {
        columns.push(("history_length", int32(|row| row.history_length.unwrap())));
    }
    if rows[0].action_ages.is_some() {
        let mut ages = ListBuilder::new(Int32Builder::new()).with_field(list(DataType::Int32));
        rows.iter().for_each(|row| ages.append_value(row.action_ages.iter().flatten().copied().map(Some)));
        columns.push(("action_ages", Arc::new(ages.finish())));
    }
    if rows[0].action_times.is_some() {
        let builder = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut times = ListBuilder::new(builder).with_field(list(time));
        rows.iter().for_each(|row| times.append_value(row.action_times.iter().flatten().copied().map(Some)));
        columns.push(("action_times", Arc::new(times.finish())));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Makes the manifest of a partition say of its part files what they are, with the right checksum.
pub fn seal(partition: &Path) {
    rewrite_manifest(&partition.join("_manifest.parquet"), |json| {
        let mut document: Value = serde_json::from_str(&json).unwrap();
        let mut all = 0;
        for part in document["parts"].as_array_mut().unwrap() {
            let path = partition.join(part["name"].as_str().unwrap());
            let bytes = std::fs::read(&path).unwrap();
            let read = ParquetMetaDataReader::new().parse_and_finish(&File::open(&path).unwrap()).unwrap();
            let rows = read.file_metadata().num_rows();
            part["bytes"] = bytes.len().into();
            part["rows"] = rows.into();
            part["xxh3_128"] = format!("{:032x}", xxh3_128(&bytes)).into();
            all += rows;
        }
        document["rows"] = all.into();
        document.as_object_mut().unwrap().remove("checksum");
        let json = document.to_string();
        let unsealed = json.strip_suffix('}').unwrap();
        format!("{unsealed},\"checksum\":\"{:032x}\"}}", xxh3_128(unsealed.as_bytes()))
    });
}

/// Writes a manifest in the place of a partition's, with what `change` makes of its document.
pub fn rewrite_manifest(path: &Path, change: impl Fn(String) -> String) {
    let read = ParquetMetaDataReader::new().parse_and_finish(&File::open(path).unwrap()).unwrap();
    let pairs = read.file_metadata().key_value_metadata().unwrap().iter().map(|pair| match pair.key.as_str() {
        "lookback.manifest" => KeyValue::new(pair.key.clone(), change(pair.value.clone().unwrap())),
        _ => pair.clone(),
    });
    let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs.collect())).build();
    let schema = read.file_metadata().schema_descr().root_schema_ptr();
    SerializedFileWriter::new(File::create(path).unwrap(), schema, properties.into()).unwrap().close().unwrap();
}
