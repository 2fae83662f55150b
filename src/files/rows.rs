//! Writing training rows.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, Int32Builder, Int64Builder, ListArray, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::publish::sync;
use crate::error::{Error, Result};
use crate::history::Padded;
use crate::model::{Day, Impression};

/// Rows of a row group: with 1,000 actions a row, 120 MB decoded, which is what a training reader takes at once.
const ROW_GROUP_ROWS: usize = 10_000;

/// Rows of a part file; its last impression may carry it over. A hundred row groups.
const PART_ROWS: usize = 1_000_000;

/// Actions handed to the writer at once, padding included: 12 MB of arrays, whatever the length of a history.
const GATHERED_ACTIONS: usize = 1_000_000;

/// Rows handed to the writer at once where histories are short.
const GATHERED_ROWS_MAX: usize = 10_000;

/// How the pages of the output are compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Compression {
    /// Zstandard, level 1.
    Zstd,
    /// Snappy.
    Snappy,
    /// LZ4, in the raw form that all readers share.
    Lz4,
    /// Not at all.
    None,
}

impl Compression {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Zstd => "zstd",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::None => "none",
        }
    }

    fn codec(self) -> Codec {
        match self {
            Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
            Compression::Snappy => Codec::SNAPPY,
            Compression::Lz4 => Codec::LZ4_RAW,
            Compression::None => Codec::UNCOMPRESSED,
        }
    }
}

/// What each part file says of itself. Nothing here tells how or when the store was filled.
#[derive(Clone, Debug)]
pub struct RowSettings {
    /// The day of the rows.
    pub dt: Day,
    /// Every action in the rows is earlier: ISO 8601.
    pub cut_off: String,
    /// The zone of the days.
    pub time_zone: String,
    /// Length of the padded arrays.
    pub max_history: usize,
    /// How many days back actions may lie; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// The newest batch that was used; `None` if there was none.
    pub newest_batch: Option<Day>,
    /// How pages are compressed.
    pub compression: Compression,
}

impl RowSettings {
    /// Names and values for the key-value metadata of a Parquet file.
    pub fn key_values(&self) -> Vec<(String, String)> {
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("dt", self.dt.to_string()),
            ("cut_off", self.cut_off.clone()),
            ("time_zone", self.time_zone.clone()),
            ("max_history", self.max_history.to_string()),
            ("lookback_days", or_none(self.lookback_days.map(|days| days.to_string()))),
            ("newest_batch", or_none(self.newest_batch.map(|day| day.to_string()))),
        ]
        .map(|(name, value)| (format!("lookback.{name}"), value))
        .into()
    }
}

/// Writes training rows to part files of a folder, in the order in which they come.
///
/// Memory: padded rows of a million actions, and the encoded pages of one row group (10,000 rows); 12 MB and typically less than 40 MB with 1,000 actions
/// a row.
pub struct RowWriter {
    folder: PathBuf,
    settings: RowSettings,
    schema: SchemaRef,
    part: Option<(PathBuf, ArrowWriter<File>)>,
    parts: usize,
    part_rows: usize,
    rows: u64,
    gathered: Gathered,
}

impl RowWriter {
    /// A writer into `folder`, which must exist and be empty.
    pub fn new(folder: PathBuf, settings: RowSettings) -> Self {
        let gathered = Gathered::new(settings.max_history);
        RowWriter { folder, settings, schema: schema(), part: None, parts: 0, part_rows: 0, rows: 0, gathered }
    }

    /// Writes the rows of one impression, one for each element. `history` must be padded to `max_history` entries.
    pub fn write(&mut self, impression: &Impression, history: &Padded) -> Result<()> {
        if self.part_rows > 0 && self.part_rows + impression.elements.len() > PART_ROWS {
            self.close_part()?;
        }
        for position in 0..impression.elements.len() {
            self.gathered.add(impression, position, history);
            self.part_rows += 1;
            if self.gathered.is_full() {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Completes the last part and fsyncs it. Without any row there is one part, with the schema alone. Gives the numbers of rows and parts.
    pub fn finish(mut self) -> Result<(u64, usize)> {
        if self.part_rows > 0 || self.parts == 0 {
            self.close_part()?;
        }
        Ok((self.rows, self.parts))
    }

    fn flush(&mut self) -> Result<()> {
        let rows = self.gathered.rows();
        let batch = self.gathered.take(&self.schema, self.settings.dt);
        let (path, writer) = self.open_part()?;
        let written = batch
            .map_err(|error| error.to_string())
            .and_then(|batch| writer.write(&batch).map_err(|error| error.to_string()));
        written.map_err(|error| failed(path, error))?;
        self.rows += rows as u64;
        Ok(())
    }

    fn open_part(&mut self) -> Result<&mut (PathBuf, ArrowWriter<File>)> {
        if self.part.is_none() {
            let path = self.folder.join(format!("part-{:05}.parquet", self.parts));
            let file = File::create(&path).map_err(|error| Error::io("create", &path, &error))?;
            let pairs = self.settings.key_values().into_iter().map(|(key, value)| KeyValue::new(key, value));
            let properties = WriterProperties::builder()
                .set_compression(self.settings.compression.codec())
                .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
                .set_key_value_metadata(Some(pairs.collect()))
                .build();
            let writer = ArrowWriter::try_new(file, Arc::clone(&self.schema), Some(properties));
            let writer = writer.map_err(|error| failed(&path, error.to_string()))?;
            self.parts += 1;
            self.part = Some((path, writer));
        }
        self.part.as_mut().ok_or_else(|| failed(&self.folder, "no part is open".to_owned()))
    }

    fn close_part(&mut self) -> Result<()> {
        self.flush()?;
        self.part_rows = 0;
        match self.part.take() {
            Some((path, writer)) => {
                writer.close().map_err(|error| failed(&path, error.to_string()))?;
                sync(&path)
            }
            None => Ok(()),
        }
    }
}

fn failed(path: &Path, error: String) -> Error {
    Error::io("write", path, &std::io::Error::other(error))
}

/// The columns of the output. Source: SPEC, "Output".
fn schema() -> SchemaRef {
    let list = |item| DataType::List(Arc::new(Field::new("element", item, false)));
    Arc::new(Schema::new(vec![
        // In Parquet a string. The hint makes pyarrow and pandas give it the type that they give to the `dt=` of the folder's name;
        // with two types for one column they refuse to read the folder above.
        Field::new("dt", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), false),
        Field::new("ranking_id", DataType::Utf8, true),
        Field::new("customer_id", DataType::Int64, false),
        Field::new("impression_pos", DataType::Int32, false),
        Field::new("impression_item_id", DataType::Int64, false),
        Field::new("label", DataType::Int32, false),
        Field::new("actions", list(DataType::Int64), false),
        Field::new("action_types", list(DataType::Int32), false),
    ]))
}

/// Rows on their way to the writer, column by column.
struct Gathered {
    max_history: usize,
    ranking_ids: StringBuilder,
    customers: Int64Builder,
    positions: Int32Builder,
    items: Int64Builder,
    labels: Int32Builder,
    actions: Int64Builder,
    action_types: Int32Builder,
}

impl Gathered {
    fn new(max_history: usize) -> Self {
        Gathered {
            max_history,
            ranking_ids: StringBuilder::new(),
            customers: Int64Builder::new(),
            positions: Int32Builder::new(),
            items: Int64Builder::new(),
            labels: Int32Builder::new(),
            actions: Int64Builder::new(),
            action_types: Int32Builder::new(),
        }
    }

    fn rows(&self) -> usize {
        use arrow::array::ArrayBuilder;
        self.customers.len()
    }

    fn is_full(&self) -> bool {
        let rows = self.rows();
        rows >= GATHERED_ROWS_MAX || rows * self.max_history >= GATHERED_ACTIONS
    }

    fn add(&mut self, impression: &Impression, position: usize, history: &Padded) {
        let Some(element) = impression.elements.get(position) else { return };
        self.ranking_ids.append_option(impression.ranking_id.as_deref());
        self.customers.append_value(impression.customer.0);
        self.positions.append_value(i32::try_from(position).unwrap_or(i32::MAX));
        self.items.append_value(element.item_id);
        self.labels.append_value(element.label);
        self.actions.append_slice(&history.item_ids);
        self.action_types.append_slice(&history.action_types);
    }

    fn take(&mut self, schema: &SchemaRef, dt: Day) -> Result<RecordBatch, arrow::error::ArrowError> {
        let rows = self.rows();
        let dt = StringArray::from(vec![dt.to_string()]);
        let dt = DictionaryArray::<Int32Type>::try_new(Int32Array::from(vec![0; rows]), Arc::new(dt))?;
        let list = |name: &str, values: ArrayRef| -> Result<ArrayRef, arrow::error::ArrowError> {
            let DataType::List(field) = schema.field_with_name(name)?.data_type() else {
                return Err(arrow::error::ArrowError::SchemaError(format!("{name} is no list")));
            };
            let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(self.max_history, rows));
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, None)?))
        };
        let actions = list("actions", Arc::new(self.actions.finish()))?;
        let action_types = list("action_types", Arc::new(self.action_types.finish()))?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(dt),
            Arc::new(self.ranking_ids.finish()),
            Arc::new(self.customers.finish()),
            Arc::new(self.positions.finish()),
            Arc::new(self.items.finish()),
            Arc::new(self.labels.finish()),
            actions,
            action_types,
        ];
        RecordBatch::try_new(Arc::clone(schema), columns)
    }
}
