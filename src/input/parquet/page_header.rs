//! The sizes that a page of a Parquet file announces, read without decoding the page.
//!
//! The parquet crate trusts these sizes and allocates memory for them. They are checked first, so that a small file
//! cannot use up all memory. Most codecs write no more than announced; gzip and brotli decompress to the end of the
//! data, so a page of theirs that could exceed the budget is decompressed once and its bytes discarded. Source: the
//! Parquet format's `PageHeader`.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use parquet::basic::Compression;

use super::thrift::{Compact, INT32, STRUCT};

/// Numbers of encodings in the format.
const PLAIN_DICTIONARY: i64 = 2;
const DELTA_BYTE_ARRAY: i64 = 7;
const RLE_DICTIONARY: i64 = 8;

/// The size of a page, and how it holds its values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PageSize {
    /// Decompressed bytes, without the header; above `room`, the count may stop early.
    pub bytes: u64,
    /// Number of values, nulls included.
    pub values: u64,
    /// How the page holds its values.
    pub content: Content,
}

/// How a page holds its values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Content {
    /// The values of the dictionary.
    Dictionary,
    /// Indices into the dictionary.
    Places,
    /// The suffix that each value adds to a prefix of the previous one (DELTA_BYTE_ARRAY): any may be as long as the
    /// page.
    Differences,
    /// Each value in bytes of its own.
    Values,
}

/// Passes each page between `begin` and `end` to `each`; `None` if the bytes there are not a page. The last page may
/// extend beyond `end`: some old writers left a header out of the count.
pub(super) fn visit_pages(
    file: impl Read + Seek,
    (begin, end): (u64, u64),
    codec: Compression,
    bytes_max: u64,
    mut each: impl FnMut(PageSize),
) -> Option<()> {
    let mut reader = BufReader::with_capacity(4 << 10, file);
    reader.seek(SeekFrom::Start(begin)).ok()?;
    let mut position = begin;
    while position < end {
        let mut header = Compact::new(&mut reader);
        let page = page(&mut header)?;
        let content = position.checked_add(header.read)?;
        position = content.checked_add(page.compressed)?;
        let mut bytes = page.uncompressed;
        let data = page.compressed.saturating_sub(page.levels);
        if could_inflate(codec, data, bytes_max) {
            reader.seek_relative(i64::try_from(page.levels).ok()?).ok()?;
            bytes = bytes.max(inflated(codec, reader.by_ref().take(data), bytes_max));
            reader.seek(SeekFrom::Start(position)).ok()?;
        } else {
            reader.seek_relative(i64::try_from(page.compressed).ok()?).ok()?;
        }
        each(PageSize { bytes, values: page.values, content: page.content });
    }
    Some(())
}

struct Page {
    uncompressed: u64,
    compressed: u64,
    values: u64,
    /// Bytes of the levels, before the compressed bytes.
    levels: u64,
    content: Content,
}

/// Whether this many bytes could decompress to more than `room`, whatever their page announces. Deflate makes at most
/// 1,032 bytes from one byte.
fn could_inflate(codec: Compression, compressed: u64, bytes_max: u64) -> bool {
    match codec {
        Compression::GZIP(_) => compressed.saturating_mul(1_032) > bytes_max,
        Compression::BROTLI(_) => true,
        _ => false,
    }
}

/// Counts the decompressed bytes until they exceed `room`. The count ends at damaged data, which the reader reports.
fn inflated(codec: Compression, data: impl Read, bytes_max: u64) -> u64 {
    let mut inflated: Box<dyn Read + '_> = match codec {
        Compression::GZIP(_) => Box::new(flate2::read::MultiGzDecoder::new(data)),
        _ => Box::new(brotli::Decompressor::new(data, 4 << 10)),
    };
    let (mut buffer, mut count) = ([0; 8 << 10], 0);
    while count <= bytes_max {
        match inflated.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => count += read as u64,
        }
    }
    count
}

/// The fields of a header that depend on the type of the page.
#[derive(Default)]
struct About {
    values: i64,
    levels: i64,
    encoding: i64,
}

/// Reads a header from `compact`.
fn page(compact: &mut Compact<'_, impl BufRead>) -> Option<Page> {
    let (mut uncompressed, mut compressed) = (None, None);
    let mut about = About::default();
    let (mut is_dictionary, mut field) = (false, 0);
    while let Some(kind) = compact.field(&mut field)? {
        match (field, kind) {
            (2, INT32) => uncompressed = Some(compact.integer()?),
            (3, INT32) => compressed = Some(compact.integer()?),
            // Data page, dictionary page, data page of version 2: the number of values is the first field of each.
            (5, STRUCT) => about = About { levels: 0, ..about_of(compact, 2)? },
            (7, STRUCT) => (is_dictionary, about) = (true, About { levels: 0, ..about_of(compact, 2)? }),
            (8, STRUCT) => about = about_of(compact, 4)?,
            _ => compact.skip(kind, 0)?,
        }
    }
    let size = |number: i64| u64::try_from(number).ok();
    Some(Page {
        uncompressed: size(uncompressed?)?,
        compressed: size(compressed?)?,
        values: size(about.values)?,
        levels: size(about.levels)?,
        content: match about.encoding {
            _ if is_dictionary => Content::Dictionary,
            PLAIN_DICTIONARY | RLE_DICTIONARY => Content::Places,
            DELTA_BYTE_ARRAY => Content::Differences,
            _ => Content::Values,
        },
    })
}

/// Reads these fields; `encoding` is the number of the field with the encoding.
fn about_of(compact: &mut Compact<'_, impl BufRead>, encoding: i64) -> Option<About> {
    let (mut about, mut field) = (About::default(), 0);
    while let Some(kind) = compact.field(&mut field)? {
        match (field, kind) {
            (1, INT32) => about.values = compact.integer()?,
            (number, INT32) if number == encoding => about.encoding = compact.integer()?,
            // Only version 2 has these fields: the lengths of definition and repetition levels.
            (5 | 6, INT32) => about.levels = about.levels.checked_add(compact.integer()?)?,
            _ => compact.skip(kind, 1)?,
        }
    }
    Some(about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::io::Cursor;
    use std::sync::Arc;

    use arrow::array::{Array as _, ArrayRef, Int64Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Encoding;
    use parquet::column::page::Page;
    use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
    use parquet::file::reader::FileReader;
    use parquet::file::serialized_reader::SerializedFileReader;
    use proptest::prelude::*;

    fn written(columns: &[(&str, ArrayRef)], properties: WriterPropertiesBuilder) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    }

    fn found(bytes: &[u8], range: (u64, u64), codec: Compression, bytes_max: u64) -> Vec<PageSize> {
        let mut found = Vec::new();
        visit_pages(Cursor::new(bytes), range, codec, bytes_max, |page| found.push(page)).unwrap();
        found
    }

    #[test]
    fn each_page_of_each_column_is_found() {
        let mut contents = BTreeSet::new();
        let numbers: ArrayRef = Arc::new((0..50_000).map(|number| number * 7_919).collect::<Int64Array>());
        let texts: ArrayRef =
            Arc::new((0..50_000).map(|number| Some(format!("{}", number % 9))).collect::<StringArray>());
        let codecs =
            [Compression::SNAPPY, Compression::GZIP(Default::default()), Compression::BROTLI(Default::default())];
        for (codec, version) in codecs.into_iter().flat_map(|codec| [(codec, 1), (codec, 2)]) {
            let version = if version == 1 { WriterVersion::PARQUET_1_0 } else { WriterVersion::PARQUET_2_0 };
            let with_dictionary = codec == Compression::SNAPPY;
            let properties = WriterProperties::builder()
                .set_dictionary_enabled(with_dictionary)
                .set_compression(codec)
                .set_writer_version(version)
                .set_data_page_size_limit(30_000)
                .set_write_batch_size(512);
            let bytes = written(&[("numbers", Arc::clone(&numbers)), ("texts", Arc::clone(&texts))], properties);
            let reader = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).unwrap();
            let group = reader.get_row_group(0).unwrap();
            for (index, column) in group.metadata().columns().iter().enumerate() {
                let (begin, length) = column.byte_range();
                // With so small a limit, everything is decompressed too.
                let found = found(&bytes, (begin, begin + length), codec, 1);
                let pages = group.get_column_page_reader(index).unwrap().map(|page| page.unwrap());
                let size = |page: Page| PageSize {
                    bytes: page.buffer().len() as u64,
                    values: u64::from(page.num_values()),
                    content: match (page.is_dictionary_page(), page.encoding()) {
                        (true, _) => Content::Dictionary,
                        (_, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY) => Content::Places,
                        (_, Encoding::DELTA_BYTE_ARRAY) => Content::Differences,
                        _ => Content::Values,
                    },
                };
                let pages: Vec<PageSize> = pages.map(size).collect();
                assert!(pages.len() > 1);
                assert_eq!(found, pages);
                contents.extend(pages.iter().map(|page| format!("{:?}", page.content)));
            }
        }
        assert_eq!(contents.into_iter().collect::<Vec<_>>(), ["Dictionary", "Differences", "Places", "Values"]);
    }

    #[test]
    fn a_page_that_inflates_to_more_than_it_announces_is_found() {
        let zeros: ArrayRef = Arc::new(Int64Array::from(vec![0; 1 << 18]));
        for codec in [Compression::GZIP(Default::default()), Compression::BROTLI(Default::default())] {
            let properties = WriterProperties::builder()
                .set_compression(codec)
                .set_dictionary_enabled(false)
                .set_data_page_size_limit(usize::MAX)
                .set_data_page_row_count_limit(usize::MAX);
            let mut bytes = written(&[("zeros", Arc::clone(&zeros))], properties);
            let reader = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).unwrap();
            let (begin, length) = reader.metadata().row_group(0).column(0).byte_range();
            // The header begins at byte 4: type, then the uncompressed size as a signed varint of four bytes.
            assert_eq!(bytes[4..7], [0x15, 0, 0x15]);
            let announced = |mut number: u32| {
                [0, 1, 2, 3].map(|place| {
                    let byte = u8::try_from(number & 0x7f).unwrap() | if place < 3 { 0x80 } else { 0 };
                    number >>= 7;
                    byte
                })
            };
            let size = u32::try_from(zeros.len() * 8).unwrap();
            assert_eq!(bytes[7..11], announced(2 * size), "PLAIN, without levels");
            bytes[7..11].copy_from_slice(&announced(1 << 21));
            let found = found(&bytes, (begin, begin + length), codec, 1 << 20);
            assert!(found.iter().any(|page| page.bytes > 1 << 20), "{codec}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_pages_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let length = bytes.len() as u64;
            let _ = visit_pages(Cursor::new(&bytes), (0, length), Compression::BROTLI(Default::default()), 99, |_| {});
        }
    }
}
