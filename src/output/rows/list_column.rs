//! A list column of one row group: gathers the values history by history, then assembles the pages.
//!
//! Every row has exactly `max_history` elements, and all rows of a customer have the same elements. So the elements of
//! a customer are encoded once and copied into the page for each row:
//!
//! - The indices into the dictionary are bit-packed, up to a multiple of eight; the padding after them is one run. Both
//!   end at a byte boundary, so rows can be concatenated.
//! - Repetition levels are the same for each row: one 0, then a run of 1. Definition levels are one run of 1 for a
//!   whole page.
//!
//! Source for the bytes: the Parquet format's descriptions of encodings and of data pages (version 1).

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnChunkMetaDataBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::TrackedWrite;
use parquet::schema::types::ColumnDescriptor;

use super::codec::Compression;
use super::dictionary::Dictionary;
use super::error::broken;
use super::page::{Chunk, DataPage, Workspace, put_run};
use crate::error;
use crate::exact::{Held, at_most, of_byte_mut, usize_of};
use crate::format::bits::{pack, packed_bytes, width_of};
use crate::format::put_varint;

/// The invariant that a dictionary never runs out of numbers.
const NUMBERED: &str = "a row group has fewer than 2^32 - 1 different values";

/// The invariant that every number has a rank.
const RANKED: &str = "each value of a history has its place in the dictionary";

/// The type of the values' numbers, wide enough for the possible number of distinct values.
pub(super) trait Number: Copy + Send {
    /// Returns the dictionary's number.
    fn wide(self) -> u32;
}

impl Number for u32 {
    fn wide(self) -> u32 {
        self
    }
}

impl Number for u8 {
    fn wide(self) -> u32 {
        self.into()
    }
}

/// The values of a list column in one row group: at most 256 distinct ones if `N` is one byte.
///
/// Memory: an `N` for each action of each history, and the dictionary.
pub(super) struct ListColumn<N> {
    max_history: usize,
    dictionary: Dictionary,
    /// The numbers of the values of all histories, in order.
    numbers: Vec<N>,
    /// For each history, the end of its numbers and its number of rows.
    histories: Vec<(usize, usize)>,
    rows: usize,
}

/// A column chunk ready to be appended to a row group.
pub(super) struct ListChunk {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

impl ListChunk {
    /// The chunk of these rows; its pages are in `sink` and have these sizes with and without compression.
    pub(super) fn close(
        mut sink: TrackedWrite<Vec<u8>>,
        metadata: ColumnChunkMetaDataBuilder,
        (compressed, uncompressed): (usize, usize),
        rows: usize,
        max_history: usize,
    ) -> Result<Self> {
        let metadata = metadata
            .set_num_values(to_i64(rows * max_history)?)
            .set_total_compressed_size(to_i64(compressed)?)
            .set_total_uncompressed_size(to_i64(uncompressed)?)
            .build()?;
        sink.flush()?;
        let close = ColumnCloseResult {
            bytes_written: compressed as u64,
            rows_written: rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(ListChunk { bytes: Bytes::from(sink.into_inner()?), close })
    }
}

/// The encoding of a row's values before compression.
#[derive(Clone, Copy)]
enum Layout {
    /// Indices into the dictionary, of `width` bits.
    Indices { width: u32, padding: u32 },
    /// The values themselves, of `bytes` bytes each.
    Plain { bytes: usize },
}

impl ListColumn<u32> {
    /// Starts a history: the first `max_history` of `values`.
    pub(super) fn begin(&mut self, values: &[i64]) -> error::Result<()> {
        self.dictionary.numbers_of(at_most(values, self.max_history), &mut self.numbers).held(NUMBERED)?;
        self.histories.push((self.numbers.len(), 0));
        Ok(())
    }

    /// Starts a history of runs: each value, and its count; at most `max_history` values in all.
    pub(super) fn begin_runs(&mut self, runs: impl Iterator<Item = (i64, usize)>) -> error::Result<()> {
        for (value, times) in runs {
            let number = self.dictionary.number_of(value).held(NUMBERED)?;
            self.numbers.resize(self.numbers.len() + times, number);
        }
        self.histories.push((self.numbers.len(), 0));
        Ok(())
    }
}

impl ListColumn<u8> {
    /// Starts a history: the first `max_history` of `values`.
    pub(super) fn begin(&mut self, values: &[u8]) -> error::Result<()> {
        // The numbers of this history's values so far; they are few, so asking the dictionary once for each is cheap.
        let mut known = [None; 256];
        for value in at_most(values, self.max_history) {
            let known = of_byte_mut(&mut known, *value);
            let number = match *known {
                Some(number) => number,
                None => {
                    let number = self.dictionary.number_of(i64::from(*value)).held(NUMBERED)?;
                    *known.insert(u8::try_from(number).held("bytes are of 256 kinds")?)
                }
            };
            self.numbers.push(number);
        }
        self.histories.push((self.numbers.len(), 0));
        Ok(())
    }
}

impl<N: Number> ListColumn<N> {
    /// A column without rows; each row will have `max_history` elements.
    pub(super) fn new(max_history: usize) -> Self {
        ListColumn { max_history, dictionary: Dictionary::new(), numbers: Vec::new(), histories: Vec::new(), rows: 0 }
    }

    /// Adds rows with the history started last.
    pub(super) fn add_rows(&mut self, rows: usize) -> error::Result<()> {
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
        let chunk = self.assemble(column, compression, workspace);
        self.dictionary.clear();
        self.numbers.clear();
        self.histories.clear();
        self.rows = 0;
        chunk
    }

    fn assemble(
        &mut self,
        column: &Arc<ColumnDescriptor>,
        compression: Compression,
        workspace: &mut Workspace,
    ) -> Result<ListChunk> {
        let is_padded = self.lengths().any(|length| length < self.max_history);
        let padding = if is_padded { Some(self.dictionary.number_of(0).held(NUMBERED).map_err(broken)?) } else { None };
        let (ascending, ranks) = self.dictionary.sorted().held(RANKED).map_err(broken)?;
        let padding = padding.map_or(Some(0), |number| rank(&ranks, number)).held(RANKED).map_err(broken)?;
        let layout = self.layout(column.physical_type(), padding);
        let mut sink = TrackedWrite::new(Vec::new());
        let mut chunk = Chunk::new(&mut sink, workspace);
        let plain_bytes = plain_bytes(column.physical_type());
        let mut dictionary_offset = None;
        if let Layout::Indices { .. } = layout {
            // In ascending order, the values compress to little more than half of their size in order of occurrence.
            let mut page = Vec::with_capacity(ascending.len() * plain_bytes);
            ascending.iter().for_each(|value| put_plain(*value, plain_bytes, &mut page));
            chunk.dictionary(&page, self.dictionary.values().len())?;
            dictionary_offset = Some(0);
        }
        let (data_offset, _) = chunk.sizes();
        self.data_pages(layout, &ranks, &mut chunk)?;
        let (sizes, statistics) = (chunk.sizes(), self.statistics(column.physical_type())?);
        let encodings = match layout {
            Layout::Indices { .. } => vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY],
            Layout::Plain { .. } => vec![Encoding::PLAIN, Encoding::RLE],
        };
        let metadata = ColumnChunkMetaData::builder(Arc::clone(column))
            .set_compression(compression.codec())
            .set_encodings(encodings)
            .set_dictionary_page_offset(dictionary_offset)
            .set_data_page_offset(to_i64(data_offset)?)
            .set_statistics(statistics);
        ListChunk::close(sink, metadata, sizes, self.rows, self.max_history)
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        let begins = std::iter::once(0).chain(self.histories.iter().map(|(end, _)| *end));
        self.histories.iter().zip(begins).map(|((end, _), begin)| end - begin)
    }

    /// Returns indices, unless the dictionary takes more space than it saves.
    fn layout(&self, physical: PhysicalType, padding: u32) -> Layout {
        let distinct = self.dictionary.values().len();
        let width = width_of(distinct.saturating_sub(1) as u64).max(1);
        let bytes = plain_bytes(physical);
        let with_dictionary: usize = self
            .lengths()
            .zip(&self.histories)
            .map(|(length, (_, rows))| {
                packed_bytes(length, width).map_or(usize::MAX, |bytes| bytes.saturating_mul(*rows))
            })
            .fold(distinct * bytes, usize::saturating_add);
        if with_dictionary < self.rows.saturating_mul(self.max_history).saturating_mul(bytes) {
            Layout::Indices { width, padding }
        } else {
            Layout::Plain { bytes }
        }
    }

    fn data_pages<W: Write + Send>(&self, layout: Layout, ranks: &[u32], chunk: &mut Chunk<'_, W>) -> Result<()> {
        let (encoding, width) = match layout {
            Layout::Indices { width, .. } => (Encoding::RLE_DICTIONARY, Some(width)),
            Layout::Plain { .. } => (Encoding::PLAIN, None),
        };
        let mut page = DataPage::new(self.max_history, encoding, width);
        let mut row = Vec::new();
        let mut begin = 0;
        for (end, rows) in &self.histories {
            row.clear();
            let numbers = self.numbers.get(begin..*end);
            numbers
                .and_then(|numbers| self.encode_row(numbers, layout, ranks, &mut row))
                .held(RANKED)
                .map_err(broken)?;
            chunk.rows(&mut page, &row, 0, *rows)?;
            begin = *end;
        }
        chunk.data(&mut page)
    }

    /// Encodes the values of one row; `None` if a value has no rank.
    fn encode_row(&self, numbers: &[N], layout: Layout, ranks: &[u32], row: &mut Vec<u8>) -> Option<()> {
        let padding_count = self.max_history - numbers.len();
        let (width, padding) = match layout {
            Layout::Plain { bytes } => {
                let values = self.dictionary.values();
                for number in numbers {
                    put_plain(*values.get(usize_of(number.wide()))?, bytes, row);
                }
                row.resize(row.len() + padding_count * bytes, 0);
                return Some(());
            }
            Layout::Indices { width, padding } => (width, padding),
        };
        // Whole groups of eight are packed, the last one filled with padding if there is enough; otherwise the values
        // beyond the last whole group follow as runs of one.
        let fill = (8 - numbers.len() % 8) % 8;
        let (packed, fill, single) = if fill <= padding_count {
            (numbers, fill, &[] as &[N])
        } else {
            let (packed, single) = numbers.split_at(numbers.len() / 8 * 8);
            (packed, 0, single)
        };
        if !packed.is_empty() {
            put_varint(((packed.len() + fill) / 8 * 2 + 1) as u64, row);
            let mut all_are_ranked = true;
            let of_packed = packed.iter().map(|number| match rank(ranks, number.wide()) {
                Some(rank) => rank,
                None => {
                    all_are_ranked = false;
                    0
                }
            });
            pack(of_packed.chain(std::iter::repeat_n(padding, fill)).map(u64::from), width, row);
            if !all_are_ranked {
                return None;
            }
        }
        for number in single {
            put_run(1, rank(ranks, number.wide())?, width, row);
        }
        if padding_count > fill {
            put_run(padding_count - fill, padding, width, row);
        }
        Some(())
    }

    fn statistics(&self, physical: PhysicalType) -> Result<Statistics> {
        let values = self.dictionary.values();
        let (least, greatest) = (values.iter().min().copied(), values.iter().max().copied());
        let narrow = |value: Option<i64>| value.map(i32::try_from).transpose().held("values fit their column");
        Ok(match physical {
            PhysicalType::INT32 => {
                let narrow = |value| narrow(value).map_err(broken);
                Statistics::int32(narrow(least)?, narrow(greatest)?, None, Some(0), false)
            }
            _ => Statistics::int64(least, greatest, None, Some(0), false),
        })
    }
}

/// Returns the index of a value by its number.
fn rank(ranks: &[u32], number: u32) -> Option<u32> {
    ranks.get(usize_of(number)).copied()
}

fn plain_bytes(physical: PhysicalType) -> usize {
    if physical == PhysicalType::INT32 { 4 } else { 8 }
}

fn put_plain(value: i64, bytes: usize, to: &mut Vec<u8>) {
    match (bytes, value.to_le_bytes()) {
        // A copy of a constant size takes no call.
        (8, all) => to.extend_from_slice(&all),
        (_, all) => to.extend(all.iter().take(bytes)),
    }
}

fn to_i64(number: usize) -> Result<i64> {
    i64::try_from(number).held("a row group has fewer than 2^63 values and bytes").map_err(broken)
}
