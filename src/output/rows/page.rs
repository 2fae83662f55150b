//! Pages of a list column: dictionary pages, and data pages whose rows repeat.

use std::io::Write;

use parquet::basic::Encoding;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::errors::Result;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};

use super::codec::{Compression, Compressor};
use super::error::broken;
use super::zstd_frame::RepeatingPage;
use crate::exact::{Held, usize_of};
use crate::format::put_varint;

/// A data page is closed after the row with which its values reach this many bytes.
const PAGE_BYTES: usize = 1 << 20;

/// A data page has at most this many values, since their number is a signed 32-bit integer.
const PAGE_VALUES_MAX: usize = 1 << 30;

/// Buffers for writing pages, kept from one row group to the next. Memory: two pages.
pub(super) struct Workspace {
    compressor: Compressor,
    page: RepeatingPage,
}

impl Workspace {
    /// Buffers for pages with this compression.
    pub(super) fn new(compression: Compression) -> Result<Self> {
        Ok(Workspace { compressor: Compressor::new(compression)?, page: RepeatingPage::new().map_err(broken)? })
    }
}

/// The rows of a data page, each distinct row once. Levels are not stored: they follow from the number of rows.
pub(super) struct DataPage {
    max_history: usize,
    encoding: Encoding,
    /// Bits of an index, if the values are indices.
    width: Option<u32>,
    /// The bytes of the distinct rows, in order.
    bytes: Vec<u8>,
    kinds: Vec<Kind>,
    rows: usize,
    length: usize,
}

/// Identical rows.
struct Kind {
    /// The end of their bytes.
    end: usize,
    /// How many zeros their bytes end with.
    zeros: usize,
    /// How many rows there are.
    rows: usize,
}

impl DataPage {
    /// An empty page.
    pub(super) fn new(max_history: usize, encoding: Encoding, width: Option<u32>) -> Self {
        DataPage { max_history, encoding, width, bytes: Vec::new(), kinds: Vec::new(), rows: 0, length: 0 }
    }

    /// Adds up to `times` rows with these bytes, which end with `zeros` zeros worth compressing: as many as fit, and at
    /// least one if the page is not full. Returns how many.
    fn add(&mut self, row: &[u8], zeros: usize, times: usize) -> usize {
        let bytes = PAGE_BYTES.saturating_sub(self.length).div_ceil(row.len().max(1));
        let values = (PAGE_VALUES_MAX / self.max_history.max(1)).saturating_sub(self.rows).max(1);
        let added = times.min(bytes).min(values);
        self.bytes.extend_from_slice(row);
        self.kinds.push(Kind { end: self.bytes.len(), zeros, rows: added });
        self.rows += added;
        self.length += added * row.len();
        added
    }

    /// Whether the page must be written before more rows are added.
    fn is_full(&self) -> bool {
        self.length >= PAGE_BYTES || (self.rows + 1).saturating_mul(self.max_history) > PAGE_VALUES_MAX
    }

    /// Puts the whole body into `page` and clears this page. Returns the number of values.
    fn take(&mut self, page: &mut RepeatingPage) -> crate::error::Result<usize> {
        let values = self.rows * self.max_history;
        let mut levels = Vec::new();
        put_run(1, 0, 1, &mut levels);
        if self.max_history > 1 {
            put_run(self.max_history - 1, 1, 1, &mut levels);
        }
        page.push(&length(levels.len() * self.rows)?, 1);
        page.push(&levels, self.rows);
        levels.clear();
        put_run(values, 1, 1, &mut levels);
        page.push(&length(levels.len())?, 1);
        page.push(&levels, 1);
        if let Some(width) = self.width {
            page.push(&width.to_le_bytes()[..1], 1);
        }
        let mut begin = 0;
        for kind in &self.kinds {
            let bytes = self.bytes.get(begin..kind.end).held("the bytes of rows lie in their page")?;
            page.push_padded(bytes, kind.zeros, kind.rows);
            begin = kind.end;
        }
        self.bytes.clear();
        self.kinds.clear();
        (self.rows, self.length) = (0, 0);
        Ok(values)
    }
}

/// Writes the pages of one column chunk.
pub(super) struct Chunk<'sink, W: Write> {
    pages: SerializedPageWriter<'sink, W>,
    workspace: &'sink mut Workspace,
    compressed: usize,
    uncompressed: usize,
}

impl<'sink, W: Write + Send> Chunk<'sink, W> {
    /// A chunk whose pages go to `sink`.
    pub(super) fn new(sink: &'sink mut TrackedWrite<W>, workspace: &'sink mut Workspace) -> Self {
        Chunk { pages: SerializedPageWriter::new(sink), workspace, compressed: 0, uncompressed: 0 }
    }

    /// Returns the bytes so far, with page headers, and their number without compression.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.compressed, self.uncompressed)
    }

    /// Writes a dictionary page: `values` values in plain encoding, ascending.
    pub(super) fn dictionary(&mut self, page: &[u8], values: usize) -> Result<()> {
        let buf = self.workspace.compressor.compress(page)?;
        let num_values = to_u32(values)?;
        self.write(Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, is_sorted: true }, page.len())
    }

    /// Adds rows to a data page, see [`DataPage::add`], and writes it whenever it is full.
    pub(super) fn rows(&mut self, page: &mut DataPage, row: &[u8], zeros: usize, times: usize) -> Result<()> {
        let mut left = times;
        while left > 0 {
            left -= page.add(row, zeros, left);
            if page.is_full() {
                self.data(page)?;
            }
        }
        Ok(())
    }

    /// Writes a data page if it has rows, and clears it.
    pub(super) fn data(&mut self, page: &mut DataPage) -> Result<()> {
        if page.rows == 0 {
            return Ok(());
        }
        let Workspace { compressor, page: body } = &mut *self.workspace;
        let num_values = to_u32(page.take(body).map_err(broken)?)?;
        let uncompressed = body.len();
        let buf = compressor.compress_repeating(body)?;
        let (def_level_encoding, rep_level_encoding) = (Encoding::RLE, Encoding::RLE);
        let encoding = page.encoding;
        let page =
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics: None };
        self.write(page, uncompressed)
    }

    fn write(&mut self, page: Page, uncompressed: usize) -> Result<()> {
        let written = self.pages.write_page(CompressedPage::new(page, uncompressed))?;
        self.compressed += written.compressed_size;
        self.uncompressed += written.uncompressed_size;
        Ok(())
    }
}

/// Writes a run of the hybrid encoding: `count` times `number`, of `width` bits.
pub(super) fn put_run(count: usize, number: u32, width: u32, to: &mut Vec<u8>) {
    put_varint((count * 2) as u64, to);
    let bytes = usize_of(width.div_ceil(8));
    to.extend(number.to_le_bytes().iter().take(bytes));
}

/// The length before levels. A page has too few rows for a length above 4 bytes.
fn length(length: usize) -> crate::error::Result<[u8; 4]> {
    u32::try_from(length).held("the levels of a page take less than 4 GiB").map(u32::to_le_bytes)
}

fn to_u32(number: usize) -> Result<u32> {
    u32::try_from(number).held("a page has fewer than 2^32 values").map_err(broken)
}
