//! The nesting depth of a Parquet file's schema, read before decoding: the parquet crate recurses into the schema, and
//! a small file can nest more levels than the stack holds. Source: the Parquet format's `FileMetaData`.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use super::thrift::{Compact, INT32, LIST, STRUCT};

/// The most levels of nesting that are read.
pub(super) const DEPTH_MAX: usize = 100;

/// Bytes after the footer: its length and the magic number.
const TAIL_BYTES: u64 = 8;

/// The depth of the schema (0 for the root), counted up to [`DEPTH_MAX`] plus one; `None` if there is no footer.
pub(super) fn schema_depth(mut file: impl Read + Seek) -> Option<usize> {
    let end = file.seek(SeekFrom::End(0)).ok()?.checked_sub(TAIL_BYTES)?;
    file.seek(SeekFrom::Start(end)).ok()?;
    let mut length = [0; 4];
    file.read_exact(&mut length).ok()?;
    let begin = end.checked_sub(u64::from(u32::from_le_bytes(length)))?;
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut reader = BufReader::new(file.take(end - begin));
    let mut compact = Compact::new(&mut reader);
    let mut field = 0;
    while let Some(kind) = compact.field(&mut field)? {
        if (field, kind) == (2, LIST) {
            return depth(&mut compact);
        }
        compact.skip(kind, 0)?;
    }
    None
}

/// The schema is a list of elements, each with its number of children, and followed by them.
fn depth(compact: &mut Compact<'_, impl BufRead>) -> Option<usize> {
    let (count, STRUCT) = compact.list()? else { return None };
    let (mut deepest, mut open) = (0, Vec::new());
    for _ in 0..count {
        deepest = deepest.max(open.len());
        if deepest > DEPTH_MAX {
            break;
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        let (mut children, mut field) = (0, 0);
        while let Some(kind) = compact.field(&mut field)? {
            match (field, kind) {
                (5, INT32) => children = compact.integer()?,
                _ => compact.skip(kind, 0)?,
            }
        }
        if children > 0 {
            open.push(children);
        }
        while open.last().is_some_and(|left| *left <= 0) {
            open.pop();
        }
    }
    Some(deepest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Fields, Schema};
    use parquet::arrow::ArrowWriter;
    use proptest::prelude::*;

    fn file(columns: Vec<Field>) -> Vec<u8> {
        let mut bytes = Vec::new();
        ArrowWriter::try_new(&mut bytes, Arc::new(Schema::new(columns)), None).unwrap().close().unwrap();
        bytes
    }

    fn nested(levels: usize) -> Field {
        let leaf = Field::new("x", DataType::Int64, true);
        (1..levels).fold(leaf, |inner, _| Field::new("x", DataType::Struct(Fields::from(vec![inner])), true))
    }

    #[test]
    fn the_depth_is_that_of_the_deepest_column() {
        for (columns, expected) in [(vec![1], 1), (vec![1, 3, 2], 3), (vec![40, 1], 40), (vec![1, 300], DEPTH_MAX + 1)]
        {
            let columns = columns.into_iter().map(nested).collect();
            assert_eq!(schema_depth(Cursor::new(file(columns))), Some(expected));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_depth_or_none(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let length = u32::try_from(bytes.len()).unwrap();
            bytes.extend(length.to_le_bytes());
            bytes.extend(b"PAR1");
            let _ = schema_depth(Cursor::new(bytes));
        }
    }
}
