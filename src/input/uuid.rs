//! UUIDs as text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, StringBuilder};
use arrow::datatypes::{DataType, Field};

/// Bytes of a UUID, and letters of its text.
const BYTES: i32 = 16;
const LETTERS: usize = 36;

/// The type of UUIDs in Arrow and in Parquet; there an annotation tells them from other bytes.
pub(super) const UUID: DataType = DataType::FixedSizeBinary(BYTES);

/// Whether a field of Arrow has UUIDs.
pub(super) fn is_uuid(field: &Field) -> bool {
    *field.data_type() == UUID && field.extension_type_name() == Some("arrow.uuid")
}

/// Returns UUIDs in their canonical form, in small letters. `None` for a column of another type.
pub(super) fn uuid_texts(column: &ArrayRef) -> Option<ArrayRef> {
    let uuids: &FixedSizeBinaryArray = column.as_fixed_size_binary_opt().filter(|_| *column.data_type() == UUID)?;
    let mut texts = StringBuilder::with_capacity(uuids.len(), uuids.len() * LETTERS);
    for uuid in uuids {
        texts.append_option(uuid.map(text));
    }
    Some(Arc::new(texts.finish()))
}

fn text(uuid: &[u8]) -> String {
    let mut text = String::with_capacity(LETTERS);
    for (place, byte) in uuid.iter().enumerate() {
        if [4, 6, 8, 10].contains(&place) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_written_as_everybody_writes_them() {
        let uuid = 0x550e_8400_e29b_41d4_a716_4466_5544_0000_u128.to_be_bytes();
        let uuids = vec![Some(uuid), None, Some([0xff; 16])].into_iter();
        let uuids = FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, BYTES).unwrap();
        let texts = uuid_texts(&(Arc::new(uuids) as ArrayRef)).unwrap();
        let texts: Vec<Option<&str>> = texts.as_string::<i32>().iter().collect();
        let ones = "ffffffff-ffff-ffff-ffff-ffffffffffff";
        assert_eq!(texts, [Some("550e8400-e29b-41d4-a716-446655440000"), None, Some(ones)]);
    }
}
