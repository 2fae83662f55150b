//! Writes histories, one line for each customer, as an Arrow IPC stream, Parquet or JSON lines.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Metadata, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::LineDelimitedWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::ZstdLevel;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::error::{Error, Result};
use crate::model::{Action, CustomerId};
use crate::storage::StagedFile;

/// The column of customers as they were given.
pub(super) const TEXT: &str = "customer_text";

/// A batch is written after this many actions, or lines: 1.3 MB.
const BATCH_ACTIONS: usize = 65_536;

/// Likewise after so many bytes of texts.
const BATCH_TEXT_BYTES: usize = 1 << 20;

/// A row group of Parquet ends after this many actions: 20 MB decoded.
const ROW_GROUP_ACTIONS: usize = 1 << 20;

/// How many bytes are written at once.
const WRITE_BYTES: usize = 64 << 10;

/// The format of the histories.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HistoryFormat {
    /// The stream format of Arrow IPC.
    Arrow,
    /// One Parquet file, compressed with Zstandard.
    Parquet,
    /// One JSON object per line, with times as ISO 8601 in UTC.
    JsonLines,
}

/// The target of the histories.
pub enum HistoryTarget {
    /// A stream to a reader.
    Stream(Box<dyn Write + Send>),
    /// A file, which appears whole or not at all.
    File(PathBuf),
}

/// Writes histories in the order in which they arrive: columns `customer_id`, and the lists `actions` (items),
/// `action_types` and `action_times`, newest first and without padding; and on request `customer_text`, the text of the
/// customer.
///
/// Memory: a batch of 65,536 actions or 1 MiB of texts, and one history, twice; for Parquet also the encoded row group,
/// of a million actions and one batch.
pub(crate) struct HistoryWriter {
    format: Format,
    batch: Gathered,
    zone: &'static str,
    schema: SchemaRef,
    /// Number of actions in the open row group.
    group_actions: usize,
    path: PathBuf,
    staged: Option<StagedFile>,
    failure: Failure,
}

enum Format {
    Arrow(StreamWriter<Watched>),
    Parquet(Box<ArrowWriter<Watched>>),
    JsonLines(LineDelimitedWriter<Watched>),
}

impl HistoryWriter {
    /// A writer to `target`; `metadata` are the names and values for the metadata of Arrow and Parquet.
    pub(crate) fn new(
        target: HistoryTarget,
        format: HistoryFormat,
        has_texts: bool,
        metadata: Vec<(String, String)>,
    ) -> Result<Self> {
        let (inner, path, staged): (Box<dyn Write + Send>, _, _) = match target {
            HistoryTarget::Stream(inner) => (inner, PathBuf::from("stdout"), None),
            HistoryTarget::File(path) => {
                let staged = StagedFile::create(&path, format.own_file())?;
                (Box::new(staged.file()?), path, Some(staged))
            }
        };
        let failure = Failure::default();
        let out = Watched { inner: BufWriter::with_capacity(WRITE_BYTES, inner), failure: Arc::clone(&failure) };
        // The same instants; Arrow's JSON writer knows no zones by name.
        let zone = if format == HistoryFormat::JsonLines { "+00:00" } else { "UTC" };
        let schema = schema(zone, has_texts);
        let format = match format {
            HistoryFormat::Arrow => {
                let metadata =
                    Schema::new_with_metadata(schema.fields().clone(), metadata.into_iter().collect::<Metadata>());
                StreamWriter::try_new(out, &metadata).map(Format::Arrow)
            }
            HistoryFormat::Parquet => {
                let pairs = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value));
                let properties = WriterProperties::builder()
                    .set_compression(parquet::basic::Compression::ZSTD(ZstdLevel::default()))
                    .set_key_value_metadata(Some(pairs.collect()));
                let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties.build()));
                writer.map(|writer| Format::Parquet(Box::new(writer))).map_err(ArrowError::from)
            }
            HistoryFormat::JsonLines => Ok(Format::JsonLines(LineDelimitedWriter::new(out))),
        };
        let format = format.map_err(|error| Error::io("write", &path, io::Error::other(error)))?;
        Ok(HistoryWriter { format, batch: Gathered::new(), zone, schema, group_actions: 0, path, staged, failure })
    }

    /// Writes one history, newest first; returns `false` if the reader has gone, so that the caller can stop.
    pub(crate) fn push(&mut self, customer: CustomerId, text: Option<&str>, actions: &[Action]) -> Result<bool> {
        self.batch.push(customer, text, actions);
        let Gathered { items, customers, texts, .. } = &self.batch;
        let texts_bytes = texts.values_slice().len();
        if items.len() < BATCH_ACTIONS && customers.len() < BATCH_ACTIONS && texts_bytes < BATCH_TEXT_BYTES {
            return Ok(true);
        }
        let written = self.write_batch();
        self.unless_gone(written)
    }

    /// Writes the rest, and moves a file into place; returns `false` if the reader has gone.
    pub(crate) fn finish(mut self) -> Result<bool> {
        let mut written = self.write_batch();
        if written.is_ok() {
            written = match &mut self.format {
                Format::Arrow(writer) => writer.finish().and_then(|()| Ok(writer.get_mut().flush()?)),
                Format::Parquet(writer) => {
                    writer.finish().map_err(ArrowError::from).and_then(|_| Ok(writer.inner_mut().flush()?))
                }
                Format::JsonLines(writer) => writer.finish().and_then(|()| Ok(writer.get_mut().flush()?)),
            };
        }
        let is_read = self.unless_gone(written)?;
        if let Some(staged) = self.staged.take() {
            staged.publish()?;
        }
        Ok(is_read)
    }

    fn unless_gone(&self, written: Result<(), ArrowError>) -> Result<bool> {
        match written {
            Ok(()) => Ok(true),
            Err(error) => match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(failure) if failure.kind() == io::ErrorKind::BrokenPipe => Ok(false),
                Some(failure) => Err(Error::io("write", &self.path, failure)),
                None => Err(Error::io("write", &self.path, io::Error::other(error))),
            },
        }
    }

    fn write_batch(&mut self) -> Result<(), ArrowError> {
        let gathered = std::mem::replace(&mut self.batch, Gathered::new());
        if gathered.customers.is_empty() {
            return Ok(());
        }
        self.group_actions += gathered.items.len();
        let batch = gathered.batch(&self.schema, self.zone)?;
        match &mut self.format {
            Format::Arrow(writer) => writer.write(&batch),
            Format::JsonLines(writer) => writer.write(&batch),
            Format::Parquet(writer) => {
                writer.write(&batch)?;
                if self.group_actions >= ROW_GROUP_ACTIONS {
                    self.group_actions = 0;
                    writer.flush()?;
                }
                Ok(())
            }
        }
    }
}

/// The columns of the gathered histories.
struct Gathered {
    customers: Vec<i64>,
    lengths: Vec<usize>,
    items: Vec<i64>,
    types: Vec<i32>,
    times: Vec<i64>,
    texts: StringBuilder,
}

impl Gathered {
    fn new() -> Self {
        let (lengths, texts) = (Vec::new(), StringBuilder::new());
        Gathered { customers: Vec::new(), lengths, items: Vec::new(), types: Vec::new(), times: Vec::new(), texts }
    }

    fn push(&mut self, customer: CustomerId, text: Option<&str>, actions: &[Action]) {
        self.texts.append_option(text);
        self.customers.push(customer.0);
        self.lengths.push(actions.len());
        self.items.extend(actions.iter().map(|action| action.item_id));
        self.types.extend(actions.iter().map(|action| i32::from(action.action_type.number())));
        self.times.extend(actions.iter().map(|action| action.time_us));
    }

    fn batch(mut self, schema: &SchemaRef, zone: &'static str) -> Result<RecordBatch, ArrowError> {
        let offsets = OffsetBuffer::<i32>::from_lengths(self.lengths);
        let times = TimestampMicrosecondArray::from(self.times).with_timezone(zone);
        let values: [ArrayRef; 3] =
            [Arc::new(Int64Array::from(self.items)), Arc::new(Int32Array::from(self.types)), Arc::new(times)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(self.customers))];
        for values in values {
            let element = Arc::new(element(values.data_type().clone()));
            columns.push(Arc::new(ListArray::try_new(element, offsets.clone(), values, None)?));
        }
        if schema.index_of(TEXT).is_ok() {
            columns.push(Arc::new(self.texts.finish()));
        }
        RecordBatch::try_new(Arc::clone(schema), columns)
    }
}

fn element(data_type: DataType) -> Field {
    Field::new("element", data_type, false)
}

fn schema(zone: &'static str, has_texts: bool) -> SchemaRef {
    let list = |name: &str, data_type| Field::new(name, DataType::List(Arc::new(element(data_type))), false);
    let mut fields = vec![
        Field::new("customer_id", DataType::Int64, false),
        list("actions", DataType::Int64),
        list("action_types", DataType::Int32),
        list("action_times", DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()))),
    ];
    if has_texts {
        fields.push(Field::new(TEXT, DataType::Utf8, true));
    }
    Arc::new(Schema::new(fields))
}

/// Keeps the error when writing fails: the writers on top keep only its text.
struct Watched {
    inner: BufWriter<Box<dyn Write + Send>>,
    failure: Failure,
}

/// The last failure of a [`Watched`].
type Failure = Arc<Mutex<Option<io::Error>>>;

impl Watched {
    fn seen<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            let copy = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        }
        result
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.seen(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.seen(flushed)
    }
}
