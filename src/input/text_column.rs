//! Columns of text: of any text type, of bytes, and where wanted of integers.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::DataType;

use super::cells::{NOT_UTF8, Reason, is_integer, text_column, unpacked};

/// A column of text.
pub(super) struct TextColumn {
    texts: StringArray,
    /// The cells, where they are bytes that may be no text.
    bytes: Option<ArrayRef>,
}

impl TextColumn {
    /// Returns `None` unless the column has text or bytes.
    pub(super) fn new(source: &ArrayRef) -> Option<Self> {
        if let Some(texts) = text_column(source) {
            return Some(TextColumn { texts, bytes: None });
        }
        let source = unpacked(source)?;
        let bytes = match source.data_type() {
            DataType::Binary | DataType::LargeBinary => source,
            DataType::BinaryView | DataType::FixedSizeBinary(_) => cast(&source, &DataType::LargeBinary).ok()?,
            _ => return None,
        };
        // A safe cast gives null for bytes that are no text.
        let options = CastOptions { safe: true, ..Default::default() };
        let texts = cast_with_options(&bytes, &DataType::Utf8, &options).ok()?;
        Some(TextColumn { texts: texts.as_string_opt::<i32>()?.clone(), bytes: Some(bytes) })
    }

    /// Like [`Self::new`], but a column may also have integers, which become their decimal digits.
    pub(super) fn with_integers(source: &ArrayRef) -> Option<Self> {
        let unpacked = unpacked(source)?;
        if *source.data_type() == DataType::Null || !is_integer(unpacked.data_type()) {
            return Self::new(source);
        }
        let texts = cast(&unpacked, &DataType::Utf8).ok()?;
        Some(TextColumn { texts: texts.as_string_opt::<i32>()?.clone(), bytes: None })
    }

    /// A column of nulls.
    pub(super) fn nulls(rows: usize) -> Self {
        TextColumn { texts: StringArray::new_null(rows), bytes: None }
    }

    /// All texts; null also for bytes that are no text.
    pub(super) fn texts(&self) -> &StringArray {
        &self.texts
    }

    /// The text in a row, `None` if it is null, or the reason why it is no text. `row` must be below the column's
    /// length.
    pub(super) fn get(&self, row: usize) -> Result<Option<&str>, Reason> {
        match &self.bytes {
            _ if self.texts.is_valid(row) => Ok(Some(self.texts.value(row))),
            Some(bytes) if bytes.is_valid(row) => Err(NOT_UTF8.to_owned()),
            _ => Ok(None),
        }
    }
}
