//! A list column of one row group whose values rarely repeat, such as times: the values themselves, without a
//! dictionary.
//!
//! Otherwise it works like [`super::list_column`]: the values of a history are encoded once and copied for each of its
//! rows, and the padding after them is zeros. A dictionary would take 24 bytes and more of memory for each value, and
//! the indices would have to be written too.

use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::TrackedWrite;
use parquet::schema::types::ColumnDescriptor;

use super::codec::Compression;
use super::error::broken;
use super::list_column::ListChunk;
use super::page::{Chunk, DataPage, Workspace};
use crate::exact::Held;

const VALUE_BYTES: usize = 8;

/// The values of a list column of 64-bit integers in one row group.
///
/// Memory: 8 bytes for each action of each history.
pub(super) struct PlainColumn {
    max_history: usize,
    values: Vec<i64>,
    /// For each history, the end of its values and its number of rows.
    histories: Vec<(usize, usize)>,
    rows: usize,
}

impl PlainColumn {
    /// A column without rows; each row will have `max_history` elements.
    pub(super) fn new(max_history: usize) -> Self {
        PlainColumn { max_history, values: Vec::new(), histories: Vec::new(), rows: 0 }
    }

    /// Starts a history: the first `max_history` of `values`.
    pub(super) fn begin(&mut self, values: &[i64]) {
        self.values.extend(values.iter().take(self.max_history));
        self.histories.push((self.values.len(), 0));
    }

    /// Adds rows with the history started last.
    pub(super) fn add_rows(&mut self, rows: usize) -> crate::error::Result<()> {
        let (_, count) = self.histories.last_mut().held("rows follow their history")?;
        *count += rows;
        self.rows += rows;
        Ok(())
    }

    /// Assembles the pages and clears the column.
    pub(super) fn finish(
        &mut self,
        column: &Arc<ColumnDescriptor>,
        compression: Compression,
        workspace: &mut Workspace,
    ) -> Result<ListChunk> {
        let mut sink = TrackedWrite::new(Vec::new());
        let mut chunk = Chunk::new(&mut sink, workspace);
        let mut page = DataPage::new(self.max_history, Encoding::PLAIN, None);
        let mut row = Vec::with_capacity(self.max_history * VALUE_BYTES);
        let (mut begin, mut is_padded) = (0, false);
        for (end, rows) in &self.histories {
            row.clear();
            let values = self.values.get(begin..*end).held("the times of a history lie among all").map_err(broken)?;
            values.iter().for_each(|value| row.extend_from_slice(&value.to_le_bytes()));
            let zeros = (self.max_history - values.len()) * VALUE_BYTES;
            row.resize(row.len() + zeros, 0);
            is_padded |= zeros > 0 && *rows > 0;
            chunk.rows(&mut page, &row, zeros, *rows)?;
            begin = *end;
        }
        chunk.data(&mut page)?;
        let all = || self.values.iter().copied().chain(is_padded.then_some(0));
        let metadata = ColumnChunkMetaData::builder(Arc::clone(column))
            .set_compression(compression.codec())
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_data_page_offset(0)
            .set_statistics(Statistics::int64(all().min(), all().max(), None, Some(0), false));
        let (sizes, rows) = (chunk.sizes(), std::mem::take(&mut self.rows));
        self.values.clear();
        self.histories.clear();
        ListChunk::close(sink, metadata, sizes, rows, self.max_history)
    }
}
