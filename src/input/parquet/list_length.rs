//! The longest list of a column, found from its repetition levels without decoding its values.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use crate::exact::usize_of;

/// The most values that one row has in a column chunk. Nested lists count through; a null or empty list counts as one
/// value. Lists may continue from page to page. Memory: one page.
pub(super) fn longest_list(file: &Arc<File>, chunk: &ColumnChunkMetaData, rows: usize) -> Result<u64> {
    let descriptor = chunk.column_descr();
    let width = u32::from(descriptor.max_rep_level().unsigned_abs()).checked_ilog2().map_or(0, |bits| bits + 1);
    let mut lists = Lists::default();
    for page in SerializedPageReader::new(Arc::clone(file), chunk, rows, None)? {
        let (levels, values) = match &page? {
            Page::DictionaryPage { .. } => continue,
            Page::DataPage { buf, num_values, rep_level_encoding, .. } => {
                if *rep_level_encoding != Encoding::RLE {
                    return Err(ParquetError::General(format!(
                        "its levels are in {rep_level_encoding}, which is not supported where lists may be long"
                    )));
                }
                let (length, levels) = buf.split_first_chunk::<4>().ok_or_else(early_end)?;
                let length = usize_of(u32::from_le_bytes(*length));
                (levels.get(..length).ok_or_else(early_end)?.to_vec(), *num_values)
            }
            Page::DataPageV2 { buf, num_values, rep_levels_byte_len, .. } => {
                (buf.get(..usize_of(*rep_levels_byte_len)).ok_or_else(early_end)?.to_vec(), *num_values)
            }
        };
        lists.add(&levels, width, u64::from(values)).ok_or_else(early_end)?;
    }
    Ok(lists.longest)
}

fn early_end() -> ParquetError {
    ParquetError::General("a page ends within its levels".to_owned())
}

/// The state after the levels read so far.
#[derive(Default)]
struct Lists {
    longest: u64,
    /// The number of values of the last list, which may continue.
    open: u64,
}

impl Lists {
    /// Adds the levels of one page: runs of one level, or levels packed in `width` bits each. `None` if the bytes end
    /// before the values do.
    fn add(&mut self, mut bytes: &[u8], width: u32, mut values: u64) -> Option<()> {
        let width = usize::try_from(width).ok()?;
        while values > 0 {
            let head = varint(&mut bytes)?;
            if head & 1 == 0 {
                let run = (head >> 1).min(values);
                let level = bytes.split_off(..width.div_ceil(8))?;
                self.run(level.iter().all(|byte| *byte == 0), run);
                values -= run;
            } else {
                let groups = usize::try_from(head >> 1).ok()?;
                let packed = bytes.split_off(..groups.checked_mul(width)?.min(bytes.len()))?;
                let levels = (packed.len() * 8).checked_div(width)?;
                let count = values.min(levels as u64);
                for place in 0..usize::try_from(count).ok()? {
                    let bits = place * width..(place + 1) * width;
                    let is_zero = |bit: usize| packed.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 0);
                    self.run(bits.into_iter().all(is_zero), 1);
                }
                values -= count;
                if count == 0 {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Adds this many values of one level; `begins` if it is level 0, which begins a row.
    fn run(&mut self, begins: bool, values: u64) {
        match (begins, values) {
            (_, 0) => {}
            (true, _) => self.open = 1,
            (false, _) => self.open = self.open.saturating_add(values),
        }
        self.longest = self.longest.max(self.open);
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Builder, ListBuilder, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::{WriterProperties, WriterVersion};
    use parquet::file::reader::FileReader;
    use parquet::file::serialized_reader::SerializedFileReader;
    use proptest::prelude::*;

    fn written(lists: &[Option<Vec<Option<i64>>>], version: WriterVersion, page_rows: usize) -> Arc<File> {
        let mut builder = ListBuilder::new(Int64Builder::new());
        lists.iter().for_each(|list| builder.append_option(list.clone()));
        let column: ArrayRef = Arc::new(builder.finish());
        let batch = RecordBatch::try_from_iter([("lists", column)]).unwrap();
        let properties = WriterProperties::builder()
            .set_writer_version(version)
            .set_data_page_row_count_limit(page_rows)
            .set_write_batch_size(1)
            .set_max_row_group_row_count(Some(7));
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        Arc::new(file)
    }

    proptest! {
        #[test]
        fn the_longest_list_is_that_of_the_rows(
            lists in proptest::collection::vec(proptest::option::of(proptest::collection::vec(proptest::option::of(0..9_i64), 0..40)), 1..20),
            page_rows in 1..5_usize,
            is_second in any::<bool>(),
        ) {
            let version = if is_second { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 };
            let file = written(&lists, version, page_rows);
            let reader = SerializedFileReader::new(file.try_clone().unwrap()).unwrap();
            let longest = reader.metadata().row_groups().iter().map(|group| {
                longest_list(&file, group.column(0), group.num_rows() as usize).unwrap()
            });
            let expected = lists.iter().map(|list| list.as_ref().map_or(1, |list| list.len().max(1))).max();
            prop_assert_eq!(longest.max(), expected.map(|expected| expected as u64));
        }

        #[test]
        fn any_bytes_are_levels_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..50), width in 0..9_u32, values in any::<u32>()) {
            let mut lists = Lists::default();
            let _ = lists.add(&bytes, width, u64::from(values));
            prop_assert!(lists.longest <= u64::from(values));
        }
    }

    #[test]
    fn a_list_goes_on_from_page_to_page() {
        let mut lists = Lists::default();
        // A run of one level 0, a run of nine levels 1; then a page with levels 1, 1, 1, 0, 1, 1, 1, 1 packed.
        lists.add(&[2, 0, 18, 1], 1, 10).unwrap();
        lists.add(&[3, 0b1111_0111], 1, 8).unwrap();
        assert_eq!((lists.longest, lists.open), (13, 5));
        assert_eq!(lists.add(&[2], 1, 1), None);
    }
}
