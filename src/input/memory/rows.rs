//! The rows of one source that was given in memory, put aside so that they can be read like a file.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;

use super::plain::{plain_column, plain_exploded, plain_field};
use super::row_hash::RowHash;
use super::stream::{StreamBatches, StreamSpool};
use crate::error::{Cause, Error, Result};
use crate::exact::Held;
use crate::input::parquet::guard::guard;
use crate::input::shape::{self, Shape};
use crate::input::slices::rows_at_once;
use crate::input::subject::Subject;
use crate::input::wanted::Wanted;
use crate::resources::{Resources, Spool};
use crate::storage::Fingerprint;

/// Bytes kept in memory; beyond them the rows are in a scratch file.
const SPOOL_BYTES: usize = 1 << 20;

/// The rows of a source, in plain types. Memory: 1 MiB.
#[derive(Debug)]
pub(in crate::input) struct MemoryRows {
    /// The name of the source.
    name: String,
    /// All columns that were given, also those that nobody reads.
    found: Schema,
    shape: Shape,
    /// The wanted columns, in the order in which they are wanted; of an exploded list, they are the fields.
    schema: SchemaRef,
    /// `None` before the rows are put aside.
    rows: Option<PutAside>,
}

struct PutAside {
    stream: Arc<Spool>,
    fingerprint: Fingerprint,
}

impl fmt::Debug for PutAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fingerprint.fmt(f)
    }
}

impl MemoryRows {
    /// Describes a source whose data has the schema `found`, still without rows. Fails if a column is missing, unless
    /// it is optional, or there twice.
    pub(in crate::input) fn new(
        name: &str,
        found: &Schema,
        wanted: &[Wanted<'_>],
        explode: Option<&str>,
    ) -> Result<Self> {
        let shape = Shape::of(Subject::Memory(name), found, wanted, explode)?;
        let flat = shape.flatten(&RecordBatch::new_empty(Arc::new(found.clone())));
        let flat = flat.held("a schema has the columns found in it")?.schema();
        let plain =
            flat.fields().iter().map(|field| match wanted.iter().find(|wanted| wanted.name() == field.name()) {
                Some(wanted) if explode != Some(field.name()) => plain_field(field, *wanted),
                _ => plain_exploded(field, wanted),
            });
        let schema = Arc::new(Schema::new(plain.collect::<Vec<_>>()));
        Ok(MemoryRows { name: name.to_owned(), found: found.clone(), shape, schema, rows: None })
    }

    /// Puts the rows aside; `rows_max` are kept together at most. Fails if the reader fails.
    ///
    /// Memory: a batch of the reader; and four times a slice of it, which takes at most a 64th of the limit, or is one
    /// row.
    pub(in crate::input) fn fill(
        &mut self,
        mut reader: Box<dyn RecordBatchReader + Send>,
        rows_max: usize,
        resources: &Resources,
    ) -> Result<()> {
        let schema = reader.schema();
        let named = schema.fields().iter().zip(0..).filter(|(field, _)| self.shape.has_root(field.name()));
        let places: Vec<usize> = named.map(|(_, place)| place).collect();
        let mut stream = StreamSpool::new(&self.schema, Spool::new(resources.scratch(), SPOOL_BYTES))?;
        let mut hash = RowHash::new(&self.schema).held("rows of plain types can be hashed")?;
        while let Some(batch) = self.guarded(|| reader.next().transpose())? {
            // First of all, what nobody reads is dropped.
            let batch = self.guarded(|| self.shape.flatten(&batch.project(&places)?))?;
            let rows = self.guarded(|| rows_at_once(&batch, rows_max, resources.line_bytes()))?;
            for begin in (0..batch.num_rows()).step_by(rows) {
                resources.check()?;
                let slice = batch.slice(begin, rows.min(batch.num_rows() - begin));
                let slice = self.guarded(|| self.plain(&slice))?;
                self.guarded(|| hash.add(&slice))?;
                stream.append(&slice)?;
            }
        }
        let fingerprint = hash.fingerprint(&self.schema);
        self.rows = Some(PutAside { stream: Arc::new(stream.finish()?), fingerprint });
        Ok(())
    }

    fn plain(&self, slice: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = slice.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| plain_column(column, field.data_type()));
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)
    }

    /// Runs a step on data of another library, in which an error or a panic shows that the data is broken.
    fn guarded<T>(&self, read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T> {
        match guard(read) {
            Ok(result) => result.map_err(|error| self.unreadable(error)),
            Err(panic) => Err(self.unreadable(panic)),
        }
    }

    fn unreadable(&self, cause: impl Into<Cause>) -> Error {
        let cause = cause.into();
        Error::input(
            format!("the record batches given as {} are broken: {cause}", self.name),
            "correct what makes the record batches, and give the data again",
        )
        .caused_by(cause)
    }

    /// What messages call the rows.
    pub(in crate::input) fn subject(&self) -> Subject<'_> {
        Subject::Memory(&self.name)
    }

    /// Returns the fingerprint of the rows: the same for any order, any batches and any encoding of them.
    pub(in crate::input) fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(self.rows.as_ref().held("rows in memory are put aside before they are read")?.fingerprint)
    }

    /// Whether there is a column of this name, or in elements of the list that is exploded.
    pub(in crate::input) fn has(&self, column: &str, explode: Option<&str>) -> bool {
        shape::has(&self.found, column, explode)
    }

    /// Returns all columns that were given, each with the name of its type.
    pub(in crate::input) fn columns(&self) -> Vec<(String, String)> {
        let columns = self.found.fields().iter();
        columns.map(|field| (field.name().clone(), field.data_type().to_string())).collect()
    }

    /// Returns a batch of the columns without rows, to check their types.
    pub(in crate::input) fn without_rows(&self) -> RecordBatch {
        RecordBatch::new_empty(Arc::clone(&self.schema))
    }

    /// Reads the rows in batches of at most `batch_rows`.
    ///
    /// Memory: a slice as it was put aside, twice.
    pub(in crate::input) fn read(&self, batch_rows: usize) -> Result<MemoryBatches> {
        let stream = self.rows.as_ref().map(|rows| StreamBatches::new(Arc::clone(&rows.stream))).transpose()?;
        Ok(MemoryBatches { stream, batch_rows, rest: None })
    }
}

/// The rows of one source, in the order in which they were given.
pub(in crate::input) struct MemoryBatches {
    stream: Option<StreamBatches>,
    batch_rows: usize,
    rest: Option<RecordBatch>,
}

impl Iterator for MemoryBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match self.stream.as_mut()?.next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            },
        };
        let (rows, now) = (batch.num_rows(), self.batch_rows.min(batch.num_rows()));
        self.rest = (now < rows).then(|| batch.slice(now, rows - now));
        Some(Ok(batch.slice(0, now)))
    }
}
