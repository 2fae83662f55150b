//! Record batches put aside as one uncompressed Arrow IPC stream, which is written once and read as often as needed.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};
use crate::resources::Spool;

/// The invariant that a stream is read as it was written.
const READ_AS_WRITTEN: &str = "what was put aside is read as it was written";

/// Writes a stream. Memory: that of a [`Spool`], and one batch.
pub(super) struct StreamSpool {
    writer: StreamWriter<Vec<u8>>,
    spool: Spool,
}

impl StreamSpool {
    /// Begins a stream in an empty spool.
    pub(super) fn new(schema: &SchemaRef, spool: Spool) -> Result<Self> {
        let writer = StreamWriter::try_new(Vec::new(), schema).held("a schema of plain types can be written")?;
        Ok(StreamSpool { writer, spool })
    }

    /// Appends a batch.
    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).held("a batch of plain types can be written")?;
        self.put()
    }

    /// Ends the stream.
    pub(super) fn finish(mut self) -> Result<Spool> {
        self.writer.finish().held("a stream of plain types can be ended")?;
        self.put()?;
        Ok(self.spool)
    }

    fn put(&mut self) -> Result<()> {
        let bytes = self.writer.get_mut();
        self.spool.append(bytes)?;
        bytes.clear();
        Ok(())
    }
}

/// Reads a stream from its beginning. Memory: one batch, twice.
pub(super) struct StreamBatches(StreamReader<BufReader<SpoolReader>>);

impl StreamBatches {
    /// Begins to read.
    pub(super) fn new(spool: Arc<Spool>) -> Result<Self> {
        let reader = SpoolReader { spool, offset: 0, buffer: Vec::new() };
        Ok(StreamBatches(StreamReader::try_new_buffered(reader, None).map_err(own)?))
    }
}

impl Iterator for StreamBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|batch| batch.map_err(own))
    }
}

struct SpoolReader {
    spool: Arc<Spool>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Read for SpoolReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize_of(self.spool.length().saturating_sub(self.offset)).min(into.len());
        let mut bytes = self.spool.read(self.offset, left, &mut self.buffer).map_err(io::Error::other)?;
        let read = bytes.read(into)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// The error of the spool, where it is the cause.
fn own(error: ArrowError) -> Error {
    let of_spool = match error {
        ArrowError::IoError(_, inside) => inside.downcast::<Error>().map_err(ArrowError::from),
        other => Err(other),
    };
    of_spool.unwrap_or_else(|other| Error::internal(format!("this does not hold: {READ_AS_WRITTEN}")).caused_by(other))
}
