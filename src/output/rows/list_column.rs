//! A list column of one row group: its values gathered history by history, then its pages assembled.
//!
//! Every row has exactly `max_history` elements, and all rows of a customer have the same. So the elements of a
//! customer are encoded once and copied into the page for each of its rows:
//!
//! - The indices into the dictionary are bit-packed, up to a multiple of eight; the padding behind them is one run.
//!   Both end on a byte, so rows can be put one behind the other.
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

/// That a dictionary has room.
const NUMBERED: &str = "a row group has fewer than 2^32 - 1 different values";

/// That its numbers are those of its values.
const RANKED: &str = "each value of a history has its place in the dictionary";

/// How wide the numbers of values are kept: as wide as there may be values of different kinds.
pub(super) trait Number: Copy + Send {
    /// The number of the dictionary.
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

/// The values of a list column in one row group: at most 256 kinds of them where `N` is one byte.
///
/// Memory: an `N` for each action of each history, and the dictionary.
pub(super) struct ListColumn<N> {
    max_history: usize,
    dictionary: Dictionary,
    /// Numbers of the values of all histories, one after the other.
    numbers: Vec<N>,
    /// Of each history where its numbers end, and how many rows have it.
    histories: Vec<(usize, usize)>,
    rows: usize,
}

/// A column chunk ready to be appended to a row group.
pub(super) struct ListChunk {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

impl ListChunk {
    /// The chunk of these rows, whose pages are in `sink` and have these sizes with and without compression.
    pub fn close(
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

/// What is done with the values of a row before compression.
#[derive(Clone, Copy)]
enum Layout {
    /// Places in the dictionary, of so many bits.
    Indices { width: u32, padding: u32 },
    /// The values themselves, of so many bytes.
    Plain { bytes: usize },
}

impl ListColumn<u32> {
    /// Begins a history: the first `max_history` of `values`.
    pub fn begin(&mut self, values: &[i64]) -> error::Result<()> {
        self.dictionary.numbers_of(at_most(values, self.max_history), &mut self.numbers).held(NUMBERED)?;
        self.histories.push((self.numbers.len(), 0));
        Ok(())
    }

    /// The same for values that stand in runs: each value, and how often. No more than `max_history` in all.
    pub fn begin_runs(&mut self, runs: impl Iterator<Item = (i64, usize)>) -> error::Result<()> {
        for (value, times) in runs {
            let number = self.dictionary.number_of(value).held(NUMBERED)?;
            self.numbers.resize(self.numbers.len() + times, number);
        }
        self.histories.push((self.numbers.len(), 0));
        Ok(())
    }
}

impl ListColumn<u8> {
    /// Begins a history: the first `max_history` of `values`.
    pub fn begin(&mut self, values: &[u8]) -> error::Result<()> {
        // Numbers of the values met so far in this history; few, so asking the dictionary once for each is nothing.
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
    /// Without rows yet; each will have `max_history` elements.
    pub fn new(max_history: usize) -> Self {
        ListColumn { max_history, dictionary: Dictionary::new(), numbers: Vec::new(), histories: Vec::new(), rows: 0 }
    }

    /// Adds rows that have the history begun last.
    pub fn add_rows(&mut self, rows: usize) -> error::Result<()> {
        let (_, count) = self.histories.last_mut().held("rows follow their history")?;
        *count += rows;
        self.rows += rows;
        Ok(())
    }

    /// Assembles the pages, and is empty again.
    pub fn finish(
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
            // In ascending order the values compress to little more than half of what they take as they come.
            let mut page = Vec::with_capacity(ascending.len() * plain_bytes);
            ascending.iter().for_each(|value| put_plain(*value, plain_bytes, &mut page));
            chunk.dictionary(&page, self.dictionary.values().len())?;
            dictionary_offset = Some(0);
        }
        let (data_offset, _) = chunk.sizes();
        self.data_pages(layout, &ranks, &mut chunk)?;
        let (sizes, statistics) = (chunk.sizes(), self.statistics(column.physical_type()));
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

    /// Indices, unless their dictionary takes more than it saves.
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
            let mut left = *rows;
            while left > 0 {
                left -= page.add(&row, 0, left);
                if page.is_full() {
                    chunk.data(&mut page)?;
                }
            }
            begin = *end;
        }
        if page.rows() > 0 {
            chunk.data(&mut page)?;
        }
        Ok(())
    }

    /// The bytes of one row's values; `None` if one of them has no place in the dictionary.
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
        // Whole groups of eight are packed, the last one filled up with padding where there is enough of it; what does
        // not fill a group follows as runs of one.
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

    fn statistics(&self, physical: PhysicalType) -> Statistics {
        let values = self.dictionary.values();
        let (least, greatest) = (values.iter().min().copied(), values.iter().max().copied());
        match physical {
            PhysicalType::INT32 => {
                let narrow = |value: Option<i64>| value.and_then(|value| i32::try_from(value).ok());
                Statistics::int32(narrow(least), narrow(greatest), None, Some(0), false)
            }
            _ => Statistics::int64(least, greatest, None, Some(0), false),
        }
    }
}

/// The index of a value by its number.
fn rank(ranks: &[u32], number: u32) -> Option<u32> {
    ranks.get(usize_of(number)).copied()
}

fn plain_bytes(physical: PhysicalType) -> usize {
    if physical == PhysicalType::INT32 { 4 } else { 8 }
}

fn put_plain(value: i64, bytes: usize, to: &mut Vec<u8>) {
    to.extend(value.to_le_bytes().iter().take(bytes));
}

fn to_i64(number: usize) -> Result<i64> {
    i64::try_from(number).held("a row group has fewer than 2^63 values and bytes").map_err(broken)
}
