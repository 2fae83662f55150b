//! How many rows of a Parquet file are decoded at once, so that they fit into the memory limit.
//!
//! A small file can decode to very much: one long text that a dictionary gives to every row, texts that each extend the
//! one before by a letter, a list that continues over many pages. The sizes that pages announce bound the size of a
//! value, and so the number of rows that fit.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ProjectionMask;
use parquet::basic::Type as PhysicalType;
use parquet::column::page::Page;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::serialized_reader::SerializedPageReader;

use super::guard::{guarded, unreadable};
use super::list_length::longest_list;
use super::page_header::{Content, visit_pages};
use crate::error::{Error, Result};
use crate::exact::usize_of;
use crate::message::message;
use crate::resources::Resources;
use crate::text::Shown;

/// The most bytes that a decoded number takes.
const NUMBER_BYTES: u64 = 8;

/// The column chunks of one column, each with the number of rows of its row group.
type Chunks<'file> = Vec<(&'file ColumnChunkMetaData, usize)>;

/// Returns the number of rows to decode at once: `wanted`, or fewer if the values of the columns in `mask` may be so
/// large that a column would exceed the budget for a page, see [`Resources::page_bytes`].
///
/// Fails if one page or the list of one row exceeds the budget. Memory: one page.
pub(super) fn fitting_rows(
    path: &Path,
    file: &File,
    metadata: &ParquetMetaData,
    mask: &ProjectionMask,
    wanted: usize,
    resources: &Resources,
) -> Result<usize> {
    let budget = resources.page_bytes() as u64;
    let file = Arc::new(file.try_clone().map_err(|error| Error::io("open", path, error))?);
    let mut rows = wanted as u64;
    for leaf in (0..metadata.file_metadata().schema_descr().num_columns()).filter(|leaf| mask.leaf_included(*leaf)) {
        let chunks = metadata.row_groups().iter().filter_map(|group| {
            // A damaged footer may give a negative number of rows: it counts as 0.
            let rows = usize_of(group.num_rows().max(0).cast_unsigned());
            group.columns().get(leaf).map(|chunk| (chunk, rows))
        });
        let column = Column { path, file: &file, chunks: chunks.collect(), budget, resources };
        rows = rows.min(column.fitting_rows(rows)?);
    }
    Ok(usize_of(rows.max(1)))
}

struct Column<'file> {
    path: &'file Path,
    file: &'file Arc<File>,
    chunks: Chunks<'file>,
    /// The bytes that one page may take, and also the column of one batch.
    budget: u64,
    resources: &'file Resources,
}

/// The sizes that the pages of a column announce.
#[derive(Default)]
struct Announced {
    /// Number of values, nulls included.
    values: u64,
    /// The most bytes of a value outside a dictionary; for a page of several values, their average.
    value_bytes: u64,
    /// Bytes of the largest dictionary.
    dictionary_bytes: u64,
}

impl Column<'_> {
    fn fitting_rows(&self, wanted: u64) -> Result<u64> {
        let Some((first, _)) = self.chunks.first() else { return Ok(wanted) };
        let descriptor = first.column_descr();
        let is_list = descriptor.max_rep_level() > 0;
        let announced = self.announced(first, is_list)?;
        let is_number =
            !matches!(descriptor.physical_type(), PhysicalType::BYTE_ARRAY | PhysicalType::FIXED_LEN_BYTE_ARRAY);
        let value_bytes =
            if is_number { NUMBER_BYTES } else { self.value_bytes(&announced, wanted)?.max(NUMBER_BYTES) };
        let fits = announced.values.saturating_mul(value_bytes) <= self.budget;
        let list_values = if is_list && !fits { self.longest_list()? } else { 1 };
        let row_bytes = list_values.saturating_mul(value_bytes);
        if list_values > 1 && row_bytes > self.budget {
            return Err(self.too_large(&format!("a row with a list of {list_values} values"), row_bytes));
        }
        Ok(if fits { wanted } else { self.budget / row_bytes.max(1) })
    }

    /// Reads the header of every page; fails if a page exceeds the budget.
    fn announced(&self, first: &ColumnChunkMetaData, is_list: bool) -> Result<Announced> {
        let mut announced = Announced::default();
        let mut largest = 0;
        for (chunk, _) in &self.chunks {
            self.resources.check()?;
            let (begin, length) = guarded(self.path, || Ok::<_, Error>(chunk.byte_range()))?;
            let range = (begin, begin.saturating_add(length));
            let visited = visit_pages(&**self.file, range, chunk.compression(), self.budget, |page| {
                // One list may have all values of a page; each takes at least eight bytes when decoded.
                let values = if is_list { page.values.saturating_mul(NUMBER_BYTES) } else { 0 };
                largest = largest.max(page.bytes).max(values);
                match page.content {
                    Content::Dictionary => announced.dictionary_bytes = announced.dictionary_bytes.max(page.bytes),
                    Content::Places => announced.values += page.values,
                    Content::Differences | Content::Values => {
                        let values = if page.content == Content::Values { page.values.max(1) } else { 1 };
                        announced.value_bytes = announced.value_bytes.max(page.bytes.div_ceil(values));
                        announced.values += page.values;
                    }
                }
            });
            visited.ok_or_else(|| unreadable(self.path, "a page is missing"))?;
        }
        if largest > self.budget {
            return Err(self
                .too_large(&format!("a page of {largest} bytes in column {}", first.column_path().string()), largest));
        }
        Ok(announced)
    }

    /// The most bytes that a text can have. The longest text of a dictionary is searched only if the dictionary is
    /// long.
    fn value_bytes(&self, announced: &Announced, rows: u64) -> Result<u64> {
        let Announced { value_bytes, dictionary_bytes, .. } = *announced;
        if dictionary_bytes.saturating_mul(rows) <= self.budget {
            return Ok(value_bytes.max(dictionary_bytes));
        }
        let mut longest = value_bytes;
        for (chunk, rows) in &self.chunks {
            self.resources.check()?;
            let text_bytes = chunk.column_descr().type_length();
            longest = longest.max(guarded(self.path, || longest_text(self.file, chunk, *rows, text_bytes))?);
        }
        Ok(longest)
    }

    fn longest_list(&self) -> Result<u64> {
        let mut longest = 1;
        for (chunk, rows) in &self.chunks {
            self.resources.check()?;
            longest = longest.max(guarded(self.path, || longest_list(self.file, chunk, *rows))?);
        }
        Ok(longest)
    }

    fn too_large(&self, what: &str, bytes: u64) -> Error {
        Error::input(
            format!("the file {} has {what}, more than the memory limit allows ({})", self.path.shown(), self.budget),
            message!["write it with smaller pages, or give ", MemoryLimit, (" {}", bytes.saturating_mul(16))],
        )
    }
}

/// The bytes of the longest text in the dictionary of a column chunk; `length` applies to texts of fixed length.
fn longest_text(
    file: &Arc<File>,
    chunk: &ColumnChunkMetaData,
    rows: usize,
    length: i32,
) -> parquet::errors::Result<u64> {
    let mut longest = u64::from(length.max(0).cast_unsigned());
    let first = SerializedPageReader::new(Arc::clone(file), chunk, rows, None)?.next().transpose()?;
    if let Some(Page::DictionaryPage { buf, .. }) = first
        && chunk.column_descr().physical_type() == PhysicalType::BYTE_ARRAY
    {
        let mut texts = &buf[..];
        while let Some((length, rest)) = texts.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length);
            longest = longest.max(u64::from(length));
            // A text that continues beyond the page is reported when the page is decoded.
            let Some((_, after)) = rest.split_at_checked(usize_of(length)) else { break };
            texts = after;
        }
    }
    Ok(longest)
}
